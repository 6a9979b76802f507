"""Eyes of animals: dark blobs with a highlight inside of a subject, which outlines alone lose."""

import math
from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.resizing import scale_of
from pastelka_coloring.providers.local.strokes import Ink, Points, Stroke, area

# Radii of the blobs that are looked for, as shares of the map's scale, and of what is drawn.
_RADII = (0.006, 0.009, 0.014, 0.021)
_SMALLEST, _LARGEST = 0.0035, 0.024
_DRAWN = 0.0055
# Gray levels (0 to 255): how dark a blob is at most, and how much darker than what is around it.
_DARK, _DARKER, _RING_DARKER = 95, 30, 30
# Largest difference of the color channels: gaps between petals are dark, but colored.
_COLORLESS = 50
# Shape: area against its hull and against its ellipse's, and the longest ellipse.
_SOLID, _LONGEST = 0.75, 2.0
# How much brighter a highlight is than its blob.
_HIGHLIGHT = 25
# Points of a contour that an ellipse is fitted to.
_LEAST_POINTS = 8
# What of the surroundings belongs to the subject.
_INSIDE = 0.9
# An animal shows two eyes at most; the second one's size against the first one's.
_EYES, _LIKE = 2, 0.5


@dataclass(frozen=True, slots=True)
class _Blob:
    center: Points
    axes: tuple[float, float]
    angle: float
    score: float
    owner: int

    @property
    def radius(self) -> float:
        return math.sqrt(self.axes[0] * self.axes[1]) / 2


def animal_eyes(photo: NDArray[np.uint8], subject: NDArray[np.float32]) -> list[Stroke]:
    """Return the eyes of animals as black areas with a white highlight, two for each at most.

    ``photo`` is RGB at the size of the map, ``subject`` how likely each pixel belongs to the
    subject, 0 to 1. Dark blobs are found by a black top-hat
    (Meyer, 1979) at several sizes; one without a highlight is a spot of the fur. Noses pass as eyes.
    """
    gray = np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.uint8)
    colorfulness = photo.max(axis=2) - photo.min(axis=2)
    scale = scale_of(gray.shape)
    owners = np.asarray(cv2.connectedComponents((subject > 0.5).astype(np.uint8))[1], np.int32)  # noqa: PLR2004
    found: dict[int, list[_Blob]] = defaultdict(list)
    for radius in _RADII:
        for blob in _blobs(gray, colorfulness, subject, owners, radius * scale):
            if _SMALLEST * scale <= blob.radius <= _LARGEST * scale:
                found[blob.owner].append(blob)
    return [stroke for blobs in found.values() for blob in _best(blobs) for stroke in _drawn(blob, scale)]


def _blobs(
    gray: NDArray[np.uint8],
    colorfulness: NDArray[np.uint8],
    subject: NDArray[np.float32],
    owners: NDArray[np.int32],
    radius: float,
) -> list[_Blob]:
    size = 2 * round(radius * 1.3) + 1
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    hat = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, element)
    # Highlights are holes in the blob.
    black = (gray < _DARK) & (colorfulness < _COLORLESS)
    dark = ((hat > _DARKER) & black & (subject > 0.5)).astype(np.uint8)  # noqa: PLR2004
    whole = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [np.asarray(contour, np.int32) for contour in contours if len(contour) >= _LEAST_POINTS]
    found = [_blob(contour, gray, subject, owners) for contour in large]
    return [blob for blob in found if blob is not None]


def _blob(
    contour: NDArray[np.int32],
    gray: NDArray[np.uint8],
    subject: NDArray[np.float32],
    owners: NDArray[np.int32],
) -> _Blob | None:
    hull = cv2.convexHull(contour)
    (x, y), axes, angle = cv2.fitEllipse(contour)
    hull_area = max(cv2.contourArea(hull), 1.0)
    solid = cv2.contourArea(contour) / hull_area
    if solid < _SOLID or max(axes) > _LONGEST * min(axes) or min(axes) <= 0:
        return None
    reach = round(max(axes) * 1.6) + 2
    left, top = max(round(x) - reach, 0), max(round(y) - reach, 0)
    window = slice(top, round(y) + reach + 1), slice(left, round(x) + reach + 1)
    seen, inside = gray[window], np.zeros(gray[window].shape, np.uint8)
    cv2.fillPoly(inside, [hull - (left, top)], 1)
    wide = cv2.dilate(inside, np.ones((2 * round(max(axes) / 2) + 3,) * 2, np.uint8))
    ring = (wide > 0) & (inside == 0)
    if not ring.any() or float(subject[window][ring].mean()) < _INSIDE:
        return None
    dark = float(np.median(seen[inside > 0]))
    contrast = float(np.median(seen[ring])) - dark
    rim = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(round(min(axes) / 8), 1) + 1,) * 2)
    core = cv2.erode(inside, rim) > 0
    peak = (cv2.dilate(seen, np.ones((3, 3), np.uint8)) == seen) & (seen > dark + _HIGHLIGHT)
    bright = peak & core
    if contrast < _RING_DARKER or not bright.any():
        return None
    score = contrast * solid * min(axes) / max(axes)
    row, column = min(max(round(y), 0), len(gray) - 1), min(max(round(x), 0), gray.shape[1] - 1)
    return _Blob(np.array([x, y]), (axes[0], axes[1]), angle, score, int(owners[row, column]))


def _best(blobs: list[_Blob]) -> list[_Blob]:
    kept: list[_Blob] = []
    for blob in sorted(blobs, key=lambda blob: -blob.score):
        apart = all(np.hypot(*(blob.center - other.center)) > 3 * other.radius for other in kept)
        like = all(_LIKE < blob.radius / other.radius < 1 / _LIKE for other in kept)
        if apart and like and len(kept) < _EYES:
            kept.append(blob)
    return kept


def _drawn(blob: _Blob, scale: float) -> list[Stroke]:
    larger = max(_DRAWN * scale / blob.radius, 1.0)
    wide, tall = (axis / 2 * larger for axis in blob.axes)
    turn = np.deg2rad(blob.angle)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    angles = np.linspace(0, 2 * np.pi, 48)[:, None]
    rim = wide * np.cos(angles) * along + tall * np.sin(angles) * across
    light = blob.center + np.array([-0.3, -0.3]) * min(wide, tall)
    dot = min(wide, tall) * 0.3 * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return [
        area(blob.center + 1.45 * rim, Ink.WHITE),
        area(blob.center + rim, Ink.BLACK),
        area(light + dot, Ink.WHITE),
    ]
