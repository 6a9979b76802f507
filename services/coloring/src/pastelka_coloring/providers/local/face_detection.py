"""Face detection with BlazeFace, on the whole photo and on overlapping square tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local.networks import infer

_INPUT = 128
# Grids of the two layers of anchors: cells per side, anchors per cell.
_GRIDS = ((16, 2), (8, 6))
# Sides and distances of the tiles, as shares of the photo's short side; minimum side in pixels.
_TILES = ((1.0, 0.5), (0.6, 0.3), (0.36, 0.2))
_MIN_TILE = 100
# A box closer than this to its tile's edge is complete in another tile.
_CUT = 0.02
_CANDIDATE = 0.5
_SAME = 0.3


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A detected face in pixels of the photo: center, side, probability, eyes.

    ``eyes`` is (2, 2): the right and the left one, x and y.
    """

    score: float
    center: NDArray[np.float64]
    side: float
    eyes: NDArray[np.float64]


def find_face_boxes(photo: NDArray[np.uint8]) -> list[FaceBox]:
    """Return the faces of an RGB photo, most probable first, each once.

    Bazarevsky et al., "BlazeFace: sub-millisecond neural face detection on mobile GPUs", 2019.
    """
    found = [box for x, y, side in _tiles(photo.shape[:2]) for box in _detect(photo, x, y, side)]
    kept: list[FaceBox] = []
    for box in sorted(found, key=lambda box: -box.score):
        if not any(_is_same(box, other) for other in kept):
            kept.append(box)
    return kept


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    height, width = shape[:2]
    yield 0, 0, max(height, width)
    for share, distance in _TILES:
        side, step = int(min(height, width) * share), int(min(height, width) * distance)
        if side >= _MIN_TILE:
            yield from (
                (x, y, side) for y, x in product(_starts(height, side, step), _starts(width, side, step))
            )


def _starts(length: int, side: int, step: int) -> list[int]:
    last = max(length - side, 0)
    return sorted({*range(0, last + 1, step), last})


def _detect(photo: NDArray[np.uint8], x: int, y: int, side: int) -> Iterator[FaceBox]:
    tile = photo[y : y + side, x : x + side]
    below, beside = side - tile.shape[0], side - tile.shape[1]
    if below or beside:
        tile = np.asarray(cv2.copyMakeBorder(tile, 0, below, 0, beside, cv2.BORDER_CONSTANT), np.uint8)
    seen = cv2.resize(tile, (_INPUT, _INPUT), interpolation=cv2.INTER_AREA).astype(np.float32) / 127.5 - 1
    scores, boxes = infer("face_detection_short_range", seen, "classificators", "regressors")
    probabilities = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
    is_whole_photo = side >= max(photo.shape[:2])
    for index in np.flatnonzero(probabilities > _CANDIDATE):
        numbers = boxes.reshape(-1, 16)[index] / _INPUT
        center, size = numbers[:2] + _ANCHORS[index], numbers[2:4]
        is_cut = bool((center - size / 2 < _CUT).any() or (center + size / 2 > 1 - _CUT).any())
        if is_whole_photo or not is_cut:
            eyes = numbers[4:8].reshape(2, 2) + _ANCHORS[index]
            yield FaceBox(
                float(probabilities[index]),
                (x, y) + center.astype(np.float64) * side,
                float(size.max()) * side,
                (x, y) + eyes.astype(np.float64) * side,
            )


def _anchors() -> NDArray[np.float32]:
    cells = [
        ((column + 0.5) / side, (row + 0.5) / side)
        for side, count in _GRIDS
        for row, column, _ in product(range(side), range(side), range(count))
    ]
    return np.array(cells, dtype=np.float32)


_ANCHORS = _anchors()


def _is_same(box: FaceBox, other: FaceBox) -> bool:
    apart = np.abs(box.center - other.center)
    common = np.maximum((box.side + other.side) / 2 - apart, 0)
    common = np.minimum(common, min(box.side, other.side))
    shared = float(common.prod())
    union = box.side**2 + other.side**2 - shared
    return shared / union > _SAME or bool((apart < other.side / 2).all())
