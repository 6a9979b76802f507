"""The cost of ``sync_interval: always`` in JetStream, compared with its default."""

import asyncio
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pastelka_common.contracts.messages import OrderChanged
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Outgoing, Publisher, outgoing
from pastelka_common.messaging.topology import ensure_streams
from pastelka_common.servers import NatsServer, running
from tests.bench.figures import Results
from tests.bench.system import Options, say

_ALONE, _TOGETHER, _BATCH = 300, 3000, 100


async def sync_cost(options: Options, results: Results) -> None:
    """Publish single events, and many in atomic batches as the relay does."""
    for name, sync_always in (("synced", True), ("unsynced", False)):
        say(f"broker: {name}")
        with TemporaryDirectory(prefix="pastelka-bench-", dir=options.folder) as folder:
            server = NatsServer(folder=Path(folder), sync_always=sync_always)
            async with running(server), connected(server.url, name="bench") as nc:
                await ensure_streams(nc)
                for _ in range(options.repeats):
                    await _measure(Publisher(nc), name, results)


async def _measure(publisher: Publisher, name: str, results: Results) -> None:
    times = []
    for message in _events(_ALONE):
        begun = time.perf_counter()
        await publisher.send(message)
        times.append(time.perf_counter() - begun)
    results.record(f"broker.{name}.alone", 1000 * median(times))
    begun = time.perf_counter()
    events = _events(_TOGETHER)
    batches = [events[start : start + _BATCH] for start in range(0, _TOGETHER, _BATCH)]
    await asyncio.gather(*(publisher.send_all(batch) for batch in batches))
    results.record(f"broker.{name}.batches", _TOGETHER / (time.perf_counter() - begun))


def _events(count: int) -> list[Outgoing]:
    return [outgoing(OrderChanged(order_number="1270")) for _ in range(count)]
