"""Closed regions: a watershed, merged in the order of an ultrametric contour map."""

import heapq
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from skimage.morphology import local_minima
from skimage.segmentation import watershed

from pastelka_coloring.providers.local.boundaries import Boundary, Labels
from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.resizing import blurred
from pastelka_coloring.providers.local.ridges import Ridges
from pastelka_coloring.providers.local.strokes import Points

_SIGMA, _LEVELS = 1.6, 120
# Points of a boundary on each side used for its direction.
_LOOKAHEAD = 7
# Weight of a line that the boundary crosses.
_ACROSS = 0.25
# Dissimilarity: weight of the color step relative to the line, the step (Lab units) that counts fully, the
# weight of lightness in it, and the line strength from which color counts fully (minus 0.35).
_COLOR, _FULL_STEP, _LIGHTNESS, _LINELESS = 0.35, 38.0, 0.55, 0.35
# Exponent that reduces the dissimilarity of small areas, and the minimum area ratio.
_SMALLNESS, _MIN_RATIO = 0.42, 0.02
# Color step (as above) below which a faint border is ignored.
_LIKE = 7.0


def oversegment(edges: NDArray[np.float32]) -> Labels:
    """Return the watershed of an edge map: labels from 1 on, some hundreds of regions in a map of 1 MP.

    Meyer, "Topographic distance and watershed lines", 1994; minima of the map at 120 levels.
    """
    smooth = blurred(edges, _SIGMA)
    minima = local_minima(np.round(smooth * _LEVELS).astype(np.int16), connectivity=1)
    seeds, _ = label(minima)
    return np.asarray(watershed(smooth, seeds, connectivity=1), dtype=np.int32)


def boundary_strengths(boundaries: list[Boundary], ridges: Ridges) -> NDArray[np.float64]:
    """Return the sum of line strength along each boundary, (n,).

    Oriented watershed: a line counts less where the boundary runs across it (Arbelaez, Maire,
    Fowlkes and Malik, "Contour detection and hierarchical image segmentation", 2011).
    """
    if not boundaries:
        return np.zeros(0)
    points = np.concatenate([boundary.points for boundary in boundaries])
    counts = np.array([len(boundary.points) for boundary in boundaries])
    own = np.repeat(np.arange(len(boundaries)), counts)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    index = np.arange(len(points))
    ahead = points[np.minimum(index + _LOOKAHEAD, first[own] + counts[own] - 1)]
    way = ahead - points[np.maximum(index - _LOOKAHEAD, first[own])]
    strength, direction = sample(ridges.strength, points), sample(ridges.direction, points)
    along = np.cos(np.arctan2(way[:, 1], way[:, 0]) - direction) ** 2
    seen = strength * (_ACROSS + (1 - _ACROSS) * along)
    return np.bincount(own, weights=seen, minlength=len(boundaries)).astype(np.float64)


def sample(image: NDArray[np.float32], points: Points) -> NDArray[np.float32]:
    """Return the pixels of ``image`` nearest to ``points`` (n, 2), (n,)."""
    x = np.clip(points[:, 0].round().astype(int), 0, image.shape[1] - 1)
    y = np.clip(points[:, 1].round().astype(int), 0, image.shape[0] - 1)
    return np.asarray(image[y, x], dtype=np.float32)


