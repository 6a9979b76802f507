"""What is remembered of one run of one version outside its messages.

A *run* is one request of a person for one version; its key is ``<kind>.<version>.<run>``. Two
buckets hold what a redelivered job must know: the provider's job id, and whether the run was
cancelled.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError, KeyNotFoundError
from nats.js.kv import KeyValue

from pastelka_common.contracts.statuses import StatusType
from pastelka_common.errors import TransientError
from pastelka_common.messaging.topology import CANCELS, PROVIDER_JOBS

T = TypeVar("T")

_BROKER_ERRORS = (NatsError, APIError, TimeoutError, OSError)


class RunCancelled(Exception):  # noqa: N818 - an outcome a person asked for, not an error
    """A person cancelled the run."""


def cancel_subject(key: str) -> str:
    """Where a cancellation of the run ``key`` is published so that the bucket keeps it."""
    return f"$KV.{CANCELS}.{key}"


async def _get(bucket: KeyValue, key: str) -> bytes | None:
    try:
        return (await bucket.get(key)).value
    except KeyNotFoundError:
        return None
    except _BROKER_ERRORS as error:
        raise TransientError("broker_unavailable", "The message broker did not answer.") from error


class ProviderJobs:
    """The provider's job ids, so that a redelivered job goes on polling instead of paying again."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    @classmethod
    async def open(cls, nc: Client) -> "ProviderJobs":
        """The bucket, which must exist."""
        return cls(await nc.jetstream().key_value(PROVIDER_JOBS))

    async def get(self, key: str) -> str | None:
        """The id under which the provider knows this run. Raises ``TransientError``."""
        value = await _get(self._bucket, key)
        return value.decode() if value else None

    async def put(self, key: str, provider_job_id: str) -> None:
        """Keep the id; tried until the broker has stored it, because it stands for money."""
        while True:
            try:
                await self._bucket.put(key, provider_job_id.encode())
            except _BROKER_ERRORS:
                await asyncio.sleep(0.25)
            else:
                return


class Cancellations:
    """Which runs of one kind were cancelled: asked at the start of a job, heard while it works."""

    def __init__(self, nc: Client, bucket: KeyValue, kind: StatusType) -> None:
        self._nc = nc
        self._bucket = bucket
        self._kind = kind
        self._heard: dict[str, asyncio.Event] = {}

    @classmethod
    async def open(cls, nc: Client, kind: StatusType) -> "Cancellations":
        """Listen for cancellations of ``kind``. The bucket must exist."""
        self = cls(nc, await nc.jetstream().key_value(CANCELS), kind)
        await nc.subscribe(f"cancels.{kind}.>", cb=self._hear)
        return self

    async def guard(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do ``work`` unless the run is or becomes cancelled. Raises :class:`RunCancelled`.

        ``work`` has ended, one way or the other, when this returns or raises.
        """
        # Listen before asking, so that a cancellation in between is not missed.
        cancelled = self._heard.setdefault(key, asyncio.Event())
        try:
            if await _get(self._bucket, key) is not None:
                raise RunCancelled
            return await _unless(cancelled, work)
        finally:
            self._heard.pop(key, None)

    async def refresh(self) -> None:
        """Ask about every run in hand again: what was cancelled while the connection was lost."""
        for key, cancelled in list(self._heard.items()):
            if await _get(self._bucket, key) is not None:
                cancelled.set()

    async def _hear(self, msg: Msg) -> None:
        key = ".".join(msg.subject.split(".")[-3:])
        if key in self._heard:
            self._heard[key].set()


async def _unless(cancelled: asyncio.Event, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    task = asyncio.create_task(work())
    waiting = asyncio.create_task(cancelled.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RunCancelled
        return task.result()
    finally:
        waiting.cancel()
        await _end(task)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel the task if it still runs, and wait for its end (it may finish a submission first)."""
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task})
