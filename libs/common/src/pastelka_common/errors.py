"""Errors that providers and handlers raise to the job consumer."""


class JobError(Exception):
    """A job failed.

    ``code`` is a stable identifier (``photo_unreadable``); ``message`` is a sentence for users with cause and
    remedy, without secrets.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BrokerSetupError(RuntimeError):
    """The broker's setup cannot be used; the message names the remedy."""


class TransientError(JobError):
    """A later retry may succeed: a timeout, a dropped connection, 429, 5xx.

    ``retry_after`` is the provider's ``Retry-After`` in seconds, or ``None``.
    """

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class SubmitUnknownError(TransientError):
    """The provider may have accepted and charged the job, but its response was lost."""


class BrokerUnavailableError(TransientError):
    """Our message broker did not respond: counts neither as an attempt nor as a provider failure."""

    def __init__(self) -> None:
        super().__init__("broker_unavailable", "The message broker did not respond.")


class PermanentError(JobError):
    """A retry with the same input cannot succeed: a refused key, an unreadable photo."""


class PostponedError(JobError):
    """The job is postponed for ``seconds`` without counting an attempt."""

    def __init__(self, code: str, message: str, *, seconds: float) -> None:
        super().__init__(code, message)
        self.seconds = seconds


class SupersededError(Exception):
    """Another worker has taken over the job; this one must stop and report nothing."""
