"""The work of a worker process for one page. Its arguments and results are picklable."""

import resource
import signal
from pathlib import Path

import cv2

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_vectorize.providers.local.bitmap import TRACED_PIXELS, Bitmap, read_bitmap
from pastelka_vectorize.providers.local.document import Canvas, render
from pastelka_vectorize.providers.local.regions import Regions, find_regions
from pastelka_vectorize.providers.local.tracing import trace
from pastelka_vectorize.providers.page import PageUnusableError

MAX_WORK = 90_000_000
"""Maximum pixels of all regions' bounding boxes, which are traced one by one (about six seconds). Line art
has about 25 million; concentric rings have many more."""

MIN_SCALE = 0.8
"""Minimum scale of a page; one that would have to be reduced more is rejected."""


def trace_page(page: Path, shape_stacking: ShapeStacking, group_by: GroupBy, memory_limit: int) -> bytes:
    """Turn the page at ``page`` into an SVG (UTF-8).

    Raises only ``PageUnusableError`` and ``MemoryError``: other exceptions may not be picklable.
    """
    _prepare_process(memory_limit)
    try:
        return _svg(page, group_by, stacked=shape_stacking is ShapeStacking.STACKED).encode()
    except PageUnusableError:
        raise
    except Exception as exc:  # noqa: BLE001 (OpenCV and vtracer raise errors of their own)
        if isinstance(exc, MemoryError) or getattr(exc, "code", None) == cv2.Error.StsNoMem:
            raise MemoryError(str(exc)) from None
        raise PageUnusableError("page_untraceable", f"The coloring page cannot be traced: {exc}") from None


def _svg(page: Path, group_by: GroupBy, *, stacked: bool) -> str:
    bitmap, regions = _regions_within_limit(page)
    shapes = trace(regions, filled=stacked)
    canvas = Canvas(bitmap.page_width, bitmap.page_height, bitmap.width, bitmap.height)
    return render(canvas, shapes, group_by, stacked=stacked)


def _regions_within_limit(page: Path) -> tuple[Bitmap, Regions]:
    """Find the regions at the finest scale within ``MAX_WORK``."""
    bitmap = read_bitmap(page, TRACED_PIXELS)
    regions = find_regions(bitmap.ink)
    if regions.work <= MAX_WORK:
        return bitmap, regions
    bitmap = read_bitmap(page, int(bitmap.ink.size * MAX_WORK / regions.work))
    regions = find_regions(bitmap.ink)
    if bitmap.width < bitmap.page_width * MIN_SCALE:
        raise PageUnusableError(
            "page_too_complex",
            "The coloring page has too many nested lines to trace. Generate one with less detail.",
        )
    return bitmap, regions


def _prepare_process(memory_limit: int) -> None:
    # Ctrl-C and a supervisor signal the whole process group; only the service decides when a
    # worker ends (it kills it, or closes its standard input).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = memory_limit if hard == resource.RLIM_INFINITY else min(memory_limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
