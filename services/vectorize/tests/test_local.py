"""The local provider: its SVGs drawn by an independent renderer are the page."""

import asyncio
import io
import itertools
import os
import time
from pathlib import Path

import anyio.to_process
import cv2
import numpy as np
import pytest
import resvg_py
from lxml import etree
from PIL import Image, ImageDraw

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_common.errors import PermanentError, TransientError
from pastelka_vectorize.providers.local import LocalSvgProvider, tracing
from pastelka_vectorize.svg import clean

NS = {"s": "http://www.w3.org/2000/svg"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def provider() -> LocalSvgProvider:
    return LocalSvgProvider(workers=1)


def ink_of(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L")) < 128


def drawn(svg: bytes, shape: tuple[int, ...]) -> Image.Image:
    """The SVG at a height and width in pixels."""
    root = etree.fromstring(svg)
    # A size in pixels: resvg rounds one in millimeters up, and shifts the drawing by the difference.
    for name, pixels in zip(("height", "width"), shape, strict=True):
        root.set(name, str(pixels))
    text = etree.tostring(root, encoding="unicode")
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, background="#ff0000"))))


def agreement(svg: bytes, page: Path) -> float:
    """Ink in both, as a part of ink in either; unpainted places would be red and count as ink."""
    with Image.open(page) as image:
        expected = ink_of(image)
    got = ink_of(drawn(svg, expected.shape))
    assert got.shape == expected.shape
    return float((got & expected).sum() / (got | expected).sum())


@pytest.mark.parametrize(
    "options", list(itertools.product([ShapeStacking.STACKED, ShapeStacking.CUTOUTS], GroupBy)), ids="-".join
)
async def test_svg_draws_the_page(provider, make_request, steps, page, options):
    svg = await provider.vectorize(make_request(page, *options), steps)
    assert agreement(clean(svg), page) > 0.95
    assert len(svg) < 250_000
    assert steps.seen == []


async def test_stacking_none_equals_cutouts(provider, make_request, steps, page):
    none = await provider.vectorize(make_request(page, ShapeStacking.NONE), steps)
    cutouts = await provider.vectorize(make_request(page, ShapeStacking.CUTOUTS), steps)
    stacked = await provider.vectorize(make_request(page, ShapeStacking.STACKED), steps)
    assert none == cutouts != stacked


async def test_cutouts_have_holes_and_stacked_shapes_have_none(provider, make_request, steps, page):
    stacked = await provider.vectorize(make_request(page, ShapeStacking.STACKED, GroupBy.NONE), steps)
    cutouts = await provider.vectorize(make_request(page, ShapeStacking.CUTOUTS, GroupBy.NONE), steps)
    outlines = [path.get("d") for path in etree.fromstring(stacked).iterfind(".//s:path", NS)]
    holed = [path.get("d") for path in etree.fromstring(cutouts).iterfind(".//s:path", NS)]
    assert len(outlines) == len(holed)
    assert sum(outline.count("M") for outline in outlines) < sum(outline.count("M") for outline in holed)


async def test_group_by_none_is_flat(provider, make_request, steps):
    svg = etree.fromstring(await provider.vectorize(make_request(group_by=GroupBy.NONE), steps))
    assert svg.find(".//s:g", NS) is None
    assert {path.get("fill") for path in svg.iterfind("s:path", NS)} == {"#000000", "#ffffff"}


async def test_group_by_color_of_cutouts_yields_one_group_per_color(provider, make_request, steps, page):
    made = await provider.vectorize(make_request(page, ShapeStacking.CUTOUTS, GroupBy.COLOR), steps)
    svg = etree.fromstring(made)
    assert [group.get("fill") for group in svg.iterfind("s:g", NS)] == ["#ffffff", "#000000"]
    assert svg.find("s:path", NS) is None
    assert svg.find(".//s:path[@fill]", NS) is None


async def test_group_by_color_of_stacked_shapes_keeps_painting_order(provider, make_request, steps):
    svg = etree.fromstring(await provider.vectorize(make_request(), steps))
    fills = [group.get("fill") for group in svg.iterfind("s:g", NS)]
    assert len(fills) > 2
    assert all(one != other for one, other in itertools.pairwise(fills))


async def test_group_by_layer_names_the_layers(provider, make_request, steps):
    svg = etree.fromstring(await provider.vectorize(make_request(group_by=GroupBy.LAYER), steps))
    ids = [group.get("id") for group in svg.iterfind("s:g", NS)]
    assert ids == [f"layer-{depth}" for depth in range(1, len(ids) + 1)]
    assert len(ids) >= 4


async def test_group_by_parent_nests_inner_shapes(provider, make_request, steps):
    svg = etree.fromstring(await provider.vectorize(make_request(group_by=GroupBy.PARENT), steps))
    deepest = max(len(list(path.iterancestors(f"{{{NS['s']}}}g"))) for path in svg.iterfind(".//s:path", NS))
    assert deepest >= 4


