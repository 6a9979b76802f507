"""Monitors that streams, buckets and consumers exist, and recreates missing ones.

A broker may lose its store, or an operator may delete a stream, while the services run. The first process
that detects it recreates what is missing; the reconciler of ``orders`` rebuilds its content.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from nats.aio.client import Client
from prometheus_client import Counter

from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.pauses import held_until
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.stored_messages import list_stream_names
from pastelka_common.messaging.topology import (
    ConsumerSpec,
    delete_retired_consumers,
    ensure_consumer,
    ensure_streams,
    streams,
)

log = structlog.get_logger(__name__)

DECLARED = Counter(
    "pastelka_topology_recreated_total", "Streams and buckets recreated after a loss", ["stream"]
)

_CHECK_INTERVAL = 2.0
_RECONNECT_CHECKS = 4  # checks for reconnects per interval
_LEADER_SECONDS = 60.0
_RETRY_DELAY = 0.5


class TopologyMonitor:
    """Recreates what ``specs`` need after a loss, and after every reconnect.

    ``on_loss`` is called after each of these: the streams' content may be lost.
    """

    def __init__(
        self,
        nc: Client,
        specs: Sequence[ConsumerSpec],
        *,
        replicas: int = 1,
        every: float = _CHECK_INTERVAL,
        on_loss: Callable[[], None] = lambda: None,
    ) -> None:
        self._nc = nc
        self._specs = specs
        self._replicas = replicas
        self._every = every
        self._on_loss = on_loss
        self._connection = nc.stats["reconnects"]
        self._stopped = asyncio.Event()
        self._names = {str(stream.name) for stream in streams(names=names_of(nc))}

    async def declare(self, *, is_recreated: bool = False) -> None:
        """Create or update everything. Raises ``TopologyError`` and the client's errors.

        With ``is_recreated``, a consumer that is missing may have been paused.
        """
        await ensure_streams(self._nc, self._replicas)
        for spec in self._specs:
            await ensure_consumer(self._nc, spec, paused_until=held_until(spec) if is_recreated else None)

    async def declare_first(self) -> None:
        """Create everything at startup, with retries: a cluster that has just started has no leader yet.

        Raises ``TopologyError`` at once, and the client's errors after a minute.
        """
        deadline = time.monotonic() + _LEADER_SECONDS
        while True:
            try:
                await self.declare()
                return await delete_retired_consumers(self._nc)
            except BROKER_ERRORS as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("stream declaration failed", error=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY_DELAY)

    def stop(self) -> None:
        """Make :meth:`run` end; cancel its task as well.

        Cancellation alone is unreliable: ``asyncio.wait_for`` of Python 3.11, which the client uses, can
        swallow one at the moment its call returns.
        """
        self._stopped.set()

    async def run(self) -> None:
        """Monitor until stopped."""
        while not self._stopped.is_set():
            for _ in range(_RECONNECT_CHECKS):
                await asyncio.sleep(self._every / _RECONNECT_CHECKS)
                if self._reconnected or self._stopped.is_set():
                    break
            if self._stopped.is_set() or not self._nc.is_connected:
                continue
            try:
                await self._check()
            except Exception as error:  # noqa: BLE001 - checked again shortly
                log.warning("topology check failed", error=str(error) or type(error).__name__)

    @property
    def _reconnected(self) -> bool:
        return self._nc.is_connected and self._connection != self._nc.stats["reconnects"]

    async def _check(self) -> None:
        connection = self._nc.stats["reconnects"]
        missing = self._names - await list_stream_names(self._nc)
        if not missing and connection == self._connection:
            return
        await self.declare(is_recreated=True)
        self._connection = connection
        for name in sorted(missing):
            DECLARED.labels(name).inc()
            log.warning("stream recreated", stream=name)
        self._on_loss()


@asynccontextmanager
async def managed_topology(
    nc: Client,
    specs: Sequence[ConsumerSpec],
    *,
    replicas: int = 1,
    on_loss: Callable[[], None] = lambda: None,
) -> AsyncIterator[None]:
    """Declare the topology, and monitor it while the body runs."""
    monitor = TopologyMonitor(nc, specs, replicas=replicas, on_loss=on_loss)
    await monitor.declare_first()
    task = asyncio.create_task(monitor.run(), name="topology-monitor")
    try:
        yield
    finally:
        monitor.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
