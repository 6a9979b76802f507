"""Strokes inside regions that outline nothing, such as folds, whiskers and seams."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import skeletonize

from pastelka_coloring.providers.local.cleaning import Drawing
from pastelka_coloring.providers.local.curves import Curve, trace
from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.faces import unit
from pastelka_coloring.providers.local.regions import sample
from pastelka_coloring.providers.local.resizing import scale_of
from pastelka_coloring.providers.local.ridges import find_ridges, normalized, suppress_texture
from pastelka_coloring.providers.local.smoothing import smooth_points
from pastelka_coloring.providers.local.strokes import Points, Stroke, line, tapered

_SIGMA, _CLEAREST, _TEXTURE = 1.8, 1.6, 0.5
# Minimum distance from other lines, and maximum extension of ends, in line widths.
_FREE, _REACH = 2.6, 4.2
# Lengths as shares of the map's scale.
_SPUR, _GAP, _MIN_RING, _RING_OUTSIDE = 0.02, 0.015, 0.06, 0.08
# Factor on the minimum length of an isolated stroke; importance below which it is background.
_LONE, _SUBJECT = 2.4, 0.85
_WIDTH, _FREE_END, _TAPER = 0.8, 0.4, 0.3
# Points used for an end's direction; it is extended within 60 degrees (cosine).
_LOOKAHEAD, _AHEAD = 9, 0.5


class StrokeContext(NamedTuple):
    """Context of new strokes: existing ones, importance, line width, open ends.

    ``importance`` (height, width) is below 1 in the background, ``width`` is that of the page's lines in
    pixels, ``ends`` the number of open ends that faces add to the page.
    """

    strokes: list[Stroke]
    importance: NDArray[np.float32]
    width: float
    ends: float = 0


def inner_strokes(edges: NDArray[np.float32], context: StrokeContext, detail: Detail) -> list[Stroke]:
    """Return tapered strokes along the ridges of an edge map that no other line covers.

    Hysteresis (Canny, 1986) and skeleton, without side branches and scraps; ends are extended to the line
    that they point at. Isolated strokes must be longer. Of those with open ends, the longest are kept, up to
    the page's limit.
    """
    scale = scale_of(edges.shape)
    strength = np.minimum(normalized(find_ridges(edges, _SIGMA).strength), _CLEAREST)
    strength = suppress_texture(strength, _TEXTURE) * np.sqrt(context.importance)
    free = _far_from(context.strokes, edges.shape, _FREE * context.width)
    kept = apply_hysteresis_threshold(np.where(free, strength, 0), detail.follow, detail.start)
    drawing = Drawing(trace(skeletonize(kept)))
    drawing.drop_spurs(_SPUR * scale)
    drawing.close_gaps(_GAP * scale)
    drawing.drop_scraps(detail.stroke * scale / 2, strength.astype(np.float32))
    drawing.join_through()
    points = np.concatenate([stroke.points for stroke in context.strokes]) if context.strokes else None
    lines = KDTree(points) if points is not None else None
    found = [_stroke(curve, lines, context, detail, scale) for curve in drawing.curves]
    return _with_few_ends([each for each in found if each is not None], detail.ends - context.ends)


class _Inner(NamedTuple):
    stroke: Stroke
    length: float
    ends: int


def _with_few_ends(found: list[_Inner], most: float) -> list[Stroke]:
    strokes = []
    for each in sorted(found, key=lambda each: (each.ends > 0, -each.length)):
        most -= each.ends
        if most >= 0 or not each.ends:
            strokes.append(each.stroke)
    return strokes


def _far_from(strokes: list[Stroke], shape: tuple[int, ...], distance: float) -> NDArray[np.bool_]:
    canvas = np.full(shape, 255, np.uint8)
    for stroke in strokes:
        cv2.polylines(canvas, [np.round(stroke.points * 16).astype(np.int32)], False, 0, 1, cv2.LINE_8, 4)
    return np.asarray(cv2.distanceTransform(canvas, cv2.DIST_L2, 5) > distance)


def _stroke(
    curve: Curve, lines: KDTree | None, context: StrokeContext, detail: Detail, scale: float
) -> _Inner | None:
    """Return the stroke along a curve, or ``None`` if it is too short for its position."""
    least = detail.stroke * scale
    if curve.length < least and not (curve.closed and curve.length > _MIN_RING * scale):
        return None
    points = smooth_points(curve.points, detail.rounding * scale * 0.8, is_closed=curve.closed)
    ties = [False, False]
    if lines is not None and not curve.closed:
        points, ties[0] = _extended(points[::-1], lines, _REACH * context.width)
        points, ties[1] = _extended(points[::-1], lines, _REACH * context.width)
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    is_background = float(sample(context.importance, points).mean()) < _SUBJECT
    width = context.width * _WIDTH
    if curve.closed:
        is_scrap = is_background and length < _RING_OUTSIDE * scale
        return None if is_scrap else _Inner(line(points, width), length, 0)
    if is_background or length < least * (1.0 if any(ties) else _LONE):
        return None
    ends = [1.0 if tie else _FREE_END for tie in ties]
    stroke = line(points, tapered(len(points), width, ends[0], ends[1], _TAPER))
    return _Inner(stroke, length, ties.count(False))


def _extended(points: Points, lines: KDTree, reach: float) -> tuple[Points, bool]:
    """Extend the last point to the nearest line ahead; return whether there is one."""
    end = points[-1]
    way = unit(end - points[max(len(points) - _LOOKAHEAD, 0)])
    near = lines.query_ball_point(end, reach, return_sorted=True)
    if not near:
        return points, False
    targets = np.asarray(lines.data)[near]
    steps = targets - end
    far = np.hypot(*steps.T)
    ahead = steps @ way > _AHEAD * far
    if not ahead.any():
        return points, False
    target = targets[ahead][np.argmin(far[ahead])]
    count = max(int(np.hypot(*(target - end))), 2)
    return np.concatenate([points, end + (target - end) * np.linspace(0, 1, count)[1:, None]]), True
