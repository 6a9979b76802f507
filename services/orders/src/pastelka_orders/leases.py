"""Leases: of several replicas one at a time does a kind of work, and one that vanishes blocks no other.

A lease is a row with a holder and an expiry. It needs no open transaction and no session of its own,
so it survives a connection pooler, and ends by the database's clock when its holder stops renewing it.
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
"""A lease that is not renewed for so long is free."""

log = structlog.get_logger(__name__)


def _holder() -> str:
    """Names this process to people, and this lease to the database."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class DatabaseLease:
    """The right to do one kind of work. Its methods belong into a transaction of the caller."""

    name: str
    holder: str = field(default_factory=_holder)
    seconds: float = LEASE_SECONDS

    async def take(self, connection: AsyncConnection) -> bool:
        """Take or renew it; ``False`` while another holds it."""
        return await leases.take(connection, self.name, self.holder, self.seconds)

    async def holds(self, connection: AsyncConnection) -> bool:
        """Whether it is still ours, and stays so until the transaction ends."""
        return await leases.lock(connection, self.name, self.holder)

    async def release(self, connection: AsyncConnection) -> None:
        """Let another take it at once."""
        await leases.delete(connection, self.name, self.holder)


@asynccontextmanager
async def leased(database: Database, name: str) -> AsyncIterator[bool]:
    """Hold a lease while the body runs; yields ``False`` if another holds it.

    Renewed meanwhile. If it cannot be renewed before it ends, the body is cancelled and
    ``TimeoutError`` is raised.
    """
    lease = DatabaseLease(name)
    if not await database.write(lease.take):
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
    """Release a lease; where the database is away it ends by itself."""
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
        asked = loop.time()
        try:
            is_ours = await database.write(lease.take)
        except Exception as error:  # noqa: BLE001 - the next renewal may get through
            log.warning("lease not renewed", lease=lease.name, error=str(error))
            continue
        if not is_ours:
            deadline.reschedule(loop.time())
            return
        deadline.reschedule(asked + lease.seconds)
