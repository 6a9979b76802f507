"""What turns a photo into a coloring page: the contract every provider keeps."""

from dataclasses import dataclass
from typing import Protocol

from pastelka_common.contracts.options import Background, LineWeight
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.sources import Source


@dataclass(frozen=True, slots=True)
class ColoringRequest:
    """One coloring to make.

    ``photo`` fetches the stored photo when the provider needs it and releases it afterwards,
    ``megapixels`` (0.5 to 8) is the size of the page, ``steps`` (1 to 20) its detail,
    the next three its style; a provider is only given options that it takes (``COLORING_OPTIONS``).
    ``provider_job_id`` is set when an earlier delivery of this run already submitted the job: the
    provider then continues to poll and must not submit again. ``is_withdrawing`` is whether that
    delivery was about to cancel the job, because it never left the provider's queue.
    """

    photo: Source
    megapixels: float
    steps: int
    has_frame: bool = True
    background: Background = Background.QUIET
    line_weight: LineWeight = LineWeight.NORMAL
    provider_job_id: str | None = None
    is_withdrawing: bool = False


class ColoringProgress(Protocol):
    """What a provider tells while it works. Its calls return after what they say is stored.

    They may raise what ends the work without a result (``PostponedError``, ``SupersededError``):
    let it through.
    """

    async def status(self, status: ColoringProcessingStatus) -> None:
        """Report a step."""

    async def submitting(self, status: ColoringProcessingStatus) -> None:
        """Report ``status`` and check, right before the submission, that the job may be submitted."""

    async def submitted(self, provider_job_id: str) -> str:
        """Store the provider's job id, so that a redelivered job continues to poll.

        Returns the id to poll: a different one if another worker had already submitted the job.
        """

    async def withdrawing(self) -> None:
        """Note that the submitted job is about to be cancelled, to be submitted again.

        Checks that no other worker has taken over the job.
        """

    async def withdrawn(self, provider_job_id: str) -> int:
        """Discard a job that the provider certainly never started; returns how many there were."""

    async def ensure_ownership(self) -> None:
        """Check that no other worker has taken over the job; called before an action of its holder alone."""


class ColoringProvider(Protocol):
    """Turns photos into coloring pages.

    ``color`` returns the page as PNG bytes. It raises ``TransientError`` (``SubmitUnknownError`` when
    the provider may have taken the job), ``PermanentError``, or ``PostponedError`` (the provider never
    began; ask again) of ``pastelka_common.errors``, and nothing else for anything the provider, the
    network or the photo can do wrong. When cancelled in the middle of submitting it finishes the
    submission and ``progress.submitted`` first.
    """

    name: str

    async def color(self, request: ColoringRequest, progress: ColoringProgress) -> bytes:
        """Make the page."""

    async def cancel(self, provider_job_id: str) -> None:
        """Stop a job at the provider; one that is unknown or has ended is no error."""

    async def aclose(self) -> None:
        """Give back connections, threads and models."""
