"""Suppression of edges inside faces, where the face is drawn from landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pastelka_coloring.providers.local import landmarks as lm
from pastelka_coloring.providers.local.face_drawing import PROFILE
from pastelka_coloring.providers.local.faces import Face, Points
from pastelka_coloring.providers.local.glasses import Glasses
from pastelka_coloring.providers.local.resizing import Shape
from pastelka_coloring.providers.local.strokes import Ink, Stroke, spline

# Suppression in the face and on its features; strength of the edge added along the jaw.
_SKIN, _CHEEKS = 0.92, 0.8
_AROUND_EYE = 1.7
_JAW, _JAW_WIDTH = 0.62, 2.5


def feature_zones(faces: list[tuple[Face, Glasses | None]], shape: Shape) -> NDArray[np.float32]:
    """Return the suppression of edges, 0 to 1, at ``shape``: inside faces, strongest on features."""
    zones = np.zeros(shape, np.float32)
    for face, glasses in faces:
        for polygon, amount, blur in _zones(face, glasses):
            np.maximum(zones, amount * _soft(polygon, blur * face.side, shape), out=zones)
    return zones


def eye_zones(eyes: list[Stroke], shape: Shape) -> NDArray[np.float32]:
    """Return the suppression of edges, 0 to 1, at ``shape``: around the dark areas of ``eyes``."""
    zones = np.zeros(shape, np.float32)
    for eye in eyes:
        if eye.ink is Ink.BLACK:
            center = eye.points.mean(0)
            np.maximum(zones, _soft(center + (eye.points - center) * _AROUND_EYE, 1.5, shape), out=zones)
    return zones


def jaw_lines(faces: list[tuple[Face, Glasses | None]], shape: Shape) -> NDArray[np.float32]:
    """Return an edge along each jaw and profile, where photos often lack contrast; 0 to 0.62."""
    canvas = np.full(shape, 255, np.uint8)
    for face, _ in faces:
        parts = (_jaw(face), lm.PROFILE) if abs(face.yaw) > PROFILE else (lm.JAW,)
        for part in parts:
            curve = spline(face.points[list(part)], 80)
            cv2.polylines(canvas, [np.round(curve * 16).astype(np.int32)], False, 0, 1, cv2.LINE_8, 4)
    if canvas.all():
        return np.zeros(shape, np.float32)
    far = cv2.distanceTransform(canvas, cv2.DIST_L2, 5)
    return np.asarray(_JAW * np.exp(-(far**2) / (2 * _JAW_WIDTH**2)), dtype=np.float32)


def _jaw(face: Face) -> tuple[int, ...]:
    """Return the visible half of a profile's jaw, from the ear to the chin."""
    middle = lm.JAW.index(lm.CHIN_TIP)
    return lm.JAW[middle:][::-1] if face.yaw < 0 else lm.JAW[: middle + 1]


def _zones(face: Face, glasses: Glasses | None) -> list[tuple[Points, float, float]]:
    """Return polygons with suppression and softness of the border (share of the side)."""
    if abs(face.yaw) > PROFILE:
        # The outline of a profile is nose, mouth and chin: only the visible eye is drawn.
        is_left = face.yaw < 0
        points = (*lm.EYES[is_left], *lm.BROWS[is_left])
        cheek = (*_jaw(face), *lm.PROFILE)
        return [(_hull(face, points, 1.12), 1.0, 0.012), (_hull(face, cheek, 0.88), _CHEEKS, 0.012)]
    zones = [(_inside(face), _SKIN, 0.02)]
    lenses = glasses.lenses if glasses else ()
    zones += [(lens.mean(0) + (lens - lens.mean(0)) * 1.12, 1.0, 0.012) for lens in lenses]
    features = [*lm.EYES, (*lm.OUTER_LIP_UPPER, *lm.OUTER_LIP_LOWER), lm.NOSE, lm.BETWEEN_BROWS]
    growth = [1.35, 1.35, 1.22, 1.15, 1.1]
    zones += [(_hull(face, part, grow), 1.0, 0.012) for part, grow in zip(features, growth, strict=True)]
    pairs = zip(lm.EYES, lm.BROWS, strict=True)
    zones += [(_hull(face, (*eye, *brow), 1.12), 1.0, 0.012) for eye, brow in pairs]
    zones.append((_hull(face, lm.CHIN, 0.93), _CHEEKS, 0.012))
    return zones


def _hull(face: Face, indices: tuple[int, ...], grow: float) -> Points:
    hull = cv2.convexHull(face.points[list(indices)].astype(np.float32)).reshape(-1, 2).astype(np.float64)
    return np.asarray(hull.mean(0) + (hull - hull.mean(0)) * grow)


def _inside(face: Face) -> Points:
    """Return the polygon from just above the brows to the chin, slightly inside the oval."""
    eyes = face.points[list(lm.OUTER_CORNERS)].mean(0)
    brows = face.points[[66, 296, 105, 334]]
    limit = max(float((brows @ face.up).max() - eyes @ face.up), 1.0) * 1.25
    polygon = face.points[list(lm.INNER)]
    above = np.maximum((polygon - eyes) @ face.up - limit, 0)
    middle = face.points[list(lm.OVAL)].mean(0)
    return np.asarray(middle + (polygon - above[:, None] * face.up - middle) * 0.93)


def _soft(polygon: Points, blur: float, shape: Shape) -> NDArray[np.float32]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(blur, 0.5)).astype(np.float32)
