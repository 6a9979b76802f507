"""Maps ``steps`` to drawing parameters: from a toddler's page (1) to an adult's (20)."""

import math
from dataclasses import dataclass

_MAX_STEPS = 20


@dataclass(frozen=True, slots=True)
class Detail:
    """Drawing parameters of one level of detail, independent of the page size.

    Lengths are shares of the page's scale, the square root of its area (1000 px at 1 MP); areas
    are shares of its area.
    """

    merged: float  # dissimilarity up to which neighboring regions are merged
    small_area: float  # area below which a region must differ more to be kept
    surround: float  # weakening of a line by textured surroundings
    background: float  # weight of an area outside the subject; inside it is 1.8
    faint: float  # strength below which a border between similar colors is ignored
    start: float  # ridge strength at which an inner stroke starts
    follow: float  # ridge strength down to which it is followed
    stroke: float  # length below which an inner stroke is dropped
    ends: float  # maximum open ends of inner strokes and faces per page
    rounding: float  # length over which curves are smoothed
    line: float  # line width


def detail_of(steps: int) -> Detail:
    """Return the detail for ``steps`` (1 to 20); logarithmic, so each doubling has a similar effect."""
    t = math.log(steps) / math.log(_MAX_STEPS)

    def between(toddler: float, adult: float) -> float:
        return toddler + (adult - toddler) * t

    return Detail(
        merged=between(0.39, 0.155),
        small_area=between(0.010, 0.0015),
        surround=between(2.6, 1.4),
        background=between(0.5, 0.8),
        faint=between(0.30, 0.16),
        start=between(1.3, 0.45),
        follow=between(0.6, 0.2),
        stroke=between(0.06, 0.02),
        ends=between(2, 17),
        rounding=between(0.0075, 0.005),
        line=between(0.0050, 0.0026),
    )
