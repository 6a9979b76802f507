"""Renders strokes to a page, and encodes it for printing."""

import io
import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pastelka_coloring.providers.local.strokes import Ink, Stroke

# Points for OpenCV are fixed-point numbers with this many fractional bits.
_FRACTION_BITS = 4
# Oversampling factor: smooths edges and allows fractional widths.
_OVERSAMPLING = 4
_OVERSAMPLED_PIXELS = 36e6
# Printable area of A4 in inches, long and short side (margins of 10 mm).
_PRINTABLE_INCHES = (10.9, 7.48)
_PAPER = 255
# Extent of a speck, a share of the page's scale.
_SPECK = 0.014


def page_size(photo: tuple[int, int], megapixels: float) -> tuple[int, int]:
    """Return width and height in pixels of a page with the photo's aspect ratio."""
    width, height = photo
    scale = math.sqrt(megapixels * 1e6 / (width * height))
    return max(round(width * scale), 1), max(round(height * scale), 1)


def draw(strokes: list[Stroke], frame: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw strokes in order on white, (height, width); lines that form only a speck are left out.

    ``frame`` is the width and height of the map whose pixels the strokes are in, ``size`` the page's.
    """
    finer = max(1, min(_OVERSAMPLING, int(math.sqrt(_OVERSAMPLED_PIXELS / (size[0] * size[1])))))
    canvas = np.full((size[1] * finer, size[0] * finer), 255, np.uint8)
    scale = np.array([canvas.shape[1] / frame[0], canvas.shape[0] / frame[1]])
    for stroke in strokes:
        _draw(canvas, stroke, scale)
    page = np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    middles = [stroke.points.mean(axis=0) for stroke in strokes if stroke.ink is Ink.BLACK]
    _clear_specks(page, [(middle + 0.5) * scale / finer for middle in middles])
    return page


def _clear_specks(page: NDArray[np.uint8], areas: list[NDArray[np.float64]]) -> None:
    """Paint over components that are too small to be lines, but for ``areas`` (eyes; a point of each)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((page < _PAPER).astype(np.uint8))
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    is_speck = extent < _SPECK * math.sqrt(page.size)
    for x, y in areas:
        near = labels[max(round(y) - 2, 0) : round(y) + 3, max(round(x) - 2, 0) : round(x) + 3]
        is_speck[near] = False
    page[is_speck[labels]] = 255


def _draw(canvas: NDArray[np.uint8], stroke: Stroke, scale: NDArray[np.float64]) -> None:
    points = np.round(((stroke.points + 0.5) * scale - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
    if stroke.ink is not Ink.LINE:
        shade = 0 if stroke.ink is Ink.BLACK else 255
        cv2.fillPoly(canvas, [points], shade, cv2.LINE_AA, _FRACTION_BITS)
        return
    thickness = np.maximum(np.round(stroke.width * scale.mean()), 1).astype(int)
    # OpenCV draws one width per call: segments of equal width share their ends.
    steps = [0, *(np.flatnonzero(np.diff(thickness[:-1])) + 1).tolist(), len(points) - 1]
    for start, end in pairwise(steps):
        piece, width = [points[start : end + 1]], int(thickness[start])
        cv2.polylines(canvas, piece, False, 0, width, cv2.LINE_AA, _FRACTION_BITS)


def encode(page: NDArray[np.uint8]) -> bytes:
    """Return the page as 8-bit grayscale PNG, with the resolution that fills A4."""
    height, width = page.shape
    long, short = max(width, height), min(width, height)
    dpi = max(long / _PRINTABLE_INCHES[0], short / _PRINTABLE_INCHES[1])
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG", optimize=True, dpi=(dpi, dpi))
    return file.getvalue()
