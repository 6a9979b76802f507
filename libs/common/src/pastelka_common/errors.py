"""Why a job could not be done, as every provider and handler says it to the job consumer."""


class JobError(Exception):
    """A job could not be done.

    ``code`` is a stable word for programs (``photo_unreadable``); ``message`` is one sentence for
    a person, without secrets, that says what was wrong and what would be right.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BrokerSetupError(RuntimeError):
    """The broker cannot be used as it is set up; the message says what would be right."""


class TransientError(JobError):
    """Trying again later may help: a time-out, a dropped connection, 429, 5xx.

    ``retry_after`` is the provider's own wish in seconds (from ``Retry-After``), or ``None``.
    """

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class SubmitUnknownError(TransientError):
    """The provider may have taken the job, and may charge for it, but its answer did not arrive."""


class BrokerUnavailableError(TransientError):
    """Our own message broker did not answer: no attempt of the job's, and not the provider's fault."""

    def __init__(self) -> None:
        super().__init__("broker_unavailable", "The message broker did not answer.")


class PermanentError(JobError):
    """Trying again with the same input cannot help: a refused key, an unreadable photo."""


class PostponedError(JobError):
    """Not now: nothing was tried, and the job waits ``seconds`` without losing an attempt."""

    def __init__(self, code: str, message: str, *, seconds: float) -> None:
        super().__init__(code, message)
        self.seconds = seconds


class SupersededError(Exception):
    """The job was given to another worker meanwhile; this one says and does nothing more about it."""
