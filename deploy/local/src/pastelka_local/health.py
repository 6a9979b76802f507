"""How the processes are: what supervisord knows, and what they answer."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pastelka_common.servers.base import answers
from pastelka_common.servers.postgres import accepts_connections
from pastelka_local.plan import StackFile, Watched
from pastelka_local.supervision import Supervisor

_RUNNING = {"STARTING", "RUNNING"}


@dataclass(frozen=True)
class ProcessState:
    """A line of ``processes.json``; ``pid`` is ``None`` while it is not running."""

    name: str
    pid: int | None
    port: int | None
    healthy: bool


@dataclass(frozen=True)
class StackState:
    """All processes, supervisord first; none where no stack runs."""

    processes: tuple[ProcessState, ...]

    @property
    def ready(self) -> bool:
        """Whether every process is healthy."""
        return bool(self.processes) and all(process.healthy for process in self.processes)


async def look(run: Path) -> StackState:
    """The state of the stack whose ``run`` folder this is; empty where none runs."""
    stack, supervisor = StackFile.read(run), Supervisor(run)
    pid = await asyncio.to_thread(supervisor.pid)
    if stack is None or pid is None:
        return StackState(())
    try:
        known = await asyncio.to_thread(supervisor.processes)
    except OSError:  # it ended in between
        return StackState(())
    states = await asyncio.gather(
        *(_state(watched, known.get(watched.name, {})) for watched in stack.processes)
    )
    return StackState((ProcessState("supervisor", pid, None, healthy=True), *states))


def write_states(run: Path, states: Sequence[ProcessState]) -> None:
    """Replace ``processes.json`` in one step."""
    making = run / ".processes.json.making"
    making.write_text(json.dumps([asdict(state) for state in states]))
    making.replace(run / "processes.json")


def read_states(run: Path) -> list[dict[str, Any]]:
    """What ``processes.json`` says; nothing where there is none."""
    try:
        states: list[dict[str, Any]] = json.loads((run / "processes.json").read_text())
    except FileNotFoundError:
        return []
    return states


async def _state(watched: Watched, info: dict[str, Any]) -> ProcessState:
    running = info.get("statename") in _RUNNING
    healthy = running and await _healthy(watched)
    return ProcessState(watched.name, int(info["pid"]) if running else None, watched.port, healthy)


async def _healthy(watched: Watched) -> bool:
    if watched.probe == "postgres" and watched.port is not None:
        return await accepts_connections(watched.port)
    return watched.probe is None or await answers(watched.probe)
