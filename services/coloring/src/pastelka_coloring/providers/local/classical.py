"""An edge detector without a network: the colour gradient of the flattened photo."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Flattening: rounds of an edge-preserving (bilateral) filter, its reach in pixels and in Lab units.
_ROUNDS = 3
_REACH = 5.0
_TONES = 14.0
# Scale of the gradient in pixels, and the gradient (Lab units a pixel) that makes an edge likely.
_SIGMA = 1.2
_LIKELY = 12.0


class ClassicalDetector:
    """Gradient of the photo after its texture was flattened.

    Bilateral filter: Tomasi and Manduchi, 1998, repeated as in Winnemoeller, Olsen and Gooch,
    "Real-time video abstraction", 2006. Gradient over three colours: Di Zenzo, 1986.
    """

    name = "classical"

    def edges(self, photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return how likely an edge is, 0 to 1, (height, width), for RGB (height, width, 3)."""
        lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        for _ in range(_ROUNDS):
            lab = cv2.bilateralFilter(lab, -1, _TONES, _REACH)
        lab = cv2.GaussianBlur(lab, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT)
        across = np.asarray(cv2.Scharr(lab, cv2.CV_32F, 1, 0, scale=1 / 16), dtype=np.float32)
        down = np.asarray(cv2.Scharr(lab, cv2.CV_32F, 0, 1, scale=1 / 16), dtype=np.float32)
        gradient = np.sqrt(_greatest_change(across, down))
        return np.asarray(1 - np.exp(-((gradient / _LIKELY) ** 2) * 4), dtype=np.float32)


def _greatest_change(across: NDArray[np.float32], down: NDArray[np.float32]) -> NDArray[np.float32]:
    xx, yy, xy = (np.sum(a * b, axis=2) for a, b in ((across, across), (down, down), (across, down)))
    return np.asarray((xx + yy) / 2 + np.sqrt(((xx - yy) / 2) ** 2 + xy**2), dtype=np.float32)
