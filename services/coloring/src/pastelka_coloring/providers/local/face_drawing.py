"""Drawing of a face from its landmarks: eyes, brows, nose, mouth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local import landmarks as lm
from pastelka_coloring.providers.local.faces import Eye, Face
from pastelka_coloring.providers.local.strokes import Ink, Points, Stroke, area, circle, line, spline, tapered

# Sides in pixels of the map: below the first, simplified; from the second on, with lid folds.
LARGE, _VERY_LARGE = 90.0, 170.0
# Line widths as shares of the side.
_WIDEST, _THINNEST = 0.022, 0.009
# |yaw| from which the nose is drawn in profile, one eye is hidden, and only eye and brow are drawn.
_SIDE_NOSE, _HIDDEN_EYE, PROFILE = 0.45, 0.75, 0.8
# Heights as shares of the eye's width: below the first it is closed; minimum of an open one.
_CLOSED_EYE, _OPEN_EYE = 0.12, 0.30
_MIN_IRIS, _MAX_IRIS = 0.16, 0.30
# Opening of the mouth, as a share of its width, from which its inside is drawn.
_OPEN_MOUTH = 0.045
_COUNT = 36


def draw_face(face: Face, width: float, *, has_glasses: bool) -> list[Stroke]:
    """Return the strokes of one face in pixels of the map; ``width`` is that of the page's lines.

    Glasses hide the brows.
    """
    return _Drawn(face, width).strokes(has_glasses=has_glasses)


class _Drawn:
    def __init__(self, face: Face, width: float) -> None:
        self._face = face
        self._width = max(min(width, face.side * _WIDEST), face.side * _THINNEST)
        self._fine = self._width * 0.75
        self._is_large = face.side > LARGE
        self._yaw = face.yaw

    def strokes(self, *, has_glasses: bool) -> list[Stroke]:
        seen = [left for left in (False, True) if not self._is_hidden(is_left=left)]
        strokes = [stroke for left in seen for stroke in self._eye(self._face.eyes[left])]
        if not has_glasses:
            strokes += [stroke for left in seen for stroke in self._brow(is_left=left)]
        if abs(self._yaw) <= PROFILE:
            strokes += [*self._nose(), *self._mouth()]
        return strokes

    def _is_hidden(self, *, is_left: bool) -> bool:
        return abs(self._yaw) > _HIDDEN_EYE and (self._yaw > 0) == is_left

    def _eye(self, eye: Eye) -> list[Stroke]:
        upper, lower = _opened(eye)
        if upper is None or lower is None:
            return [line(spline(eye.lower, _COUNT), tapered(_COUNT, self._width * 1.35, 0.5, 0.5))]
        top, bottom = spline(upper, _COUNT), spline(lower, _COUNT)
        inside = np.concatenate([top, bottom[::-1]])
        strokes = [area(inside, Ink.WHITE), *self._iris(eye, inside, (top[18] + bottom[18]) / 2)]
        strokes += [
            line(bottom, tapered(_COUNT, self._fine, 0.5, 0.5)),
            line(top, tapered(_COUNT, self._width * 1.35, 0.6, 0.6)),
        ]
        if self._face.side > _VERY_LARGE:
            strokes.append(self._fold(top, eye))
        return strokes

    def _fold(self, top: Points, eye: Eye) -> Stroke:
        part = top[4:-3]
        arch = 0.17 * _width_of(eye) * np.sin(np.linspace(0.25, np.pi - 0.25, len(part)))
        return line(part - arch[:, None] * _down(eye), tapered(len(part), self._fine * 0.8, 0.2, 0.2))

    def _iris(self, eye: Eye, inside: Points, middle: Points) -> list[Stroke]:
        width, down = _width_of(eye), _down(eye)
        radius = float(np.hypot(*(eye.iris[1:] - eye.iris[0]).T).mean())
        radius = min(max(radius, _MIN_IRIS * width), _MAX_IRIS * width)
        center = eye.iris[0] + down * float((middle - eye.iris[0]) @ down) * 0.6
        strokes = [line(part, self._fine) for part in _within(circle(center, radius), inside)]
        if not self._is_large or radius <= 6.5:  # noqa: PLR2004 - pixels: too small for a highlight
            return [*strokes, area(circle(center, radius * 0.72), Ink.BLACK)]
        highlight = center + np.array([-0.22, -0.25]) * radius
        strokes.append(area(circle(center, radius * 0.5), Ink.BLACK))
        return [*strokes, area(circle(highlight, radius * 0.21), Ink.WHITE)]

    def _brow(self, *, is_left: bool) -> list[Stroke]:
        upper = spline(self._face.points[list(lm.UPPER_BROWS[is_left])], 24)
        lower = spline(self._face.points[list(lm.LOWER_BROWS[is_left])], 24)
        if not self._is_large:
            return [line((upper + lower) / 2, self._width)]
        return [line(np.concatenate([upper, lower[::-1], upper[:1]]), self._fine)]

    def _nose(self) -> list[Stroke]:
        points = self._face.points
        if abs(self._yaw) < _SIDE_NOSE:
            # One line from wing to wing: three would have six open ends.
            return [line(spline(points[list(lm.NOSE_BASE)], 60), tapered(60, self._width, 0.35, 0.35))]
        half = spline(points[list(lm.NOSE_HALVES[self._yaw > 0])], 40)
        bridge = spline(points[list(lm.NOSE_BRIDGE)], 40)[14:]
        return [
            line(half, tapered(40, self._width, 0.35, 0.5)),
            line(bridge, tapered(26, self._fine, 0.15, 0.6)),
        ]

    def _mouth(self) -> list[Stroke]:
        points = self._face.points
        outer = [spline(points[list(lips)], 48) for lips in (lm.OUTER_LIP_UPPER, lm.OUTER_LIP_LOWER)]
        inner = [spline(points[list(lips)], 48) for lips in (lm.INNER_LIP_UPPER, lm.INNER_LIP_LOWER)]
        strokes = [area(np.concatenate([outer[0], outer[1][::-1]]), Ink.WHITE)]
        if self._is_large:
            strokes += [line(lip, tapered(48, self._fine, 0.5, 0.5)) for lip in outer]
        gap = float(np.hypot(*(inner[0][24] - inner[1][24])))
        if self._is_large and gap > _OPEN_MOUTH * float(np.hypot(*(outer[0][0] - outer[0][-1]))):
            widths = (self._width, self._fine)
            return strokes + [
                line(lip, tapered(48, width, 0.5, 0.5)) for lip, width in zip(inner, widths, strict=True)
            ]
        return [*strokes, line((inner[0] + inner[1]) / 2, tapered(48, self._width * 1.15, 0.5, 0.5))]


def _width_of(eye: Eye) -> float:
    return max(float(np.hypot(*(eye.upper[0] - eye.upper[-1]))), 1e-6)


def _down(eye: Eye) -> Points:
    """Return the unit vector across the eye, towards the lower lid."""
    along = (eye.upper[-1] - eye.upper[0]) / _width_of(eye)
    across = np.array([-along[1], along[0]])
    return across if across @ (eye.lower[4] - eye.upper[4]) >= 0 else -across


def _opened(eye: Eye) -> tuple[Points | None, Points | None]:
    """Return the lids, widened if nearly closed; ``None`` if closed."""
    down, width = _down(eye), _width_of(eye)
    height = abs(float((eye.lower[4] - eye.upper[4]) @ down))
    if height < _CLOSED_EYE * width:
        return None, None
    missing = max(_OPEN_EYE * width - height, 0.0)
    arch = missing * np.sin(np.linspace(0, np.pi, 9))[:, None] * down
    return eye.upper - 0.65 * arch, eye.lower + 0.35 * arch


def _within(points: Points, polygon: Points) -> list[Points]:
    """Return the parts of a closed curve (last point equals the first) inside a polygon."""
    outline = polygon.astype(np.float32).reshape(-1, 1, 2)
    inside = np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in points])
    if inside.all():
        return [points]
    start = int(np.argmin(inside[:-1]))
    turned: NDArray[np.float64] = np.roll(points[:-1], -start, axis=0)
    kept = np.flatnonzero(np.roll(inside[:-1], -start))
    parts = np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1)
    return [turned[part] for part in parts if len(part) > 2]  # noqa: PLR2004 - minimum points of an arc
