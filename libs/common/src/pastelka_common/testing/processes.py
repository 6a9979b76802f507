"""Processes in tests: the children of this one, and freezing one."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from pastelka_common.testing.waiting import until


def children_running(module: str) -> dict[int, psutil.Process]:
    """Child processes of this one that run ``python -m module``, by their ids.

    A child that ends meanwhile is left out.
    """
    found = {}
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # a zombie is one, too
            if any(module in argument for argument in child.cmdline()):
                found[child.pid] = child
    return found


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
