"""Detection of animals' eyes: dark blobs in a subject with a highlight, or with a nose below."""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.regions import sample
from pastelka_coloring.providers.local.resizing import blurred, scale_of
from pastelka_coloring.providers.local.strokes import Ink, Points, Stroke, area

# Radii of blobs to detect, as shares of the map's scale, and radius of drawn eyes.
_RADII = (0.006, 0.009, 0.014, 0.021)
_MIN_RADIUS, _MAX_RADIUS = 0.0035, 0.024
_DRAWN = 0.0055
# Gray levels (0 to 255): maximum of a blob, and minimum contrast to its surroundings.
_DARK, _DARKER, _RING_DARKER = 95, 30, 30
# Maximum difference of the color channels: gaps between petals are dark but colored.
_COLORLESS = 50
# Shape: ratio of the area to its hull's and its ellipse's, and maximum aspect ratio.
_SOLID, _MAX_ELONGATION = 0.7, 2.6
# The same if a highlight is the only evidence.
_LIT_SOLID, _LIT_MAX_ELONGATION = 0.75, 2.0
# How much brighter a highlight is than its blob.
_HIGHLIGHT = 25
# Minimum points of a contour for fitting an ellipse.
_LEAST_POINTS = 8
# Minimum share of the surroundings inside the subject.
_INSIDE = 0.9
# Maximum eyes per animal; minimum size ratio of the second to the first.
_EYES, _LIKE = 2, 0.5
# A face: distance of its eyes (in radii), and maximum slope (sine).
_APART, _LEVEL = (4.0, 18.0), 0.6
# Its nose: search range below the eyes, distance of the cheeks, sampling radius, half of its width and
# height, all in units of the eyes' distance; and minimum contrast.
_BELOW, _CHEEKS, _TAKEN, _NOSE, _NOSE_DARKER = (0.5, 1.25), 0.33, 0.05, (0.14, 0.09), 35
# With more dark blobs than this the coat is spotted: eyes cannot be identified.
_SPOTTED = 6
# The second eye, given a certain first one: distance in radii, ratio of its rim's contrast to the first
# one's, number of sampled directions, percentile of their contrast.
_SECOND, _AS_DARK, _DIRECTIONS, _RIM = (3.5, 12.0), 0.7, 24, 25


@dataclass(frozen=True, slots=True, eq=False)
class _Blob:
    center: Points
    axes: tuple[float, float]
    angle: float
    score: float
    owner: int
    is_lit: bool

    @property
    def radius(self) -> float:
        return math.sqrt(self.axes[0] * self.axes[1]) / 2


def animal_eyes(photo: NDArray[np.uint8], subject: NDArray[np.float32]) -> list[Stroke]:
    """Return the eyes of animals as black areas with white highlights, at most two per animal.

    Includes the nose if it is one of the dark blobs.

    ``photo`` is RGB at the size of the map, ``subject`` the probability of each pixel to belong to the
    subject, 0 to 1. Dark blobs are found by a black top-hat (Meyer, 1979) at several sizes. A blob is an eye
    if it has a highlight, or another eye beside and a nose below it; a second eye of another color is found
    by its rim.
    """
    gray = np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.uint8)
    colorfulness = photo.max(axis=2) - photo.min(axis=2)
    scale = scale_of(gray.shape)
    owners = np.asarray(cv2.connectedComponents((subject > 0.5).astype(np.uint8))[1], np.int32)  # noqa: PLR2004
    found: dict[int, list[_Blob]] = defaultdict(list)
    for radius in _RADII:
        for blob in _blobs(gray, colorfulness, subject, owners, radius * scale):
            if _MIN_RADIUS * scale <= blob.radius <= _MAX_RADIUS * scale:
                found[blob.owner].append(blob)
    chosen = [blob for blobs in found.values() for blob in _chosen(blobs, gray, owners)]
    return [stroke for blob in chosen for stroke in _drawn(blob, scale)]


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
    if solid < _SOLID or max(axes) > _MAX_ELONGATION * min(axes) or min(axes) <= 0:
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
    if contrast < _RING_DARKER:
        return None
    is_lit = bool(bright.any()) and solid > _LIT_SOLID and max(axes) <= _LIT_MAX_ELONGATION * min(axes)
    score = contrast * solid * min(axes) / max(axes)
    row, column = min(max(round(y), 0), len(gray) - 1), min(max(round(x), 0), gray.shape[1] - 1)
    return _Blob(np.array([x, y]), (axes[0], axes[1]), angle, score, int(owners[row, column]), is_lit)


