"""Detection of the subject: its mask, and saliency relative to the photo's border."""

import heapq

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.networks import infer
from pastelka_coloring.providers.local.regions import RegionGraph
from pastelka_coloring.providers.local.resizing import blurred, resized, scale_of

_INPUT = 256
# Guided filter: radius as a share of the map's scale, and the variance below which it smooths.
_RADIUS, _SMOOTH = 0.012, 1e-4
# A mask is valid if these shares are reached: decided pixels, size within the photo, border on lines.
_DECIDED = 0.82
_MIN_SHARE, _MAX_SHARE = 0.04, 0.92
_ON_LINES, _LINE = 0.55, 0.3
# Geodesic distance: strength without cost, cost of the largest color step, that step (Lab units), and the
# distance of full saliency.
_FREE, _COLOR_COST, _COLOR_STEP, _STANDS_OUT = 0.12, 0.25, 60.0, 0.55
# Minimum share of pixels with saliency above one half in a photo with a subject.
LEAST_SALIENT = 0.04


def subject_mask(photo: NDArray[np.uint8], small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return each pixel's probability to belong to the subject, 0 to 1, at the size of ``small``.

    ``small`` is the RGB photo at the size of the map. The segmentation network is MediaPipe's (Selfie
    Segmentation), which also detects pets; a guided filter aligns its border with the photo (He, Sun and
    Tang, "Guided image filtering", 2010).
    """
    seen = cv2.resize(photo, (_INPUT, _INPUT), interpolation=cv2.INTER_AREA)
    (coarse,) = infer("selfie_segmentation", np.asarray(seen, np.float32) / np.float32(255))
    shape = (small.shape[0], small.shape[1])
    mask = resized(coarse.reshape(_INPUT, _INPUT), shape).clip(0, 1)
    return np.clip(_guided(small, mask, max(round(_RADIUS * scale_of(shape)), 1)), 0, 1).astype(np.float32)


def is_plausible(mask: NDArray[np.float32], strength: NDArray[np.float32]) -> bool:
    """Whether a mask is plausible: decided, of a sensible size, with its border on lines.

    ``strength`` is that of the lines of the map, 0 to 1.
    """
    share = float((mask > 0.5).mean())  # noqa: PLR2004
    decided = float(((mask > 0.85) | (mask < 0.15)).mean())  # noqa: PLR2004
    if decided < _DECIDED or not _MIN_SHARE < share < _MAX_SHARE:
        return False
    inside = (mask > 0.5).astype(np.uint8)  # noqa: PLR2004
    border = cv2.dilate(inside, np.ones((3, 3), np.uint8)) > inside
    margin = max(round(0.01 * scale_of(mask.shape)), 1)
    border[:margin] = border[-margin:] = False
    border[:, :margin] = border[:, -margin:] = False
    near = cv2.dilate(strength, np.ones((9, 9), np.uint8))
    return bool(border.any()) and float((near[border] > _LINE).mean()) >= _ON_LINES


def silhouette(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an edge along the border of the mask, 0 to 0.75: strong where the mask is crisp."""
    smooth = blurred(mask, 2.0)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
    gradient = np.hypot(across, cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125))
    return np.asarray(0.75 * blurred(np.clip(gradient / 0.12, 0, 1).astype(np.float32), 1.2), np.float32)


def saliency(graph: RegionGraph, labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the saliency of each pixel, 0 to 1: the lines between it and the photo's border.

    Geodesic saliency: Wei, Wen, Zhu and Sun, "Geodesic saliency using background priors", 2012.
    """
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    distance = np.full(graph.count, np.inf)
    distance[border] = 0
    waiting = [(0.0, int(region)) for region in border]
    while waiting:
        far, region = heapq.heappop(waiting)
        if far > distance[region]:
            continue
        for other in graph.neighbors(region):
            strength, step = graph.strength(region, other), graph.color_step(region, other)
            there = far + max(strength - _FREE, 0) + _COLOR_COST * min(1.0, step / _COLOR_STEP)
            if there < distance[other]:
                distance[other] = there
                heapq.heappush(waiting, (there, other))
    distance[np.isinf(distance)] = 0
    return np.clip(distance / _STANDS_OUT, 0, 1)[labels].astype(np.float32)


def only_subject(
    labels: NDArray[np.int32], salient: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Merge the regions outside the subject into label 0; return the labels, and a mask of the others.

    Then nothing is drawn outside, and the remaining regions stay closed. If no region is mostly subject, the
    labels are unchanged.
    """
    flat = labels.ravel()
    pixels = np.bincount(flat)
    mean = np.bincount(flat, weights=salient.ravel()) / np.maximum(pixels, 1)
    inside = (mean > 0.5)[labels]  # noqa: PLR2004
    if not inside.any():
        return labels, np.ones(labels.shape, np.float32)
    return np.where(inside, labels, 0).astype(np.int32), inside.astype(np.float32)


def _guided(photo: NDArray[np.uint8], mask: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    guide = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    window = (2 * radius + 1, 2 * radius + 1)
    mean, mean_mask = cv2.blur(guide, window), cv2.blur(mask, window)
    variance = cv2.blur(guide * guide, window) - mean * mean
    slope = (cv2.blur(guide * mask, window) - mean * mean_mask) / (variance + _SMOOTH)
    offset = mean_mask - slope * mean
    return np.asarray(cv2.blur(slope, window) * guide + cv2.blur(offset, window), dtype=np.float32)
