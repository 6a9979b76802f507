"""Curves out of masks, and what is done to them."""

import cv2
import numpy as np
import pytest

from pastelka_coloring.providers.local.classical import ClassicalDetector
from pastelka_coloring.providers.local.cleaning import Drawing, smooth
from pastelka_coloring.providers.local.curves import Curve, trace
from pastelka_coloring.providers.local.detail import detail_of
from pastelka_coloring.providers.local.edges import edge_map
from pastelka_coloring.providers.local.faces import find_faces
from pastelka_coloring.providers.local.hed import load_detector
from pastelka_coloring.providers.local.lines import lines_of


def mask(*strokes, size=60):
    canvas = np.zeros((size, size), np.uint8)
    for start, end in strokes:
        cv2.line(canvas, start, end, 1)
    return canvas.astype(bool)


def lengths(drawing):
    return sorted(round(curve.length) for curve in drawing.curves)


def test_crossing_lines_are_four_curves_of_one_node():
    curves = trace(mask(((5, 30), (55, 30)), ((30, 5), (30, 55))))

    assert len(curves) == 4
    assert len(set.intersection(*({curve.first, curve.last} for curve in curves))) == 1


def test_ring_is_a_closed_curve():
    canvas = np.zeros((60, 60), np.uint8)
    cv2.circle(canvas, (30, 30), 20, 1)
    (ring,) = trace(canvas.astype(bool))

    assert ring.closed
    assert ring.length == pytest.approx(2 * np.pi * 20, rel=0.1)


def test_every_pixel_of_a_line_is_in_its_curve():
    (curve,) = trace(mask(((5, 8), (50, 40))))

    assert {tuple(point) for point in curve.points} == {
        (x, y) for y, x in np.argwhere(mask(((5, 8), (50, 40))))
    }


def test_spur_is_dropped_and_its_line_joined():
    drawing = Drawing(trace(mask(((5, 30), (55, 30)), ((30, 25), (30, 30)))))
    drawing.drop_spurs(10)

    assert lengths(drawing) == [50]


def test_facing_ends_are_joined_and_others_are_not():
    drawing = Drawing(trace(mask(((5, 30), (25, 30)), ((30, 30), (55, 30)), ((5, 35), (25, 35)))))
    drawing.close_gaps(8)

    assert lengths(drawing) == [20, 50]


def test_end_is_led_on_to_the_line_it_points_at():
    drawing = Drawing(trace(mask(((5, 30), (34, 30)), ((40, 5), (40, 55)))))
    drawing.close_corners(8)

    assert lengths(drawing) == [35, 50]


def test_straight_on_is_one_curve_where_three_meet():
    drawing = Drawing(trace(mask(((5, 30), (55, 30)), ((30, 30), (30, 55)))))
    drawing.join_through()

    assert lengths(drawing) == [25, 50]


def test_scraps_are_dropped_and_faint_lines_sooner():
    strength = np.ones((60, 60), np.float32)
    strength[40:] = 0.2
    drawing = Drawing(trace(mask(((5, 10), (15, 10)), ((5, 20), (45, 20)), ((5, 50), (45, 50)))))
    drawing.drop_scraps(20, strength)

    assert [curve.points[0][1] for curve in drawing.curves] == [20]


def test_smoothing_keeps_the_ends_and_rounds_the_corner():
    corner = np.array([(x, 0) for x in range(20)] + [(19, y) for y in range(1, 20)], float)
    smoothed = smooth(Curve(corner, 1, 2), 3).points

    np.testing.assert_allclose(smoothed[[0, -1]], corner[[0, -1]])
    assert np.hypot(*(smoothed - (19, 0)).T).min() > 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (20, 1), (3, 3)])
def test_tiny_photos_have_no_lines(shape):
    found = edge_map(np.zeros((*shape, 3), np.uint8), detail_of(1), ClassicalDetector(), lambda: None)

    assert lines_of(found, detail_of(1)) == []


def test_detector_finds_the_outline_of_a_disc(cache_dir):
    photo = np.full((200, 240, 3), 235, np.uint8)
    cv2.circle(photo, (120, 100), 60, (30, 60, 120), -1, cv2.LINE_AA)
    edges = load_detector(cache_dir, threads=0).edges(photo)

    rows, columns = np.indices(edges.shape)
    off = np.abs(np.hypot(rows - 100, columns - 120) - 60)
    assert edges.shape == (200, 240)
    assert edges[off < 1].min() > 0.7
    assert edges[off > 15].mean() < 0.1


def test_face_is_found(photos):
    photo = cv2.cvtColor(cv2.imread(str(photos["astronaut"])), cv2.COLOR_BGR2RGB)
    (face,) = find_faces(photo)

    assert (face.x, face.y) == pytest.approx((224, 113), abs=15)
    assert face.side == pytest.approx(97, rel=0.2)


def test_more_steps_ask_for_more_everywhere():
    toddler, middle, adult = (detail_of(steps) for steps in (1, 4, 20))

    for least in ("start", "follow", "weight", "spur", "line", "rounding"):
        assert getattr(toddler, least) > getattr(middle, least) > getattr(adult, least)
