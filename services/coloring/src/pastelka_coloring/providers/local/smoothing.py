"""Smoothing of boundaries: joins them through junctions, rounds them, keeps corners."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from pastelka_coloring.providers.local.boundaries import Boundary
from pastelka_coloring.providers.local.faces import unit
from pastelka_coloring.providers.local.strokes import Points

# Points used for the direction at a junction; cosine of the sharpest turn of a joined pair.
_LOOKAHEAD, _STRAIGHT = 10, 0.3
# Weight of strength when choosing between similarly straight pairs.
_STRONG = 0.5
# Corners: smoothing near them in points, and points on each side used for the turn.
_FINE, _REACH = 2.0, 9
# Cosine of a turn from which corners are kept, and the range until they are kept fully; the same for the
# line's strength: only clear lines have corners.
_TURN, _TURN_RANGE, _SURE, _SURE_RANGE = 0.72, 0.45, 0.45, 0.35
# Divisors of the length: maximum smoothing of open and closed curves.
_MAX_OPEN, _MAX_CLOSED = 9, 14


@dataclass(slots=True, eq=False)
class BoundaryCurve:
    """Joined boundaries; ``points`` (n, 2), the last one of a closed curve equals the first.

    ``junctions`` has the index of the point at each junction that the curve touches, ``strength``
    is the mean strength of its line.
    """

    points: Points
    is_closed: bool
    strength: float
    junctions: dict[int, int] = field(default_factory=dict)


def smooth_boundaries(
    boundaries: list[Boundary], strengths: NDArray[np.float64], sigma: float
) -> list[BoundaryCurve]:
    """Return boundaries as smooth curves that still meet at their junctions.

    ``strengths`` (n,) is the mean strength of each, about 1 for a clear line; ``sigma`` the length
    in pixels over which a clear line is smoothed, up to three times that for a faint one.
    """
    curves = _joined(boundaries, strengths)
    curves.sort(key=lambda curve: -len(curve.points))
    passing: dict[int, BoundaryCurve] = {}
    for curve in curves:
        for junction, index in curve.junctions.items():
            if curve.is_closed or 0 < index < len(curve.points) - 1:
                passing.setdefault(junction, curve)
    for curve in curves:
        curve.points = _smoothed(curve, sigma)
    places = {junction: curve.points[curve.junctions[junction]] for junction, curve in passing.items()}
    for curve in curves:
        for junction, index in curve.junctions.items():
            if junction in places and passing[junction] is not curve:
                _bend(curve, index, places[junction], int(4 * sigma) + 2)
    return curves


def smooth_points(points: Points, sigma: float, *, is_closed: bool) -> Points:
    """Return points smoothed along the curve by a Gaussian of ``sigma`` points; open ends are fixed."""
    count = len(points)
    if count < 3:  # noqa: PLR2004 - no inner points
        return points
    if is_closed:
        rounded = gaussian_filter1d(points[:-1], sigma, axis=0, mode="wrap")
        return np.concatenate([rounded, rounded[:1]])
    reach = min(count - 1, int(4 * sigma) + 1)
    before, after = 2 * points[0] - points[reach:0:-1], 2 * points[-1] - points[-2 : -reach - 2 : -1]
    longer = np.concatenate([before, points, after])
    return np.asarray(gaussian_filter1d(longer, sigma, axis=0, mode="nearest")[reach : reach + count])


def _smoothed(curve: BoundaryCurve, sigma: float) -> Points:
    points, closed = curve.points, curve.is_closed
    longest = len(points) / (_MAX_CLOSED if closed else _MAX_OPEN)
    sigma = min(sigma * (1 + 2 * min(max(1 - curve.strength, 0), 1)), max(longest, 0.8))
    if sigma <= _FINE * 1.2 or len(points) < 3 * _REACH:
        return smooth_points(points, min(sigma, max(len(points) / 7, 0.8)), is_closed=closed)
    fine = smooth_points(points, _FINE, is_closed=closed)
    coarse = smooth_points(points, sigma, is_closed=closed)
    return coarse + _corners(fine, curve.strength, is_closed=closed)[:, None] * (fine - coarse)


def _corners(points: Points, strength: float, *, is_closed: bool) -> NDArray[np.float64]:
    """Return the cornerness of each point, 0 to 1, (n,)."""
    index, last = np.arange(len(points)), len(points) - 1
    if is_closed:
        ahead = points[(index + _REACH) % last] - points[index % last]
        behind = points[index % last] - points[(index - _REACH) % last]
    else:
        ahead = points[np.minimum(index + _REACH, last)] - points
        behind = points - points[np.maximum(index - _REACH, 0)]
    lengths = np.hypot(*ahead.T) * np.hypot(*behind.T)
    cosine = (ahead * behind).sum(1) / np.maximum(lengths, 1e-6)
    if not is_closed:
        cosine[:_REACH] = cosine[-_REACH:] = 1
    sure = min(max((strength - _SURE) / _SURE_RANGE, 0), 1)
    turns = np.clip((_TURN - cosine) / _TURN_RANGE, 0, 1) * sure
    mode: Literal["wrap", "nearest"] = "wrap" if is_closed else "nearest"
    return np.asarray(gaussian_filter1d(maximum_filter1d(turns, 7, mode=mode), 3.5, mode=mode))


def _bend(curve: BoundaryCurve, index: int, place: Points, reach: int) -> None:
    """Move an end of a curve to the smoothed curve that it ends on."""
    points = curve.points
    reach = min(len(points), reach)
    share = np.linspace(1, 0, reach)[:, None] ** 1.5
    if index == 0:
        points[:reach] += (place - points[0]) * share
    else:
        points[-reach:] += (place - points[-1]) * share[::-1]


_End = tuple[int, bool]
"""A boundary's index, and whether it is the last end."""


