"""What a page is like, whatever the photo."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pastelka_coloring.providers import ColoringRequest
from pastelka_common.errors import PermanentError
from pastelka_common.testing.sources import lying


def pixels(page):
    return np.asarray(Image.open(io.BytesIO(page)))


def ink(page):
    return 1 - pixels(page).mean() / 255


def areas(page):
    """How many areas there are to color, leaving out specks."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((pixels(page) > 128).astype(np.uint8))
    return int((stats[1:, cv2.CC_STAT_AREA] > 100).sum())


async def test_page_is_a_printable_png(page_of):
    page = Image.open(io.BytesIO(await page_of("coffee")))

    assert (page.format, page.mode) == ("PNG", "L")
    # Coffee is 3:2; printed at this resolution it fills A4 within its margins.
    assert page.width / page.info["dpi"][0] == pytest.approx(10.9, abs=0.4)
    assert page.height / page.info["dpi"][1] < 7.6


@pytest.mark.parametrize(("megapixels", "photo"), [(0.5, "cat"), (1.0, "coffee"), (8.0, "astronaut")])
async def test_megapixels_are_the_size_of_the_page(page_of, photos, megapixels, photo):
    page = Image.open(io.BytesIO(await page_of(photo, steps=1, megapixels=megapixels)))
    with Image.open(photos[photo]) as stored:
        aspect = stored.width / stored.height

    assert page.width * page.height == pytest.approx(megapixels * 1e6, rel=0.02)
    assert page.width / page.height == pytest.approx(aspect, rel=0.01)


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "cat"])
async def test_page_is_lines_on_white(page_of, photo):
    page = await page_of(photo)
    shades = pixels(page)

    assert 0.02 < ink(page) < 0.15
    assert (shades == 255).mean() > 0.8
    assert (shades == 0).mean() > 0.01
    # Only the smoothed edges of lines are gray.
    assert ((shades > 0) & (shades < 255)).mean() < ink(page)


async def test_lines_have_one_width(page_of):
    dark = (pixels(await page_of("coffee")) < 128).astype(np.uint8)
    half_widths = cv2.distanceTransform(dark, cv2.DIST_L2, 5)

    # At 1 MP lines are about 4 px wide; where they cross they are thicker.
    middle = half_widths[half_widths >= 1.5]
    assert np.percentile(middle, 95) < 4
    assert half_widths.max() < 12


async def test_more_steps_are_more_detail(page_of):
    pages = [await page_of("astronaut", steps=steps) for steps in (1, 4, 12)]

    counts = [areas(page) for page in pages]
    assert counts[0] * 1.2 < counts[1]
    assert counts[1] * 1.2 < counts[2]


async def test_outline_is_closed(page_of):
    """The inside of the cup and the plate can be filled without running out."""
    light = (pixels(await page_of("coffee")) > 128).astype(np.uint8)
    height, width = light.shape
    _, labels = cv2.connectedComponents(light, connectivity=4)

    coffee_in_cup, table = labels[round(height * 0.3), round(width * 0.43)], labels[5, width // 2]
    assert coffee_in_cup != table


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "cat"])
async def test_there_is_no_frame(page_of, photo):
    dark = pixels(await page_of(photo)) < 128
    for edge in (dark[:8], dark[-8:], dark[:, :8].T, dark[:, -8:].T):
        assert edge.any(axis=0).mean() < 0.35


async def test_face_has_features(page_of):
    """Eyes and mouth of the astronaut, whose face is a tenth of the photo's width."""
    page = pixels(await page_of("astronaut"))
    height, width = page.shape
    face = page[round(height * 0.15) : round(height * 0.32), round(width * 0.37) : round(width * 0.51)]

    _, _, stats, _ = cv2.connectedComponentsWithStats((face > 128).astype(np.uint8))
    assert (stats[1:, cv2.CC_STAT_AREA] > 30).sum() >= 4
    assert 0.05 < (face < 128).mean() < 0.4


async def test_same_photo_gives_the_same_page(provider, photos, page_of, progress):
    request = ColoringRequest(photo=lying(photos["cat"]), megapixels=0.5, steps=1)

    assert await provider.color(request, progress) == await page_of("cat", steps=1, megapixels=0.5)


async def test_photo_too_narrow_for_a_page_is_refused(provider, tmp_path, progress):
    Image.new("RGB", (2100, 100)).save(tmp_path / "strip.png")

    with pytest.raises(PermanentError) as caught:
        await provider.color(ColoringRequest(lying(tmp_path / "strip.png"), 0.5, 1), progress)
    assert caught.value.code == "photo_unsuitable"


async def test_plain_photo_gives_a_white_page(provider, tmp_path, progress):
    Image.new("RGB", (300, 200), (120, 140, 90)).save(tmp_path / "plain.png")
    page = await provider.color(ColoringRequest(lying(tmp_path / "plain.png"), 0.5, 1), progress)

    assert ink(page) == 0
