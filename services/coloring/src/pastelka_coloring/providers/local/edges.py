"""The edge map of a photo: two scales of the whole, and a closer look at faces."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.detail import Detail
from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_coloring.providers.local.faces import Face, find_faces

# Size of the map: room enough for what a closer look finds.
_MAP_PIXELS = 1e6
# Mirrored around the photo, in pixels: the network draws a frame where its input ends.
_MARGIN = 24
# What is looked at more closely: the found square times this, at this size.
_AROUND_FACE = 1.5
_FACE_PIXELS = 0.12e6
# A face that takes more of the page than this is seen well enough already.
_LARGE_FACE = 0.25

_Pixel = TypeVar("_Pixel", np.uint8, np.float32)


@dataclass(frozen=True, slots=True)
class EdgeMap:
    """``edges`` (height, width), 0 to 1, and ``faces``, from 1 inside of faces to 0 elsewhere."""

    edges: NDArray[np.float32]
    faces: NDArray[np.float32]


def edge_map(
    photo: NDArray[np.uint8], detail: Detail, detector: EdgeDetector, check: Callable[[], None]
) -> EdgeMap:
    """Detect the edges of an RGB photo; the map has a megapixel, whatever the photo's size.

    ``check`` is called between the stages and ends the work by raising.
    """
    fine = _detect(photo, detail.fine_megapixels * 1e6, detector)
    check()
    coarse = _detect(photo, detail.coarse_megapixels * 1e6, detector)
    shape = _shape(photo, _MAP_PIXELS)
    edges = detail.fine_weight * _resized(fine, shape) + (1 - detail.fine_weight) * _resized(coarse, shape)
    faces = np.zeros_like(edges)
    for face in find_faces(photo):
        check()
        _look_closer(photo, face, detector, edges, faces)
    return EdgeMap(np.clip(edges, 0, 1), faces)


def _detect(photo: NDArray[np.uint8], pixels: float, detector: EdgeDetector) -> NDArray[np.float32]:
    scaled = _resized(photo, _shape(photo, pixels))
    mirrored = cv2.copyMakeBorder(scaled, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REFLECT)
    return detector.edges(np.asarray(mirrored, np.uint8))[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def _shape(photo: NDArray[np.uint8], pixels: float) -> tuple[int, int]:
    height, width = photo.shape[:2]
    scale = math.sqrt(pixels / (height * width))
    return max(round(height * scale), 1), max(round(width * scale), 1)


def _look_closer(
    photo: NDArray[np.uint8],
    face: Face,
    detector: EdgeDetector,
    edges: NDArray[np.float32],
    faces: NDArray[np.float32],
) -> None:
    """Put the edges of one face, detected at a larger size, into ``edges``, and mark it in ``faces``."""
    height, width = photo.shape[:2]
    half = face.side * _AROUND_FACE / 2
    left, right = max(face.x - half, 0) / width, min(face.x + half, width) / width
    top, bottom = max(face.y - half, 0) / height, min(face.y + half, height) / height
    seen = _part(photo, left, right, top, bottom)
    here = _part(edges, left, right, top, bottom)
    inside = _oval(here.shape)
    marked = _part(faces, left, right, top, bottom)
    np.maximum(marked, inside, out=marked)
    if here.size < _LARGE_FACE * edges.size:
        closer = _resized(_detect(seen, _FACE_PIXELS, detector), here.shape)
        here += inside * (closer - here)


def _part(image: NDArray[_Pixel], left: float, right: float, top: float, bottom: float) -> NDArray[_Pixel]:
    height, width = image.shape[:2]
    return image[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def _oval(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return 1 in the middle of an oval that fills ``shape``, falling to 0 at its edge."""
    down = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, np.newaxis]
    across = np.linspace(-1, 1, shape[1], dtype=np.float32)[np.newaxis, :]
    return np.asarray(np.clip((1 - np.hypot(down, across)) * 4, 0, 1), dtype=np.float32)


def _resized(image: NDArray[_Pixel], shape: tuple[int, ...]) -> NDArray[_Pixel]:
    shrinks = image.shape[0] * image.shape[1] > shape[0] * shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (shape[1], shape[0]), interpolation=how)  # type: ignore[return-value]
