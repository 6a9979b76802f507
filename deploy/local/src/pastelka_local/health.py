"""Health of the processes: supervisord's state and their own health endpoints."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from pastelka_common.servers.postgres import accepts_connections
from pastelka_local.plan import MonitoredProcess, StackFile
from pastelka_local.supervision import Supervisor

_RUNNING = {"STARTING", "RUNNING"}
_PROBE = aiohttp.ClientTimeout(total=4)  # a service allows three seconds for each of its checks
_NO_ANSWER = "no answer"


@dataclass(frozen=True)
class ProcessState:
    """An entry of ``processes.json``; ``pid`` is ``None`` while the process is not running.

    ``problem`` is the message of a running, unhealthy process, or empty; it is not written to the file.
    """

    name: str
    pid: int | None
    port: int | None
    healthy: bool
    problem: str = ""

    def as_entry(self) -> dict[str, Any]:
        """The entry in the format of ``processes.json``."""
        return {"name": self.name, "pid": self.pid, "port": self.port, "healthy": self.healthy}


@dataclass(frozen=True)
class StackState:
    """All processes, supervisord first; empty if no stack runs."""

    processes: tuple[ProcessState, ...]

    @property
    def ready(self) -> bool:
        """Whether every process is healthy."""
        return bool(self.processes) and all(process.healthy for process in self.processes)


async def read_stack_state(run: Path) -> StackState:
    """The state of the stack whose ``run`` folder this is; empty where none runs."""
    stack, supervisor = StackFile.read(run), Supervisor(run)
    pid = await asyncio.to_thread(supervisor.pid)
    if stack is None or pid is None:
        return StackState(())
    try:
        known = await asyncio.to_thread(supervisor.processes)
    except OSError:  # it exited meanwhile
        return StackState(())
    states = await asyncio.gather(
        *(_state(watched, known.get(watched.name, {})) for watched in stack.processes)
    )
    return StackState((ProcessState("supervisor", pid, None, healthy=True), *states))


def write_states(run: Path, states: Sequence[ProcessState]) -> None:
    """Replace ``processes.json`` atomically."""
    making = run / ".processes.json.making"
    making.write_text(json.dumps([state.as_entry() for state in states]))
    making.replace(run / "processes.json")


def read_states(run: Path) -> list[dict[str, Any]]:
    """The entries of ``processes.json``; empty if the file does not exist."""
    try:
        states: list[dict[str, Any]] = json.loads((run / "processes.json").read_text())
    except FileNotFoundError:
        return []
    return states


async def _state(watched: MonitoredProcess, info: dict[str, Any]) -> ProcessState:
    running = info.get("statename") in _RUNNING
    if not running:
        return ProcessState(watched.name, None, watched.port, healthy=False)
    problem = await _problem(watched)
    return ProcessState(
        watched.name, int(info["pid"]), watched.port, healthy=problem is None, problem=problem or ""
    )


async def _problem(watched: MonitoredProcess) -> str | None:
    """Problem of a running process; ``None`` if it is healthy."""
    if watched.probe == "postgres" and watched.port is not None:
        return None if await accepts_connections(watched.port) else _NO_ANSWER
    if watched.probe is None:
        return None
    try:
        async with aiohttp.ClientSession(timeout=_PROBE) as http, http.get(watched.probe) as response:
            return None if response.ok else _failed_checks(await response.text()) or f"HTTP {response.status}"
    except (aiohttp.ClientError, TimeoutError):
        return _NO_ANSWER


def _failed_checks(body: str) -> str:
    """Failed checks from a service's ``/readyz``; empty if the body has another format."""
    try:
        checks = json.loads(body)["checks"]
        return "; ".join(f"{name}: {result}" for name, result in checks.items() if result != "ok")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
