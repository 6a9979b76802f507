"""Resizing of images to the working sizes of the pipeline."""

import math
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_Pixel = TypeVar("_Pixel", np.uint8, np.float32)

Shape = tuple[int, int]
"""Height and width in pixels."""

MAP_PIXELS = 1e6
"""Approximate pixels of every map (edges, strengths, labels), independent of the page's size."""


def shape_for(image: NDArray[_Pixel], pixels: float) -> Shape:
    """Return the shape with the aspect of ``image`` and about ``pixels`` pixels."""
    height, width = image.shape[:2]
    scale = math.sqrt(pixels / (height * width))
    return max(round(height * scale), 1), max(round(width * scale), 1)


def resized(image: NDArray[_Pixel], shape: Shape) -> NDArray[_Pixel]:
    """Return ``image`` (height, width[, channels]) at ``shape``: averaged when smaller, cubic when larger."""
    shrinks = image.shape[0] * image.shape[1] > shape[0] * shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (shape[1], shape[0]), interpolation=how)  # type: ignore[return-value]


def blurred(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return ``image`` blurred by a Gaussian of ``sigma`` pixels, mirrored at its border."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def scale_of(shape: Shape) -> float:
    """Return the square root of the area, the unit of relative lengths."""
    return math.sqrt(shape[0] * shape[1])
