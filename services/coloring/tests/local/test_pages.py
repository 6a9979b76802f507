"""What a page is like, whatever the photo."""

import asyncio
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pastelka_coloring.providers import ColoringRequest
from pastelka_common.errors import PermanentError
from pastelka_common.testing.sources import local_source
from services.coloring.tests.local.measures import areas, ink, open_ends, pixels, specks

# Pages take a while on a busy machine.
pytestmark = pytest.mark.timeout(600)


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

    assert 0.06 <= ink(page) <= 0.09
    assert specks(page) == 0
    assert (shades == 255).mean() > 0.8
    assert (shades == 0).mean() > 0.01
    # Binary but for the smoothed edges of lines.
    assert ((shades > 0) & (shades < 255)).mean() < ink(page)


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "cat"])
async def test_lines_close_shapes_and_have_few_open_ends(page_of, photo):
    page = await page_of(photo)

    assert areas(page, least=2000) >= 8
    assert open_ends(page) <= 12


@pytest.mark.parametrize("photo", ["astronaut", "coffee", "cat"])
async def test_there_is_a_closed_frame_and_nothing_outside_of_it(page_of, photo):
    dark = pixels(await page_of(photo)) < 128
    top = int(np.flatnonzero(dark[:, dark.shape[1] // 2])[0])
    frame = np.zeros_like(dark)
    labels = cv2.connectedComponents((~dark).astype(np.uint8), connectivity=4)[1]

    assert top < 10
    for line in (dark[:10].any(0), dark[-10:].any(0), dark[:, :10].any(1), dark[:, -10:].any(1)):
        assert line[6:-6].all()
    # What lies beyond the frame does not run into the page.
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    frame[12:-12, 12:-12] = True
    assert not set(border[border > 0]) & set(labels[frame][labels[frame] > 0])


async def test_more_steps_never_give_fewer_regions(page_of):
    counts = [areas(await page_of("astronaut", steps=steps)) for steps in (1, 4, 20)]

    assert counts == sorted(counts)
    assert counts[0] * 1.5 < counts[-1]


async def test_outline_is_closed(page_of):
    """The inside of the cup and the table around it cannot be filled in one go."""
    light = (pixels(await page_of("coffee")) > 128).astype(np.uint8)
    height, width = light.shape
    _, labels = cv2.connectedComponents(light, connectivity=4)

    def around(down, across):
        row, column = round(down * height), round(across * width)
        near = labels[row - 15 : row + 15, column - 15 : column + 15]
        return np.bincount(near[near > 0]).argmax()

    coffee_in_cup, table = around(0.3, 0.43), around(0.06, 0.12)
    assert coffee_in_cup != table


async def test_face_has_features(page_of):
    """Eyes and mouth of the astronaut, whose face is a tenth of the photo's width."""
    page = pixels(await page_of("astronaut"))
    height, width = page.shape
    face = page[round(height * 0.15) : round(height * 0.32), round(width * 0.37) : round(width * 0.51)]

    _, _, stats, _ = cv2.connectedComponentsWithStats((face > 128).astype(np.uint8))
    assert (stats[1:, cv2.CC_STAT_AREA] > 30).sum() >= 4
    assert 0.05 < (face < 128).mean() < 0.4


async def test_each_of_thirty_people_has_a_face(provider, photos, tmp_path, progress):
    with Image.open(photos["astronaut"]) as photo:
        portrait = photo.crop((120, 20, 330, 240)).resize((200, 210))
    crowd = Image.new("RGB", (1200, 1050))
    for index in range(30):
        crowd.paste(portrait, (200 * (index % 6), 210 * (index // 6)))
    crowd.save(tmp_path / "crowd.png")
    page = pixels(
        await provider.color(ColoringRequest(local_source(tmp_path / "crowd.png"), 1.0, 4), progress)
    )

    width, height = page.shape[1] / 6, page.shape[0] / 5
    for index in range(30):
        left, top = round(width * (index % 6)), round(height * (index // 6))
        face = page[top + round(0.25 * height) : top + round(0.7 * height)]
        face = face[:, left + round(0.25 * width) : left + round(0.75 * width)]
        # Brows, eyes, nose and mouth.
        count, _, _, _ = cv2.connectedComponentsWithStats((face < 128).astype(np.uint8))
        assert count > 5


async def test_same_photo_gives_the_same_page(provider, photos, page_of, progress):
    request = ColoringRequest(photo=local_source(photos["cat"]), megapixels=0.5, steps=1)

    assert await provider.color(request, progress) == await page_of("cat", steps=1, megapixels=0.5)


async def refused(provider, path, progress):
    with pytest.raises(PermanentError) as caught:
        await provider.color(ColoringRequest(local_source(path), 0.5, 1), progress)
    return caught.value.code


async def test_photo_too_narrow_for_a_page_is_refused(provider, tmp_path, progress):
    Image.new("RGB", (2100, 100)).save(tmp_path / "strip.png")

    assert await refused(provider, tmp_path / "strip.png", progress) == "photo_unsuitable"


@pytest.mark.parametrize("size", [(300, 200), (1, 1), (3, 2)])
async def test_photo_without_any_edge_is_refused(provider, tmp_path, progress, size):
    Image.new("RGB", size, (120, 140, 90)).save(tmp_path / "plain.png")

    assert await refused(provider, tmp_path / "plain.png", progress) == "photo_without_shapes"


def disc(size, mode="RGB"):
    """A dark disc on light ground."""
    canvas = np.full((size[1], size[0]), 235, np.uint8)
    cv2.circle(canvas, (size[0] // 2, size[1] // 2), min(size) // 4, 40, -1)
    return Image.fromarray(canvas).convert(mode)


@pytest.mark.parametrize(
    ("name", "size", "mode"),
    [("large.jpg", (12_000, 8_000), "L"), ("gray.png", (600, 400), "L"), ("clear.png", (600, 400), "LA")],
)
async def test_large_gray_and_transparent_photos_are_colored(provider, tmp_path, progress, name, size, mode):
    await asyncio.to_thread(disc(size, mode).save, tmp_path / name)
    page = await provider.color(ColoringRequest(local_source(tmp_path / name), 0.5, 4), progress)

    assert areas(page, least=5000) == 2


async def test_transparent_photo_without_content_is_refused(provider, tmp_path, progress):
    Image.new("RGBA", (300, 200), (10, 200, 10, 0)).save(tmp_path / "clear.png")

    assert await refused(provider, tmp_path / "clear.png", progress) == "photo_without_shapes"
