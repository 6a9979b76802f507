"""A nats-server for each module, since streams have fixed names; each test finds them empty."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import ServerError

from pastelka_common.contracts.messages import ColoringJob, Failure, Message, Retry
from pastelka_common.contracts.options import ColoringOptions
from pastelka_common.messaging.attempts import AttemptStats, Delivery
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.consumer import JobConsumer
from pastelka_common.messaging.topology import JOBS, ConsumerSpec, ensure_consumer, ensure_streams
from pastelka_common.servers import NatsServer, ServerProcess, running
from pastelka_common.testing.waiting import soon, until

_NO_STORE = 10049

Connect = Callable[[], Awaitable[Client]]
Listen = Callable[[str], Awaitable["asyncio.Queue[Msg]"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """The server process; a test that kills it starts it again."""
    async with running(NatsServer(folder=tmp_path_factory.mktemp("nats"), sync_always=False)) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def connect(broker: ServerProcess) -> AsyncIterator[Connect]:
    """Opens connections, closed after the test."""
    async with AsyncExitStack() as stack:

        async def connect() -> Client:
            return await stack.enter_async_context(connected(broker.url, name="test"))

        yield connect


@pytest_asyncio.fixture(loop_scope="session")
async def nc(connect: Connect) -> Client:
    """A connection; all streams and buckets are new and empty, no consumer exists."""
    client = await connect()
    js = client.jetstream()
    for stream in await js.streams_info():
        await js.delete_stream(stream.config.name or "")

    async def made() -> bool:
        try:
            await ensure_streams(client)
        except ServerError as error:
            # The server clears a deleted stream's folder in its own time.
            assert error.err_code == _NO_STORE  # noqa: PT017
            return False
        return True

    await until(made)
    return client


@pytest.fixture
def js(nc: Client) -> JetStreamContext:
    """JetStream of the connection."""
    return nc.jetstream()


@pytest.fixture
def listen(nc: Client) -> Listen:
    """``await listen(subject)`` is a queue of everything said there from now on."""

    async def listen(subject: str) -> "asyncio.Queue[Msg]":
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        await nc.subscribe(subject, cb=heard.put)
        await nc.flush()
        return heard

    return listen


@pytest.fixture
def job() -> Callable[[int], ColoringJob]:
    """``job(version_id)`` is a coloring job."""

    def make(version_id: int) -> ColoringJob:
        return ColoringJob(
            version_id=version_id,
            run=1,
            order_number="1270",
            image_id=3,
            source="42/121/image_1.jpg",
            target=f"42/121/coloring/v{version_id}/image_1.png",
            options=ColoringOptions(),
        )

    return make


class Worker:
    """A job consumer at work in the background."""

    def __init__(self, consumer: JobConsumer[Any], nc: Client) -> None:
        self.nc = nc
        self._consumer = consumer
        self._stop = asyncio.Event()
        self._grace = 0.0
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._consumer.run(self._stop, grace=self._grace)

    async def stop(self, seconds: float = 10.0) -> None:
        """Say stop and wait for the end."""
        self._stop.set()
        await soon(asyncio.wait({self.task}), seconds)
        self.task.result()

    async def die(self) -> None:
        """End as a killed process does: nothing is sent any more."""
        await self.nc.close()
        self.task.cancel()
        await asyncio.wait({self.task})


class DeliveryAttempts:
    """Attempts as the server counts deliveries, less those that this process knows to have been none."""

    def __init__(self) -> None:
        self._spared: Counter[int] = Counter()

    async def begin(self, _job: Message, delivery: Delivery) -> AttemptStats:
        return AttemptStats(failed=delivery.attempt - 1 - self._spared[delivery.sequence])

    async def failed(self, _job: Message, delivery: Delivery, _failure: Failure) -> int:
        return delivery.attempt - self._spared[delivery.sequence]

    async def released(self, _job: Message, delivery: Delivery) -> None:
        self._spared[delivery.sequence] += 1

    async def retrying(self, _job: Message, _delivery: Delivery, _retry: Retry) -> None:
        pass


StartWorker = Callable[..., Awaitable[Worker]]


@pytest_asyncio.fixture(loop_scope="session")
async def work(nc: Client) -> AsyncIterator[StartWorker]:
    """``await work(handler, spec=..., on=..., grace=..., **of_the_consumer)`` starts a worker."""
    workers: list[Worker] = []

    async def start(
        handler: Any,
        *,
        spec: ConsumerSpec,
        on: Client | None = None,
        grace: float = 0.0,
        job_type: type[Any] = ColoringJob,
        concurrency: int = 1,
        declare: bool = True,
        **options: Any,
    ) -> Worker:
        client = on or nc
        if declare:
            await ensure_consumer(client, spec)
        options.setdefault("attempts", DeliveryAttempts())
        consumer = JobConsumer(client, spec, job_type, handler, concurrency=concurrency, **options)
        worker = Worker(consumer, client)
        worker._grace = grace
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker._stop.set()
        worker.task.cancel()
        await asyncio.wait({worker.task})


@pytest.fixture
def jobs_left(js: JetStreamContext) -> Callable[[int], Awaitable[None]]:
    """``await jobs_left(n)`` waits until ``JOBS`` holds ``n`` messages."""

    async def wait(count: int) -> None:
        async def is_so() -> bool:
            return (await js.stream_info(JOBS)).state.messages == count

        await until(is_so)

    return wait
