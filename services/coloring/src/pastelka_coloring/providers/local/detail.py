"""How ``steps`` becomes what is drawn: from a toddler's page (1) to an adult's (20)."""

import math
from dataclasses import dataclass

_MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Detail:
    """What a page of one detail keeps, in units that hold for every page size.

    Lengths are shares of the page's scale, the square root of its area (1000 px at 1 MP).
    """

    coarse_megapixels: float  # input of the detector that sees outlines
    fine_megapixels: float  # input of the detector that sees detail
    fine_weight: float  # share of the fine map in the mean, 0 to 1
    start: float  # ridge strength at which a line starts
    follow: float  # ridge strength down to which it is followed
    texture: float  # how much busy surroundings weaken a line
    weight: float  # length, less where faint, below which a group of lines is dropped
    spur: float  # length below which a side branch is dropped
    rounding: float  # length over which corners are rounded
    line: float  # line width


def detail_of(steps: int) -> Detail:
    """Return the detail for ``steps`` (1 to 20); each doubling adds about as much as the last."""
    t = math.log(steps) / math.log(_MOST_STEPS)

    def between(toddler: float, adult: float) -> float:
        return toddler + (adult - toddler) * t

    return Detail(
        coarse_megapixels=between(0.12, 0.25),
        fine_megapixels=between(0.3, 0.7),
        fine_weight=between(0.35, 0.6),
        start=between(1.0, 0.3),
        follow=between(0.32, 0.1),
        texture=between(0.75, 0.4),
        weight=between(0.05, 0.012),
        spur=between(0.03, 0.01),
        rounding=between(0.006, 0.003),
        line=between(0.006, 0.0025),
    )
