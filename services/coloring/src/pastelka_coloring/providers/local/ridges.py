"""From an edge map to lines one pixel wide."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import skeletonize

from pastelka_coloring.providers.local.detail import Detail

# Scale of the ridges, in pixels of the edge map: about half the width of the detector's own lines.
_SIGMA = 2.0
# Surroundings that count as texture: a Gaussian of this share of the map's scale.
_SURROUND = 0.03

# Share of pixels, in percent, that are weaker than a clear line; and the range in which that is believed.
_CLEAR = 98.0
_SOFTEST, _HARDEST = 0.05, 0.15


def ridge_strength(edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much each pixel of ``edges`` (0 to 1) lies on a ridge, 0 to about 1.

    The negative of the most negative second derivative, over the strength of an ideal line
    (Lindeberg, "Edge detection and ridge detection with automatic scale selection", 1998). Unlike
    the map itself, it has one width whatever the width of the edge.
    """
    smooth = cv2.GaussianBlur(edges, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT)
    xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
    yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
    xy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
    smallest = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.maximum(-smallest * _SIGMA**2, 0).astype(np.float32)


def suppress_texture(
    strength: NDArray[np.float32], amount: float | NDArray[np.float32]
) -> NDArray[np.float32]:
    """Weaken lines in busy surroundings, ``amount`` times the mean strength around them.

    Surround inhibition: Grigorescu, Petkov and Westenberg, "Contour detection based on
    nonclassical receptive field inhibition", 2003.
    """
    scale = float(np.sqrt(strength.size))
    around = cv2.GaussianBlur(strength, (0, 0), _SURROUND * scale, borderType=cv2.BORDER_REFLECT)
    return np.maximum(strength - amount * around, 0).astype(np.float32)


def normalized(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale the strength so that a photo's clear lines are about 1, however soft its light is."""
    clear = float(np.percentile(strength, _CLEAR))
    return strength / np.float32(min(max(clear, _SOFTEST), _HARDEST))


def centre_lines(strength: NDArray[np.float32], detail: Detail) -> NDArray[np.bool_]:
    """Return the lines as a mask one pixel wide: hysteresis, then the skeleton."""
    kept = apply_hysteresis_threshold(strength, detail.follow, detail.start)
    return np.asarray(skeletonize(kept), dtype=np.bool_)
