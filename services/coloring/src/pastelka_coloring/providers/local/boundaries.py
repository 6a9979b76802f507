"""The boundaries of a label image as curves that run between pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.strokes import Points

Labels = NDArray[np.int32]
_Indices = NDArray[np.intp]

LOOP = -1


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """A boundary between two regions from one junction to the next.

    ``points`` (n, 2), x and y of pixel corners; ``first`` and ``last`` number the junctions, both
    ``LOOP`` for a closed curve, whose last point is its first; ``regions`` are the two labels.
    """

    points: Points
    first: int
    last: int
    regions: tuple[int, int]

    @property
    def is_closed(self) -> bool:
        """Whether it is a loop without junctions."""
        return self.first == LOOP


def trace_boundaries(labels: Labels) -> list[Boundary]:
    """Return the boundaries of a label image (height, width), each once.

    Between two neighboring pixels with different labels is a crack, an edge of the grid of pixel corners; two
    cracks that meet alone at a corner follow each other. Their order along the boundary is computed for all
    at once by pointer doubling (Wyllie, "The complexity of parallel computations", 1979).
    """
    start, end, sides = _cracks(labels)
    count = len(start)
    if not count:
        return []
    corners = (labels.shape[0] + 1) * (labels.shape[1] + 1)
    origin, target = np.concatenate([start, end]), np.concatenate([end, start])
    following = _following(origin, target, corners)
    following, is_kept, is_loop = _cut_loops(following, count)
    last, left = _ranked(following)
    order = np.lexsort((-left, last))
    order = order[is_kept[order]]
    chains = np.split(order, np.flatnonzero(np.diff(last[order])) + 1)
    columns = labels.shape[1] + 1
    found = []
    for chain in chains:
        head, tail, loop = int(chain[0]), int(chain[-1]), bool(is_loop[chain[0]])
        # A chain between junctions exists in both directions: keep one.
        if loop or tail <= (head + count) % (2 * count):
            met = np.append(origin[chain], target[tail])
            one, other = sides[head % count].tolist()
            ends = (LOOP, LOOP) if loop else (int(met[0]), int(met[-1]))
            points = np.stack([met % columns, met // columns], axis=1) - 0.5
            found.append(Boundary(points, *ends, (one, other)))
    return found


def _cracks(labels: Labels) -> tuple[_Indices, _Indices, Labels]:
    """Return the two corners of each crack, and the two labels beside it, (n, 2), smaller first."""
    columns = labels.shape[1] + 1
    y, x = np.nonzero(labels[1:] != labels[:-1])
    across = (y + 1) * columns + x
    above = np.stack([labels[y, x], labels[y + 1, x]], axis=1)
    v, u = np.nonzero(labels[:, 1:] != labels[:, :-1])
    down = v * columns + u + 1
    beside = np.stack([labels[v, u], labels[v, u + 1]], axis=1)
    start = np.concatenate([across, down])
    end = np.concatenate([across + 1, down + columns])
    return start, end, np.sort(np.concatenate([above, beside]), axis=1)


def _following(origin: _Indices, target: _Indices, corners: int) -> _Indices:
    """Return for each directed crack the next one, or itself if it ends in a junction."""
    count = len(origin)
    order = np.argsort(origin, kind="stable")
    degree = np.bincount(origin, minlength=corners)
    begin = np.concatenate([[0], np.cumsum(degree)[:-1]])
    reverse = (np.arange(count) + count // 2) % count
    one = order[begin[target]]
    other = order[np.minimum(begin[target] + 1, count - 1)]
    on = np.where(one == reverse, other, one)
    return np.where(degree[target] == 2, on, np.arange(count))  # noqa: PLR2004 - no junction


def _cut_loops(following: _Indices, count: int) -> tuple[_Indices, NDArray[np.bool_], NDArray[np.bool_]]:
    """Cut every loop into a chain, in one of its two directions.

    Returns the successor of each directed crack, which of them are kept, and which are on loops.
    """
    least, jump = np.arange(2 * count), following.copy()
    for _ in range(int(count * 2).bit_length()):
        least, jump = np.minimum(least, least[jump]), jump[jump]
    is_loop = following[jump] != jump
    reverse = (np.arange(2 * count) + count) % (2 * count)
    is_kept = ~is_loop | (least < least[reverse])
    closes = is_loop & (following == least)
    return np.where(closes, np.arange(2 * count), following), is_kept, is_loop


def _ranked(following: _Indices) -> tuple[_Indices, _Indices]:
    """Return for each directed crack the last one of its chain, and the number of cracks after it."""
    last = following.copy()
    left = (following != np.arange(len(following))).astype(np.intp)
    for _ in range(len(following).bit_length()):
        left, last = left + left[last], last[last]
    return last, left
