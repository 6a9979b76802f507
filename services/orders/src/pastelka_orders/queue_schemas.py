"""What the API returns about queues and waiting versions."""

from pydantic import AwareDatetime, BaseModel, Field

from pastelka_common.contracts.statuses import StatusType


class WaitingVersion(BaseModel):
    """A version that no worker has started yet."""

    status_type: StatusType
    version_id: int
    ahead: int = Field(description="Waiting versions of this kind, of any order, requested earlier")


class OrderQueueResponse(BaseModel):
    """The waiting versions of an order, in the order of their requests."""

    order_number: str
    waiting: list[WaitingVersion]


class PausableQueue(BaseModel):
    """The queue of one kind of versions."""

    kind: StatusType
    paused_at: AwareDatetime | None = Field(description="Since when workers get no jobs; null: not paused")
    paused_by: str | None = Field(description="Who paused it; null: not paused")


class QueuesResponse(BaseModel):
    """The queues that can be paused."""

    queues: list[PausableQueue]
