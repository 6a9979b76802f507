"""What the API returns about waiting versions."""

from pydantic import BaseModel, Field

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
