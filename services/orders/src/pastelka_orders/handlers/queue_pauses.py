"""Pause and resume of coloring and vectorizing.

The database says which queues are paused, and JetStream's consumers are paused accordingly: by the request,
and by :class:`PauseKeeper` where that failed, or the broker lost its store. Work in progress goes on.
"""

import asyncio
from dataclasses import dataclass

import structlog
from nats.aio.client import Client
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import QueueChanged
from pastelka_common.contracts.statuses import StatusType
from pastelka_common.messaging import pauses as consumers
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.topology import (
    COLORING_CONSUMER,
    VECTORIZE_CONSUMER,
    ConsumerSpec,
    TopologyError,
)
from pastelka_common.process import wait_at_most
from pastelka_orders.database import Database, DatabaseUnavailableError
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import queue_pauses

CONSUMERS: dict[StatusType, ConsumerSpec] = {"coloring": COLORING_CONSUMER, "svg": VECTORIZE_CONSUMER}

log = structlog.get_logger(__name__)


async def pause(database: Database, nc: Client, kind: StatusType, paused_by: str) -> None:
    """Give workers no more jobs of this kind.

    If the broker does not respond, :class:`PauseKeeper` applies it as soon as it does.
    """
    await database.write(lambda c: _store(c, kind, paused_by))
    await _apply(nc, kind, is_paused=True)


async def resume(database: Database, nc: Client, kind: StatusType) -> None:
    """Give workers jobs of this kind again, likewise."""
    await database.write(lambda c: _store(c, kind, None))
    await _apply(nc, kind, is_paused=False)


async def _store(connection: AsyncConnection, kind: StatusType, paused_by: str | None) -> None:
    if paused_by is None:
        is_changed = await queue_pauses.resume(connection, kind)
    else:
        is_changed = await queue_pauses.pause(connection, kind, paused_by)
    if is_changed:
        await Outbox.publish(connection, QueueChanged(kind=kind))


async def _apply(nc: Client, kind: StatusType, *, is_paused: bool) -> None:
    try:
        await (consumers.pause if is_paused else consumers.resume)(nc, CONSUMERS[kind])
    except (*BROKER_ERRORS, TopologyError) as error:
        log.warning("queue pause deferred", kind=kind, is_paused=is_paused, error=str(error))


@dataclass
class PauseKeeper:
    """Pauses and resumes the consumers as stored, every ``interval`` seconds.

    A consumer that is recreated after a loss delivers nothing for longer than an interval. A pause that was
    not made here, such as by hand, stays.
    """

    database: Database
    nc: Client
    interval: float = 1.0

    async def run(self, stop: asyncio.Event) -> None:
        """Compare until ``stop`` is set; failures are retried."""
        while not stop.is_set():
            if self.nc.is_connected:
                await self._try()
            await wait_at_most(stop, self.interval)

    async def keep(self) -> None:
        """Compare once. Raises the errors of the database and the broker."""
        stored = await self.database.read(queue_pauses.pauses)
        for kind, spec in CONSUMERS.items():
            state = await consumers.pause_state(self.nc, spec)
            if kind in stored and state != "paused":
                await consumers.pause(self.nc, spec)
                log.warning("queue paused again", kind=kind, was=state)
            elif kind not in stored and state == "paused":
                await consumers.resume(self.nc, spec)
                log.warning("queue resumed", kind=kind)

    async def _try(self) -> None:
        try:
            await self.keep()
        except (*BROKER_ERRORS, TopologyError, DatabaseUnavailableError, SQLAlchemyError) as error:
            log.warning("queue pauses not compared", error=str(error) or type(error).__name__)
