"""Makes pages in a separate process on one core and reports the cost of each."""

import hashlib
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from pastelka_coloring.providers.local.graph import BUILDER_VERSION
from pastelka_coloring.providers.local.hed import HedDetector, load_detector
from pastelka_coloring.providers.local.job import Models, PageJob
from pastelka_coloring.providers.local.photo import read_photo
from pastelka_coloring.providers.local.resizing import resized, shape_for
from pastelka_coloring.providers.local.style import PageStyle
from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_vectorize.providers.local.job import trace_page
from tests.bench.art.page_cost import MadePage

_REFERENCE_PIXELS = 0.5e6
_MEMORY = 4 << 30


def pages(photos: list[Path], megapixels: float, style: PageStyle) -> Iterator[MadePage]:
    """Make the page of each photo sequentially in one process."""
    jobs = [PageJob(photo, megapixels, style) for photo in photos]
    command = [sys.executable, "-m", "tests.bench.art.page_cost"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump((_models(), jobs), process.stdin)
        process.stdin.close()
        for _ in jobs:
            yield pickle.load(process.stdout)  # noqa: S301 - this program's own module


def reference(photo: Path) -> NDArray[np.float32]:
    """The edge probabilities of a photo, as the detector sees it at half a megapixel in floats.

    They are kept in a temporary folder: they take as long as a page.
    """
    kept = Path(tempfile.gettempdir(), "pastelka-bench-edges")
    kept.mkdir(exist_ok=True)
    path = kept / f"{BUILDER_VERSION}-{hashlib.sha256(photo.read_bytes()).hexdigest()[:16]}.npy"
    if path.exists():
        return np.asarray(np.load(path), np.float32)
    pixels = read_photo(photo).pixels
    edges = _detector().edges(resized(pixels, shape_for(pixels, _REFERENCE_PIXELS))).fused
    np.save(path, edges)
    return edges


def svg(page: Path) -> bytes:
    """The SVG that the local provider of vectorize makes of a page, in a process of its own."""
    return _tracer().submit(trace_page, page, ShapeStacking.STACKED, GroupBy.COLOR, _MEMORY).result()


@cache
def _tracer() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


@cache
def _detector() -> HedDetector:
    return load_detector(_models().cache_dir, threads=1, is_quantized=False)


def _models() -> Models:
    return Models(platformdirs.user_cache_path("pastelka") / "coloring", 1)
