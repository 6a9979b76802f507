"""Makes pages in a separate process on one core and reports the cost of each."""

import hashlib
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_coloring.providers.local.graph import BUILDER_VERSION
from pastelka_coloring.providers.local.job import Models, PageJob, color, load
from pastelka_coloring.providers.local.loading import load_models
from pastelka_coloring.providers.local.photo import read_photo
from pastelka_coloring.providers.local.resizing import resized, shape_for
from pastelka_coloring.providers.local.style import PageStyle
from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_vectorize.providers.local.job import trace_page

_REFERENCE_PIXELS = 0.5e6
_MEMORY = 4 << 30


@dataclass(frozen=True)
class MadePage:
    """A page as PNG, its CPU seconds, and the process's peak memory so far, in MB."""

    png: bytes
    seconds: float
    megabytes: float


def pages(photos: list[Path], megapixels: float, style: PageStyle) -> Iterator[MadePage]:
    """Make the page of each photo sequentially in one process."""
    if not photos:
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(load, _models()).result()
        for photo in photos:
            yield pool.submit(_made, PageJob(photo, megapixels, style)).result()


def reference(photo: Path) -> NDArray[np.float32]:
    """The edge probabilities of a photo, as the detector sees it at half a megapixel.

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
def _detector() -> EdgeDetector:
    return load_models(_models().cache_dir, 1)


def _made(job: PageJob) -> MadePage:
    started = time.process_time()
    outcome = color(job, _models())
    if outcome.code:
        raise RuntimeError(f"{job.photo.name}: {outcome.message}")
    seconds = time.process_time() - started
    return MadePage(outcome.page, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _models() -> Models:
    return Models(platformdirs.user_cache_path("pastelka") / "coloring", 1)
