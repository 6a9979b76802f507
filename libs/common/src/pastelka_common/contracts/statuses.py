"""The processing statuses of the specification, and their *meaning* as flags.

The values are the API's and PostgreSQL's (types ``coloringprocessingstatus`` and ``svgprocessingstatus``).
Code queries a status for its meaning (``status.is_final``); no other module lists statuses.
"""

from enum import Flag, StrEnum, auto
from typing import Literal


class Meaning(Flag):
    """Properties of a status."""

    STARTABLE = auto()
    """No worker has started it yet."""
    IN_FLIGHT = auto()
    """A worker is working on it; there is no file yet."""
    AWAITING_PROVIDER = auto()
    """A job at a paid provider may be running: poll or cancel it, never submit it again."""
    FINAL = auto()
    """Nothing more happens in this run."""
    RETRYABLE = auto()
    """A user may request a new run."""


class _Status(StrEnum):
    """A status with its meaning."""

    @property
    def meaning(self) -> Meaning:
        """All flags of this status."""
        return _MEANINGS[self.value]

    @property
    def is_startable(self) -> bool:
        """Whether no worker has started it yet."""
        return Meaning.STARTABLE in self.meaning

    @property
    def is_in_flight(self) -> bool:
        """Whether a worker is working on it."""
        return Meaning.IN_FLIGHT in self.meaning

    @property
    def is_active(self) -> bool:
        """Whether the run is waiting or in progress."""
        return not self.is_final

    @property
    def is_awaiting_provider(self) -> bool:
        """Whether a job at the provider may be running."""
        return Meaning.AWAITING_PROVIDER in self.meaning

    @property
    def is_final(self) -> bool:
        """Whether this run has ended."""
        return Meaning.FINAL in self.meaning

    @property
    def has_file(self) -> bool:
        """Whether the run has ended with a file."""
        return self.is_final and not self.is_retryable

    @property
    def is_retryable(self) -> bool:
        """Whether a user may request a new run."""
        return Meaning.RETRYABLE in self.meaning


class ColoringProcessingStatus(_Status):
    """Status of one coloring version."""

    PENDING = "pending"
    """Committed; its job is not yet acknowledged by JetStream."""
    QUEUED = "queued"
    """Its job is in JetStream."""
    PROCESSING = "processing"
    """A worker has the job."""
    RUNPOD_SUBMITTING = "runpod_submitting"
    """The job is being submitted to RunPod."""
    RUNPOD_SUBMITTED = "runpod_submitted"
    """RunPod accepted the job."""
    RUNPOD_QUEUED = "runpod_queued"
    """RunPod reports ``IN_QUEUE``."""
    RUNPOD_PROCESSING = "runpod_processing"
    """RunPod reports ``IN_PROGRESS``."""
    COMPLETED = "completed"
    """The page is stored."""
    ERROR = "error"
    """Given up or cancelled; the version carries a code and a sentence."""


class SvgProcessingStatus(_Status):
    """Status of one SVG version."""

    PENDING = "pending"
    """Committed; its job is not yet acknowledged by JetStream."""
    QUEUED = "queued"
    """Its job is in JetStream."""
    PROCESSING = "processing"
    """A worker has the job."""
    VECTORIZER_PROCESSING = "vectorizer_processing"
    """The HTTP request to Vectorizer.ai is in progress."""
    COMPLETED = "completed"
    """The SVG is stored."""
    ERROR = "error"
    """Given up or cancelled; the version carries a code and a sentence."""


VersionStatus = ColoringProcessingStatus | SvgProcessingStatus

StatusType = Literal["coloring", "svg"]
"""Kind of version; the plan's ``status_type``."""

STATUS_ENUMS: dict[StatusType, type[ColoringProcessingStatus] | type[SvgProcessingStatus]] = {
    "coloring": ColoringProcessingStatus,
    "svg": SvgProcessingStatus,
}

_AT_PROVIDER = Meaning.IN_FLIGHT | Meaning.AWAITING_PROVIDER
_MEANINGS: dict[str, Meaning] = {
    "pending": Meaning.STARTABLE,
    "queued": Meaning.STARTABLE,
    "processing": Meaning.IN_FLIGHT,
    "runpod_submitting": _AT_PROVIDER,
    "runpod_submitted": _AT_PROVIDER,
    "runpod_queued": _AT_PROVIDER,
    "runpod_processing": _AT_PROVIDER,
    "vectorizer_processing": _AT_PROVIDER,
    "completed": Meaning.FINAL,
    "error": Meaning.FINAL | Meaning.RETRYABLE,
}