def _joined(boundaries: list[Boundary], strengths: NDArray[np.float64]) -> list[BoundaryCurve]:
    links = _through(boundaries, strengths)
    done: set[int] = set()
    curves = []
    for index, boundary in enumerate(boundaries):
        if boundary.is_closed:
            curves.append(BoundaryCurve(boundary.points, is_closed=True, strength=float(strengths[index])))
        elif index not in done:
            chain, is_closed = _chain(index, links)
            done.update(part for part, _ in chain)
            curves.append(_curve(chain, is_closed, boundaries, strengths))
    return curves


def _through(boundaries: list[Boundary], strengths: NDArray[np.float64]) -> dict[_End, _End]:
    """Return the pairs of joined ends: at each junction the straightest pair, strong ones first."""
    ends: dict[int, list[_End]] = {}
    for index, boundary in enumerate(boundaries):
        if not boundary.is_closed:
            ends.setdefault(boundary.first, []).append((index, False))
            ends.setdefault(boundary.last, []).append((index, True))
    links: dict[_End, _End] = {}
    for meeting in ends.values():
        ways = [_way(boundaries[index].points, is_last=last) for index, last in meeting]
        pairs = []
        for i in range(len(meeting)):
            for j in range(i + 1, len(meeting)):
                cosine = -float(ways[i] @ ways[j])
                if meeting[i][0] != meeting[j][0] and cosine >= _STRAIGHT:
                    weaker = min(strengths[meeting[i][0]], strengths[meeting[j][0]])
                    pairs.append((cosine + _STRONG * float(weaker), meeting[i], meeting[j]))
        for _, one, other in sorted(pairs, reverse=True):
            if one not in links and other not in links:
                links[one], links[other] = other, one
    return links


def _way(points: Points, *, is_last: bool) -> Points:
    """Return the direction in which a boundary leaves its junction."""
    away = points[::-1] if is_last else points
    return unit(away[min(_LOOKAHEAD, len(away) - 1)] - away[0])


def _chain(index: int, links: dict[_End, _End]) -> tuple[list[tuple[int, bool]], bool]:
    """Return the boundaries of one curve, each with whether it is reversed, and whether it is closed."""
    chain = [(index, False)]
    while (then := links.get((chain[-1][0], not chain[-1][1]))) is not None:
        if then[0] == index:
            return chain, then == (index, False)
        chain.append(then)
    while (before := links.get((chain[0][0], chain[0][1]))) is not None:
        chain.insert(0, (before[0], not before[1]))
    return chain, False


def _curve(
    chain: list[tuple[int, bool]],
    is_closed: bool,
    boundaries: list[Boundary],
    strengths: NDArray[np.float64],
) -> BoundaryCurve:
    parts: list[Points] = []
    junctions: dict[int, int] = {}
    length = 0
    weight = 0.0
    for index, is_reversed in chain:
        boundary = boundaries[index]
        points = boundary.points[::-1] if is_reversed else boundary.points
        first, last = (boundary.first, boundary.last)[:: -1 if is_reversed else 1]
        junctions.setdefault(first, length)
        length += len(points) - 1
        junctions.setdefault(last, length)
        parts.append(points[:-1])
        weight += float(strengths[index]) * (len(points) - 1)
    end = boundaries[chain[-1][0]].points[0 if chain[-1][1] else -1]
    return BoundaryCurve(np.concatenate([*parts, end[None]]), is_closed, weight / max(length, 1), junctions)
