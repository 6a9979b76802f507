"""Where the faces are, so that they can be drawn with more care than the rest."""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_CASCADE = "haarcascade_frontalface_alt2.xml"
_MOST = 4
# Searched at this size, from this share of the photo's scale (square root of its area) on.
_SEARCHED_PIXELS = 0.2e6
_SMALLEST = 0.07
# Growth of the window from one pass to the next, and the hits that make a face believed.
_GROWTH = 1.1
_HITS = 5


@dataclass(frozen=True, slots=True)
class Face:
    """A square with a face in it: centre and side in pixels of the photo."""

    x: float
    y: float
    side: float


def find_faces(photo: NDArray[np.uint8]) -> list[Face]:
    """Return up to four upright frontal faces of an RGB photo, largest first.

    Boosted cascade (Viola and Jones, 2001; Lienhart and Maydt, 2002) that OpenCV 4 ships.
    """
    height, width = photo.shape[:2]
    scale = math.sqrt(_SEARCHED_PIXELS / (height * width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    gray = cv2.equalizeHist(
        cv2.cvtColor(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    )
    least = round(_SMALLEST * math.sqrt(_SEARCHED_PIXELS))
    # Loaded anew each time (10 ms): a classifier must not be used by two threads at once.
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).with_name("data") / _CASCADE))
    found = cascade.detectMultiScale(gray, _GROWTH, _HITS, 0, (least, least))
    faces = [Face((x + side / 2) / scale, (y + side / 2) / scale, side / scale) for x, y, side, _ in found]
    return sorted(faces, key=lambda face: (-face.side, face.y, face.x))[:_MOST]
