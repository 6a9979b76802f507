"""Borders between color patches, which a network trained on outlines misses (fur, feathers)."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.gradients import color_gradient
from pastelka_coloring.providers.local.resizing import Shape, resized, shape_for

_PIXELS = 0.16e6
# Iterations of the bilateral filter, its radius in Lab units and in pixels.
_ROUNDS, _TONES, _REACH = 4, 18.0, 4.0
# Scale of the gradient in pixels, and the gradient (Lab units a pixel) at which a border is likely.
_SIGMA, _LIKELY = 1.6, 7.0


def patch_borders(photo: NDArray[np.uint8], shape: Shape) -> NDArray[np.float32]:
    """Return the probability of a border between two color patches, 0 to 1, for an RGB photo.

    Takes the gradient of the photo flattened at a small size by an iterated bilateral filter (Tomasi and
    Manduchi, 1998; Winnemoeller, Olsen and Gooch, 2006).
    """
    small = resized(photo, shape_for(photo, _PIXELS))
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    for _ in range(_ROUNDS):
        lab = cv2.bilateralFilter(lab, -1, _TONES, _REACH)
    gradient = color_gradient(np.asarray(lab, np.float32), _SIGMA)
    likely = (1 - np.exp(-((gradient / _LIKELY) ** 2))).astype(np.float32)
    return np.asarray(np.maximum(resized(likely, shape), 0), dtype=np.float32)
