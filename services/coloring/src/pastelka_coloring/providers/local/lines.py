"""From an edge map to the lines of a page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.cleaning import Drawing, smooth
from pastelka_coloring.providers.local.curves import Curve, trace
from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.edges import EdgeMap
from pastelka_coloring.providers.local.ridges import (
    centre_lines,
    normalized,
    ridge_strength,
    suppress_texture,
)

# Gaps up to this share of the page's scale are closed.
_GAP = 0.02
# Lines of a face are kept when they are this much weaker than others, and drawn this much finer.
_FACE_GAIN = 1.5
_FACE_LINE = 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """A line to draw: ``points`` (n, 2), x and y in pixels of the map, and its width in them."""

    points: NDArray[np.float64]
    width: float


def lines_of(found: EdgeMap, detail: Detail) -> list[Line]:
    """Return the lines to draw for an edge map, clean and smooth."""
    scale = float(np.sqrt(found.edges.size))
    strength = _line_strength(found, detail)
    drawing = Drawing(trace(centre_lines(strength, found.faces, detail)))
    drawing.drop_spurs(detail.spur * scale)
    drawing.close_gaps(_GAP * scale)
    drawing.drop_scraps(detail.weight * scale, strength)
    drawing.close_corners(_GAP * scale)
    drawing.join_through()
    return [_line(curve, found.faces, detail, scale) for curve in drawing.curves]


def _line_strength(found: EdgeMap, detail: Detail) -> NDArray[np.float32]:
    strength = normalized(ridge_strength(found, detail))
    strength = suppress_texture(strength, detail.texture * (1 - found.faces))
    return strength * (1 + (_FACE_GAIN - 1) * found.faces)


def _line(curve: Curve, faces: NDArray[np.float32], detail: Detail, scale: float) -> Line:
    columns, rows = curve.points.astype(int).T
    finer = _FACE_LINE if faces[rows, columns].mean() > 1 / 2 else 1.0
    return Line(smooth(curve, detail.rounding * finer * scale).points, detail.line * finer * scale)
