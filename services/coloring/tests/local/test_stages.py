"""Single stages on pictures of which the result is known."""

import cv2
import numpy as np
import pytest

from pastelka_coloring.providers.local.animal_eyes import animal_eyes
from pastelka_coloring.providers.local.boundaries import trace_boundaries
from pastelka_coloring.providers.local.detail import detail_of
from pastelka_coloring.providers.local.focus import sharpness
from pastelka_coloring.providers.local.inner_strokes import StrokeContext, inner_strokes
from pastelka_coloring.providers.local.line_width import even_ink, ink_of
from pastelka_coloring.providers.local.patches import patch_borders
from pastelka_coloring.providers.local.regions import RegionGraph, boundary_strengths, oversegment
from pastelka_coloring.providers.local.ridges import Ridges, find_ridges, standing_out
from pastelka_coloring.providers.local.strokes import Ink, area, line
from pastelka_coloring.providers.local.subject import is_plausible


def test_border_of_two_colors_of_one_lightness_is_found():
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[:, :200], photo[:, 200:] = (170, 90, 90), (80, 120, 90)
    borders = patch_borders(photo, (300, 400))

    assert borders[20:-20, 198:202].min() > 0.8
    assert borders[:, :170].max() < 0.05


def test_blurred_edges_are_not_sharp():
    photo = np.zeros((400, 400, 3), np.uint8)
    photo[:, 100:300] = 200
    photo[:, 200:] = cv2.GaussianBlur(photo, (0, 0), 8)[:, 200:]
    sharp = sharpness(photo, (400, 400))

    assert sharp[200, 100] > 0.7
    assert sharp[200, 300] < 0.2


def test_ridge_runs_along_its_line():
    edges = np.zeros((100, 100), np.float32)
    cv2.line(edges, (10, 10), (90, 90), 1, 2)
    found = find_ridges(edges, 2.0)

    assert found.strength[50, 50] > 10 * found.strength[50, 20]
    assert found.direction[50, 50] == pytest.approx(np.pi / 4, abs=0.05)


def test_an_isolated_line_stands_out_more_than_one_in_texture():
    strength = np.zeros((400, 400), np.float32)
    strength[:, 50] = strength[:, 200::4] = 0.5
    seen = standing_out(cv2.GaussianBlur(strength, (0, 0), 1), 2.0)

    assert seen[200, 50] > 1.3 * seen[200, 300]


