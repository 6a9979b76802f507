"""What the options of style change on a page, and what they leave as it is."""

import cv2
import numpy as np
import pytest
from PIL import Image

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.local.boundaries import trace_boundaries
from pastelka_coloring.providers.local.subject import only_subject
from pastelka_common.contracts.options import Background, LineWeight
from pastelka_common.testing.sources import local_source
from services.coloring.tests.local.measures import areas, ink, open_ends, pixels

# Pages take a while on a busy machine.
pytestmark = pytest.mark.timeout(600)


async def test_without_frame_no_border_is_drawn(page_of):
    def darkest_side(page):
        sides = (page[:6].min(0), page[-6:].min(0), page[:, :6].min(1), page[:, -6:].min(1))
        return max(float((side < 128).mean()) for side in sides)

    framed, bare = pixels(await page_of("coffee")), pixels(await page_of("coffee", has_frame=False))
    inner = (slice(20, -20), slice(20, -20))

    assert darkest_side(framed) > 0.95
    # Lines run to the edge of the page and end there; none runs along it.
    assert darkest_side(bare) < 0.15
    assert (framed[inner] == bare[inner]).all()


async def test_heavier_lines_have_more_ink_and_close_the_same_regions(page_of):
    thin, normal, bold = [await page_of("astronaut", line_weight=weight) for weight in LineWeight]

    assert ink(thin) < 0.85 * ink(normal)
    assert ink(normal) < 0.9 * ink(bold)
    large = [areas(page, least=4000) for page in (thin, normal, bold)]
    assert min(large) >= 5
    assert max(large) - min(large) <= 3
    assert max(open_ends(page) for page in (thin, normal, bold)) <= 20


def covered(page):
    """How much of the page there are lines in, whatever their width: the share of squares of 25 pixels."""
    dark = (pixels(page) < 128).astype(np.float32)
    return float((cv2.resize(dark, None, fx=1 / 25, fy=1 / 25, interpolation=cv2.INTER_AREA) > 0).mean())


async def test_lighter_backgrounds_have_fewer_lines_and_keep_regions_closed(page_of):
    keep, quiet, none = [await page_of("coffee", background=background) for background in Background]

    assert covered(none) < 0.9 * covered(quiet)
    assert covered(quiet) < 1.05 * covered(keep)
    assert areas(none, least=2000) >= 6
    assert open_ends(none) <= 20


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """A ball with a star on calm ground, with a post and a hill at the sides."""
    canvas = np.full((600, 900, 3), (205, 215, 225), np.uint8)
    cv2.rectangle(canvas, (60, 0), (110, 600), (90, 60, 40), -1)
    cv2.fillPoly(canvas, [np.array([(640, 600), (800, 330), (900, 600)])], (70, 120, 60), cv2.LINE_AA)
    cv2.circle(canvas, (430, 290), 170, (170, 30, 40), -1, cv2.LINE_AA)
    cv2.circle(canvas, (430, 290), 70, (240, 210, 60), -1, cv2.LINE_AA)
    path = tmp_path_factory.mktemp("scene") / "ball.png"
    Image.fromarray(canvas).save(path)
    return path


async def dark(provider, progress, path, background):
    page = await provider.color(ColoringRequest(local_source(path), 0.54, 4, False, background), progress)
    return pixels(page) < 160


async def test_without_background_nothing_is_drawn_outside_of_the_subject(provider, progress, scene):
    pages = {each: await dark(provider, progress, scene, each) for each in Background}
    rows, columns = np.indices(pages[Background.KEEP].shape)
    outside = np.hypot(rows - 290, columns - 430) > 170 + 12

    assert pages[Background.KEEP][outside].sum() > 2000
    assert not pages[Background.NONE][outside].any()
    assert pages[Background.NONE][~outside].sum() > 0.8 * pages[Background.KEEP][~outside].sum()


async def test_photo_without_subject_keeps_its_lines(provider, progress, tmp_path):
    """Where nothing stands out from the border, the whole photo is the subject."""
    canvas = np.full((600, 900, 3), (205, 215, 225), np.uint8)
    canvas[:, 300:600] = (90, 60, 40)
    Image.fromarray(canvas).save(tmp_path / "flag.png")

    none, keep = [
        await dark(provider, progress, tmp_path / "flag.png", each)
        for each in (Background.NONE, Background.KEEP)
    ]
    assert none.sum() == pytest.approx(keep.sum(), rel=0.05)


def test_only_the_boundaries_of_the_subject_are_kept():
    labels = np.repeat(np.arange(1, 7, dtype=np.int32), 20)[None].repeat(60, axis=0)
    salient = np.zeros(labels.shape, np.float32)
    salient[:, 35:90] = 1

    merged, inside = only_subject(labels, salient)
    boundaries = trace_boundaries(merged)

    assert (inside == np.isin(labels, [3, 4])).all()
    assert sorted(boundary.regions for boundary in boundaries) == [(0, 3), (0, 4), (3, 4)]
