"""Processes in tests: the children of this one, what memory one took, and freezing one."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from pastelka_common.testing.waiting import until


def children_running(module: str) -> set[int]:
    """Ids of this process's children that run ``python -m module``, without those that end meanwhile."""
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # a zombie is one, too
            if any(module in argument for argument in child.cmdline()):
                found.add(child.pid)
    return found


def peak_memory(pid: int) -> int:
    """The most memory that a process has had resident (``VmHWM``), in bytes.

    Raises ``OSError`` if it has ended.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has ended")


def reset_peak_memory(pid: int) -> None:
    """Let :func:`peak_memory` begin anew, with what the process has now, as in proc(5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def freeze(pid: int) -> None:
    """Stop a process (SIGSTOP), and return once each of its threads is stopped.

    The signal takes effect after ``kill`` returns: a thread may still respond meanwhile.
    """
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: _states(pid) <= {"T", "t"})


def _states(pid: int) -> set[str]:
    """States of a process's threads, as in proc_pid_stat(5); of the process itself without /proc."""
    threads = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    if not threads:
        return {"T" if psutil.Process(pid).status() == psutil.STATUS_STOPPED else "R"}
    states = set()
    for stat in threads:
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            states.add(stat.read_text().rpartition(")")[2].split()[0])
    return states
