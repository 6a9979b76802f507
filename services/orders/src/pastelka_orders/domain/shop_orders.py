"""An order of the shop, from a webhook or the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

MAX_ITEMS = 1000
"""Line items of one order, and attributes of one line item."""
MAX_PHOTOS = 2000
"""Photos of one order."""


class OrderTooLargeError(ValueError):
    """An order exceeds the limit of items or photos; the message names it."""


@dataclass(frozen=True, slots=True)
class UnreadBody:
    """A webhook's body under ``topic``, and the ``problems`` with it, a sentence each."""

    topic: str
    body: bytes
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShopItem:
    """One line item. ``quantity`` is the current one: 0 when it was removed or refunded.

    ``photos`` are URLs by position, from 1.
    """

    shopify_id: int
    title: str
    quantity: int
    photos: Mapping[int, str]
    dedication: str | None = None
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """One order. ``name`` is the shop's (``#1270``), ``payment_status`` in lower case.

    ``has_cancellation``: the source has the field, so no ``cancelled_at`` means not cancelled. ``items`` is
    ``None`` if not all of them could be parsed; ``readable_items`` are then those that could.
    ``shipping_method`` is ``None`` if the source lacks it, and empty if nothing is delivered. ``unread`` is
    the source if parts of it could not be parsed. Raises ``OrderTooLargeError``.
    """

    shopify_id: int
    name: str
    items: tuple[ShopItem, ...] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    has_cancellation: bool = False
    customer_name: str | None = None
    customer_email: str | None = None
    payment_status: str | None = None
    shipping_method: str | None = None
    readable_items: tuple[ShopItem, ...] = ()
    unread: UnreadBody | None = None

    def __post_init__(self) -> None:
        items = self.items or self.readable_items
        _check("line items", len(items), MAX_ITEMS)
        _check("photos", sum(len(item.photos) for item in items), MAX_PHOTOS)

    @property
    def order_number(self) -> str:
        """Our number: the shop's name without ``#`` if it is safe in URLs, else the shop's id."""
        number = self.name.strip().lstrip("#").strip().replace("/", "-")[:80]
        return number or str(self.shopify_id)

    @property
    def has_photos(self) -> bool:
        """Whether any item has a photo."""
        return any(item.photos for item in self.items or ())


def without_photos_beyond(items: Iterable[ShopItem], limit: int) -> tuple[ShopItem, ...]:
    """The items with only the first ``limit`` photos in total."""
    kept = []
    for item in items:
        photos = dict(list(item.photos.items())[:limit])
        limit -= len(photos)
        kept.append(replace(item, photos=photos))
    return tuple(kept)


def delivery_of(lines: Iterable[tuple[str | None, bool]]) -> str:
    """The shipping method; ``lines`` are titles and whether each was removed. Empty if none is left."""
    return next((title for title, is_removed in lines if title and not is_removed), "")


def _check(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise OrderTooLargeError(f"Too many {what} in the order: {count}, limit {limit}.")
