"""Leases: only one replica at a time does a kind of work, and a crashed one blocks no other.

A lease is a row with a holder and an expiry. It needs neither an open transaction nor a session, so it works
through a connection pooler, and expires by the database's clock unless renewed.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.database import Database, is_transient
from pastelka_orders.repository import leases

LEASE_SECONDS = 20.0
"""Time to live of a lease without renewal."""

log = structlog.get_logger(__name__)


def _holder() -> str:
    """Identifies process and lease: host, process id and a random part."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class DatabaseLease:
    """The exclusive right to one kind of work. Call its methods within a transaction."""

    name: str
    holder: str = field(default_factory=_holder)
    seconds: float = LEASE_SECONDS

    async def acquire(self, connection: AsyncConnection) -> bool:
        """Acquire or renew the lease; ``False`` while another replica holds it."""
        return await leases.acquire(connection, self.name, self.holder, self.seconds)

    async def lock(self, connection: AsyncConnection) -> bool:
        """Whether we hold the lease; if so, until the transaction ends."""
        return await leases.lock(connection, self.name, self.holder)

    async def release(self, connection: AsyncConnection) -> None:
        """Release the lease immediately."""
        await leases.delete(connection, self.name, self.holder)


@asynccontextmanager
async def leased(database: Database, name: str) -> AsyncIterator[bool]:
    """Hold a lease while the body runs; yields ``False`` if another replica holds it.

    If it cannot be renewed before it expires, the body is cancelled and ``TimeoutError`` is raised.
    """
    lease = DatabaseLease(name)
    if not await database.write(lease.acquire):
        yield False
        return
    async with asyncio.timeout(lease.seconds) as deadline:
        renewing = asyncio.create_task(_renew(database, lease, deadline))
        try:
            yield True
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})
            await released(database, lease)


async def released(database: Database, lease: DatabaseLease) -> None:
    """Release a lease; if the database is unavailable, it expires instead."""
    try:
        await database.write(lease.release)
    except Exception as error:
        if not is_transient(error):
            raise
        log.debug("lease not released", lease=lease.name, error=str(error))


async def _renew(database: Database, lease: DatabaseLease, deadline: asyncio.Timeout) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(lease.seconds / 4)
        requested_at = loop.time()
        try:
            is_ours = await database.write(lease.acquire)
        except Exception as error:  # noqa: BLE001 - the next renewal may succeed
            log.warning("lease not renewed", lease=lease.name, error=str(error))
            continue
        if not is_ours:
            deadline.reschedule(loop.time())
            return
        deadline.reschedule(requested_at + lease.seconds)
