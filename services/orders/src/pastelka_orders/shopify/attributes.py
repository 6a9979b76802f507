"""Attributes of a line item from the shop's form: photos, dedication, layout."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pastelka_orders.domain.shop_orders import ShopItem
from pastelka_orders.shopify.parsing import LONG_TEXT_LENGTH, truncate
from pastelka_orders.shopify.settings import ShopifySettings

Attributes = Iterable[tuple[str, str]]
"""Names and values, in the order of the form."""

_LAST_POSITION = 1000
_NAME_LENGTH = 200
"""Examined characters of an attribute's name; the settings allow 100."""


@dataclass(frozen=True)
class AttributeNames:
    """Names of the attributes: ``photo`` is a prefix, the others are whole names.

    Photos are ``Fotka 1``, ``Fotka1``, ``Fotka-1``, ``Fotka (4)-1``: the last number is the position;
    anything after it is ignored.
    """

    photo: str = "Fotka"
    dedication: str = "Věnování"
    layout: str = "Rozvržení"
    _photo: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        prefix = re.escape(_composed(self.photo))
        # Possessive, and no two parts match the same space: linear time for untrusted names.
        pattern = rf"{prefix}\s*+(?:\(\d++\)\s*+)?(?:-\s*+)?([0-9]++)"
        object.__setattr__(self, "_photo", re.compile(pattern))

    @classmethod
    def of(cls, settings: ShopifySettings) -> "AttributeNames":
        """The configured names."""
        return cls(
            settings.shopify_photo_attribute,
            settings.shopify_dedication_attribute,
            settings.shopify_layout_attribute,
        )

    def photos(self, attributes: Attributes) -> dict[int, str]:
        """URLs by position.

        A second photo for a position, or one with a position out of range, is appended, so that none is lost.
        Repeated URLs are ignored.
        """
        placed: dict[int, str] = {}
        left: dict[str, None] = {}
        for name, value in attributes:
            found = self._photo.match(_composed(name))
            url = value.strip()
            if found is None or not url.startswith("http"):
                continue
            position = int(found.group(1)[:9])
            if 0 < position <= _LAST_POSITION and position not in placed:
                placed[position] = url
            else:
                left[url] = None
        known = set(placed.values())
        extra = (url for url in left if url not in known)
        placed.update(enumerate(extra, start=max(placed, default=0) + 1))
        return dict(sorted(placed.items()))

    def item(
        self, shopify_id: int, title: str | None, quantity: int, attributes: Sequence[tuple[str, str]]
    ) -> ShopItem:
        """The line item with these attributes."""
        return ShopItem(
            shopify_id=shopify_id,
            title=title or "",
            quantity=quantity,
            photos=self.photos(attributes),
            dedication=_first(self.dedication, attributes),
            layout=_first(self.layout, attributes),
        )


def _first(wanted: str, attributes: Attributes) -> str | None:
    name = _composed(wanted)
    values = (value.strip() for key, value in attributes if _composed(key) == name)
    return next((truncate(value, LONG_TEXT_LENGTH) for value in values if value), None)


def _composed(name: str) -> str:
    """Truncate ``name`` and compose its accents (NFC): keyboards differ.

    Normalization takes quadratic time for stacked accents.
    """
    return unicodedata.normalize("NFC", name[:_NAME_LENGTH].strip())
