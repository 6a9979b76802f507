"""Detection of glasses, with their frame as closed rings."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pastelka_coloring.providers.local import landmarks as lm
from pastelka_coloring.providers.local.faces import Face, Points, unit
from pastelka_coloring.providers.local.ridges import Ridges
from pastelka_coloring.providers.local.strokes import ring, spline

_MIN_SIDE = 80.0
# Minimum strength of the line across the bridge of the nose, and of a lens.
_BRIDGE, _LENS = 0.45, 0.3
# Search range of a lens as shares of the eye's width; number of radii and angles.
_NEAREST, _FARTHEST, _RADII, _ANGLES = 0.5, 1.25, 46, 72
_HEIGHT = 0.82
# Allowed changes of the radius between adjacent angles, and their cost.
_BEND, _BEND_COST = (-2, -1, 0, 1, 2), 0.06
_ROUNDED = 2.2
# Strength at which the confidence of a line saturates.
_CLEAR = 1.3


class Glasses(NamedTuple):
    """``lenses``: closed rings, right and left; ``parts``: bridge and temples. Pixels of the map."""

    lenses: tuple[Points, Points]
    parts: list[Points]


def find_glasses(face: Face, ridges: Ridges) -> Glasses | None:
    """Return the glasses of a face, or ``None``.

    A frame crosses the bridge of the nose. Each lens is the strongest closed ring around its eye:
    dynamic programming over polar coordinates (Amini, Weymouth and Jain, 1990).
    """
    if face.side < _MIN_SIDE or _bridge_strength(face, ridges) <= _BRIDGE:
        return None
    (right, sure_right), (left, sure_left) = (_lens(face, ridges, is_left=side) for side in (False, True))
    if min(sure_right, sure_left) < _LENS:
        return None
    return Glasses((ring(right), ring(left)), [*_bridge(face, right, left), *_temples(face, right, left)])


def _bridge_strength(face: Face, ridges: Ridges) -> float:
    """Return the median strength of the line that crosses the nose between the eyes."""
    inner = face.points[list(lm.INNER_CORNERS)]
    along = unit(inner[1] - inner[0])
    across = np.array([-along[1], along[0]])
    bases = inner[0] + (inner[1] - inner[0]) * np.linspace(0.3, 0.7, 9)[:, None]
    places = bases[:, None] + across * (np.linspace(-0.09, 0.09, 19) * face.side)[:, None]
    strength, direction = _sampled(ridges, places)
    runs_along = np.abs(np.cos(direction - math.atan2(along[1], along[0]))) > 0.7  # noqa: PLR2004 - 45 degrees
    return float(np.median(np.max(strength * runs_along, axis=1)))


def _sampled(ridges: Ridges, places: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    height, width = ridges.strength.shape
    x = np.clip(places[..., 0].round().astype(int), 0, width - 1)
    y = np.clip(places[..., 1].round().astype(int), 0, height - 1)
    return ridges.strength[y, x], ridges.direction[y, x]


def _lens(face: Face, ridges: Ridges, *, is_left: bool) -> tuple[Points, float]:
    """Return the ring around one eye (72, 2), and the median strength of the line under it."""
    inner, outer = face.points[lm.INNER_CORNERS[is_left]], face.points[lm.OUTER_CORNERS[is_left]]
    width, across = float(np.hypot(*(outer - inner))), face.across
    down = np.array([-across[1], across[0]])
    down = -down if down @ face.up > 0 else down
    center = (inner + outer) / 2 + down * 0.22 * width
    angles = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    radii = np.linspace(_NEAREST, _FARTHEST, _RADII) * width
    rays = np.cos(angles)[:, None] * across + _HEIGHT * np.sin(angles)[:, None] * down
    tangents = -np.sin(angles)[:, None] * across + _HEIGHT * np.cos(angles)[:, None] * down
    strength, direction = _sampled(ridges, center + radii[:, None] * rays[:, None])
    turned = direction - np.arctan2(tangents[:, 1], tangents[:, 0])[:, None]
    seen = np.minimum(strength, _CLEAR) * (0.3 + 0.7 * np.cos(turned) ** 2)
    path = _cheapest_ring(_CLEAR - seen)
    radius = gaussian_filter1d(radii[path], _ROUNDED, mode="wrap")
    return center + radius[:, None] * rays, float(np.median(seen[np.arange(_ANGLES), path]))


def _cheapest_ring(cost: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return for each angle the index of the radius on the cheapest path that ends where it starts."""
    angles, radii = cost.shape
    starts = np.arange(0, radii, 3)
    total = np.full((len(starts), radii), np.inf)
    total[np.arange(len(starts)), starts] = cost[0, starts]
    came: list[NDArray[np.intp]] = []
    for index in range(1, angles + 1):
        ways = np.stack([_shifted(total, bend) + _BEND_COST * abs(bend) for bend in _BEND])
        came.append(ways.argmin(0))
        here = cost[index] if index < angles else np.zeros(radii)
        total = ways.min(0) + here
    best = int(np.argmin(total[np.arange(len(starts)), starts]))
    path, place = [], int(starts[best])
    for step in reversed(came):
        place += _BEND[int(step[best, place])]
        path.append(place)
    return np.array(path[::-1])


def _shifted(total: NDArray[np.floating], bend: int) -> NDArray[np.floating]:
    """Return the cost of reaching each radius from the one ``bend`` further out."""
    shifted = np.full_like(total, np.inf)
    if bend >= 0:
        shifted[:, : total.shape[1] - bend] = total[:, bend:]
    else:
        shifted[:, -bend:] = total[:, :bend]
    return shifted


def _bridge(face: Face, right: Points, left: Points) -> list[Points]:
    start, end = right[np.argmax(right @ face.across)], left[np.argmin(left @ face.across)]
    if np.hypot(*(start - end)) >= face.side * 0.35:
        return []
    return [spline(np.array([start, (start + end) / 2 + face.up * face.side * 0.012, end]), 20)]


def _temples(face: Face, right: Points, left: Points) -> list[Points]:
    parts = []
    for lens, ear, outwards in ((right, lm.EARS[0], -face.across), (left, lm.EARS[1], face.across)):
        hinge = lens[np.argmax(lens @ outwards + 0.35 * (lens @ face.up))]
        target = face.points[ear]
        if outwards @ (target - hinge) > face.side * 0.03:
            parts.append(np.linspace(hinge, target, 20))
    return parts
