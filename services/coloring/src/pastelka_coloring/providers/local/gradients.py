"""The gradient of a color image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.resizing import blurred


def color_gradient(lab: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the greatest change of color at scale ``sigma``, in Lab units a pixel, (height, width).

    The largest eigenvalue of the structure tensor over the three channels: Di Zenzo, "A note on
    the gradient of a multi-image", 1986.
    """
    smooth = blurred(lab, sigma)
    across = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 16), dtype=np.float32)
    down = np.asarray(cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 16), dtype=np.float32)
    xx, yy, xy = (np.sum(a * b, axis=2) for a, b in ((across, across), (down, down), (across, down)))
    greatest = (xx + yy) / 2 + np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.asarray(np.sqrt(greatest), dtype=np.float32)