async def test_the_page_fills_a4(provider, make_request, steps, tmp_path):
    path = tmp_path / "wide.png"
    wide = Image.new("L", (400, 150), 255)
    ImageDraw.Draw(wide).ellipse([20, 20, 120, 120], outline=0, width=5)
    wide.save(path)
    svg = etree.fromstring(await provider.vectorize(make_request(path), steps))
    assert (svg.get("width"), svg.get("height")) == ("297mm", "111.375mm")
    assert svg.get("viewBox") == "0 0 1600 600"


@pytest.fixture
def coloring_page(tmp_path) -> Path:
    """A frame, a face with two eyes, and a tree: 10 areas to color and a line that closes nothing."""
    page = Image.new("L", (1200, 900), 255)
    pen = ImageDraw.Draw(page)
    pen.rectangle([6, 6, 1193, 893], outline=0, width=5)
    pen.ellipse([150, 150, 650, 700], outline=0, width=6)
    for x in (280, 450):
        pen.ellipse([x, 320, x + 80, 380], outline=0, width=4)
    pen.chord([300, 480, 500, 600], 0, 180, outline=0, width=5)
    for top in (150, 300, 450):
        pen.polygon([(900, top), (1050, top + 150), (750, top + 150)], outline=0, width=6)
    pen.rectangle([860, 600, 940, 800], outline=0, width=6)
    pen.arc([380, 390, 420, 460], 0, 120, fill=0, width=5)
    page.save(tmp_path / "page.png")
    return tmp_path / "page.png"


@pytest.mark.parametrize("stacking", [ShapeStacking.STACKED, ShapeStacking.CUTOUTS])
async def test_every_area_to_color_is_one_closed_path(provider, make_request, steps, coloring_page, stacking):
    """Drawn alone, each path of the paper is one area of the page, and all areas are there."""
    with Image.open(coloring_page) as image:
        paper = ~ink_of(image)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(paper.astype(np.uint8), connectivity=4)
    areas = {n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= 0.002 * paper.size}
    made = await provider.vectorize(make_request(coloring_page, stacking, GroupBy.NONE), steps)
    svg = etree.fromstring(made)
    seen = []
    for path in svg.iterfind("s:path[@fill='#ffffff']", NS):
        assert path.get("d").rstrip().upper().endswith("Z")
        shape = f"<path fill='#fff' d='{path.get('d')}'/>"
        alone = f"<svg xmlns='{NS['s']}' viewBox='{svg.get('viewBox')}'>{shape}</svg>"
        inside = np.asarray(drawn(alone.encode(), paper.shape).convert("RGB"))[..., 1] > 128
        own = np.bincount(labels[inside & paper], minlength=count)
        own[0] = 0
        # Whole silhouettes cover what lies in them; shapes with holes are one area and no other.
        assert stacking is ShapeStacking.STACKED or np.count_nonzero(own) == 1
        seen.append(int(own.argmax()))
    outer = int(labels[0, 0])
    assert areas - {outer} <= set(seen)
    assert len(seen) == len(set(seen))


async def test_rendered_svg_differs_in_less_than_half_a_percent(provider, make_request, steps, coloring_page):
    with Image.open(coloring_page) as image:
        expected = ink_of(image)
    for stacking in (ShapeStacking.STACKED, ShapeStacking.CUTOUTS):
        svg = clean(await provider.vectorize(make_request(coloring_page, stacking), steps))
        assert (ink_of(drawn(svg, expected.shape)) != expected).mean() < 0.005


@pytest.mark.parametrize(
    "mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16", "CMYK", "speckles", "rings", "ink_at_the_edge"]
)
async def test_every_image_mode_is_traced(provider, make_request, steps, tmp_path, mode):
    path = tmp_path / f"page.{'tif' if mode == 'CMYK' else 'png'}"
    page_of(mode).save(path)
    expected = tmp_path / "expected.png"
    opaque(page_of(mode)).save(expected)
    svg = await provider.vectorize(make_request(path, ShapeStacking.STACKED, GroupBy.PARENT), steps)
    assert agreement(clean(svg), expected) > 0.9


def page_of(mode: str) -> Image.Image:
    page = Image.new("L", (300, 200), 255)
    pen = ImageDraw.Draw(page)
    match mode:
        case "rings":  # deeper than groups may nest
            page = Image.new("L", (500, 500), 255)
            pen = ImageDraw.Draw(page)
            for radius in range(5, 248, 7):
                pen.ellipse([250 - radius, 250 - radius, 250 + radius, 250 + radius], outline=0, width=4)
            return page
        case "ink_at_the_edge":
            pen.rectangle([0, 0, 299, 60], fill=0)
            pen.rectangle([0, 150, 299, 199], fill=0)
            return page
    pen.ellipse([30, 30, 170, 170], outline=0, width=9)
    pen.ellipse([70, 70, 130, 130], fill=0)
    pen.line([200, 20, 280, 180], fill=0, width=7)
    if mode == "speckles":
        noise = np.random.default_rng(7)
        pixels = np.asarray(page).copy()
        pixels[noise.integers(0, 200, 20), noise.integers(0, 300, 20)] = 0
        return Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray(np.asarray(page).astype(np.uint16) * 257)
    if mode in {"RGBA", "LA"}:  # the drawing is in the alpha channel alone
        ink = Image.eval(page, lambda value: 255 - value)
        return Image.merge("LA", [Image.new("L", page.size, 0), ink]).convert(mode)
    return page.convert(mode)


