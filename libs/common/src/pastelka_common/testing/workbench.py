"""Harness of a worker service in tests: publishes jobs, records facts and dead letters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from nats.aio.client import Client
from nats.aio.msg import Msg

from pastelka_common.contracts.messages import DeadLetter, Fact, Retry, VersionJob
from pastelka_common.jobs.active_runs import cancel_subject
from pastelka_common.jobs.handler import FACTS
from pastelka_common.jobs.records import RunRecords
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import DEAD, JOBS, STATUS, ensure_streams

Run = Callable[[asyncio.Event], Awaitable[None]]


class Workbench:
    """Publishes jobs, and records a worker's facts and dead letters in order."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        self.facts: list[Fact] = []
        self.dead: list[DeadLetter] = []
        self._publisher = Publisher(nc)
        self._changed = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def open(cls, nats_url: str) -> AsyncIterator[Self]:
        """Purge a server's streams, and subscribe to them."""
        async with connected(nats_url, name="workbench") as nc:
            js = nc.jetstream()
            await ensure_streams(nc)
            for stream in (JOBS, STATUS, DEAD):
                await js.purge_stream(stream)
            bench = cls(nc)
            for subject in ("status.>", "dead.>"):
                await js.subscribe(subject, cb=bench._store, ordered_consumer=True)
            yield bench

    async def put(self, *jobs: VersionJob) -> None:
        """Publish jobs."""
        for job in jobs:
            await self._publisher.publish(job)

    async def cancel(self, job: VersionJob) -> None:
        """Cancel the run of a job, like a user."""
        await self.nc.jetstream().publish(cancel_subject(job.key), b"cancelled")

    async def provider_job_id(self, job: VersionJob) -> str | None:
        """The provider's job id in the record of a run."""
        return (await (await RunRecords.open(self.nc)).read(job.key)).record.provider_job_id

    def statuses(self, job: VersionJob) -> list[str]:
        """Reported statuses of a run, without announcements of retries."""
        return [str(fact.model_dump()["status"]) for fact in self.of(job) if fact.retry is None]

    def retries(self, job: VersionJob) -> list[Retry]:
        """Announced retries of a run."""
        return [fact.retry for fact in self.of(job) if fact.retry is not None]

    def of(self, job: VersionJob) -> list[Fact]:
        """The facts of a run."""
        return [fact for fact in self.facts if (fact.version_id, fact.run) == (job.version_id, job.run)]

    async def until(self, condition: Callable[[], bool], *, timeout: float = 60.0) -> None:
        """Wait until ``condition`` holds."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"not within {timeout} s; facts {self.facts}, dead {self.dead}") from None

    async def until_reported(self, job: VersionJob, status: str) -> None:
        """Wait for a fact of a run."""
        await self.until(lambda: status in self.statuses(job))

    async def until_no_job_is_left(self, *, timeout: float = 20.0) -> None:
        """Wait until every job is acknowledged or abandoned (which removes it from the stream)."""
        js = self.nc.jetstream()
        async with asyncio.timeout(timeout):
            while (await js.stream_info(JOBS)).state.messages:  # noqa: ASYNC110 - a stream has no event for it
                await asyncio.sleep(0.02)

    async def _store(self, msg: Msg) -> None:
        async with self._changed:
            if msg.subject.startswith("dead."):
                self.dead.append(DeadLetter.model_validate_json(msg.data))
            else:
                self.facts.append(FACTS[msg.subject.split(".")[1]].model_validate_json(msg.data))
            self._changed.notify_all()


@asynccontextmanager
async def at_work(run: Run, *, timeout: float = 30.0) -> AsyncIterator["asyncio.Task[Any]"]:
    """Run a service while the body runs, then stop it as by SIGTERM."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(run(stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(timeout):
            await asyncio.gather(task, return_exceptions=task.cancelled())
