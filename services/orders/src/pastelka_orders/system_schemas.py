"""What the API says of the system itself."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from pastelka_common.contracts.statuses import StatusType
from pastelka_common.messaging.service_health import BreakerState
from pastelka_orders.schemas import omitted_if_none


class BreakerResponse(BaseModel):
    """The circuit breaker between a worker and its paid provider."""

    state: BreakerState
    since: AwareDatetime
    reason: str | None = Field(description="Why it opened; null while closed")
    next_probe_at: AwareDatetime | None = Field(
        description="When one job is let through again; null unless open"
    )


class ServiceResponse(BaseModel):
    """One process of a service, or a service of which no process answers."""

    name: str
    instance: str | None = Field(description="Host and process id; null when no process answers")
    healthy: bool
    started_at: AwareDatetime | None
    checks: dict[str, str] = Field(description="By dependency: `ok`, or what is wrong")
    breaker: Annotated[
        BreakerResponse | None,
        omitted_if_none("Only there for workers with a paid provider"),
    ]


class QueueResponse(BaseModel):
    """Jobs of one kind."""

    name: str
    waiting: int = Field(description="Not delivered to a worker yet")
    in_progress: int = Field(description="In progress, or waiting for a retry")


class OutboxResponse(BaseModel):
    """Messages that are committed and not yet published."""

    messages: int
    oldest_seconds: float | None = Field(description="Age of the oldest; null when there is none")
    refused: int = Field(description="Not among them: messages that the broker will never accept")


class MinutesResponse(BaseModel):
    """What ended in each minute by the clock: 61 of them, the first and the last of which are partial."""

    begin: AwareDatetime = Field(description="Start of the first minute")
    completed: list[int] = Field(description="A count for each minute, oldest first")
    failed: list[int]
    cancelled: list[int]


class HourResponse(BaseModel):
    """What ended in the last hour."""

    kind: StatusType
    completed: int
    failed: int
    cancelled: int
    failure_rate: float | None = Field(
        description="failed / (completed + failed), 0 to 1; null when nothing ended"
    )
    minutes: MinutesResponse = Field(description="The same, minute by minute: they add up to the counts")


class DeadLetterResponse(BaseModel):
    """A job that was given up on."""

    sequence: int = Field(description="By which it is requeued or dismissed")
    subject: str = Field(description="Of the job", examples=["jobs.coloring.456"])
    order_number: str | None = None
    image_id: int | None = None
    version_id: int | None = None
    code: str
    message: str
    attempt: int | None = None
    at: AwareDatetime | None = None


class DeadLettersResponse(BaseModel):
    """Jobs that were given up on in the last 30 days, newest first."""

    count: int
    newest: list[DeadLetterResponse] = Field(description="At most 20")


class ReconcilerResponse(BaseModel):
    """The reconciler's last pass over all active versions."""

    ran_at: AwareDatetime
    seconds: float = Field(description="How long it took")
    examined: int = Field(description="Active versions that it looked at")
    repaired: int = Field(description="In the last pass")
    repaired_total: int = Field(description="Since the database was made")
    last_repaired_at: AwareDatetime | None


class RetentionResponse(BaseModel):
    """Orders that are older than `RETENTION_DAYS` are erased; this is how that goes."""

    on: bool = Field(description="Whether orders are erased when they are old; false: they are kept")
    days: int | None = Field(description="How long an order is kept; null while they are kept for ever")
    ran_at: AwareDatetime = Field(description="When orders were last looked for")
    since: AwareDatetime = Field(description="Since when `erased` counts")
    erased: int = Field(description="Orders that were erased because they were too old")
    last_erased_at: AwareDatetime | None
    waiting: int = Field(description="Erasures, for any reason, that are not finished")
    failing: int = Field(description="Those of them that were tried in vain, and will be tried again")
    error: str | None = Field(description="Why the first of them failed, or why nothing could be judged")


class SystemResponse(BaseModel):
    """How the system is. What cannot be told because the database or NATS is away is null."""

    at: AwareDatetime
    services: list[ServiceResponse]
    queues: list[QueueResponse] | None
    outbox: OutboxResponse | None
    last_hour: list[HourResponse] | None
    dead_letters: DeadLettersResponse | None
    reconciler: ReconcilerResponse | None = Field(description="Null also when it has not run yet")
    retention: RetentionResponse | None = Field(description="Null also before the first look")