def regions(steps):
    """How many regions a grid of squares of four sizes has, with lines of four strengths."""
    edges = np.zeros((400, 400), np.float32)
    for corner, (step, strength) in enumerate(((20, 0.9), (40, 0.35), (25, 0.2), (100, 0.08))):
        part = edges[200 * (corner // 2) :, 200 * (corner % 2) :][:200, :200]
        part[::step], part[:, ::step] = strength, strength
    labels = oversegment(cv2.GaussianBlur(edges, (0, 0), 1.0))
    ridges = find_ridges(edges, 2.0)
    boundaries = trace_boundaries(labels)
    seen = Ridges(standing_out(ridges.strength * 4, 1.0), ridges.direction)
    strengths = boundary_strengths(boundaries, seen)
    even = np.full(labels.shape, 1 / labels.size, np.float32)
    graph = RegionGraph(labels, np.zeros((400, 400, 3), np.float32), even, boundaries, strengths)
    return len(np.unique(graph.merge(detail_of(steps))[labels]))


def test_more_steps_never_merge_more():
    counts = [regions(steps) for steps in range(1, 21)]

    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def animal():
    """A light animal on green ground with a spot on its flank, a nose, and two eyes."""
    photo = np.full((800, 1000, 3), (90, 160, 80), np.uint8)
    mask = np.zeros((800, 1000), np.float32)
    for canvas, color in ((photo, (210, 200, 190)), (mask, 1.0)):
        cv2.circle(canvas, (500, 400), 250, color, -1)
    for x in (430, 560):
        cv2.circle(photo, (x, 330), 12, (25, 20, 20), -1, cv2.LINE_AA)
        cv2.circle(photo, (x - 3, 326), 2, (250, 250, 250), -1, cv2.LINE_AA)
    cv2.ellipse(photo, (500, 560), (40, 14), 0, 0, 360, (40, 35, 35), -1)
    cv2.circle(photo, (100, 100), 12, (25, 20, 20), -1)
    # A gap between petals is dark and has highlights, but a color.
    cv2.circle(photo, (400, 480), 12, (120, 30, 10), -1, cv2.LINE_AA)
    cv2.circle(photo, (397, 476), 2, (250, 250, 250), -1, cv2.LINE_AA)
    return photo, mask


def test_eyes_of_an_animal_are_found_and_spots_are_not():
    photo, mask = animal()
    strokes = animal_eyes(photo, mask)

    places = sorted(stroke.points.mean(0).round().tolist() for stroke in strokes if stroke.ink is Ink.BLACK)
    assert np.array(places) == pytest.approx(np.array([(430, 330), (560, 330)]), abs=3)
    assert [stroke.ink for stroke in strokes] == [Ink.BLACK, Ink.WHITE] * 2


def face(*, nose=True, spots=0):
    """A light animal with two dark eyes that have no highlight."""
    photo = np.full((800, 1000, 3), (90, 160, 80), np.uint8)
    mask = np.zeros((800, 1000), np.float32)
    for canvas, color in ((photo, (210, 200, 190)), (mask, 1.0)):
        cv2.circle(canvas, (500, 400), 250, color, -1)
    for x in (440, 560):
        cv2.circle(photo, (x, 330), 9, (25, 20, 20), -1, cv2.LINE_AA)
    if nose:
        cv2.ellipse(photo, (500, 420), (18, 12), 0, 0, 360, (40, 35, 35), -1)
    for index in range(spots):
        cv2.circle(photo, (350 + 50 * index, 560), 12, (25, 20, 20), -1, cv2.LINE_AA)
    return photo, mask


def dark_places(strokes):
    places = (stroke.points.mean(0).round().tolist() for stroke in strokes if stroke.ink is Ink.BLACK)
    return np.array(sorted(places))


def test_dark_eyes_without_highlight_are_found_by_the_nose_below():
    assert dark_places(animal_eyes(*face())) == pytest.approx(
        np.array([(440, 330), (500, 420), (560, 330)]), abs=6
    )
    assert animal_eyes(*face(nose=False)) == []
    assert animal_eyes(*face(spots=6)) == []


def test_second_eye_of_other_colors_is_found_by_its_rim():
    photo, mask = face(nose=False)
    cv2.circle(photo, (437, 327), 2, (250, 250, 250), -1, cv2.LINE_AA)
    # Its iris is too light for a dark blob, its rim is as round.
    cv2.circle(photo, (560, 330), 9, (110, 105, 60), -1, cv2.LINE_AA)
    cv2.circle(photo, (560, 330), 9, (20, 20, 20), 2, cv2.LINE_AA)

    assert dark_places(animal_eyes(photo, mask)) == pytest.approx(np.array([(440, 330), (560, 330)]), abs=4)


def test_a_mask_is_plausible_only_if_its_border_lies_on_lines():
    _, mask = animal()
    line = np.zeros(mask.shape, np.float32)
    cv2.circle(line, (500, 400), 250, 1, 3)

    assert is_plausible(mask, line)
    assert not is_plausible(mask, np.roll(line, 120, axis=1))
    assert not is_plausible(np.full_like(mask, 0.5), line)


@pytest.mark.parametrize("count", [10, 14, 18])
@pytest.mark.parametrize("weight", [0.7, 1.0, 1.4])
def test_ink_is_even_however_many_lines_a_page_has(count, weight):
    across = [np.array([(0.0, y), (999.0, y)]) for y in np.linspace(10, 790, count)]
    spot = area(np.array([(100.0, 102), (110, 102), (110, 108)]), Ink.BLACK)
    drawn = even_ink([*(line(points, 3.2 * weight) for points in across), spot], (800, 1000), weight)

    assert 0.048 <= ink_of(drawn, (800, 1000)) / weight <= 0.08
    assert drawn[-1].width.tolist() == spot.width.tolist()


def test_inner_strokes_respect_the_limit_of_open_ends():
    edges = np.zeros((800, 1000), np.float32)
    for index in range(12):
        cv2.line(edges, (60 + 70 * index, 200), (60 + 70 * index, 420 + 20 * index), 1, 2)
    important = np.ones((800, 1000), np.float32)
    few, many, with_face = (
        inner_strokes(edges, StrokeContext([], important, 4.0, ends), detail_of(steps))
        for steps, ends in ((4, 0), (20, 0), (4, 6))
    )

    assert [len(strokes) for strokes in (few, many, with_face)] == [4, 8, 1]
    # The longest ones.
    assert min(stroke.points[:, 0].min() for stroke in few) > 550
