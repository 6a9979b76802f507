"""Replaces the broker's store with an older copy, a damaged one, or none.

The server is dead meanwhile. The copy is taken while it is stopped (SIGSTOP), like a snapshot of its disk: it
contains everything acknowledged until then.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import cluster
from tests.faults.system import System

_COPIES = "copies"
_STORE = "data"
_KEPT = 6
_FLIPPED = 64


async def keep_copies(system: System) -> None:
    """Keep copies of each store, the oldest somewhat older than needed; runs until cancelled."""
    while True:
        for name in cluster.node_names(system.stack):
            await _copy(system, name)
        await asyncio.sleep(system.copy_age / 3)


async def _copy(system: System, name: str) -> None:
    process = system.server(name)
    if name in system.planned or process._process is None:
        return
    pid = process.pid
    try:
        os.kill(pid, signal.SIGSTOP)
        await asyncio.to_thread(_take, process.server.folder)
    except OSError:
        return
    finally:
        if process._process is not None and process._process.pid == pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _take(folder: Path) -> None:
    copies = folder / _COPIES
    copies.mkdir(exist_ok=True)
    making = copies / ".making"
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(folder / _STORE, making)
    making.rename(copies / f"{time.time():.3f}")
    for old in sorted(_copies(folder))[:-_KEPT]:
        shutil.rmtree(copies / f"{old:.3f}")


def _copies(folder: Path) -> list[float]:
    """Time of each copy."""
    return [float(copy.name) for copy in (folder / _COPIES).glob("[0-9]*")]


def _older(folder: Path, age: float) -> str:
    """Restore the copy whose age comes nearest."""
    wanted = time.time() - age
    taken = min(_copies(folder), key=lambda moment: abs(moment - wanted), default=None)
    if taken is None:
        return "skipped: no copy was taken yet"
    shutil.rmtree(folder / _STORE)
    shutil.copytree(folder / _COPIES / f"{taken:.3f}", folder / _STORE)
    return f"a copy {time.time() - taken:.0f} s old"


def _deleted(folder: Path, _age: float) -> str:
    shutil.rmtree(folder / _STORE)
    return ""


def _damaged(folder: Path, _age: float) -> str:
    """Flip bytes in the middle of the largest block of ``JOBS`` and truncate that of ``STATUS`` to half."""
    flipped = _largest_block(folder, "JOBS")
    cut = _largest_block(folder, "STATUS")
    if flipped is not None:
        _flip(flipped)
    if cut is not None:
        os.truncate(cut, cut.stat().st_size // 2)
    return f"flipped {_size(flipped)}, cut {_size(cut)}"


def _largest_block(folder: Path, stream: str) -> Path | None:
    blocks = (folder / _STORE).glob(f"jetstream/*/streams/{stream}/msgs/*.blk")
    return max(blocks, key=lambda block: block.stat().st_size, default=None)


def _flip(block: Path) -> None:
    with block.open("r+b") as file:
        middle = block.stat().st_size // 2
        file.seek(middle)
        content = file.read(_FLIPPED)
        file.seek(middle)
        file.write(bytes(byte ^ 0xFF for byte in content))


def _size(block: Path | None) -> str:
    return "nothing" if block is None else f"{block.parent.parent.name} ({block.stat().st_size:,} bytes)"


LIES: dict[str, Callable[[Path, float], str]] = {"older": _older, "damaged": _damaged, "deleted": _deleted}
