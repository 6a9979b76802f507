"""The geometry of an edited photo: whatever the parameters are, it shows pixels of the original."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelka_orders.domain.photo_edit import (
    MAX_STRAIGHTEN,
    MAX_TONE,
    MIN_CROP,
    Crop,
    PhotoEdit,
    frame_scale,
)

SIZES = st.tuples(st.integers(64, 30_000), st.integers(64, 30_000))
TONES = st.integers(-MAX_TONE, MAX_TONE)


@st.composite
def crops(draw: Any) -> Crop:
    width, height = draw(st.floats(MIN_CROP, 1)), draw(st.floats(MIN_CROP, 1))
    return Crop(draw(st.floats(0, 1 - width)), draw(st.floats(0, 1 - height)), width, height)


EDITS = st.builds(
    PhotoEdit,
    quarter_turns=st.integers(0, 3),
    straighten=st.floats(-MAX_STRAIGHTEN, MAX_STRAIGHTEN),
    crop=crops(),
    brightness=TONES,
    contrast=TONES,
)


def corners(edit: PhotoEdit, size: tuple[int, int]) -> list[tuple[float, float]]:
    """The centers of the corner pixels of the edited photo, in the turned one."""
    width, height = edit.size(size)
    a, b, c, d, e, f = edit.affine(size)
    centers = [(x, y) for x in (0.5, width - 0.5) for y in (0.5, height - 0.5)]
    return [(a * x + b * y + c, d * x + e * y + f) for x, y in centers]


@given(EDITS, SIZES)
def test_every_pixel_is_inside_the_original(edit: PhotoEdit, size: tuple[int, int]) -> None:
    width, height = edit.turned(size)
    for x, y in corners(edit, size):
        assert 0 < x < width
        assert 0 < y < height


@given(EDITS, SIZES)
def test_the_box_of_a_photo_that_is_not_straightened_is_inside_it(
    edit: PhotoEdit, size: tuple[int, int]
) -> None:
    edit = replace(edit, straighten=0.0)
    left, top, right, bottom = edit.box(size)
    width, height = edit.turned(size)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert (right - left, bottom - top) == edit.size(size)


@given(SIZES, st.floats(-MAX_STRAIGHTEN, MAX_STRAIGHTEN))
def test_the_frame_touches_the_edge_and_grows_as_the_photo_is_less_rotated(
    size: tuple[int, int], degrees: float
) -> None:
    scale = frame_scale(size, degrees)
    assert 0 < scale <= 1
    assert scale == frame_scale(size, -degrees)
    assert frame_scale(size, degrees / 2) >= scale
    # The corners of the whole frame, of which one is on an edge of the photo.
    whole = PhotoEdit(straighten=degrees)
    a, b, c, d, e, f = whole.affine(size)
    width, height = whole.size(size)
    points = [(a * x + b * y + c, d * x + e * y + f) for x in (0, width) for y in (0, height)]
    distance = min(min(x, y, size[0] - x, size[1] - y) for x, y in points)
    assert distance == pytest.approx(0, abs=1e-6)


@given(EDITS, SIZES)
def test_quarter_turns_swap_the_sides(edit: PhotoEdit, size: tuple[int, int]) -> None:
    swapped = (size[1], size[0])
    assert edit.turned(size) == (size if edit.quarter_turns % 2 == 0 else swapped)


def test_a_photo_without_an_edit_is_the_original() -> None:
    edit = PhotoEdit()
    assert edit.is_none
    assert PhotoEdit.of(None) == PhotoEdit.of({}) == PhotoEdit.of({"crop": None}) == edit
    assert edit.size((4000, 3000)) == (4000, 3000)
    assert edit.box((4000, 3000)) == (0, 0, 4000, 3000)
    assert edit.affine((4000, 3000)) == (1, 0, 0, 0, 1, 0)
    assert edit.tones() == list(range(256))


@given(EDITS)
def test_parameters_survive_the_database(edit: PhotoEdit) -> None:
    assert PhotoEdit.of(edit.document) == edit
    assert edit.changed({}) == edit
    assert edit.changed({"crop": None, "brightness": 3}) == replace(edit, crop=Crop(), brightness=3)


def test_each_edit_has_its_own_digest() -> None:
    edits = [PhotoEdit(quarter_turns=1), PhotoEdit(brightness=1), PhotoEdit(crop=Crop(0, 0, 0.5, 1))]
    assert len({edit.digest() for edit in edits}) == len(edits)
    assert PhotoEdit(brightness=1).digest() == PhotoEdit(brightness=1).digest()


@given(TONES, TONES)
def test_tones_rise(brightness: int, contrast: int) -> None:
    tones = PhotoEdit(brightness=brightness, contrast=contrast).tones()
    assert tones == sorted(tones)
    assert len(tones) == 256
    assert min(tones) >= 0
    assert max(tones) <= 255


def test_tones_are_those_of_the_css_filters() -> None:
    assert PhotoEdit(brightness=50).tones()[100] == 150
    assert PhotoEdit(brightness=50).tones()[200] == 255
    assert PhotoEdit(contrast=-50).tones()[0] == 64
    assert PhotoEdit(contrast=50).tones()[0] == 0
    # First the brightness, as far as white goes, then the contrast.
    assert PhotoEdit(brightness=50, contrast=-50).tones()[255] == 191
