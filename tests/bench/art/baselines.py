"""Common line-art filters for comparison: black lines on white, about a megapixel."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Filter = Callable[[NDArray[np.uint8]], Gray]
"""Maps an RGB photo at the page's size to a page."""


def pencil_sketch(photo: NDArray[np.uint8]) -> Gray:
    """OpenCV's ``pencilSketch`` (Gastal and Oliveira, 2011) with its own parameters."""
    gray, _ = cv2.pencilSketch(
        cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), sigma_s=60, sigma_r=0.07, shade_factor=0.05
    )
    return _black_and_white(np.asarray(gray, np.uint8), 200)


def canny(photo: NDArray[np.uint8]) -> Gray:
    """Canny edges (1986) with thresholds at the median, drawn four pixels wide."""
    gray = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    median = float(np.median(gray))
    edges = cv2.Canny(gray, 0.33 * median, 0.66 * median)
    return np.asarray(255 - cv2.dilate(edges, np.ones((4, 4), np.uint8)), np.uint8)


def adaptive_threshold(photo: NDArray[np.uint8]) -> Gray:
    """Mean threshold in a window, after a median filter."""
    gray = cv2.medianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 7)
    return np.asarray(
        cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 25, 7), np.uint8
    )


def xdog(photo: NDArray[np.uint8]) -> Gray:
    """Extended difference of Gaussians (Winnemoeller, Kyprianidis and Olsen, 2012)."""
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    fine, coarse = (cv2.GaussianBlur(gray, (0, 0), sigma) for sigma in (2.0, 3.2))
    sharpened = fine + 19 * (fine - coarse)
    soft = np.where(sharpened > 0.6, 1, 1 + np.tanh(10 * (sharpened - 0.6)))
    return _black_and_white((soft * 255).clip(0, 255).astype(np.uint8), 128)


def _black_and_white(gray: Gray, threshold: int) -> Gray:
    return np.where(gray < threshold, 0, 255).astype(np.uint8)


FILTERS: dict[str, Filter] = {
    "pencilSketch": pencil_sketch,
    "Canny": canny,
    "adaptive threshold": adaptive_threshold,
    "XDoG": xdog,
}
