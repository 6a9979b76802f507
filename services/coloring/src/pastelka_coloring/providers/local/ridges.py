"""From an edge map to lines one pixel wide."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import remove_small_holes, skeletonize

from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.edges import EdgeMap

# Scale of the ridges, in pixels of what the detector saw: about half the width of its own lines.
_SIGMA = 2.0
# The same inside of faces, in pixels of the map.
_FACE_SIGMA = 2.0
# Surroundings that count as texture: a Gaussian of this share of the map's scale.
_SURROUND = 0.03

# Area, as a share of the map, up to which a hole between lines is filled.
_PINHOLE = 0.00015
# Share of pixels, in percent, that are weaker than a clear line; and the range in which that is believed.
_CLEAR = 98.0
_SOFTEST, _HARDEST = 0.05, 0.15


def ridge_strength(found: EdgeMap, detail: Detail) -> NDArray[np.float32]:
    """Return how much each pixel of the map lies on a line, 0 to about 1.

    Finer inside of faces, where lines lie closer to each other.
    """
    sigma = _SIGMA * math.sqrt(found.edges.size / (detail.fine_megapixels * 1e6))
    strength = _ridges(found.edges, sigma)
    if found.faces.any():
        strength += found.faces * (_ridges(found.edges, _FACE_SIGMA) - strength)
    return strength


def _ridges(edges: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the negative of the most negative second derivative at scale ``sigma``.

    Lindeberg, "Edge detection and ridge detection with automatic scale selection", 1998. Unlike
    the map itself, it has one width whatever the width of the edge.
    """
    smooth = cv2.GaussianBlur(edges, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
    yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
    xy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
    smallest = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.maximum(-smallest * sigma**2, 0).astype(np.float32)


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


def centre_lines(
    strength: NDArray[np.float32], faces: NDArray[np.float32], detail: Detail
) -> NDArray[np.bool_]:
    """Return the lines as a mask one pixel wide: hysteresis, pinholes filled, then the skeleton.

    Pinholes are where two lines nearly touch; those of a face are its eyes, and stay.
    """
    kept = apply_hysteresis_threshold(strength, detail.follow, detail.start)
    filled = remove_small_holes(kept, max_size=round(_PINHOLE * kept.size))
    return np.asarray(skeletonize(np.where(faces > 0, kept, filled)), dtype=np.bool_)
