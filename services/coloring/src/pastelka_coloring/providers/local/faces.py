"""Faces and their landmarks: the mesh of 468 points, and the lids and iris of each eye."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local import landmarks as lm
from pastelka_coloring.providers.local.face_detection import FaceBox, find_face_boxes
from pastelka_coloring.providers.local.networks import infer

Points = NDArray[np.float64]
"""(n, 2): x and y in pixels."""

_DETECTED, _MESHED, _MIN_CONFIDENCE = 0.8, 0.9, 0.5
# Crop factor of the mesh around the previous face, and of the iris around the eye.
_MESH_CROP, _MESH_INPUT, _MESH_ROUNDS = 1.5, 192, 2
_IRIS_CROP, _IRIS_INPUT = 2.3, 64
# Faces whose centers are closer than this share of the side are duplicates.
_SAME = 0.5
# Lids in the contour of the iris network: lower from outer to inner corner, then upper between them.
_LOWER, _UPPER = slice(0, 9), slice(9, 16)


@dataclass(frozen=True, slots=True)
class Eye:
    """``upper`` and ``lower`` lid (9, 2), outer to inner corner; ``iris`` (5, 2): center, then its rim."""

    upper: Points
    lower: Points
    iris: Points


@dataclass(frozen=True, slots=True)
class Face:
    """One face: ``points`` (468, 2), see ``landmarks``; its ``eyes``, right and left; its ``side``."""

    points: Points
    eyes: tuple[Eye, Eye]
    side: float

    @property
    def yaw(self) -> float:
        """Rotation of the face: 0 frontal, 1 with the tip of the nose over the person's left cheek."""
        right, left = self.points[list(lm.CHEEKS)]
        across = left - right
        place = float((self.points[lm.NOSE_TIP] - right) @ across) / max(float(across @ across), 1e-6)
        return 2 * min(max(place, 0.0), 1.0) - 1

    @property
    def up(self) -> Points:
        """The unit vector from the chin to the forehead."""
        return unit(self.points[lm.FOREHEAD] - self.points[lm.CHIN_TIP])

    @property
    def across(self) -> Points:
        """The unit vector from the right to the left eye."""
        right, left = self.points[list(lm.OUTER_CORNERS)]
        return unit(left - right)

    def scaled(self, factor: float) -> "Face":
        """Return the face in pixels of an image ``factor`` times as large."""
        right, left = (Eye(eye.upper * factor, eye.lower * factor, eye.iris * factor) for eye in self.eyes)
        return Face(self.points * factor, (right, left), self.side * factor)


def find_faces(photo: NDArray[np.uint8], smallest: float) -> list[Face]:
    """Return the faces of an RGB photo whose side is at least ``smallest`` pixels, smallest first.

    Kartynnik et al., "Real-time facial surface geometry from monocular video on mobile GPUs", 2019;
    Ablavatski et al., "Real-time pupil tracking from monocular video for digital puppetry", 2020.
    """
    meshed = [_face(photo, box) for box in find_face_boxes(photo)]
    found = [pair for pair in meshed if pair is not None and pair[0].side >= smallest]
    kept: list[Face] = []
    for face, _ in sorted(found, key=lambda pair: -pair[1] * pair[0].side):
        if all(math.dist(_middle(face), _middle(other)) > _SAME * other.side for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: face.side)


def unit(vector: Points) -> Points:
    """Return the normalized vector."""
    return np.asarray(vector / max(float(np.hypot(*vector)), 1e-9))


def _middle(face: Face) -> Points:
    return np.asarray(face.points.mean(0))


def _face(photo: NDArray[np.uint8], box: FaceBox) -> tuple[Face, float] | None:
    """Return the face in a box, and the confidence of its mesh."""
    if box.score < _DETECTED:
        return None
    angle = _angle(box.eyes[1] - box.eyes[0])
    points, sure = _mesh(photo, box.center, box.side * _MESH_CROP, angle)
    side = box.side
    if sure < _MIN_CONFIDENCE:
        return None
    for _ in range(_MESH_ROUNDS):
        right, left = points[list(lm.OUTER_CORNERS)]
        angle = _angle(left - right)
        center, side = _box(points, angle)
        points, sure = _mesh(photo, center, side * _MESH_CROP, angle)
    if sure < _MESHED:
        return None
    eyes = (_eye(photo, points, is_left=False), _eye(photo, points, is_left=True))
    return Face(points, eyes, side), sure


def _angle(vector: Points) -> float:
    return math.atan2(vector[1], vector[0])


def _box(points: Points, angle: float) -> tuple[Points, float]:
    """Return center and longer side of the bounding box rotated by ``angle``."""
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    turned = points @ turn.T
    low, high = turned.min(0), turned.max(0)
    return np.asarray((low + high) / 2 @ turn), float((high - low).max())


def _crop(
    photo: NDArray[np.uint8], center: Points, side: float, angle: float, size: int
) -> tuple[NDArray[np.float32], Points]:
    """Return a rotated square of the photo, 0 to 1, and its affine matrix (2, 3) to the photo."""
    cosine, sine = math.cos(angle) * side / size, math.sin(angle) * side / size
    half = size / 2
    matrix = np.array(
        [
            [cosine, -sine, center[0] - cosine * half + sine * half],
            [sine, cosine, center[1] - sine * half - cosine * half],
        ]
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(photo, matrix, (size, size), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(square, np.float32) / np.float32(255), matrix


def _mesh(photo: NDArray[np.uint8], center: Points, side: float, angle: float) -> tuple[Points, float]:
    square, matrix = _crop(photo, center, side, angle, _MESH_INPUT)
    points, flag = infer("face_landmark", square, "conv2d_21", "conv2d_31")
    flat = points.reshape(-1, 3)[:, :2].astype(np.float64)
    sure = 1 / (1 + math.exp(-float(flag.reshape(-1)[0])))
    return _moved(flat, matrix), sure


def _eye(photo: NDArray[np.uint8], points: Points, *, is_left: bool) -> Eye:
    """Return the lids as the mean of both networks' results, and the iris."""
    outer, inner = points[lm.OUTER_CORNERS[is_left]], points[lm.INNER_CORNERS[is_left]]
    across = outer - inner if is_left else inner - outer
    side = float(np.hypot(*across)) * _IRIS_CROP
    square, matrix = _crop(photo, (outer + inner) / 2, side, _angle(across), _IRIS_INPUT)
    seen = square[:, ::-1] if is_left else square  # the network is trained on right eyes
    contour, iris = infer("iris_landmark", seen, "output_eyes_contours_and_brows", "output_iris")
    lids, rim = (values.reshape(-1, 3)[:, :2].astype(np.float64) for values in (contour, iris))
    if is_left:
        lids[:, 0], rim[:, 0] = _IRIS_INPUT - 1 - lids[:, 0], _IRIS_INPUT - 1 - rim[:, 0]
    lids = _moved(lids, matrix)
    lower, upper = lids[_LOWER], np.concatenate([lids[:1], lids[_UPPER], lids[8:9]])
    upper = (upper + points[list(lm.UPPER_LIDS[is_left])]) / 2
    lower = (lower + points[list(lm.LOWER_LIDS[is_left])]) / 2
    upper[[0, -1]] = lower[[0, -1]] = (upper[[0, -1]] + lower[[0, -1]]) / 2
    return Eye(upper, lower, _moved(rim, matrix))


def _moved(points: Points, matrix: Points) -> Points:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])
