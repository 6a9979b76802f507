"""Lines in an edge map: ridges, their direction, and their contrast to the surroundings."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.resizing import blurred, scale_of

# Percentile of the strength of a clear line, and the valid range of that strength.
_CLEAR = 98.0
_SOFTEST, _HARDEST = 0.05, 0.15
# Surroundings for texture: a Gaussian of this share of the map's scale.
_SURROUND = 0.03
_DIVISIVE_SURROUND = 0.025
# Strength at which divisive normalization halves an isolated line.
_HALF = 0.25


class Ridges(NamedTuple):
    """``strength`` (height, width) and ``direction``, the angle along the line in radians."""

    strength: NDArray[np.float32]
    direction: NDArray[np.float32]


def find_ridges(edges: NDArray[np.float32], sigma: float) -> Ridges:
    """Return the negative of the most negative second derivative at scale ``sigma`` pixels.

    Lindeberg, "Edge detection and ridge detection with automatic scale selection", 1998. Unlike the map
    itself, it is independent of the width of the edge.
    """
    smooth = blurred(edges, sigma)
    xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
    yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
    xy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
    smallest = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    strength = np.maximum(-smallest * sigma**2, 0).astype(np.float32)
    return Ridges(strength, (0.5 * np.arctan2(2 * xy, xx - yy)).astype(np.float32))


def normalized(
    strength: NDArray[np.float32], softest: float = _SOFTEST, hardest: float = _HARDEST
) -> NDArray[np.float32]:
    """Scale the strength so that clear lines are about 1, even in soft light."""
    clear = float(np.percentile(strength, _CLEAR))
    return strength / np.float32(min(max(clear, softest), hardest))


def suppress_texture(strength: NDArray[np.float32], amount: float) -> NDArray[np.float32]:
    """Weaken lines in textured surroundings by ``amount`` times the mean strength around them.

    Surround inhibition: Grigorescu, Petkov and Westenberg, "Contour detection based on
    nonclassical receptive field inhibition", 2003.
    """
    around = blurred(strength, _SURROUND * scale_of(strength.shape))
    return np.maximum(strength - amount * around, 0).astype(np.float32)


def standing_out(strength: NDArray[np.float32], amount: float | NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each line by itself and its surroundings: keeps weak clean lines, removes texture.

    Divisive normalization: Heeger, "Normalization of cell responses in cat striate cortex", 1992.
    ``amount`` weighs the surroundings; the result is 0 to 1.
    """
    around = blurred(strength, _DIVISIVE_SURROUND * scale_of(strength.shape))
    return np.asarray(strength / (strength + _HALF + amount * around), dtype=np.float32)
