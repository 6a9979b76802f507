"""What a worker process does for one page. Everything in and out of it is picklable."""

import resource
import signal
from pathlib import Path

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_vectorize.providers.local.bitmap import read_bitmap
from pastelka_vectorize.providers.local.document import Canvas, render
from pastelka_vectorize.providers.local.regions import find_regions
from pastelka_vectorize.providers.local.tracing import trace


def trace_page(page: Path, shape_stacking: ShapeStacking, group_by: GroupBy, memory_limit: int) -> bytes:
    """Turn the page at ``page`` into an SVG (UTF-8).

    Raises ``PageUnusableError`` or ``MemoryError``.
    """
    _prepare_process(memory_limit)
    bitmap = read_bitmap(page)
    regions = find_regions(bitmap.ink)
    stacked = shape_stacking is ShapeStacking.STACKED
    shapes = trace(regions, filled=stacked)
    canvas = Canvas(bitmap.page_width, bitmap.page_height, bitmap.width, bitmap.height)
    return render(canvas, shapes, group_by, stacked=stacked).encode()


def _prepare_process(memory_limit: int) -> None:
    # Ctrl-C and a supervisor signal the whole process group; only the service decides when a
    # worker ends (it kills it, or closes its standard input).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = memory_limit if hard == resource.RLIM_INFINITY else min(memory_limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
