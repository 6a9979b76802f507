"""Curves out of masks and labels, and what is done to them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pastelka_coloring.providers.local.boundaries import LOOP, trace_boundaries
from pastelka_coloring.providers.local.cleaning import Drawing
from pastelka_coloring.providers.local.curves import trace
from pastelka_coloring.providers.local.detail import detail_of
from pastelka_coloring.providers.local.smoothing import smooth_boundaries, smooth_points


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


def test_the_straight_line_through_a_junction_is_one_curve():
    drawing = Drawing(trace(mask(((5, 30), (55, 30)), ((30, 30), (30, 55)))))
    drawing.join_through()

    assert lengths(drawing) == [25, 50]


def test_short_and_faint_lines_are_dropped():
    strength = np.ones((60, 60), np.float32)
    strength[40:] = 0.2
    drawing = Drawing(trace(mask(((5, 10), (15, 10)), ((5, 20), (45, 20)), ((5, 50), (45, 50)))))
    drawing.drop_scraps(20, strength)

    assert [curve.points[0][1] for curve in drawing.curves] == [20]


def test_smoothing_keeps_the_ends_and_rounds_the_corner():
    corner = np.array([(x, 0) for x in range(20)] + [(19, y) for y in range(1, 20)], float)
    smoothed = smooth_points(corner, 3, is_closed=False)

    np.testing.assert_allclose(smoothed[[0, -1]], corner[[0, -1]])
    assert np.hypot(*(smoothed - (19, 0)).T).min() > 1


def test_more_steps_lower_every_threshold():
    toddler, middle, adult = (detail_of(steps) for steps in (1, 4, 20))

    for least in ("merged", "small_area", "faint", "start", "follow", "stroke", "line", "rounding"):
        assert getattr(toddler, least) > getattr(middle, least) > getattr(adult, least)


def test_an_island_has_one_closed_boundary():
    labels = np.ones((30, 40), np.int32)
    labels[10:20, 10:25] = 2
    (boundary,) = trace_boundaries(labels)

    assert boundary.is_closed
    assert (boundary.first, boundary.regions) == (LOOP, (1, 2))
    np.testing.assert_array_equal(boundary.points[0], boundary.points[-1])
    assert {tuple(point) for point in boundary.points} >= {(9.5, 9.5), (24.5, 9.5), (24.5, 19.5)}


def test_three_regions_meet_in_a_junction():
    labels = np.ones((20, 20), np.int32)
    labels[:, 10:] = 2
    labels[10:, :] = 3
    boundaries = trace_boundaries(labels)

    assert sorted(boundary.regions for boundary in boundaries) == [(1, 2), (1, 3), (2, 3)]
    assert len(set.intersection(*({each.first, each.last} for each in boundaries))) == 1


@settings(max_examples=60, deadline=None)
@given(arrays(np.int32, (9, 11), elements=st.integers(1, 3)))
def test_every_crack_is_in_one_boundary_once(labels):
    """Whatever the labels: together the boundaries are the cracks, and each lies between its regions."""
    cracks = int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum())
    seen = set()
    for boundary in trace_boundaries(labels):
        for (x, y), (u, v) in zip(boundary.points, boundary.points[1:], strict=False):
            assert abs(x - u) + abs(y - v) == 1
            seen.add((min(x, u), min(y, v), x == u))
            row, column = int(min(y, v) + 0.5), int(min(x, u) + 0.5)
            sides = (
                (labels[row, column - 1], labels[row, column])
                if x == u
                else (labels[row - 1, column], labels[row, column])
            )
            assert tuple(sorted(sides)) == boundary.regions
    assert len(seen) == cracks


def test_smoothed_boundaries_still_meet_and_corners_stay():
    labels = np.ones((200, 200), np.int32)
    labels[:, 100:] = 2
    labels[120:, :] = 3
    boundaries = trace_boundaries(labels)
    curves = smooth_boundaries(boundaries, np.ones(len(boundaries)), 7.0)

    ends = [curve.points[i] for curve in curves for i in (0, -1)]
    meeting = [end for end in ends if np.hypot(*(end - (99.5, 119.5))) < 4]
    through = [curve for curve in curves if np.hypot(*(curve.points - meeting[0]).T).min() < 1]
    assert len(meeting) in (1, 3)
    assert len(through) == len(curves)

    square = np.ones((200, 200), np.int32)
    square[50:150, 50:150] = 2
    (ring,) = smooth_boundaries(trace_boundaries(square), np.ones(1), 7.0)
    assert np.hypot(*(ring.points - (49.5, 49.5)).T).min() < 2.5