def opaque(page: Image.Image) -> Image.Image:
    if page.mode == "I;16":
        return Image.fromarray((np.asarray(page) >> 8).astype(np.uint8))
    layer = page.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", page.size, "white"), layer).convert("L")


@pytest.mark.parametrize("value", [0, 255])
async def test_blank_pages(provider, make_request, steps, tmp_path, value):
    path = tmp_path / "blank.png"
    Image.new("L", (120, 80), value).save(path)
    svg = clean(await provider.vectorize(make_request(path), steps))
    image = drawn(svg, (80, 120)).convert("RGB")
    assert image.getextrema() == ((value, value),) * 3


@pytest.mark.parametrize("size", [(1, 280), (280, 1), (1, 1)])
def test_a_straight_line_of_one_pixel_is_traced(size):
    labels = np.zeros((300, 300), np.int32)
    labels[10 : 10 + size[0], 10 : 10 + size[1]] = 1
    (polygon,) = tracing._polygons(labels == 1)
    xs, ys = zip(*polygon, strict=True)
    assert (max(ys) - min(ys), max(xs) - min(xs)) == size


async def test_missing_page(provider, make_request, steps, tmp_path):
    with pytest.raises(PermanentError, match="page_missing"):
        await provider.vectorize(make_request(tmp_path / "gone.png"), steps)


async def test_unreadable_pages(provider, make_request, steps, page, tmp_path):
    path = tmp_path / "broken.png"
    for content in (b"", b"not an image", page.read_bytes()[:2000]):
        path.write_bytes(content)
        with pytest.raises(PermanentError, match="page_unreadable"):
            await provider.vectorize(make_request(path), steps)


async def test_page_beyond_the_limit(provider, make_request, steps, tmp_path):
    path = tmp_path / "large.png"
    Image.new("1", (30_000, 3_000)).save(path)
    with pytest.raises(PermanentError, match=r"page_too_large: .*80 megapixels"):
        await provider.vectorize(make_request(path), steps)


async def test_page_that_needs_too_much_memory(make_request, steps):
    # In a process of its own: one that traced before has memory left over, which needs no asking for.
    os.kill(await anyio.to_process.run_sync(os.getpid), 9)
    provider = LocalSvgProvider(memory_limit=300 << 20)
    with pytest.raises(PermanentError, match="page_too_complex"):
        await provider.vectorize(make_request(), steps)


async def test_time_limit(make_request, steps):
    with pytest.raises(TransientError, match="timeout"):
        await LocalSvgProvider(timeout=0.01).vectorize(make_request(), steps)


async def test_event_loop_stays_free_while_tracing(provider, make_request, steps):
    job = asyncio.create_task(provider.vectorize(make_request(), steps))
    # The loop's own processor time: on a busy machine it also waits for its turn.
    longest, before = 0.0, time.thread_time()
    while not job.done():
        await asyncio.wait([job], timeout=0.005)
        longest, before = max(longest, time.thread_time() - before), time.thread_time()
    assert job.result()
    assert longest < 0.5


async def test_a_cancelled_job_releases_its_worker(make_request, steps):
    provider = LocalSvgProvider(workers=1)
    job = asyncio.create_task(provider.vectorize(make_request(), steps))
    await at_work(job, provider)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    async with asyncio.timeout(30):
        assert await provider.vectorize(make_request(), steps)


async def test_the_page_of_a_killed_worker_process_is_traced_by_another(provider, make_request, steps):
    pid = await anyio.to_process.run_sync(os.getpid)  # the idle worker, used last, is used next
    job = asyncio.create_task(provider.vectorize(make_request(), steps))
    await at_work(job, provider)
    os.kill(pid, 9)
    assert await job


async def at_work(job: asyncio.Task[bytes], provider: LocalSvgProvider) -> None:
    """Return once ``job`` holds a place; it must not be done by then."""
    async with asyncio.timeout(10):
        while not provider._limiter.borrowed_tokens:
            await asyncio.wait([job], timeout=0.001)
    assert not job.done()


def test_workers_must_be_positive():
    with pytest.raises(ValueError, match="at least 1"):
        LocalSvgProvider(workers=0)


async def test_a_page_of_too_many_rings_is_rejected(provider, make_request, steps, tmp_path):
    path = tmp_path / "rings.png"
    page = Image.new("L", (2000, 2000), 255)
    pen = ImageDraw.Draw(page)
    for radius in range(3, 995, 6):
        pen.ellipse([1000 - radius, 1000 - radius, 1000 + radius, 1000 + radius], outline=0, width=3)
    page.save(path)
    with pytest.raises(PermanentError, match="page_too_complex"):
        await provider.vectorize(make_request(path), steps)
