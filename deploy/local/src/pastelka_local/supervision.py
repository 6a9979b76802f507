"""supervisord: its configuration and its RPC client."""

import contextlib
import hashlib
import os
import resource
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Error as RpcError
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from pastelka_local.plan import Group, Process
from pastelka_local.private import PRIVATE_UMASK

_MAX_SOCKET_PATH = 103
_PRIORITIES: dict[Group, int] = {"watch": 1, "servers": 10, "services": 20}
"""supervisord stops groups from the highest priority to the lowest, each after the one before has exited."""
_OPEN_FILES = 10_000
"""Limit of open files per process: nginx has two for each browser."""
MARKER = "PASTELKA_STACK"
"""Environment variable that marks every process of a stack: its data folder."""


def socket_path(run: Path) -> Path:
    """Path of supervisord's socket: in ``run``, or in a short private folder if that path is too long."""
    path = run / "supervisor.sock"
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(run)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"pastelka-{os.getuid()}-{digest}" / "s"


def render_config(processes: Sequence[Process], run: Path, log: Path) -> str:
    """The text of ``supervisord.conf``."""
    sections = [_daemon_section(run, log), *(_program_section(process, log) for process in processes)]
    for group, priority in _PRIORITIES.items():
        names = [process.name for process in processes if process.group == group]
        if names:
            sections.append(_section(f"group:{group}", {"programs": ",".join(names), "priority": priority}))
    return "\n".join(sections)


def spawn(config: Path, environment: dict[str, str]) -> None:
    """Start supervisord as a daemon. Raises ``CalledProcessError`` with its output."""
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)],
        env=environment,
        cwd=config.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )


class Supervisor:
    """RPC client of a running supervisord."""

    def __init__(self, run: Path) -> None:
        self._url = f"unix://{socket_path(run)}"

    def pid(self) -> int | None:
        """supervisord's process id, or ``None`` if it does not respond."""
        try:
            return int(self._call("getPID"))
        except (OSError, RpcError, HTTPException):
            return None

    def start(self, processes: Iterable[Process]) -> None:
        """Start processes without waiting for them."""
        for process in processes:
            with contextlib.suppress(RpcError):  # started already
                self._call("startProcess", f"{process.group}:{process.name}", False)

    def processes(self) -> dict[str, dict[str, Any]]:
        """supervisord's information on each process by name (``pid``, ``statename``, ``exitstatus``, ...)."""
        return {info["name"]: info for info in self._call("getAllProcessInfo")}

    def shutdown(self) -> None:
        """Stop every process in order, and supervisord itself."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: Any) -> Any:
        with ServerProxy("http://supervisor", transport=SupervisorTransport(serverurl=self._url)) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def _daemon_section(run: Path, log: Path) -> str:
    socket = socket_path(run)
    daemon: dict[str, object] = {
        "logfile": log / "supervisord.log",
        "logfile_maxbytes": "5MB",
        "logfile_backups": 1,
        "pidfile": run / "supervisord.pid",
        "childlogdir": log,
        "directory": run,
        "umask": f"{PRIVATE_UMASK:03o}",
        "minfds": min(_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
    }
    if os.geteuid() == 0:
        daemon["user"] = "root"  # otherwise supervisord prints a warning
    return "\n".join(
        [
            _section("supervisord", daemon),
            _section("unix_http_server", {"file": socket, "chmod": "0600"}),
            _section(
                "rpcinterface:supervisor",
                {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
            ),
        ]
    )


def _program_section(process: Process, log: Path) -> str:
    variables = ",".join(f'{name}="{value}"' for name, value in process.env.items())
    options: dict[str, object] = {
        "command": shlex.join(process.command),
        "directory": process.folder,
        "environment": variables,
        "autostart": "false",
        "autorestart": "true",
        # A process that exits sooner is retried with a growing delay; one that exits later restarts at once.
        "startsecs": 5,
        "startretries": 1_000_000,
        "stopsignal": process.stop_signal,
        "stopwaitsecs": process.stop_seconds,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": log / f"{process.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 3,
    }
    return _section(f"program:{process.name}", options)


def _section(name: str, options: dict[str, object]) -> str:
    lines = (
        f"{option} = {str(value).replace('%', '%%')}" for option, value in options.items() if value != ""
    )
    return "\n".join([f"[{name}]", *lines, ""])
