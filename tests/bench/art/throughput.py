"""How much more two concurrent pages on two cores give than one at a time on one."""

import time
from pathlib import Path
from typing import cast

import anyio

from pastelka_coloring.providers import ColoringProgress, ColoringRequest
from pastelka_coloring.providers.local import LocalColoringProvider
from pastelka_common.testing.sources import local_source

_PAGES = 6


def speedup(photo: Path) -> float:
    """Pages by the second of two processes, against those of one process; each has one core."""
    one = anyio.run(_seconds, photo, 1, _PAGES // 2)
    two = anyio.run(_seconds, photo, 2, _PAGES)
    return 2 * one / two


async def _seconds(photo: Path, workers: int, pages: int) -> float:
    provider = LocalColoringProvider(workers=workers, threads=1)
    request = ColoringRequest(photo=local_source(photo), megapixels=1.0, steps=4)
    progress = cast(ColoringProgress, None)  # the local provider reports nothing
    try:
        # One page each first: what only the first one costs is not measured.
        await _make(provider, request, progress, workers)
        started = time.monotonic()
        await _make(provider, request, progress, pages)
        return time.monotonic() - started
    finally:
        await provider.aclose()


async def _make(
    provider: LocalColoringProvider, request: ColoringRequest, progress: ColoringProgress, pages: int
) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(pages):
            tasks.start_soon(provider.color, request, progress)
