"""The route from the services to PostgreSQL, and faults on it that do not kill the server.

Every service connects through a proxy whose connections can go silent; in half of the runs (even seeds) it
leads through PgBouncer in transaction mode, if that is installed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from pastelka_common.servers import PostgresServer, ServerProcess, running
from pastelka_orders.connections import SERVICE
from tests import pgbouncer
from tests.silent_proxy import SilentProxy

_READ_ONLY = "default_transaction_read_only"
_LOCKS = "SELECT 1 FROM leases FOR UPDATE; SELECT 1 FROM images FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Route:
    """How the services reach PostgreSQL."""

    postgres: PostgresServer
    proxies: tuple[SilentProxy, ...]
    pooler: ServerProcess | None

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the services."""
        names = ("DATABASE_URL", "DATABASE_DIRECT_URL")
        return {name: self._url(proxy) for name, proxy in zip(names, self.proxies, strict=False)}

    def _url(self, proxy: SilentProxy) -> str:
        there = f":{self.postgres.port}/"
        return self.postgres.url.replace("postgresql://", "postgresql+asyncpg://").replace(
            there, f":{proxy.port}/"
        )

    async def silent(self, seconds: float) -> str:
        """Silence established connections; afterwards the delayed data arrives."""
        count = sum(proxy.silence() for proxy in self.proxies)
        try:
            await asyncio.sleep(seconds)
        finally:
            for proxy in self.proxies:
                proxy.speak()
        return f"{count} connections"

    async def readonly(self, seconds: float) -> str:
        """Make every new transaction read-only, as after a failover."""
        await self._alter(f"ALTER SYSTEM SET {_READ_ONLY} = on")
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._alter(f"ALTER SYSTEM RESET {_READ_ONLY}")
        return ""

    async def orphan(self, seconds: float) -> str:
        """Let a session hold locks of rows that the service works on while its client is silent."""
        connection = await asyncpg.connect(self.postgres.url, server_settings=SERVICE.session, timeout=10)
        try:
            await _lock(connection)
            await asyncio.sleep(seconds)
        finally:
            is_ended = connection.is_closed()
            connection.terminate()
        return "ended by the server" if is_ended else "NOT ended by the server"

    async def _alter(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.url, server_settings={_READ_ONLY: "off"}, timeout=10)
        try:
            await connection.execute(statement)
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close(timeout=5)


async def _lock(connection: asyncpg.Connection) -> None:
    """Acquire `_LOCKS` in an open transaction; another fault may hold them longer than the lock timeout."""
    async with asyncio.timeout(60):
        while True:
            try:
                await connection.execute(f"BEGIN; {_LOCKS}")
            except asyncpg.LockNotAvailableError:
                await connection.execute("ROLLBACK")
            else:
                return


@asynccontextmanager
async def route(postgres: PostgresServer, *, pooled: bool) -> AsyncIterator[Route]:
    """The route to a running PostgreSQL, until the block ends."""
    direct = SilentProxy("127.0.0.1", postgres.port)
    if not (pooled and pgbouncer.is_installed()):
        async with direct:
            yield Route(postgres, (direct,), None)
        return
    server = pgbouncer.PgBouncer(folder=postgres.folder.parent / "pgbouncer", postgres=postgres, sessions=20)
    async with running(server) as pooler, SilentProxy("127.0.0.1", server.port) as near, direct:
        yield Route(postgres, (near, direct), pooler)
