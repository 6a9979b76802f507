"""PgBouncer in transaction mode, in front of a PostgreSQL that is running; where it is installed."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from typing import ClassVar

from pastelka_common.servers import PostgresServer, free_port
from pastelka_common.servers.base import HOST, Server, ServerError
from pastelka_common.servers.privileges import change_owner, unprivileged_user

MISSING = "no pgbouncer on the PATH (Debian's package pgbouncer)"


def is_installed() -> bool:
    """Whether the program is there."""
    return shutil.which("pgbouncer") is not None


@dataclass(kw_only=True)
class PgBouncer(Server):
    """A pooler with few sessions, given out in turn: a client has another one with every transaction."""

    name: ClassVar[str] = "pgbouncer"

    postgres: PostgresServer
    sessions: int = 3
    port: int = 0

    def choose_ports(self) -> None:
        self.port = free_port()

    def user(self) -> str | None:
        return unprivileged_user() if os.geteuid() == 0 else None

    def prepare(self) -> None:
        self.port = self.port or free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        user, _, password = self.postgres.url.partition("://")[2].rpartition("@")[0].partition(":")
        users = self.folder / "users.txt"
        users.write_text(f'"{user}" "{password}"\n')
        config = self.folder / "pgbouncer.ini"
        config.write_text(self._configuration())
        owner = self.user()
        for path in (users, config) if owner is not None else ():
            change_owner(path, str(owner))

    def argv(self) -> list[str]:
        program = shutil.which("pgbouncer")
        if program is None:
            raise ServerError(MISSING)
        return [program, str(self.folder / "pgbouncer.ini")]

    @property
    def url(self) -> str:
        return f"postgresql://{HOST}:{self.port}"

    async def ready(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        writer.close()
        return True

    def _configuration(self) -> str:
        settings = {
            "listen_addr": HOST,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": self.folder / "users.txt",
            "pool_mode": "transaction",
            "default_pool_size": self.sessions,
            "max_client_conn": 200,
            "server_round_robin": 1,
            "query_wait_timeout": 10,
            "tcp_user_timeout": 10_000,
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        return f"[databases]\n* = host={HOST} port={self.postgres.port}\n[pgbouncer]\n{lines}"
