"""Tracing of curves from a mask with lines one pixel wide."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, -1), (-1, 1), (1, 1), (1, -1))


@dataclass(eq=False, slots=True)
class Curve:
    """A curve between two nodes; a node without other curves is a free end.

    ``points`` is (n, 2), n >= 2, x and y in pixels of the mask, from node ``first`` to ``last``.
    """

    points: NDArray[np.float64]
    first: int
    last: int

    @property
    def length(self) -> float:
        """Length along the curve in pixels."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    @property
    def closed(self) -> bool:
        """Whether it ends where it starts."""
        return self.first == self.last

    def turned(self) -> "Curve":
        """Return the reversed curve."""
        return Curve(self.points[::-1], self.last, self.first)


def trace(mask: NDArray[np.bool_]) -> list[Curve]:
    """Return the curves of a mask whose lines are one pixel wide (a skeleton).

    Pixels with other than two neighbours are nodes, adjacent ones form one node; the remaining pixels form
    simple chains.
    """
    return list(_Tracer(mask).curves())


class _Tracer:
    def __init__(self, mask: NDArray[np.bool_]) -> None:
        lines = mask.astype(np.uint8)
        around = cv2.boxFilter(lines, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT) - lines
        nodes = mask & (around != 2)  # noqa: PLR2004 - neighbours of a pixel inside a line
        self._nodes, labels, _, self._centres = cv2.connectedComponentsWithStats(nodes.astype(np.uint8))
        self._node_at = {place: int(labels[place]) for place in _places(nodes)}
        self._left = dict.fromkeys(_places(mask & ~nodes))

    def curves(self) -> Iterator[Curve]:
        for place, node in self._node_at.items():
            for start in _around(place):
                if start in self._left:
                    yield self._chain(node, start)
        while self._left:
            yield self._ring(next(iter(self._left)))

    def _chain(self, node: int, start: tuple[int, int]) -> Curve:
        places = self._walk(start)
        ends = [self._node_at[place] for place in _around(places[-1]) if place in self._node_at]
        end = next((other for other in ends if other != node), node)
        points = [self._centres[node], *(place[::-1] for place in places), self._centres[end]]
        return Curve(np.array(points, dtype=np.float64), node, end)

    def _ring(self, start: tuple[int, int]) -> Curve:
        places = self._walk(start)
        self._nodes += 1
        points = np.array([place[::-1] for place in (*places, start)], dtype=np.float64)
        return Curve(points, self._nodes, self._nodes)

    def _walk(self, start: tuple[int, int]) -> list[tuple[int, int]]:
        places: list[tuple[int, int]] = []
        place: tuple[int, int] | None = start
        while place is not None:
            del self._left[place]
            places.append(place)
            place = next((other for other in _around(place) if other in self._left), None)
        return places


def _places(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in np.argwhere(mask)]


def _around(place: tuple[int, int]) -> list[tuple[int, int]]:
    return [(place[0] + down, place[1] + right) for down, right in _STEPS]
