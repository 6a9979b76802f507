"""Measures of a page of about a megapixel."""

from dataclasses import dataclass, fields
from statistics import fmean

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import skeletonize

Gray = NDArray[np.uint8]

# Shares of the page's area: fillable, tiny, sliver.
FILLABLE, TINY = 0.002, 0.0003
# Pixels at the border that are ignored, and the distance from a line at which its two sides are sampled.
_BORDER, _SIDES = 8, 11
# Extent of a speck, and the distance at which lines agree, as shares of the page's scale and diagonal.
_SPECK, _AGREES = 0.012, 0.0075


@dataclass(frozen=True)
class Measures:
    """One page; shares are percent."""

    closed: float
    ends: float
    fillable: float
    tiny: float
    slivers: float
    largest: float
    ink: float
    specks: float
    spread: float
    precision: float
    recall: float


def measure(page: Gray, reference: NDArray[np.float32]) -> Measures:
    """Measure a page against the edge probabilities of its photo (of any size).

    ``closed`` is the share of line length between two different regions, ``ends`` the number of open ends per
    megapixel, ``spread`` the standard deviation of the line width divided by its mean.
    """
    height, width = page.shape
    black = page < 128
    line = skeletonize(black)
    inside = np.zeros_like(line)
    inside[_BORDER:-_BORDER, _BORDER:-_BORDER] = True
    around = cv2.filter2D(line.astype(np.uint8), -1, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT)
    areas, regions = _regions(black)
    half_widths = cv2.distanceTransform(black.astype(np.uint8), cv2.DIST_L2, 5)[line & inside]
    widths = 2 * half_widths - 1
    precision, recall = _agreement(line & inside, inside, reference)
    return Measures(
        closed=100 * float(_between_regions(line, regions, areas).sum()) / max(int(line.sum()), 1),
        ends=float((line & (around == 2) & inside).sum()) * 1e6 / black.size,
        fillable=float((areas >= FILLABLE * black.size).sum()),
        tiny=float(((areas < FILLABLE * black.size) & (areas >= TINY * black.size)).sum()),
        slivers=float(((areas < TINY * black.size) & (areas > 0)).sum()),
        largest=100 * float(areas.max(initial=0)) / black.size,
        ink=100 * float(black.mean()),
        specks=_specks(black, _SPECK * (height * width) ** 0.5),
        spread=float(widths.std() / max(widths.mean(), 1e-6)) if len(widths) else 0,
        precision=precision,
        recall=recall,
    )


def mean(measured: list[Measures]) -> Measures:
    """The mean over several pages."""
    return Measures(*(fmean(getattr(one, field.name) for one in measured) for field in fields(Measures)))


def _regions(black: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    labels, _ = ndimage.label(~black)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return areas.astype(np.int64), np.asarray(labels, np.int32)


def _between_regions(
    line: NDArray[np.bool_], regions: NDArray[np.int32], areas: NDArray[np.int64]
) -> NDArray[np.bool_]:
    real = np.where(areas[regions] >= 12, regions, 0).astype(np.float32)
    window = np.ones((_SIDES, _SIDES), np.uint8)
    most = cv2.dilate(real, window)
    least = cv2.erode(np.where(real > 0, real, np.float32(1e9)), window)
    return np.asarray(line & (most > 0) & (most != least), np.bool_)


def _specks(black: NDArray[np.bool_], extent: float) -> float:
    labels, _ = ndimage.label(black, structure=np.ones((3, 3)))
    boxes = ndimage.find_objects(labels)
    return float(sum(max(s.stop - s.start for s in box) < extent for box in boxes))


def _agreement(
    line: NDArray[np.bool_], inside: NDArray[np.bool_], reference: NDArray[np.float32]
) -> tuple[float, float]:
    """Shares of the page's lines on weak or strong edges, and of strong edges on lines."""
    height, width = line.shape
    edges = np.asarray(cv2.resize(reference, (width, height)), np.float32)
    strong, weak = (_thinned(edges, threshold) for threshold in (0.5, 0.2))
    near = _AGREES * float(np.hypot(height, width))
    to_edge, to_line = (
        cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) for mask in (weak, line)
    )
    seen = strong & inside
    precision = float((to_edge[line] <= near).mean()) if line.any() else 0.0
    recall = float((to_line[seen] <= near).mean()) if seen.any() else 0.0
    return 100 * precision, 100 * recall


def _thinned(edges: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    smooth = cv2.GaussianBlur(edges, (0, 0), 1.5)
    return np.asarray(skeletonize(smooth > threshold))
