"""Faces: found, and drawn where they are."""

import cv2
import numpy as np
import pytest

from pastelka_coloring.providers.local import landmarks as lm
from pastelka_coloring.providers.local.face_drawing import PROFILE, draw_face
from pastelka_coloring.providers.local.faces import Eye, Face, find_faces
from pastelka_coloring.providers.local.glasses import find_glasses
from pastelka_coloring.providers.local.ridges import Ridges
from pastelka_coloring.providers.local.strokes import Ink


@pytest.fixture(scope="module")
def astronaut(photos):
    return cv2.cvtColor(cv2.imread(str(photos["astronaut"])), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def face(astronaut):
    (found,) = find_faces(astronaut, 20)
    return found


def test_face_is_found_with_its_eyes_and_mouth(face):
    assert face.points.mean(0) == pytest.approx((224, 120), abs=15)
    assert face.side == pytest.approx(110, rel=0.3)
    # Where they are in the photo.
    assert face.eyes[0].iris[0] == pytest.approx((203, 101), abs=5)
    assert face.eyes[1].iris[0] == pytest.approx((246, 103), abs=5)
    assert face.points[13] == pytest.approx((223, 142), abs=6)
    assert abs(face.yaw) < 0.4


def test_crowd_of_thirty_faces_is_found(astronaut):
    """Six by five people in one photo: each has a face, and none has two."""
    portrait = cv2.resize(astronaut[20:240, 120:330], (200, 210))
    crowd = np.tile(portrait, (5, 6, 1))
    found = find_faces(crowd, 40)

    assert len(found) == 30
    cells = {(int(x // 200), int(y // 210)) for x, y in (one.points.mean(0) for one in found)}
    assert len(cells) == 30


def test_no_face_is_found_in_noise():
    noise = np.random.default_rng(1).integers(0, 255, (400, 600, 3), dtype=np.uint8)

    assert find_faces(noise, 20) == []


def test_features_are_drawn_in_their_places(face):
    strokes = draw_face(face.scaled(2), 4.5, has_glasses=False)

    pupils = [stroke.points.mean(0) for stroke in strokes if stroke.ink is Ink.BLACK]
    assert len(pupils) == 2
    for pupil, eye in zip(pupils, face.eyes, strict=True):
        assert pupil == pytest.approx(2 * eye.iris[0], abs=4)
    lines = [stroke for stroke in strokes if stroke.ink is Ink.LINE]
    for place in (lm.NOSE_BASE, lm.OUTER_LIP_UPPER, *lm.UPPER_BROWS):
        target = 2 * face.points[list(place)].mean(0)
        assert min(np.hypot(*(stroke.points - target).T).min() for stroke in lines) < 12


def turned(face, share):
    """The face with the tip of its nose moved towards the left cheek."""
    points = face.points.copy()
    right, left = points[list(lm.CHEEKS)]
    points[lm.NOSE_TIP] = right + (left - right) * (1 + share) / 2
    return Face(points, face.eyes, face.side)


def test_profile_is_drawn_with_one_eye_and_brow_only(face):
    large = face.scaled(2)
    frontal = draw_face(large, 4.5, has_glasses=False)
    profile = draw_face(turned(large, PROFILE + 0.05), 4.5, has_glasses=False)

    assert sum(stroke.ink is Ink.BLACK for stroke in frontal) == 2
    assert sum(stroke.ink is Ink.BLACK for stroke in profile) == 1
    mouth = large.points[13]
    assert min(np.hypot(*(stroke.points - mouth).T).min() for stroke in profile) > 0.1 * large.side


def test_closed_eye_is_a_line(face):
    eye = face.eyes[0]
    shut = Eye(eye.lower - (0, 0.2), eye.lower, eye.iris)
    strokes = draw_face(Face(face.points, (shut, face.eyes[1]), face.side), 3, has_glasses=False)

    assert sum(stroke.ink is Ink.BLACK for stroke in strokes) == 1


def drawn_glasses(face):
    """Ridges as of a frame around each eye, with a bridge."""
    canvas = np.zeros((400, 600), np.uint8)
    width = float(np.hypot(*(face.points[33] - face.points[133])))
    for inner, outer in zip(lm.INNER_CORNERS, lm.OUTER_CORNERS, strict=True):
        center = (face.points[inner] + face.points[outer]) / 2 + (0, 0.22 * width)
        cv2.circle(canvas, center.round().astype(int).tolist(), round(0.9 * width), 255, 3)
    bridge = face.points[list(lm.INNER_CORNERS)].round().astype(int).tolist()
    cv2.line(canvas, *bridge, 255, 3)
    smooth = cv2.GaussianBlur(canvas.astype(np.float32) / 255, (0, 0), 1.5)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.GaussianBlur(a * b, (0, 0), 2) for a, b in ((dx, dx), (dy, dy), (dx, dy)))
    return Ridges(smooth * 2, (0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2).astype(np.float32))


def test_glasses_are_closed_rings_around_the_eyes(face):
    large = face.scaled(1.2)
    glasses = find_glasses(large, drawn_glasses(large))

    assert glasses is not None
    for lens, eye in zip(glasses.lenses, large.eyes, strict=True):
        np.testing.assert_array_equal(lens[0], lens[-1])
        outline = lens.astype(np.float32).reshape(-1, 1, 2)
        assert cv2.pointPolygonTest(outline, eye.iris[0].tolist(), False) > 0
    assert len(glasses.parts) == 3


def test_a_face_without_a_line_across_its_nose_wears_no_glasses(face):
    nothing = np.zeros((400, 600), np.float32)

    assert find_glasses(face.scaled(1.2), Ridges(nothing, nothing)) is None
