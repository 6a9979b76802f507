"""What is remembered of one run of one version outside its messages.

A *run* is one request of a person for one version; its key is ``<kind>.<version>.<run>``. Two
buckets hold what a redelivered job must know: the provider's job id with the run's record
(``records``), and whether the run was cancelled.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from pastelka_common.contracts.statuses import StatusType
from pastelka_common.errors import BrokerUnavailableError, TransientError
from pastelka_common.jobs.records import RunRecords
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.topology import CANCELS, PROVIDER_JOBS

T = TypeVar("T")

_LOOK_EVERY = 0.5
_AGAIN = 0.25


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
    except BROKER_ERRORS as error:
        raise BrokerUnavailableError from error


class ProviderJobs:
    """The provider's job ids, so that a redelivered job goes on polling instead of paying again."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket
        self.records = RunRecords(bucket)

    @classmethod
    async def open(cls, nc: Client) -> "ProviderJobs":
        """The bucket, which must exist."""
        return cls(await nc.jetstream().key_value(names_of(nc).bucket(PROVIDER_JOBS)))

    async def get(self, key: str) -> str | None:
        """The id under which the provider knows this run. Raises ``TransientError``."""
        value = await _get(self._bucket, key)
        return value.decode() if value else None

    async def put(self, key: str, provider_job_id: str) -> None:
        """Keep the id; tried until the broker has stored it, because it stands for money."""
        while True:
            try:
                await self._bucket.put(key, provider_job_id.encode())
            except BROKER_ERRORS:
                await asyncio.sleep(_AGAIN)
            else:
                return

    async def keep(self, key: str, provider_job_id: str, *, replacing: Collection[str] = ()) -> str:
        """Keep the id unless another one was kept first; returns the one that is kept.

        One of ``replacing`` (ids of withdrawn jobs) does not count. Tried until the broker has
        answered, as with :meth:`put`.
        """
        while True:
            try:
                await self._bucket.create(key, provider_job_id.encode())
            except KeyWrongLastSequenceError:
                with suppress(TransientError):
                    kept = await self.get(key) or provider_job_id
                    if kept in replacing:
                        await self.put(key, provider_job_id)
                        return provider_job_id
                    return kept
            except BROKER_ERRORS:
                pass
            else:
                return provider_job_id
            await asyncio.sleep(_AGAIN)


class Cancellations:
    """Which runs of one kind were cancelled: asked at the start of a job, heard while it works.

    What is said while the connection is lost is not heard, so every run in hand is asked about
    again after a reconnect.
    """

    def __init__(self, nc: Client, bucket: KeyValue, kind: StatusType) -> None:
        self._nc = nc
        self._bucket = bucket
        self._kind = kind
        # A run may be in hand twice: its second delivery can come before the first one has ended.
        self._in_progress: dict[str, set[asyncio.Event]] = {}
        self._watch: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, nc: Client, kind: StatusType) -> "Cancellations":
        """Listen for cancellations of ``kind``. The bucket must exist."""
        names = names_of(nc)
        self = cls(nc, await nc.jetstream().key_value(names.bucket(CANCELS)), kind)
        await nc.subscribe(names.subject(f"cancels.{kind}.>"), cb=self._hear)
        return self

    @property
    def in_progress(self) -> set[str]:
        """Keys of the runs that are being worked on here."""
        return set(self._in_progress)

    async def check(self, key: str) -> None:
        """Ask once more. Raises :class:`RunCancelled` and ``TransientError``."""
        if await _get(self._bucket, key) is not None:
            raise RunCancelled

    async def guard(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do ``work`` unless the run is or becomes cancelled. Raises :class:`RunCancelled`.

        ``work`` has ended, one way or the other, when this returns or raises.
        """
        # Listen before asking, so that a cancellation in between is not missed.
        with self._listening(key) as cancelled:
            await self.check(key)
            return await _unless(cancelled, work)

    @contextmanager
    def _listening(self, key: str) -> Iterator[asyncio.Event]:
        cancelled = asyncio.Event()
        self._in_progress.setdefault(key, set()).add(cancelled)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._ask_after_reconnects(self._nc.stats["reconnects"]))
        try:
            yield cancelled
        finally:
            self._in_progress[key].discard(cancelled)
            if not self._in_progress[key]:
                del self._in_progress[key]

    async def _ask_after_reconnects(self, connection: int) -> None:
        """Runs while anything is in hand; ``connection`` counts the reconnects already answered for."""
        while self._in_progress:
            await asyncio.sleep(_LOOK_EVERY)
            now = self._nc.stats["reconnects"]
            if now == connection:
                continue
            try:
                await self._ask_about_all()
            except TransientError:
                continue
            connection = now

    async def _ask_about_all(self) -> None:
        for key in list(self._in_progress):
            if await _get(self._bucket, key) is not None:
                self._cancel(key)

    async def _hear(self, msg: Msg) -> None:
        self._cancel(".".join(msg.subject.split(".")[-3:]))

    def _cancel(self, key: str) -> None:
        for cancelled in self._in_progress.get(key, ()):
            cancelled.set()


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
    if not task.cancelled():
        task.exception()  # An error on the way out changes nothing, but asyncio wants it looked at.
