"""Strokes, the drawing primitives of a page, and helpers for their curves."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Points = NDArray[np.float64]
"""(n, 2): x and y in pixels of the map."""


class Ink(Enum):
    """Kind of a stroke: a line, or an area filled black or white."""

    LINE = auto()
    BLACK = auto()
    WHITE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """``points`` (n, 2) and ``width``, one for each point (n,), in pixels of the map.

    A closed line's last point is its first.
    """

    points: Points
    width: NDArray[np.float64]
    ink: Ink = Ink.LINE


def line(points: Points, width: float | NDArray[np.float64]) -> Stroke:
    """Return a line with one width, or one per point."""
    widths = np.broadcast_to(np.asarray(width, dtype=np.float64), (len(points),))
    return Stroke(np.asarray(points, dtype=np.float64), widths)


def area(points: Points, ink: Ink) -> Stroke:
    """Return a filled area."""
    return Stroke(np.asarray(points, dtype=np.float64), np.ones(len(points)), ink)


def ring(points: Points) -> Points:
    """Return the points with the first one repeated at the end."""
    return np.concatenate([points, points[:1]])


def circle(center: Points, radius: float, count: int = 48) -> Points:
    """Return ``count`` points of a circle; the last one equals the first."""
    angles = np.linspace(0, 2 * np.pi, count)
    return np.asarray(center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def spline(points: Points, count: int) -> Points:
    """Return ``count`` evenly spaced points of the natural cubic spline through ``points``."""
    steps = np.maximum(np.hypot(*np.diff(points, axis=0).T), 1e-3)
    along = np.concatenate([[0], np.cumsum(steps)])
    curve = CubicSpline(along, points, bc_type="natural")
    return np.asarray(curve(np.linspace(0, along[-1], count)))


def tapered(
    count: int, width: float, start: float = 0.45, end: float = 0.45, reach: float = 0.25
) -> NDArray[np.float64]:
    """Return widths that taper from ``width`` to ``start`` times it and ``end`` times it at the ends.

    ``reach`` is the share of the stroke over which each end tapers.
    """
    t = np.linspace(0, 1, count)
    swell = np.sin(np.clip(t / reach, 0, 1) * np.pi / 2)
    fall = np.sin(np.clip((1 - t) / reach, 0, 1) * np.pi / 2)
    return np.asarray(width * np.minimum(start + (1 - start) * swell, end + (1 - end) * fall))
