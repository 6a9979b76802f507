"""The messages services exchange: jobs (what to do), facts (what happened), events (what is committed).

A message has a subject and a ``Nats-Msg-Id``. Readers ignore unknown fields, and fields are only ever added
with a default, so that old and new code read each other's messages during a rolling upgrade;
``schema_version`` is the version of the writer's fields.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import ColoringProcessingStatus, StatusType, SvgProcessingStatus

_UNSAFE_IN_TOKEN = re.compile(r"[^A-Za-z0-9_-]")


def subject_token(value: str) -> str:
    """``value`` as one token of a NATS subject; forbidden characters are percent-encoded."""
    return _UNSAFE_IN_TOKEN.sub(lambda found: quote(found.group(), safe="").replace(".", "%2E"), value)


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


class Message(BaseModel):
    """Base class of all messages."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Annotated[int, Field(ge=1)] = 1

    @property
    def subject(self) -> str:
        """Subject that it is published on."""
        raise NotImplementedError

    @property
    def msg_id(self) -> str | None:
        """``Nats-Msg-Id``: JetStream drops a second message with the same one."""
        return None


# --- jobs ---------------------------------------------------------------------------------------


class VersionJob(Message):
    """Generate the file of one version.

    ``run`` is the number of the request by a user for this version. ``first_attempt`` is the number of the
    job's first delivery: greater than 1 if the job was republished for the same run. ``source`` and
    ``target`` are paths relative to the storage root. ``provider_job_id`` is set if the job is republished
    after the provider had accepted it. ``asked_at`` is when the run was requested: a newer file at ``target``
    is already its result.
    """

    kind: ClassVar[StatusType]

    version_id: int
    run: Annotated[int, Field(ge=1)]
    first_attempt: Annotated[int, Field(ge=1)] = 1
    order_number: str
    image_id: int
    source: str
    target: str
    provider_job_id: str | None = None
    asked_at: AwareDatetime | None = None

    @property
    def subject(self) -> str:
        return f"jobs.{self.kind}.{self.version_id}"

    @property
    def msg_id(self) -> str:
        return f"{self.kind}.{self.version_id}.{self.run}.{self.first_attempt}"

    @property
    def key(self) -> str:
        """Key of this run in the key-value buckets."""
        return job_key(self.kind, self.version_id, self.run)


class ColoringJob(VersionJob):
    """Generate the coloring page ``target`` from the photo ``source``."""

    kind: ClassVar[StatusType] = "coloring"

    options: ColoringOptions


class SvgJob(VersionJob):
    """Generate the SVG ``target`` from the coloring page ``source``."""

    kind: ClassVar[StatusType] = "svg"

    options: SvgOptions


def job_key(kind: StatusType, version_id: int, run: int) -> str:
    """Key of one run of one version in the key-value buckets."""
    return f"{kind}.{version_id}.{run}"


# --- facts --------------------------------------------------------------------------------------


class Failure(BaseModel):
    """Why a version ended in ``error``: a stable code, and a sentence for users."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str


class Retry(BaseModel):
    """An attempt failed transiently, and will be retried.

    ``attempt`` is the number of failed attempts, from 1; after ``of`` the job is abandoned. ``code`` and
    ``message`` say why the last one failed, or what the next one waits for.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    attempt: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1)]
    next_at: AwareDatetime
    code: str
    message: str


class Fact(Message):
    """One step of a version, reported by a worker.

    ``(run, attempt, step)`` orders facts: ``attempt`` is the delivery of the job, ``step`` the position in
    the attempt, both from 1. ``path`` (relative to the storage root) is set with ``completed``, ``failure``
    with ``error``.

    With ``retry`` it announces the next attempt after a failed one; the status then repeats the last reported
    one (or ``processing``). ``possibly_paid_twice`` is set if a job was resubmitted although the first
    submission may have reached the provider.
    """

    kind: ClassVar[StatusType]

    version_id: int
    run: Annotated[int, Field(ge=1)]
    attempt: Annotated[int, Field(ge=1)]
    step: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    path: str | None = None
    failure: Failure | None = None
    provider_job_id: str | None = None
    retry: Retry | None = None
    possibly_paid_twice: bool | None = None

    @property
    def subject(self) -> str:
        return f"status.{self.kind}.{self.version_id}"

    @property
    def msg_id(self) -> str:
        return f"{self.kind}.{self.version_id}.{self.run}.{self.attempt}.{self.step}"

    @property
    def order(self) -> tuple[int, int, int]:
        """Sort key of facts of one version."""
        return (self.run, self.attempt, self.step)


class ColoringFact(Fact):
    """A step of a coloring."""

    kind: ClassVar[StatusType] = "coloring"

    status: ColoringProcessingStatus


class SvgFact(Fact):
    """A step of a vectorization."""

    kind: ClassVar[StatusType] = "svg"

    status: SvgProcessingStatus


# --- events -------------------------------------------------------------------------------------


class Event(Message):
    """A committed change of an order, which can be fetched."""

    event: str
    order_number: str

    @property
    def subject(self) -> str:
        return f"events.order.{subject_token(self.order_number)}.{self.event}"


class OrderCreated(Event):
    """An order was added."""

    event: Literal["order_created"] = "order_created"


class OrderDeleted(Event):
    """An order and its files were deleted."""

    event: Literal["order_deleted"] = "order_deleted"


class OrderChanged(Event):
    """The order's own data, its items or its photos changed."""

    event: Literal["order_changed"] = "order_changed"


class SelectionChanged(Event):
    """Another coloring or SVG of an image was chosen."""

    event: Literal["selection_changed"] = "selection_changed"
    image_id: int


class VersionStatusChanged(Event):
    """The status of a version changed from ``previous`` (``None``: new) to ``status``."""

    event: Literal["version_status_changed"] = "version_status_changed"
    image_id: int
    status_type: StatusType
    version_id: int
    previous: str | None = None
    status: str


class QueueChanged(Message):
    """A queue was paused or resumed, which can be fetched."""

    event: Literal["queue_changed"] = "queue_changed"
    kind: StatusType

    @property
    def subject(self) -> str:
        return f"events.queue.{self.kind}.{self.event}"


CommittedEvent = Annotated[
    OrderCreated | OrderDeleted | OrderChanged | SelectionChanged | VersionStatusChanged | QueueChanged,
    Field(discriminator="event"),
]
"""Any event; ``event`` names its kind."""


# --- dead letters -------------------------------------------------------------------------------


class DeadLetter(Message):
    """An abandoned job, with the original message and the reason."""

    original_subject: str
    original_payload: str
    original_headers: dict[str, str] = {}
    failure: Failure
    attempt: int
    at: AwareDatetime
    trace_id: str | None = None

    @property
    def subject(self) -> str:
        return f"dead.{self.original_subject}"
