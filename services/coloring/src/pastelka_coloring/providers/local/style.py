"""Style of a page."""

from dataclasses import dataclass

from pastelka_common.contracts.options import Background, LineWeight

__all__ = ["Background", "LineWeight", "PageStyle"]

_WIDTHS = {LineWeight.THIN: 0.7, LineWeight.NORMAL: 1.0, LineWeight.BOLD: 1.4}


@dataclass(frozen=True, slots=True)
class PageStyle:
    """``steps`` (1 to 20) is the detail; see the provider's README for the others."""

    steps: int = 4
    has_frame: bool = True
    background: Background = Background.QUIET
    line_weight: LineWeight = LineWeight.NORMAL

    @property
    def width(self) -> float:
        """Line width relative to the normal one."""
        return _WIDTHS[self.line_weight]
