"""Response bodies about the system."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from pastelka_common.contracts.statuses import StatusType
from pastelka_common.messaging.service_health import BreakerState
from pastelka_orders.schemas import omitted_if_none


class BreakerResponse(BaseModel):
    """The circuit breaker between a worker and its paid provider."""

    state: BreakerState
    since: AwareDatetime
    reason: str | None = Field(description="Cause of opening; null while closed")
    next_probe_at: AwareDatetime | None = Field(description="Time of the next probe; null unless open")


class ServiceResponse(BaseModel):
    """One process of a service, or a service without a responding process."""

    name: str
    instance: str | None = Field(description="Host and process id; null if no process responds")
    healthy: bool
    started_at: AwareDatetime | None
    checks: dict[str, str] = Field(description="By dependency: `ok`, or the error")
    breaker: Annotated[
        BreakerResponse | None,
        omitted_if_none("Only present for workers with a paid provider"),
    ]


class QueueResponse(BaseModel):
    """Jobs of one kind."""

    name: str
    waiting: int = Field(description="Not delivered to a worker yet")
    in_progress: int = Field(description="In progress, or waiting for a retry")


class OutboxResponse(BaseModel):
    """Messages that are committed and not yet published."""

    messages: int
    oldest_seconds: float | None = Field(description="Age of the oldest; null if there is none")
    refused: int = Field(description="Messages that the broker permanently refuses, not included above")


class MinutesResponse(BaseModel):
    """Ended versions per clock minute: 61 counts, the first and last of partial minutes."""

    begin: AwareDatetime = Field(description="Start of the first minute")
    completed: list[int] = Field(description="One count per minute, oldest first")
    failed: list[int]
    cancelled: list[int]


class HourResponse(BaseModel):
    """Versions that ended in the last hour."""

    kind: StatusType
    completed: int
    failed: int
    cancelled: int
    failure_rate: float | None = Field(
        description="failed / (completed + failed), 0 to 1; null if there are none"
    )
    minutes: MinutesResponse = Field(description="The same per minute; adds up to the counts")


class DeadLetterResponse(BaseModel):
    """An abandoned job."""

    sequence: int = Field(description="Id for requeue and dismiss")
    subject: str = Field(description="Of the job", examples=["jobs.coloring.456"])
    order_number: str | None = None
    image_id: int | None = None
    version_id: int | None = None
    code: str
    message: str
    attempt: int | None = None
    at: AwareDatetime | None = None


class DeadLettersResponse(BaseModel):
    """Jobs abandoned in the last 30 days, newest first."""

    count: int
    newest: list[DeadLetterResponse] = Field(description="At most 20")


class ReconcilerResponse(BaseModel):
    """The reconciler's last pass over all active versions."""

    ran_at: AwareDatetime
    seconds: float = Field(description="Duration of the pass")
    examined: int = Field(description="Active versions examined")
    repaired: int = Field(description="In the last pass")
    repaired_total: int = Field(description="Since the database was created")
    last_repaired_at: AwareDatetime | None


class RetentionResponse(BaseModel):
    """State of the retention, which erases orders older than `RETENTION_DAYS`."""

    on: bool = Field(description="Whether old orders are erased")
    days: int | None = Field(description="Retention period; null: orders are kept for ever")
    ran_at: AwareDatetime = Field(description="Time of the last pass")
    since: AwareDatetime = Field(description="Start of the count in `erased`")
    erased: int = Field(description="Orders erased by the retention")
    last_erased_at: AwareDatetime | None
    waiting: int = Field(description="Unfinished erasures, for any reason")
    failing: int = Field(description="Unfinished erasures that failed and will be retried")
    error: str | None = Field(description="Error of the first failed erasure, or of the pass")


class SystemResponse(BaseModel):
    """Status of the system. Fields whose source (database, NATS) is unavailable are null."""

    at: AwareDatetime
    services: list[ServiceResponse]
    queues: list[QueueResponse] | None
    outbox: OutboxResponse | None
    last_hour: list[HourResponse] | None
    dead_letters: DeadLettersResponse | None
    reconciler: ReconcilerResponse | None = Field(description="Also null before the first pass")
    retention: RetentionResponse | None = Field(description="Also null before the first pass")
