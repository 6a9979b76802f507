"""The edge map of a photo: three scales of the detector, mixed by how cluttered the photo is."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.detector import DetectedEdges, EdgeDetector
from pastelka_coloring.providers.local.resizing import Shape, blurred, resized, scale_of, shape_for
from pastelka_coloring.providers.local.ridges import find_ridges, normalized

# Sizes in pixels at which the detector processes the photo: outlines, shapes, detail.
_COARSE, _MIDDLE, _FINE = 0.12e6, 0.25e6, 0.42e6
# Weights of the fine map: fused edges of two sizes, and the middle side output of the finest.
_SHAPES, _DETAIL, _THIN = 0.30, 0.42, 0.28
# Mirrored around the photo, in pixels: the network draws a frame where its input ends.
_MARGIN = 24
# Scale of counted lines, in pixels of the map; radius of the surroundings, as a share of its scale.
_SIGMA = 2.0
_AROUND = 0.022
# Density of lines at which clutter begins, and the range until it is certain.
_CLUTTER, _CLUTTER_RANGE = 0.16, 0.18
_CLEAR_LINE, _ANY_LINE = 0.55, 0.1


@dataclass(frozen=True, slots=True)
class EdgeMap:
    """``edges`` and ``crispness`` (height, width), 0 to 1.

    Crispness is 1 where most surrounding lines are clear (petals, stripes), 0 in texture (fur, grass).
    """

    edges: NDArray[np.float32]
    crispness: NDArray[np.float32]


def detect_edges(photo: NDArray[np.uint8], shape: Shape, detector: EdgeDetector) -> EdgeMap:
    """Return the edge map of an RGB photo at ``shape``: fine in calm areas, coarse in clutter.

    Scales of the holistically-nested detector: Xie and Tu, ICCV 2015. Coarse edges replace fine ones where
    lines are dense and faint.
    """
    coarse = _detect(photo, _COARSE, detector).fused
    middle = _detect(photo, _MIDDLE, detector).fused
    fine = _detect(photo, _FINE, detector)
    shapes = resized(middle, shape)
    outlines = np.clip((resized(coarse, shape) + shapes) / 2, 0, 1)
    details = _SHAPES * shapes + _DETAIL * resized(fine.fused, shape) + _THIN * resized(fine.middle, shape)
    details = np.clip(details, 0, 1).astype(np.float32)
    clutter, crispness = _clutter(details)
    return EdgeMap((details + clutter * (outlines - details)).astype(np.float32), crispness)


def _clutter(edges: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how cluttered and how crisp the surroundings of each pixel are, 0 to 1."""
    lines = np.minimum(normalized(find_ridges(edges, _SIGMA).strength), 1.2)
    reach = _AROUND * scale_of(edges.shape)
    density = blurred(lines, reach)
    clear = blurred((lines > _CLEAR_LINE).astype(np.float32), reach)
    share = clear / (blurred((lines > _ANY_LINE).astype(np.float32), reach) + 1e-3)
    clutter = np.clip((density - _CLUTTER) / _CLUTTER_RANGE, 0, 1) * np.clip(1.5 - 1.6 * share, 0, 1)
    return clutter.astype(np.float32), np.clip((share - 0.22) / 0.25, 0, 1).astype(np.float32)


def _detect(photo: NDArray[np.uint8], pixels: float, detector: EdgeDetector) -> DetectedEdges:
    scaled = resized(photo, shape_for(photo, pixels))
    mirrored = cv2.copyMakeBorder(scaled, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REFLECT)
    found = detector.edges(np.asarray(mirrored, np.uint8))
    inside = slice(_MARGIN, -_MARGIN)
    return DetectedEdges(found.fused[inside, inside], found.middle[inside, inside])
