"""The ``local`` provider: generates coloring pages in worker processes, without an account."""

import os
import pickle
from pathlib import Path

import anyio
import anyio.to_process
import platformdirs
import structlog

from pastelka_coloring.providers import ColoringProgress, ColoringRequest
from pastelka_coloring.providers.local import job
from pastelka_coloring.providers.local.job import Models, Outcome, PageJob
from pastelka_coloring.providers.local.style import PageStyle
from pastelka_common.errors import PermanentError, TransientError

_log = structlog.get_logger(__name__)


class LocalColoringProvider:
    """A ``ColoringProvider`` that draws pages locally.

    Pages are generated in at most ``workers`` processes, each page within ``timeout`` seconds: a thread would
    block the event loop (GIL), and only a process can be killed when its job is cancelled, and releases its
    memory. A process loads the models once, and a page uses ``threads`` cores (0: an equal share of all).
    Idle processes end after five minutes (``anyio.to_process``), and all with the event loop. The graph of
    the edge detector is cached in ``cache_dir`` (default: the user's cache folder).
    """

    name = "local"

    def __init__(
        self, *, workers: int = 1, cache_dir: Path | None = None, threads: int = 0, timeout: float = 300
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._workers = workers
        self._processes = anyio.CapacityLimiter(workers)
        self._timeout = timeout
        share = max(len(os.sched_getaffinity(0)) // workers, 1)
        cache = cache_dir or platformdirs.user_cache_path("pastelka") / "coloring"
        self._models = Models(cache, threads or share)
        self._running: set[anyio.CancelScope] = set()
        self._is_closed = False

    async def prepare(self) -> None:
        """Start the processes and load their models, so that the first photos do not wait.

        Takes some seconds, more if the detector's graph must be built; each step is logged. Raises
        ``TransientError`` if a model cannot be loaded.
        """
        # The first process builds the graph that the others read.
        await self._load()
        async with anyio.create_task_group() as tasks:
            for _ in range(self._workers - 1):
                tasks.start_soon(self._load)

    async def color(self, request: ColoringRequest, progress: ColoringProgress) -> bytes:
        """Generate the page; reports no status between ``processing`` and ``completed``.

        Cancelling kills the page's process. Raises ``TransientError`` (``worker_died``) if the process died:
        the next attempt gets a new one.
        """
        with anyio.CancelScope() as scope:
            if self._is_closed:
                scope.cancel()
            self._running.add(scope)
            try:
                async with self._processes, request.photo() as photo:
                    style = PageStyle(
                        request.steps, request.has_frame, request.background, request.line_weight
                    )
                    return await self._page(PageJob(photo, request.megapixels, style))
            finally:
                self._running.discard(scope)
        raise TransientError("provider_closed", "The service was stopped while coloring.")

    async def cancel(self, provider_job_id: str) -> None:
        """Do nothing: there are no remote jobs."""

    async def aclose(self) -> None:
        """Stop active work; idle processes end with the event loop."""
        self._is_closed = True
        for scope in self._running:
            scope.cancel()

    async def _load(self) -> None:
        try:
            try:
                outcome = await anyio.to_process.run_sync(job.load, self._models)
            except anyio.BrokenWorkerProcess:
                # An idle process may have been killed since its last page; a new one takes over.
                outcome = await anyio.to_process.run_sync(job.load, self._models)
            _result(outcome)
        except (anyio.BrokenWorkerProcess, pickle.PickleError, OSError) as error:
            raise _worker_died() from error

    async def _page(self, page: PageJob) -> bytes:
        # The timeout starts when a process is free, not while the photo waits for one.
        try:
            with anyio.fail_after(self._timeout):
                outcome = await self._page_in_process(page)
        except TimeoutError as error:
            message = f"Coloring the photo took longer than {self._timeout:g} s."
            raise TransientError("timeout", message) from error
        except (anyio.BrokenWorkerProcess, pickle.PickleError, OSError) as error:
            raise _worker_died() from error
        return _result(outcome)

    async def _page_in_process(self, page: PageJob) -> Outcome:
        while True:
            try:
                return await anyio.to_process.run_sync(
                    job.color,
                    page,
                    self._models,
                    cancellable=True,
                    limiter=anyio.CapacityLimiter(1),  # self._places limits the number of processes
                )
            except anyio.BrokenWorkerProcess as error:
                # The idle process had died before it received this page, and is now removed from the pool.
                if not isinstance(error.__cause__, anyio.BrokenResourceError):
                    raise


def _worker_died() -> TransientError:
    return TransientError("worker_died", "The coloring process ended before the page was done.")


def _result(outcome: Outcome) -> bytes:
    """Return the page of an outcome, and emit its process's log events."""
    for level, fields in outcome.events:
        getattr(_log, level)(**fields)
    if not outcome.code:
        return outcome.page
    error = PermanentError if outcome.is_permanent else TransientError
    raise error(outcome.code, outcome.message)
