"""Estimation of focus: blurred edges have the same strength at every scale."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.resizing import Shape, blurred, resized, shape_for

_PIXELS = 0.7e6
_FINE, _COARSE = 1.0, 3.0
# Ratio of the two gradients at a blurred edge, and how much higher it is at a crisp one.
_BLURRED, _CRISPER = 1.05, 1.1


def sharpness(photo: NDArray[np.uint8], shape: Shape) -> NDArray[np.float32]:
    """Return 1 at crisp edges and 0 at blurred ones, at ``shape``, for an RGB photo.

    Compares the steepness of edges at two scales: Elder and Zucker, "Local scale control for edge detection
    and blur estimation", 1998.
    """
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if gray.size > _PIXELS:
        gray = resized(gray, shape_for(gray, _PIXELS))
    window = np.ones((5, 5), np.uint8)
    fine, coarse = (cv2.dilate(_gradient(gray, sigma), window) for sigma in (_FINE, _COARSE))
    sharp = np.clip((fine / (coarse + 0.25) - _BLURRED) / _CRISPER, 0, 1).astype(np.float32)
    return blurred(resized(sharp, shape), _COARSE)


def _gradient(gray: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(gray, (0, 0), sigma)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)
    return np.hypot(across, cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)).astype(np.float32)
