"""The table of a stack's processes, which all other modules read."""

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pastelka_common.servers import Server, free_port
from pastelka_common.servers.base import HOST
from pastelka_local.settings import Settings

Group = Literal["servers", "services", "watch"]

SERVICE_STOP_SECONDS = 45
"""A worker finishes or nacks its active jobs within 30 s; then it is killed."""
_SERVER_STOP_SECONDS = 20


@dataclass(frozen=True)
class ServiceKind:
    """One kind of service process. ``argv`` follows the Python interpreter."""

    name: str
    argv: tuple[str, ...]
    needs_database: bool = False


SERVICES: tuple[ServiceKind, ...] = (
    ServiceKind("orders-api", ("-m", "pastelka_orders.entrypoints.api"), needs_database=True),
    ServiceKind("orders-worker", ("-m", "pastelka_orders.entrypoints.worker"), needs_database=True),
    ServiceKind("coloring", ("-m", "pastelka_coloring")),
    ServiceKind("vectorize", ("-m", "pastelka_vectorize")),
    ServiceKind("notifier", ("-m", "pastelka_notifier")),
)
MIGRATE = ("-m", "pastelka_orders.entrypoints.migrate")


@dataclass(frozen=True)
class Process:
    """One process of the stack.

    ``probe`` is a URL that returns 2xx when the process is healthy, ``postgres`` for PostgreSQL's own
    protocol, or ``None`` if running is the only check.
    """

    name: str
    group: Group
    command: Sequence[str]
    folder: Path
    port: int | None = None
    probe: str | None = None
    env: dict[str, str] = field(default_factory=dict, repr=False)
    stop_signal: str = "TERM"
    stop_seconds: int = SERVICE_STOP_SECONDS
    needs_database: bool = False


@dataclass(frozen=True)
class MonitoredProcess:
    """Data about a process for the health monitor and ``status``; stored in ``run/stack.json``."""

    name: str
    port: int | None
    probe: str | None


@dataclass(frozen=True)
class StackFile:
    """``run/stack.json``: the addresses of a running stack. It holds no secrets."""

    address: str
    static_url: str
    processes: tuple[MonitoredProcess, ...]
    auth_mode: str = "open"

    def write(self, run: Path) -> None:
        """Write the file atomically."""
        making = run / "stack.json.making"
        making.write_text(json.dumps(asdict(self), indent=1))
        making.replace(run / "stack.json")

    @classmethod
    def read(cls, run: Path) -> "StackFile | None":
        """Read the file; ``None`` if there is no stack."""
        try:
            content = json.loads((run / "stack.json").read_text())
        except FileNotFoundError:
            return None
        watched = tuple(MonitoredProcess(**process) for process in content["processes"])
        return cls(**{**content, "processes": watched})


def server_process(server: Server, port: int, probe: str) -> Process:
    """The process of a server."""
    return Process(
        name=server.name,
        group="servers",
        command=server.command(),
        folder=server.folder,
        port=port,
        probe=probe,
        env=server.env(),
        stop_signal=signal.Signals(server.stop_signal).name.removeprefix("SIG"),
        stop_seconds=_SERVER_STOP_SECONDS,
    )


def service_processes(settings: Settings, kinds: Sequence[ServiceKind] = SERVICES) -> list[Process]:
    """All replicas of every service, each on its own free port."""
    return [
        _service(settings, kind, kind.name if number == 1 else f"{kind.name}-{number}")
        for kind in kinds
        for number in range(1, settings.replicas.get(kind.name, 1) + 1)
    ]


def health_monitor_process(settings: Settings) -> Process:
    """The process that updates ``processes.json``."""
    return Process(
        name="keeper",
        group="watch",
        command=[sys.executable, "-m", "pastelka_local.health_monitor", str(settings.data)],
        folder=settings.run,
        stop_seconds=5,
    )


def _service(settings: Settings, kind: ServiceKind, name: str) -> Process:
    port = free_port()
    return Process(
        name=name,
        group="services",
        command=[sys.executable, *kind.argv],
        folder=settings.run,
        port=port,
        probe=f"http://{HOST}:{port}/readyz",
        env={"PORT": str(port), "HOST": HOST},
        needs_database=kind.needs_database,
    )
