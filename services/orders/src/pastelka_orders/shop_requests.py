"""Requests to the shop: one order, or all orders since a time, page by page."""

from pydantic import AwareDatetime, BaseModel, ConfigDict


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FetchOrders(_Request):
    """Fetch one page of the orders that changed ``since``; the next page follows.

    ``cursor`` is the start of the page. ``seen``, ``changed`` and ``failed`` count the orders of previous
    pages.
    """

    since: AwareDatetime
    cursor: str | None = None
    seen: int = 0
    changed: int = 0
    failed: int = 0

    @property
    def subject(self) -> str:
        """Subject of its dead letters."""
        return "fetch.shopify"

    @property
    def key(self) -> str:
        """Key of the row, the same for all pages."""
        return f"{self.subject} {self.since.isoformat()}"


class SyncOrder(_Request):
    """Fetch one order; ``order_number`` is ours or the shop's.

    ``photos``: whether missing photos are downloaded again.
    """

    shopify_id: int
    order_number: str
    photos: bool = False

    @property
    def subject(self) -> str:
        """Subject of its dead letters."""
        return f"sync.{self.shopify_id}"

    @property
    def key(self) -> str:
        """Key of the row: a new request for an order replaces the previous one."""
        return self.subject


ShopRequest = FetchOrders | SyncOrder
