"""What the shop is asked for: one order, or the orders since a moment, page by page."""

from pydantic import AwareDatetime, BaseModel, ConfigDict


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FetchOrders(_Request):
    """Read one page of the shop's orders that changed ``since``; the next page follows.

    ``cursor`` is where the page begins. ``seen``, ``changed`` and ``failed`` count the orders of the
    pages before.
    """

    since: AwareDatetime
    cursor: str | None = None
    seen: int = 0
    changed: int = 0
    failed: int = 0

    @property
    def subject(self) -> str:
        """What dead letters call it."""
        return "fetch.shopify"

    @property
    def key(self) -> str:
        """The same for all pages."""
        return f"{self.subject} {self.since.isoformat()}"


class SyncOrder(_Request):
    """Read one order of the shop; ``order_number`` is what it is called here or in the shop.

    ``photos`` says whether photos that are not stored are fetched again, too.
    """

    shopify_id: int
    order_number: str
    photos: bool = False

    @property
    def subject(self) -> str:
        """What dead letters call it."""
        return f"sync.{self.shopify_id}"

    @property
    def key(self) -> str:
        """One request for an order replaces another."""
        return self.subject


ShopRequest = FetchOrders | SyncOrder
