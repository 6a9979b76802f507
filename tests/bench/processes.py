"""CPU time and memory of processes and their descendants."""

from collections.abc import Iterable, Mapping

import psutil

from pastelka_local.testing import RunningStack

_MIB = 1024 * 1024


def pids(stack: RunningStack) -> dict[str, int]:
    """Process ids of all services and servers of a stack, by name."""
    servers = {name: server.pid for name, server in stack.servers.items()}
    return servers | {name: service.pid for name, service in stack.services.items()}


def cpu_seconds(pid: int) -> float:
    """CPU time (user and system) of a process and its descendants, exited ones included."""
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def cpu_of(named: Mapping[str, int]) -> dict[str, float]:
    """:func:`cpu_seconds` of each."""
    return {name: cpu_seconds(pid) for name, pid in named.items()}


def memory_of(named: Mapping[str, int], names: Iterable[str]) -> float:
    """Memory of these processes with their descendants in MiB, shared pages counted once (PSS)."""
    processes = [process for name in names if name in named for process in _tree(named[name])]
    return sum(_pss(process) for process in processes) / _MIB


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
