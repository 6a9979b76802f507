"""Starts and stops the stack."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pastelka_common.servers import (
    BucketServer,
    MercureServer,
    NatsServer,
    NginxServer,
    PostgresServer,
    Server,
    ServerError,
)
from pastelka_common.servers.base import HOST, write_private
from pastelka_local import accounts, plan
from pastelka_local.dashboard import dist
from pastelka_local.gateway import gateway_settings
from pastelka_local.health import StackState, read_stack_state, read_states, write_states
from pastelka_local.keys import NATS_PASSWORD, hub_keys, stack_secrets
from pastelka_local.orphans import terminate_orphans
from pastelka_local.plan import MonitoredProcess, Process, ServiceKind, StackFile
from pastelka_local.private import make_private, private_umask
from pastelka_local.settings import Settings, choose_public_ports, require_same_storage
from pastelka_local.supervision import MARKER, Supervisor, render_config, socket_path, spawn

Say = Callable[[str], None]
"""Receives one line of text about the step that begins."""

_START_SECONDS = 180.0
_SERVERS_SECONDS = 60.0
_STOP_SECONDS = 90.0
_REAP_SECONDS = 3.0
_PUBLISH_SECONDS = 15.0
_POLL_SECONDS = 0.3
_NOT_PASSED_ON = ("PORT", "HOST", "PYTHONDONTWRITEBYTECODE")
"""Each service has its own port. Bytecode is cached: compiling every module takes longer than starting."""
_MOST_STARTS = 2
_FOLDERS = ("storage", "postgres", "nats", "mercure", "nginx")
_TAIL_LINES = 25


class StackError(Exception):
    """The stack did not start or stop; the message gives the reason."""


@dataclass
class Stack:
    """One start of the stack; ``services`` and ``migrate`` are Python arguments (tests replace them)."""

    settings: Settings
    say: Say
    services: Sequence[ServiceKind] = field(default_factory=lambda: plan.SERVICES)
    migrate: Sequence[str] = field(default_factory=lambda: plan.MIGRATE)
    watch: Callable[[StackState], None] = field(default=lambda _state: None)

    async def start(self) -> StackFile:
        """Start everything; returns when every process is healthy. Files get owner-only permissions.

        Raises :class:`StackError`, :class:`SettingsError`, :class:`ServerError` and :class:`DashboardError`;
        processes that were started keep running, for :func:`end_stack`.
        """
        with private_umask():
            return await self._start()

    async def _start(self) -> StackFile:
        require_same_storage(self.settings)
        own = [self.settings.run, self.settings.log, *(self.settings.data / name for name in _FOLDERS)]
        await asyncio.to_thread(make_private, self.settings.data, own)
        await asyncio.to_thread(terminate_orphans, self.settings.data)
        port, static_port, notes = choose_public_ports(self.settings)
        for note in notes:
            self.say(note)
        drawn = stack_secrets(self.settings.data)
        keys = hub_keys(drawn)
        parts = self._parts(drawn)
        page = await self._prepare(parts.values())
        services = plan.service_processes(self.settings, self.services)
        gateway = self._gateway(port, static_port, services, parts, page)
        await asyncio.to_thread(gateway.prepare)
        environment = self._environment(keys, parts, gateway)
        stack, processes = self._describe([*parts.values(), gateway], services)
        accounts.store_environment(self.settings.run, environment)
        await self._run(stack, processes, environment)
        return stack

    def _parts(self, drawn: dict[str, str]) -> dict[str, Server]:
        """The servers that the environment does not provide."""
        data, given = self.settings.data, self.settings.given
        publisher = given("MERCURE_PUBLISHER_JWT_KEY") or drawn["MERCURE_PUBLISHER_JWT_KEY"]
        subscriber = given("MERCURE_SUBSCRIBER_JWT_KEY") or drawn["MERCURE_SUBSCRIBER_JWT_KEY"]
        hub = MercureServer(folder=data / "mercure", publisher_key=publisher, subscriber_key=subscriber)
        parts: dict[str, Server] = {
            "DATABASE_URL": PostgresServer(folder=data / "postgres"),
            "NATS_URL": NatsServer(folder=data / "nats", password=drawn[NATS_PASSWORD]),
            "MERCURE_URL": hub,
        }
        parts = {variable: server for variable, server in parts.items() if given(variable) is None}
        if self.settings.own_bucket:
            parts["AWS_ENDPOINT_URL"] = BucketServer(folder=data / "s3")
        for server in parts.values():
            server.report = self._reporter(server.name)
        return parts

    async def _prepare(self, servers: Iterable[Server]) -> Path:
        """Prepare the servers and build the dashboard; returns the dashboard's folder."""
        page, _ = await asyncio.gather(
            asyncio.to_thread(dist, self._reporter("dashboard")),
            asyncio.gather(*(asyncio.to_thread(server.prepare) for server in servers)),
        )
        return page

    def _reporter(self, name: str) -> Say:
        return lambda line: self.say(f"{name}: {line}")

    def _gateway(
        self,
        port: int,
        static_port: int,
        services: Sequence[Process],
        parts: dict[str, Server],
        page: Path,
    ) -> NginxServer:
        api = next(process for process in services if process.name == self.services[0].name)
        hub = parts.get("MERCURE_URL")
        hub_url = hub.url if hub is not None else self.settings.given("MERCURE_URL")
        return NginxServer(
            folder=self.settings.data / "nginx",
            storage=self._storage(),
            page=page,
            api_url=f"http://{HOST}:{api.port}",
            hub_url=hub_url or "",
            port=port,
            static_port=static_port,
            settings=gateway_settings(self.settings, _bucket(parts)),
        )

    def _storage(self) -> Path:
        given = self.settings.given("STORAGE_PATH")
        return Path(given).absolute() if given else self.settings.data / "storage" / "images"

    def _environment(
        self, keys: dict[str, str], parts: dict[str, Server], gateway: NginxServer
    ) -> dict[str, str]:
        """Environment of every process: the stack's own values for unset variables, the rest unchanged."""
        ours = {
            **keys,
            **{variable: server.url for variable, server in parts.items()},
            "STORAGE_PATH": str(self._storage()),
            "STATIC_URL": gateway.static_url,
        }
        if "DATABASE_URL" in ours:
            ours["DATABASE_URL"] = ours["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
        given = {
            name: value for name, value in self.settings.environment.items() if value or name not in ours
        }
        for name in _NOT_PASSED_ON:
            given.pop(name, None)
        bucket = _bucket(parts) or {}
        return {**ours, **given, **bucket, MARKER: str(self.settings.data), "PYTHONUNBUFFERED": "1"}

    def _describe(
        self, servers: Sequence[Server], services: Sequence[Process]
    ) -> tuple[StackFile, list[Process]]:
        described = [_described(server) for server in servers]
        processes = [*described, *services, plan.health_monitor_process(self.settings)]
        gateway = next(server for server in servers if isinstance(server, NginxServer))
        watched = tuple(MonitoredProcess(process.name, process.port, process.probe) for process in processes)
        mode = self.settings.given("AUTH_MODE") or "open"
        return StackFile(gateway.address, gateway.static_url, watched, auth_mode=mode), processes

    async def _run(self, stack: StackFile, processes: Sequence[Process], environment: dict[str, str]) -> None:
        settings = self.settings
        stack.write(settings.run)
        socket_path(settings.run).parent.mkdir(mode=0o700, exist_ok=True)
        config = settings.run / "supervisord.conf"
        write_private(config, render_config(processes, settings.run, settings.log))
        try:
            await asyncio.to_thread(spawn, config, environment)
        except subprocess.CalledProcessError as error:
            raise StackError(f"supervisord did not start: {error.output}") from error
        supervisor = Supervisor(settings.run)
        await self._until_supervised(supervisor)
        await self._in_order(supervisor, processes, environment)
        await self._until(lambda state: state.ready, _START_SECONDS)
        await self._until_published()

    async def _in_order(
        self, supervisor: Supervisor, processes: Sequence[Process], environment: dict[str, str]
    ) -> None:
        """Start servers, processes that need no tables, then migrate and start the rest."""
        first = [process for process in processes if process.group != "services"]
        servers = {process.name for process in first if process.group == "servers"}
        services = [process for process in processes if process.group == "services"]
        await asyncio.to_thread(supervisor.start, first)
        await self._until(lambda state: _are_healthy(state, servers), _SERVERS_SECONDS)
        await asyncio.to_thread(supervisor.start, [p for p in services if not p.needs_database])
        await self._migrated(environment)
        await asyncio.to_thread(supervisor.start, [p for p in services if p.needs_database])

    async def _migrated(self, environment: dict[str, str]) -> None:
        log = self.settings.log / "migrate.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self.migrate),
                env=environment,
                cwd=self.settings.run,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            status = await process.wait()
        if status != 0:
            raise StackError(f"the database could not be migrated (status {status}):\n{tail(log)}")

    async def _until_supervised(self, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + _SERVERS_SECONDS
        while await asyncio.to_thread(supervisor.pid) is None:
            if time.monotonic() > deadline:
                raise StackError(
                    f"supervisord does not respond:\n{tail(self.settings.log / 'supervisord.log')}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _until_published(self) -> None:
        """Wait until ``processes.json`` shows the same state."""
        deadline = time.monotonic() + _PUBLISH_SECONDS
        while not all(
            process["healthy"] for process in read_states(self.settings.run) or [{"healthy": False}]
        ):
            if time.monotonic() > deadline:
                raise StackError(f"the keeper does not keep up:\n{tail(self.settings.log / 'keeper.log')}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _until(self, done: Callable[[StackState], bool], seconds: float) -> None:
        """Wait for the stack. Raises :class:`StackError` if a process exits repeatedly."""
        deadline, pids = time.monotonic() + seconds, dict[str, set[int]]()
        while True:
            state = await read_stack_state(self.settings.run)
            self.watch(state)
            if done(state):
                return
            self._give_up(state, pids, late=time.monotonic() > deadline)
            await asyncio.sleep(_POLL_SECONDS)

    def _give_up(self, state: StackState, pids: dict[str, set[int]], *, late: bool) -> None:
        for process in state.processes:
            seen = pids.setdefault(process.name, set())
            seen |= {process.pid} - {None}  # type: ignore[arg-type]
            if process.healthy or not (late or len(seen) > _MOST_STARTS):
                continue
            what = "is not ready" if late else f"ended {_MOST_STARTS} times at its start"
            log = self.settings.log / f"{process.name}.log"
            raise StackError(f"{process.name} {what}; {log} ends:\n{tail(log)}")


async def end_stack(settings: Settings, say: Say) -> int:
    """Stop every process of the stack, even if supervisord was killed; returns the number of orphans.

    Raises :class:`StackError` if a process cannot be stopped.
    """
    supervisor = Supervisor(settings.run)
    pid = await asyncio.to_thread(supervisor.pid)
    if pid is not None:
        say("stopping; services finish or hand over their active jobs first (at most 45 s)")
        with contextlib.suppress(OSError):
            await asyncio.to_thread(supervisor.shutdown)
        await _until_gone(pid)
    left = await asyncio.to_thread(terminate_orphans, settings.data)
    (settings.run / "stack.json").unlink(missing_ok=True)
    accounts.delete_environment(settings.run)
    socket_path(settings.run).unlink(missing_ok=True)
    if settings.run.is_dir():
        write_states(settings.run, ())
    return left


async def _until_gone(pid: int) -> None:
    """Wait until the process has exited and init has reaped it."""
    for is_there, seconds in ((_is_alive, _STOP_SECONDS), (psutil.pid_exists, _REAP_SECONDS)):
        deadline = time.monotonic() + seconds
        while is_there(pid) and time.monotonic() < deadline:  # noqa: ASYNC110 - another process
            await asyncio.sleep(_POLL_SECONDS)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tail(log: Path) -> str:
    """The last lines of a log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "(it printed nothing)"
    return "\n".join(lines[-_TAIL_LINES:])


def _are_healthy(state: StackState, names: set[str]) -> bool:
    return names <= {process.name for process in state.processes if process.healthy}


def _bucket(parts: dict[str, Server]) -> dict[str, str] | None:
    """Settings of the stack's own bucket for the services; settings of an external bucket are removed."""
    server = parts.get("AWS_ENDPOINT_URL")
    return {**server.settings(), "AWS_SESSION_TOKEN": ""} if isinstance(server, BucketServer) else None


def _described(server: Server) -> Process:
    match server:
        case PostgresServer():
            return plan.server_process(server, server.port, "postgres")
        case NatsServer():
            return plan.server_process(server, server.port, f"{server.monitoring_url}/healthz")
        case MercureServer():
            return plan.server_process(server, server.port, f"{server.origin}/healthz")
        case BucketServer():
            return plan.server_process(server, server.port, f"{server.url}/healthz")
        case NginxServer():
            return plan.server_process(server, server.port, f"{server.url}/healthz")
    raise ServerError(f"{server.name} is not part of the stack")


__all__ = ["Stack", "StackError", "end_stack", "tail"]
