"""From an edge map to the curves of a page."""

import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.cleaning import Drawing, smooth
from pastelka_coloring.providers.local.curves import trace
from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.edges import EdgeMap
from pastelka_coloring.providers.local.ridges import centre_lines, normalized, ridge_strength, suppress_texture

# Corners are rounded over this share of the page's scale.
_ROUNDING = 0.004
_GAP = 0.02
# Lines of a face are kept when they are this much weaker than others.
_FACE_GAIN = 1.5


def curves_of(found: EdgeMap, detail: Detail) -> list[NDArray[np.float64]]:
    """Return the curves to draw, each (n, 2) with x and y in pixels of the map."""
    scale = float(np.sqrt(found.edges.size))
    strength = normalized(ridge_strength(found.edges))
    strength = suppress_texture(strength, detail.texture * (1 - found.faces))
    strength *= 1 + (_FACE_GAIN - 1) * found.faces
    drawing = Drawing(trace(centre_lines(strength, detail)))
    drawing.drop_spurs(detail.spur * scale)
    drawing.close_gaps(_GAP * scale)
    drawing.close_corners(_GAP * scale)
    drawing.drop_scraps(detail.shortest * scale)
    drawing.join_through()
    return [smooth(curve, _ROUNDING * scale).points for curve in drawing.curves]