class RegionGraph:
    """Regions, their adjacency, and merging.

    ``labels`` (height, width); ``lab`` the photo in Lab, (height, width, 3); ``weight`` each pixel's
    contribution to the importance of its region, a share of the page; ``strengths`` as from
    ``boundary_strengths``.
    """

    def __init__(
        self,
        labels: Labels,
        lab: NDArray[np.float32],
        weight: NDArray[np.float32],
        boundaries: list[Boundary],
        strengths: NDArray[np.float64],
    ) -> None:
        flat = labels.ravel()
        self.count = int(flat.max()) + 1
        pixels = np.bincount(flat, minlength=self.count)
        self._area: list[float] = pixels.astype(float).tolist()
        self._weight = np.bincount(flat, weights=weight.ravel(), minlength=self.count).tolist()
        self._color: list[list[float]] = np.stack(
            [np.bincount(flat, weights=lab[..., k].ravel(), minlength=self.count) for k in range(3)], axis=1
        ).tolist()
        # Of each pair of neighbors: length of their boundary, and the sum of strength along it.
        self._between: list[dict[int, list[float]]] = [{} for _ in range(self.count)]
        for boundary, total in zip(boundaries, strengths.tolist(), strict=True):
            self._add(*boundary.regions, float(len(boundary.points)), total)

    def neighbors(self, region: int) -> Iterable[int]:
        """The regions that share a boundary with ``region``."""
        return self._between[region]

    def strength(self, one: int, other: int) -> float:
        """Mean strength of the boundary between two neighbors."""
        length, total = self._between[one][other]
        return total / length

    def color_step(self, one: int, other: int, lightness: float = 1.0) -> float:
        """Distance of the mean colors of two regions in Lab units, lightness weighted (squared)."""
        a, b, m, n = self._color[one], self._color[other], self._area[one], self._area[other]
        light, red, yellow = (p / m - q / n for p, q in zip(a, b, strict=True))
        return math.sqrt(lightness * light * light + red * red + yellow * yellow)

    def merge(self, detail: Detail) -> NDArray[np.intp]:
        """Merge the most similar neighbors until all differ enough; return each region's root.

        The order is that of an ultrametric contour map, cut at one level (Arbelaez et al., 2011).
        """
        version = [0] * self.count
        parent = list(range(self.count))
        waiting = [
            (self._dissimilarity(one, other, detail), one, other, 0, 0)
            for one in range(self.count)
            for other in self._between[one]
            if one < other
        ]
        heapq.heapify(waiting)
        while waiting:
            distance, one, other, seen_one, seen_other = heapq.heappop(waiting)
            if distance > detail.merged:
                break
            if (version[one], version[other]) != (seen_one, seen_other):
                continue
            is_first = len(self._between[one]) >= len(self._between[other])
            kept, removed = (one, other) if is_first else (other, one)
            self._absorb(kept, removed)
            parent[removed] = kept
            version[kept] += 1
            version[removed] = -1
            for near in self._between[kept]:
                low, high = min(kept, near), max(kept, near)
                distance = self._dissimilarity(low, high, detail)
                heapq.heappush(waiting, (distance, low, high, version[low], version[high]))
        return _roots(parent)

    def _add(self, one: int, other: int, length: float, total: float) -> None:
        between = self._between[one].setdefault(other, [0.0, 0.0])
        self._between[other][one] = between
        between[0] += length
        between[1] += total

    def _absorb(self, kept: int, removed: int) -> None:
        self._area[kept] += self._area[removed]
        self._weight[kept] += self._weight[removed]
        self._color[kept] = [p + q for p, q in zip(self._color[kept], self._color[removed], strict=True)]
        del self._between[kept][removed]
        for near, (length, total) in self._between[removed].items():
            if near != kept:
                del self._between[near][removed]
                self._add(kept, near, length, total)
        self._between[removed] = {}

    def _dissimilarity(self, one: int, other: int, detail: Detail) -> float:
        line = self.strength(one, other)
        step = self.color_step(one, other, _LIGHTNESS)
        if line < detail.faint and step < _LIKE:
            return 0.0
        color = min(step / _FULL_STEP, 1.0) * min(1.0, _LINELESS + line)
        smaller = min(self._weight[one], self._weight[other]) / detail.small_area
        least = min(1.0, math.pow(max(smaller, _MIN_RATIO), _SMALLNESS))
        return ((1 - _COLOR) * line + _COLOR * color) * least


def _roots(parent: list[int]) -> NDArray[np.intp]:
    roots = np.array(parent)
    while True:
        further = roots[roots]
        if (further == roots).all():
            return roots
        roots = further
