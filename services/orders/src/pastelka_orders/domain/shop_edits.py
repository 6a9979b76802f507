"""Fields that both an operator and the shop set: the operator's value stays, the shop's is kept. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ShopEdits:
    """``values`` are the shop's values of edited fields; ``changed`` those that the shop changed since."""

    values: Mapping[str, Any]
    changed: Sequence[str]

    @classmethod
    def of(cls, values: Mapping[str, Any] | None, changed: Sequence[str] | None) -> "ShopEdits":
        """As a row has them: ``None`` if there are none."""
        return cls(values or {}, changed or ())

    def edited(self, before: Mapping[str, Any], values: Mapping[str, Any]) -> "ShopEdits":
        """After an operator set ``values``; a field that equals the shop's value again is no longer edited.

        A value for a field that the shop changed acknowledges the change, also if it is the present value.
        """
        shop = dict(self.values)
        for name, value in values.items():
            if value != before[name]:
                shop.setdefault(name, before[name])
        after = {**before, **values}
        return ShopEdits(
            {name: value for name, value in shop.items() if after[name] != value},
            [name for name in self.changed if name not in values],
        )

    def updated(self, present: Mapping[str, Any], values: Mapping[str, Any]) -> "ShopEdits":
        """After the shop sent ``values``; a field whose ``present`` value is the same is no longer edited."""
        news = {name: value for name, value in values.items() if name in self.values}
        different = [name for name, value in news.items() if self.values[name] != value]
        kept = {name: value for name, value in {**self.values, **news}.items() if present[name] != value}
        return ShopEdits(kept, [name for name in dict.fromkeys([*self.changed, *different]) if name in kept])
