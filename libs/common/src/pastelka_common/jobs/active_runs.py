"""The registry of each process's active runs, and cancellation of runs.

A *run* is one request by a user for one version; its key is ``<kind>.<version>.<run>``. A broker that was
unavailable or lost its store redelivers a job that a worker still has. Neither that delivery nor the
reconciler may start the run a second time, which could pay for it twice. So each process answers requests for
its active runs; nothing is stored.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from pastelka_common.contracts.statuses import StatusType
from pastelka_common.errors import BrokerUnavailableError, PostponedError, TransientError
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.request_many import request_many
from pastelka_common.messaging.topology import CANCELS

T = TypeVar("T")

SUBJECT = "services.runs"
"""Subject that every worker answers; ``services.runs.<process>`` is one worker's. In no stream."""

_LIST_TIMEOUT = 1.0
_REQUEST_TIMEOUT = 1.5
_RETRY_DELAY = 5.0
_RECONNECT_CHECK_INTERVAL = 0.5

log = structlog.get_logger(__name__)


class RunCancelled(Exception):  # noqa: N818 - an outcome, not an error
    """A user cancelled the run."""


def cancel_subject(key: str) -> str:
    """Subject that stores the cancellation of run ``key`` in the bucket."""
    return f"$KV.{CANCELS}.{key}"


class ActiveRunRegistry:
    """The active runs of one kind in this process, each at most once.

    A cancellation published while disconnected is not received, so after a reconnect the bucket is read again
    for every active run.
    """

    def __init__(self, nc: Client, cancels: KeyValue) -> None:
        self.process = uuid4().hex
        self._nc = nc
        self._cancels = cancels
        self._runs: dict[str, asyncio.Event] = {}
        """By key of the active run, the event that is set when it is cancelled."""
        self._watch: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, nc: Client, kind: StatusType) -> "ActiveRunRegistry":
        """Subscribe to requests and cancellations. The bucket must exist."""
        names = names_of(nc)
        self = cls(nc, await nc.jetstream().key_value(names.bucket(CANCELS)))
        await nc.subscribe(names.subject(f"cancels.{kind}.>"), cb=self._receive_cancellation)
        for subject in (SUBJECT, f"{SUBJECT}.{self.process}"):
            await nc.subscribe(names.subject(subject), cb=self._respond)
        return self

    async def execute(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run ``work`` as an active run, unless it is or becomes cancelled.

        Raises :class:`PostponedError` if the run is already active here, and :class:`RunCancelled`. ``work``
        has ended when this returns or raises.
        """
        if key in self._runs:
            message = "This worker is already working on the run."
            raise PostponedError("in_progress", message, seconds=_RETRY_DELAY)
        # Before the bucket is read, so that a cancellation in between is not missed.
        cancelled = self._runs[key] = asyncio.Event()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._check_after_reconnects(self._nc.stats["reconnects"]))
        try:
            await self.check_cancelled(key)
            return await _unless_cancelled(cancelled, work)
        finally:
            self._runs.pop(key, None)

    async def check_cancelled(self, key: str) -> None:
        """Read the bucket. Raises :class:`RunCancelled` and ``BrokerUnavailableError``."""
        try:
            await self._cancels.get(key)
        except KeyNotFoundError:
            return
        except BROKER_ERRORS as error:
            raise BrokerUnavailableError from error
        raise RunCancelled

    async def is_active_elsewhere(self, process: str, key: str) -> bool:
        """Whether the run is active in another ``process``.

        A dead process has no subscription, so the server responds at once; one that is stopped or
        disconnected does not respond, and is considered dead. Raises ``BrokerUnavailableError`` if
        this process was disconnected meanwhile: a missing response is then inconclusive.
        """
        if process == self.process:
            return False
        subject, reconnects = names_of(self._nc).subject(f"{SUBJECT}.{process}"), self._nc.stats["reconnects"]
        try:
            response = await self._nc.request(subject, timeout=_REQUEST_TIMEOUT)
        except NoRespondersError:
            return False
        except (NatsError, TimeoutError, OSError) as error:
            if not self._nc.is_connected or self._nc.stats["reconnects"] != reconnects:
                raise BrokerUnavailableError from error
            return False
        return key in json.loads(response.data)

    async def _respond(self, msg: Msg) -> None:
        try:
            await msg.respond(json.dumps(sorted(self._runs)).encode())
        except Exception as error:  # noqa: BLE001 - the requester treats no response as no active run
            log.warning("active runs not sent", error=str(error))

    async def _receive_cancellation(self, msg: Msg) -> None:
        self._cancel(".".join(msg.subject.split(".")[-3:]))

    def _cancel(self, key: str) -> None:
        if key in self._runs:
            self._runs[key].set()

    async def _check_after_reconnects(self, connection: int) -> None:
        """Check after each reconnect while any run is active; ``connection`` is the last checked one."""
        while self._runs:
            await asyncio.sleep(_RECONNECT_CHECK_INTERVAL)
            now = self._nc.stats["reconnects"]
            if now == connection:
                continue
            with suppress(TransientError):
                for key in list(self._runs):
                    try:
                        await self.check_cancelled(key)
                    except RunCancelled:
                        self._cancel(key)
                connection = now


async def list_active_runs(nc: Client, *, timeout: float = _LIST_TIMEOUT) -> set[str]:
    """The active runs of all workers that respond within ``timeout`` seconds."""
    found: set[str] = set()
    async with request_many(nc, names_of(nc).subject(SUBJECT)) as responses:
        with suppress(TimeoutError):  # the number of workers is unknown
            async with asyncio.timeout(timeout):
                while data := (await responses.get()).data:  # the server's own response is empty: no worker
                    found.update(json.loads(data))
    return found


async def _unless_cancelled(cancelled: asyncio.Event, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
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
    """Cancel the task and wait for its end (it may finish a submission first)."""
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # retrieve the error: asyncio would log it otherwise
