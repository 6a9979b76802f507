"""The Mercure hub: Caddy with the module of dunglas/mercure, configured by ``deploy/mercure/Caddyfile``."""

import secrets
from dataclasses import dataclass, field
from typing import ClassVar

from pastelka_common.servers.base import HOST, Server, deploy_folder, responds
from pastelka_common.servers.mercure_binary import mercure_binary
from pastelka_common.servers.ports import free_port


def _random_key() -> str:
    return secrets.token_urlsafe(48)


@dataclass(kw_only=True)
class MercureServer(Server):
    """A hub that keeps a history of updates and requires a token (HS256) from every client."""

    name: ClassVar[str] = "mercure"

    port: int = 0
    publisher_key: str = field(default_factory=_random_key, repr=False)
    subscriber_key: str = field(default_factory=_random_key, repr=False)

    def choose_ports(self) -> None:
        self.port = free_port()

    def prepare(self) -> None:
        if not self.port:
            self.choose_ports()
        self.folder.mkdir(parents=True, exist_ok=True)
        mercure_binary(self.report)

    def argv(self) -> list[str]:
        caddyfile = deploy_folder() / "mercure" / "Caddyfile"
        return [str(mercure_binary(self.report)), "run", "--config", str(caddyfile), "--adapter", "caddyfile"]

    def env(self) -> dict[str, str]:
        return {
            "MERCURE_HOST": HOST,
            "MERCURE_PORT": str(self.port),
            "MERCURE_DATA": str(self.folder),
            "MERCURE_PUBLISHER_JWT_KEY": self.publisher_key,
            "MERCURE_SUBSCRIBER_JWT_KEY": self.subscriber_key,
            # Caddy stores its own data there.
            "XDG_DATA_HOME": str(self.folder / "caddy"),
            "XDG_CONFIG_HOME": str(self.folder / "caddy"),
            "GOMEMLIMIT": "256MiB",
        }

    @property
    def origin(self) -> str:
        """``http://host:port``, for a proxy."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """URL for publishing and subscribing (``MERCURE_URL``)."""
        return f"{self.origin}/.well-known/mercure"

    async def ready(self) -> bool:
        return await responds(f"{self.origin}/healthz")
