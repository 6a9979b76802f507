"""Finds and terminates the orphaned processes of a stack whose supervisord was killed.

A process belongs to the stack if its environment contains the stack's marker. nginx overwrites its
environment with its title, so its program and its working directory in the data folder identify it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from pastelka_local.supervision import MARKER

_WITHOUT_ENVIRONMENT = {"nginx", "postgres"}
_SERVERS = {"nginx", "postgres", "nats-server"}
_TERMINATION_TIMEOUT = 10.0


def find_orphans(data: Path) -> list[psutil.Process]:
    """All processes of the stack in ``data``, except this process and its ancestors."""
    own = psutil.Process()
    spared = {own.pid, *(parent.pid for parent in own.parents())}
    return [
        process for process in psutil.process_iter() if process.pid not in spared and _is_ours(process, data)
    ]


def terminate_orphans(data: Path) -> int:
    """Terminate them, services before servers, with SIGKILL after a timeout; returns their number."""
    found = find_orphans(data)
    servers = [process for process in found if _name(process) in _SERVERS or "mercure" in _name(process)]
    services = [process for process in found if process not in servers]
    for processes in (services, servers):
        _end(processes)
    _end(find_orphans(data))
    return len(found)


def terminate_children() -> None:
    """Terminate the attached child processes (builds, initdb) after an interruption."""
    _end([child for child in psutil.Process().children(recursive=True) if _same_session(child)])


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_TERMINATION_TIMEOUT)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_TERMINATION_TIMEOUT)


def _is_ours(process: psutil.Process, data: Path) -> bool:
    return any(_markers(process, data))


def _markers(process: psutil.Process, data: Path) -> Iterator[bool]:
    with contextlib.suppress(psutil.Error, OSError):
        yield process.environ().get(MARKER) == str(data)
    with contextlib.suppress(psutil.Error, OSError):
        yield _name(process) in _WITHOUT_ENVIRONMENT and Path(process.cwd()).is_relative_to(data)


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def _same_session(process: psutil.Process) -> bool:
    try:
        return os.getsid(process.pid) == os.getsid(0)
    except OSError:
        return False
