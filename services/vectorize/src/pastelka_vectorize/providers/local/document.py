"""The SVG document: shapes in painting order, grouped by ``group_by``."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from pastelka_common.contracts.options import GroupBy
from pastelka_vectorize.providers.local.tracing import TracedShape

INK = "#000000"
PAPER = "#ffffff"

MAX_NESTING = 60
"""Maximum nesting of groups (``group_by=parent``); deeper shapes stay in the deepest group."""

_A4 = (297.0, 210.0)
"""Long and short side in millimeters (ISO 216)."""

_PAGE = 0
"""Stands for the page itself; no region has this number."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Size of the page (``width``, ``height``) and of the bitmap it was traced from, in pixels."""

    width: int
    height: int
    traced_width: int
    traced_height: int

    @property
    def millimeters(self) -> tuple[float, float]:
        """Width and height at which the page fills A4, portrait or landscape."""
        long, short = max(self.width, self.height), min(self.width, self.height)
        scale = min(_A4[0] / long, _A4[1] / short)
        return self.width * scale, self.height * scale


def render(canvas: Canvas, shapes: list[TracedShape], group_by: GroupBy, *, stacked: bool) -> str:
    """Render the document. The outermost paper is a white rectangle, painted first."""
    size = f'width="{canvas.traced_width}" height="{canvas.traced_height}"'
    body = _body(_ordered(shapes, stacked=stacked), group_by, stacked=stacked)
    width, height = canvas.millimeters
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.7g}mm" height="{height:.7g}mm"'
        f' viewBox="0 0 {canvas.traced_width} {canvas.traced_height}">\n'
        f'<rect {size} fill="{PAPER}"/>\n{body}</svg>\n'
    )


def _ordered(shapes: list[TracedShape], *, stacked: bool) -> list[TracedShape]:
    """Painting order. If shapes do not overlap, ink comes last, for full lines."""
    return shapes if stacked else sorted(shapes, key=lambda shape: shape.region.ink)


def _body(shapes: list[TracedShape], group_by: GroupBy, *, stacked: bool) -> str:
    match group_by:
        case GroupBy.NONE:
            return "".join(_path(shape, fill=True) for shape in shapes)
        case GroupBy.COLOR:
            return _by_color(shapes)
        case GroupBy.LAYER:
            return _by_layer(shapes)
        case GroupBy.PARENT:
            return _by_parent(shapes, stacked=stacked)


def _by_color(shapes: list[TracedShape]) -> str:
    """One group per color; if shapes overlap, one per run of a color.

    Stacked shapes of one color cannot share one group: white eyes lie on black ink, which lies on white
    paper.
    """
    runs = groupby(shapes, key=lambda shape: shape.region.ink)
    return "".join(_group(f'fill="{_color(ink=ink)}"', run) for ink, run in runs)


def _by_layer(shapes: list[TracedShape]) -> str:
    layers = groupby(shapes, key=lambda shape: (shape.region.depth, shape.region.ink))
    return "".join(
        _group(f'id="layer-{depth}" fill="{_color(ink=ink)}"', run) for (depth, ink), run in layers
    )


def _by_parent(shapes: list[TracedShape], *, stacked: bool) -> str:
    """Nested groups: a shape and the shapes inside it."""
    inside: dict[int, list[TracedShape]] = defaultdict(list)
    homes: dict[int, int] = {}
    for shape in sorted(shapes, key=lambda shape: shape.region.depth):  # parents first
        home = homes.get(shape.region.parent, _PAGE)
        inside[home].append(shape)
        homes[shape.region.number] = shape.region.number if shape.region.depth <= MAX_NESTING else home
    return "".join(_nested_group(shape, inside, stacked=stacked) for shape in inside[_PAGE])


def _nested_group(shape: TracedShape, inside: dict[int, list[TracedShape]], *, stacked: bool) -> str:
    own = _path(shape, fill=True)
    children = inside.get(shape.region.number)
    if not children:
        return own
    inner = "".join(_nested_group(child, inside, stacked=stacked) for child in children)
    ink_last = shape.region.ink and not stacked
    return f"<g>\n{inner + own if ink_last else own + inner}</g>\n"


def _group(attributes: str, shapes: Iterable[TracedShape]) -> str:
    return f"<g {attributes}>\n{''.join(_path(shape, fill=False) for shape in shapes)}</g>\n"


def _path(shape: TracedShape, *, fill: bool) -> str:
    color = f' fill="{_color(ink=shape.region.ink)}"' if fill else ""
    return f'<path{color} d="{shape.outline}"/>\n'


def _color(*, ink: bool) -> str:
    return INK if ink else PAPER
