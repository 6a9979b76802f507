"""Cleaning of curves: drops side branches and short pieces, closes gaps."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pastelka_coloring.providers.local.curves import Curve

# Points of a curve used for the direction at its end.
_LOOKAHEAD = 8
# Curves that meet are joined if they turn by less than 60 degrees (cosine).
_STRAIGHT = 0.5
# Free ends are joined across a gap if they point at each other within 45 degrees (cosine).
_FACING = 0.7
# Factor on the minimum weight of an isolated stroke.
_LONE = 2.0


class Drawing:
    """Curves and their junctions."""

    def __init__(self, curves: Iterable[Curve]) -> None:
        self._meeting: dict[int, list[Curve]] = defaultdict(list)
        self._curves: dict[Curve, None] = {}
        for curve in curves:
            self._add(curve)

    @property
    def curves(self) -> list[Curve]:
        """The curves, in order of creation."""
        return list(self._curves)

    def drop_spurs(self, shortest: float) -> None:
        """Drop side branches shorter than ``shortest`` pixels, and join the rest."""
        for curve in sorted(self.curves, key=lambda curve: curve.length):
            if curve.length >= shortest:
                return
            if curve in self._curves and self._is_spur(curve):
                self._remove(curve)
                self._join_pair(curve.first)
                self._join_pair(curve.last)

    def close_gaps(self, reach: float) -> None:
        """Join free ends that face each other within ``reach`` pixels."""
        nodes = [node for node, meeting in self._meeting.items() if len(meeting) == 1]
        if len(nodes) < 2:  # noqa: PLR2004 - a gap has two ends
            return
        places = np.array([_end(self._meeting[node][0], node) for node in nodes])
        pairs = KDTree(places).query_pairs(reach, output_type="ndarray")
        gaps = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
        for one, other in pairs[np.argsort(gaps, kind="stable")]:
            self._bridge(nodes[one], nodes[other])

    def join_through(self) -> None:
        """Join the straightest pair of curves where three or more meet."""
        for node in list(self._meeting):
            while (pair := self._straightest(node)) is not None:
                self._join(node, *pair)

    def drop_scraps(self, least: float, strength: NDArray[np.float32]) -> None:
        """Drop groups of touching curves that weigh less than ``least``.

        A group's weight is its length in pixels times ``strength`` (of the mask's size, 1 for a clear line),
        so that short groups and faint ones are dropped.
        """
        for group in self._groups():
            # An isolated stroke outlines nothing: it needs a higher weight.
            needed = least * _LONE if len(group) == 1 and not group[0].closed else least
            if sum(_weight(curve, strength) for curve in group) < needed:
                for curve in group:
                    self._remove(curve)

    def _is_spur(self, curve: Curve) -> bool:
        free = [len(self._meeting[node]) == 1 for node in (curve.first, curve.last)]
        return free[0] != free[1] or curve.closed

    def _groups(self) -> list[list[Curve]]:
        groups = []
        seen: set[Curve] = set()
        for start in self._curves:
            group = []
            waiting = [start]
            while waiting:
                curve = waiting.pop()
                if curve not in seen:
                    seen.add(curve)
                    group.append(curve)
                    waiting += self._meeting[curve.first] + self._meeting[curve.last]
            groups.append(group)
        return groups

    def _bridge(self, one: int, other: int) -> None:
        if len(self._meeting[one]) != 1 or len(self._meeting[other]) != 1:
            return
        left, right = self._meeting[one][0], self._meeting[other][0]
        gap = Curve(np.array([_end(left, one), _end(right, other)]), one, other)
        across = _unit(gap.points[1] - gap.points[0])
        if _outwards(left, one) @ across > _FACING and _outwards(right, other) @ -across > _FACING:
            self._add(gap)
            self._join_pair(one)
            self._join_pair(other)

    def _straightest(self, node: int) -> tuple[Curve, Curve] | None:
        meeting = [curve for curve in self._meeting[node] if not curve.closed]
        ways = [_outwards(curve, node) for curve in meeting]
        pairs = [(float(ways[i] @ -ways[j]), i, j) for i in range(len(ways)) for j in range(i + 1, len(ways))]
        if not pairs:
            return None
        straight, i, j = max(pairs)
        return (meeting[i], meeting[j]) if straight > _STRAIGHT else None

    def _join_pair(self, node: int) -> None:
        meeting = self._meeting[node]
        if len(meeting) == 2 and meeting[0] is not meeting[1]:  # noqa: PLR2004 - a pair
            self._join(node, *meeting)

    def _join(self, node: int, one: Curve, other: Curve) -> None:
        self._remove(one)
        self._remove(other)
        before = one if one.last == node else one.turned()
        after = other if other.first == node else other.turned()
        points = np.concatenate([before.points, after.points[1:]])
        self._add(Curve(points, before.first, after.last))

    def _add(self, curve: Curve) -> None:
        self._curves[curve] = None
        self._meeting[curve.first].append(curve)
        self._meeting[curve.last].append(curve)

    def _remove(self, curve: Curve) -> None:
        del self._curves[curve]
        self._meeting[curve.first].remove(curve)
        self._meeting[curve.last].remove(curve)


def _weight(curve: Curve, strength: NDArray[np.float32]) -> float:
    columns, rows = curve.points.astype(int).T
    return curve.length * float(np.minimum(strength[rows, columns], 1).mean())


def _end(curve: Curve, node: int) -> NDArray[np.float64]:
    return np.asarray(curve.points[0 if curve.first == node else -1])


def _outwards(curve: Curve, node: int) -> NDArray[np.float64]:
    """Return the unit vector in which ``curve`` continues beyond its end ``node``."""
    points = curve.points if curve.last == node else curve.points[::-1]
    return _unit(points[-1] - points[max(len(points) - 1 - _LOOKAHEAD, 0)])


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-9))
