"""The SVG document: shapes in painting order, grouped as asked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from pastelka_common.contracts.options import GroupBy
from pastelka_vectorize.providers.local.tracing import Shape

INK = "#000000"
PAPER = "#ffffff"

MAX_NESTING = 60
"""Groups in groups (``group_by=parent``); what lies deeper stays in the deepest one."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Size of the page (``width``, ``height``) and of the bitmap it was traced from, in pixels."""

    width: int
    height: int
    traced_width: int
    traced_height: int


def render(canvas: Canvas, shapes: list[Shape], group_by: GroupBy, *, stacked: bool) -> str:
    """Write the document. The paper around everything is one white rectangle, painted first."""
    size = f'width="{canvas.traced_width}" height="{canvas.traced_height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{canvas.height}"'
        f' viewBox="0 0 {canvas.traced_width} {canvas.traced_height}">\n'
        f'<rect {size} fill="{PAPER}"/>\n{_body(shapes, group_by, stacked=stacked)}</svg>\n'
    )


def _body(shapes: list[Shape], group_by: GroupBy, *, stacked: bool) -> str:
    match group_by:
        case GroupBy.NONE:
            return "".join(_path(shape, fill=True) for shape in shapes)
        case GroupBy.COLOR:
            return _by_color(shapes, stacked=stacked)
        case GroupBy.LAYER:
            return _by_layer(shapes)
        case GroupBy.PARENT:
            return _by_parent(shapes)


def _by_color(shapes: list[Shape], *, stacked: bool) -> str:
    """One group a color; where shapes cover each other, one for each run of a color.

    Stacked shapes of one color may not all move together: white eyes lie on black ink which lies
    on white paper.
    """
    ordered = shapes if stacked else sorted(shapes, key=lambda shape: not shape.region.ink)
    runs = groupby(ordered, key=lambda shape: shape.region.ink)
    return "".join(_group(f'fill="{_color(ink=ink)}"', run) for ink, run in runs)


def _by_layer(shapes: list[Shape]) -> str:
    layers = groupby(shapes, key=lambda shape: (shape.region.depth, shape.region.ink))
    return "".join(
        _group(f'id="layer-{depth}" fill="{_color(ink=ink)}"', run) for (depth, ink), run in layers
    )


def _by_parent(shapes: list[Shape]) -> str:
    """Nested groups: a shape, then what lies in it."""
    children: dict[int, list[Shape]] = defaultdict(list)
    known = {shape.region.number for shape in shapes}
    for shape in shapes:
        children[shape.region.parent if shape.region.parent in known else 0].append(shape)
    return "".join(_family(shape, children, MAX_NESTING) for shape in children[0])


def _family(shape: Shape, children: dict[int, list[Shape]], levels: int) -> str:
    own = children[shape.region.number]
    if not own:
        return _path(shape, fill=True)
    inner = "".join(_family(child, children, levels - 1) for child in own)
    body = _path(shape, fill=True) + inner
    return f"<g>\n{body}</g>\n" if levels > 0 else body


def _group(attributes: str, shapes: Iterable[Shape]) -> str:
    return f"<g {attributes}>\n{''.join(_path(shape, fill=False) for shape in shapes)}</g>\n"


def _path(shape: Shape, *, fill: bool) -> str:
    color = f' fill="{_color(ink=shape.region.ink)}"' if fill else ""
    return f'<path{color} d="{shape.outline}"/>\n'


def _color(*, ink: bool) -> str:
    return INK if ink else PAPER
