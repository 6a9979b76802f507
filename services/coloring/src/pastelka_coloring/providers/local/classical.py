"""An edge detector without a network: the colour gradient of the flattened photo."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.detector import DetectedEdges
from pastelka_coloring.providers.local.gradients import color_gradient

# Flattening: iterations of an edge-preserving (bilateral) filter, its radius in pixels and in Lab units.
_ROUNDS = 3
_REACH = 5.0
_TONES = 14.0
# Scale of the gradient in pixels, and the gradient (Lab units a pixel) that makes an edge likely.
_SIGMA = 1.2
_LIKELY = 12.0


class ClassicalDetector:
    """Gradient of the photo after flattening its texture.

    Bilateral filter: Tomasi and Manduchi, 1998, repeated as in Winnemoeller, Olsen and Gooch,
    "Real-time video abstraction", 2006. Gradient over three colours: Di Zenzo, 1986.
    """

    name = "classical"

    def edges(self, photo: NDArray[np.uint8]) -> DetectedEdges:
        """Return the edges of an RGB photo; both scales are identical."""
        lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        for _ in range(_ROUNDS):
            lab = cv2.bilateralFilter(lab, -1, _TONES, _REACH)
        gradient = color_gradient(np.asarray(lab, np.float32), _SIGMA)
        likely = np.asarray(1 - np.exp(-((gradient / _LIKELY) ** 2) * 4), dtype=np.float32)
        return DetectedEdges(likely, likely)
