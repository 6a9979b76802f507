"""The ``local`` provider: traces pages in worker processes."""

import pickle
from pathlib import Path

import anyio
import anyio.to_process

from pastelka_common.errors import PermanentError, TransientError
from pastelka_vectorize.providers import SvgProgress, SvgRequest
from pastelka_vectorize.providers.local.job import trace_page
from pastelka_vectorize.providers.page import PageUnusableError


class LocalSvgProvider:
    """Traces pages in at most ``workers`` processes, each page within ``timeout`` seconds.

    Processes rather than threads: vtracer holds the GIL while tracing (a thread would block the event loop
    for seconds on a large page), and only a process can be killed when the job is cancelled or times out.
    Idle processes end after five minutes (``anyio.to_process``) and, all of them, with the event loop.

    ``memory_limit`` limits the address space of a worker in bytes; a page that needs more is rejected.
    """

    name = "local"

    def __init__(self, *, workers: int = 1, timeout: float = 120, memory_limit: int = 4 << 30) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._limiter = anyio.CapacityLimiter(workers)
        self._timeout = timeout
        self._memory_limit = memory_limit

    async def vectorize(self, request: SvgRequest, progress: SvgProgress) -> bytes:
        """Trace the page; see ``SvgProvider``. The handler reports ``processing``."""
        try:
            async with self._limiter, request.page() as page:
                return await self._trace(page, request)
        except PageUnusableError as exc:
            raise exc.as_permanent() from exc
        except MemoryError as exc:
            raise PermanentError(
                "page_too_complex",
                "The coloring page needs too much memory to trace. Generate a smaller one.",
            ) from exc
        except TimeoutError as exc:
            message = f"Tracing the coloring page took longer than {self._timeout:g} s."
            raise TransientError("timeout", message) from exc
        except (anyio.BrokenWorkerProcess, pickle.PickleError, OSError) as exc:
            raise TransientError("worker_died", "The tracing process ended before it was done.") from exc

    async def aclose(self) -> None:
        """Do nothing: worker processes end with the event loop."""

    async def _trace(self, page: Path, request: SvgRequest) -> bytes:
        # The timeout starts when a process is free, not while the page waits for one.
        with anyio.fail_after(self._timeout):
            try:
                return await self._trace_in_process(page, request)
            except anyio.BrokenWorkerProcess:
                # An idle process may have been killed since its last page; a new one takes over.
                return await self._trace_in_process(page, request)

    async def _trace_in_process(self, page: Path, request: SvgRequest) -> bytes:
        return await anyio.to_process.run_sync(
            trace_page,
            page,
            request.shape_stacking,
            request.group_by,
            self._memory_limit,
            cancellable=True,
            limiter=anyio.CapacityLimiter(1),  # self._limiter limits the number of processes
        )
