"""What a person may choose about a page, apart from its size."""

from dataclasses import dataclass
from enum import StrEnum


class Background(StrEnum):
    """What is drawn outside of the subject: all, less, or nothing."""

    KEEP = "keep"
    QUIET = "quiet"
    NONE = "none"


class LineWeight(StrEnum):
    """How wide lines are, for the chosen detail."""

    THIN = "thin"
    NORMAL = "normal"
    BOLD = "bold"

    @property
    def factor(self) -> float:
        """Width against the normal one."""
        return {LineWeight.THIN: 0.7, LineWeight.NORMAL: 1.0, LineWeight.BOLD: 1.4}[self]


@dataclass(frozen=True, slots=True)
class PageStyle:
    """``steps`` (1 to 20) is the detail; see the provider's README for the others."""

    steps: int = 4
    has_frame: bool = True
    background: Background = Background.QUIET
    line_weight: LineWeight = LineWeight.NORMAL