def _chosen(blobs: list[_Blob], gray: NDArray[np.uint8], owners: NDArray[np.int32]) -> list[_Blob]:
    lit = _best([blob for blob in blobs if blob.is_lit])
    if len(lit) == _EYES:
        return lit
    face = _face(_apart(blobs), gray)
    if face and (not lit or any(_is_same(lit[0], eye) for eye in face[:_EYES])):
        return face
    second = _second(lit[0], gray, owners) if lit else None
    return lit if second is None else [*lit, second]


def _is_same(blob: _Blob, other: _Blob) -> bool:
    return bool(np.hypot(*(blob.center - other.center)) < 2 * max(blob.radius, other.radius))


def _apart(blobs: list[_Blob]) -> list[_Blob]:
    """Return each blob once, in its best detection."""
    kept: list[_Blob] = []
    for blob in sorted(blobs, key=lambda blob: -blob.score):
        if not any(_is_same(blob, other) for other in kept):
            kept.append(blob)
    return kept


def _face(blobs: list[_Blob], gray: NDArray[np.uint8]) -> list[_Blob]:
    """Return the two eyes and the nose of the most likely face, or nothing."""
    if len(blobs) > _SPOTTED:
        return []
    pairs = sorted(combinations(blobs, 2), key=lambda pair: -sum(blob.score for blob in pair))
    for one, other in pairs:
        if _are_eyes(one, other) and (nose := _nose(one, other, gray)) is not None:
            return [one, other, nose]
    return []


def _are_eyes(one: _Blob, other: _Blob) -> bool:
    radius = (one.radius + other.radius) / 2
    across = other.center - one.center
    distance = float(np.hypot(*across))
    is_level = abs(float(across[1])) < _LEVEL * distance
    is_like = _LIKE < one.radius / other.radius < 1 / _LIKE
    return is_level and is_like and _APART[0] * radius < distance < _APART[1] * radius


def _nose(one: _Blob, other: _Blob, gray: NDArray[np.uint8]) -> _Blob | None:
    """Return the nose below two eyes, which is darker than both cheeks."""
    across = other.center - one.center
    distance = float(np.hypot(*across))
    along = across / distance * (1 if across[0] >= 0 else -1)
    down = np.array([-along[1], along[0]])
    below = np.linspace(*_BELOW, 16)[:, None] * distance * down
    places = (one.center + other.center) / 2 + below
    smooth = blurred(gray.astype(np.float32), max(_TAKEN * distance, 1))
    beside = _CHEEKS * distance * along
    middle, right, left = (sample(smooth, places + shift) for shift in (0 * beside, beside, -beside))
    darker = np.minimum(right, left) - middle
    best = int(np.argmax(darker))
    if darker[best] < _NOSE_DARKER:
        return None
    axes = (2 * _NOSE[0] * distance, 2 * _NOSE[1] * distance)
    turn = math.degrees(math.atan2(along[1], along[0]))
    return _Blob(places[best], axes, turn, float(darker[best]), one.owner, is_lit=False)


def _second(eye: _Blob, gray: NDArray[np.uint8], owners: NDArray[np.int32]) -> _Blob | None:
    """Return the round shape of the same size whose rim is most similar to that of ``eye``.

    Loy and Zelinsky, "Fast radial symmetry for detecting points of interest", 2003: here the
    gradient towards the outside, of which a quarter of the directions may be weaker.
    """
    radius = eye.radius
    # A window: the second eye is near the first, and its rim within a radius of it.
    reach = math.ceil((_SECOND[1] + 2) * radius) + 2
    center = eye.center.round().astype(int)
    left, top = np.maximum(center - reach, 0)
    window = slice(top, center[1] + reach + 1), slice(left, center[0] + reach + 1)
    smooth = blurred(gray[window].astype(np.float32), max(radius / 4, 1))
    x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
    y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    size = (smooth.shape[1], smooth.shape[0])
    outwards = []
    for angle in np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False):
        across, down = math.cos(angle), math.sin(angle)
        shift = np.array([[1, 0, -radius * across], [0, 1, -radius * down]], np.float32)
        outwards.append(cv2.warpAffine(x * across + y * down, shift, size))
    rim = np.percentile(np.stack(outwards), _RIM, axis=0)
    own = eye.center - (left, top)
    rows, columns = np.indices(smooth.shape)
    far = np.hypot(columns - own[0], rows - own[1])
    near = (far > _SECOND[0] * radius) & (far < _SECOND[1] * radius) & (owners[window] == eye.owner)
    row, column = np.unravel_index(int(np.argmax(np.where(near, rim, -1))), rim.shape)
    least = _AS_DARK * float(rim[round(float(own[1])), round(float(own[0]))])
    if not near.any() or least <= 0 or rim[row, column] < least:
        return None
    return replace(eye, center=np.array([column + left, row + top], np.float64))


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
        area(blob.center + rim, Ink.BLACK),
        area(light + dot, Ink.WHITE),
    ]
