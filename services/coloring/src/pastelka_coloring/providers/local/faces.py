"""Where the faces are, so that they can be drawn with more care than the rest."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

_MOST = 4
# Searched at this size, from this share of the photo's scale (square root of its area) on.
_SEARCHED_PIXELS = 0.2e6
_SMALLEST = 0.07
# Growth of the window from one pass to the next, and its stride.
_GROWTH = 1.2
_STRIDE = 1.5


@dataclass(frozen=True, slots=True)
class Face:
    """A square with a face in it: centre and side in pixels of the photo."""

    x: float
    y: float
    side: float


def find_faces(photo: NDArray[np.uint8]) -> list[Face]:
    """Return up to four frontal faces of an RGB photo, largest first.

    Local binary patterns cascade (Liao et al., 2007) as scikit-image ships it.
    """
    height, width = photo.shape[:2]
    scale = min(math.sqrt(_SEARCHED_PIXELS / (height * width)), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    least = round(_SMALLEST * math.sqrt(size[0] * size[1]))
    found = Cascade(lbp_frontal_face_cascade_filename()).detect_multi_scale(
        small,
        scale_factor=_GROWTH,
        step_ratio=_STRIDE,
        min_size=(least, least),
        max_size=(min(size), min(size)),
    )
    faces = [
        Face((box["c"] + box["width"] / 2) / scale, (box["r"] + box["height"] / 2) / scale, box["width"] / scale)
        for box in found
    ]
    return sorted(faces, key=lambda face: (-face.side, face.y, face.x))[:_MOST]
