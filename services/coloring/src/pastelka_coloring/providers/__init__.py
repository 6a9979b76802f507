"""The interface of coloring providers."""

from dataclasses import dataclass
from typing import Protocol

from pastelka_common.contracts.options import Background, LineWeight
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.sources import Source


@dataclass(frozen=True, slots=True)
class ColoringRequest:
    """Request for one coloring page.

    ``photo`` opens a local copy of the photo, ``megapixels`` (0.5 to 8) is the size of the page, ``steps`` (1
    to 20) its detail, the next three its style; a provider only receives supported options
    (``COLORING_OPTIONS``). ``provider_job_id`` is set if an earlier delivery of this run already submitted
    the job: the provider must poll it and not submit again. ``is_withdrawing``: that delivery was about to
    cancel the job, because it never left the provider's queue.
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
    """Progress reports of a provider. Each call returns once the report is stored.

    Calls may raise ``PostponedError`` and ``SupersededError``, which the provider must propagate.
    """

    async def status(self, status: ColoringProcessingStatus) -> None:
        """Report a new status."""

    async def submitting(self, status: ColoringProcessingStatus) -> None:
        """Report ``status`` and check, immediately before the submission, that it is allowed."""

    async def submitted(self, provider_job_id: str) -> str:
        """Store the provider's job id, so that a redelivered job continues to poll.

        Returns the id to poll: another one if another worker has already submitted the job.
        """

    async def withdrawing(self) -> None:
        """Record that the submitted job is about to be cancelled for a resubmission.

        Checks that no other worker has taken over the job.
        """

    async def withdrawn(self, provider_job_id: str) -> int:
        """Record that the job was cancelled before it started; returns the number of such jobs."""

    async def ensure_ownership(self) -> None:
        """Check that no other worker has taken over the job."""


class ColoringProvider(Protocol):
    """Turns photos into coloring pages.

    ``color`` returns the page as PNG bytes. It raises ``TransientError`` (``SubmitUnknownError`` if the
    provider may have accepted the job), ``PermanentError``, or ``PostponedError`` (the provider never
    started) of ``pastelka_common.errors``, and nothing else for errors of the provider, the network or the
    photo. If cancelled during a submission, it finishes that and ``progress.submitted`` first.
    """

    name: str

    async def color(self, request: ColoringRequest, progress: ColoringProgress) -> bytes:
        """Generate the page."""

    async def cancel(self, provider_job_id: str) -> None:
        """Cancel a job at the provider; no error if it is unknown or has ended."""

    async def aclose(self) -> None:
        """Release connections, threads and models."""
