"""The work of a worker process for one page. Its arguments and results are picklable."""

import ctypes
import signal
import time
import traceback
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import structlog

from pastelka_coloring.providers.local.coloring import make_page
from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_coloring.providers.local.loading import MODEL_PACKAGES, load_models
from pastelka_coloring.providers.local.style import PageStyle
from pastelka_common.errors import JobError, PermanentError

# malloc.h of glibc
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# The maps of a page have 4 or 8 MB, those of the edge detector up to 35.
_LARGE_BLOCK = 16 << 20
_KEPT_FREE = 64 << 20


@dataclass(frozen=True, slots=True)
class Models:
    """Folder of the edge detector's graph, threads per page, and the packages that the detector needs.

    If one of ``packages`` is missing, the classical filter replaces the detector.
    """

    cache_dir: Path
    threads: int
    packages: tuple[str, ...] = MODEL_PACKAGES


@dataclass(frozen=True, slots=True)
class PageJob:
    """Path of the photo, size and style of the page."""

    photo: Path
    megapixels: float
    style: PageStyle


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a job: the ``page`` as PNG, or a failure; and the process's log events.

    ``events`` are pairs of level and fields. ``is_permanent``: a retry cannot succeed.
    """

    page: bytes = b""
    code: str = ""
    message: str = ""
    is_permanent: bool = False
    events: tuple[tuple[str, dict[str, Any]], ...] = ()


def load(models: Models) -> Outcome:
    """Load the models, so that the first page of this process does not wait for them."""

    def work() -> bytes:
        _loaded(models)
        return b""

    return _recorded(work)


def color(job: PageJob, models: Models) -> Outcome:
    """Generate a page; the models are loaded once per process."""
    return _recorded(lambda: _page(job, models))


def _page(job: PageJob, models: Models) -> bytes:
    detector = _loaded(models)
    started = time.process_time()
    page = make_page(job.photo, megapixels=job.megapixels, style=job.style, detector=detector)
    seconds = round(time.process_time() - started, 2)
    structlog.get_logger(__name__).info(
        "page colored", detector=detector.name, cpu_seconds=seconds, bytes=len(page)
    )
    return page


@cache
def _loaded(models: Models) -> EdgeDetector:
    # Ctrl-C and a supervisor signal the whole process group; only the service ends a worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(models.threads)
    _keep_freed_maps()
    return load_models(models.cache_dir, models.threads, models.packages)


def _keep_freed_maps() -> None:
    """Make malloc reuse the memory of freed maps, and return larger blocks, where it is glibc's.

    Memory that is returned and requested again costs a page fault for each 4 KB: with a map at a time, a
    fifth of a page's CPU. By default glibc raises its threshold with every large block that is freed, so
    that the detector's fragment its heap.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE)


def _recorded(work: Callable[[], bytes]) -> Outcome:
    """Run ``work``; return its outcome with log events, since a worker has no log output."""
    events: list[tuple[str, dict[str, Any]]] = []

    def record(_: Any, level: str, event: MutableMapping[str, Any]) -> str:
        if "exc_info" in event:
            event["exception"] = traceback.format_exc() if event.pop("exc_info") else ""
        events.append((level, dict(event)))
        raise structlog.DropEvent

    structlog.configure(processors=[record], cache_logger_on_first_use=False)
    try:
        return Outcome(page=work(), events=tuple(events))
    except JobError as error:
        permanent = isinstance(error, PermanentError)
        return Outcome(code=error.code, message=error.message, is_permanent=permanent, events=tuple(events))
