"""Prices of pages and SVGs: decimal numbers, never floating point."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a page and of an SVG; ``None``: unknown."""

    coloring: Decimal | None
    svg: Decimal | None

    def cost(self, pages: int, svgs: int) -> Decimal | None:
        """Cost, rounded to cents; ``None`` if the price of something that is counted is unknown."""
        total = Decimal(0)
        for number, price in ((pages, self.coloring), (svgs, self.svg)):
            if number and price is None:
                return None
            total += number * (price or 0)
        return total.quantize(_CENT, ROUND_HALF_UP)
