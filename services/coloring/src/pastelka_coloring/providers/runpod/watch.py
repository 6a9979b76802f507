"""Polls one submitted job until it ends or a timeout requires a decision."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from pastelka_coloring.providers.runpod.api import RunpodApi
from pastelka_coloring.providers.runpod.faults import JobUnknownError
from pastelka_coloring.providers.runpod.pacing import PollPacer, poll_delay, retry_delay
from pastelka_coloring.providers.runpod.queue_window import QueuePlace
from pastelka_coloring.providers.runpod.wire import JobReply, JobState
from pastelka_common.errors import PermanentError, TransientError

_log = structlog.get_logger(__name__)

_RUNNING = (JobState.IN_QUEUE, JobState.IN_PROGRESS)

StatusCallback = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTimeouts:
    """Timeouts of polling a job, in seconds.

    ``queue`` is the maximum time in RunPod's queue, ``run`` the maximum with a worker. ``result`` is how long
    RunPod keeps a result (docs.runpod.io: 30 minutes): a job without any status is polled for ``run`` plus
    ``result``. One that RunPod does not know is abandoned after ``unknown`` and at least ``unknown_answers``
    such responses, since a gateway may also return 404.
    """

    queue: float = 3600.0
    run: float = 600.0
    result: float = 1800.0
    unknown: float = 60.0
    unknown_answers: int = 5


class Due(Enum):
    """Why a watch returned."""

    ENDED = auto()
    QUEUED_TOO_LONG = auto()
    RAN_TOO_LONG = auto()


class JobLostError(PermanentError):
    """RunPod has repeatedly reported that it does not know the job."""


class JobWatch:
    """The polls of one job.

    A failed poll is repeated, never the submission; an undocumented state is treated as if a worker had the
    job.
    """

    def __init__(
        self,
        api: RunpodApi,
        pacer: PollPacer,
        job_id: str,
        *,
        interval: float,
        timeouts: WatchTimeouts,
        place: QueuePlace | None = None,
    ) -> None:
        self._api = api
        self._pacer = pacer
        self._job_id = job_id
        self._interval = interval
        self._timeouts = timeouts
        self._place = place
        self._started = self._state_since = self._last_status_at = _now()
        self._queue_timeout = timeouts.queue
        self._state: str | None = None
        self._is_queued = True
        self._failures = 0
        self._unknown_since: float | None = None
        self._unknown_answers = 0

    async def until_due(self, on_status_change: StatusCallback | None) -> tuple[Due, JobReply]:
        """Poll until the job has ended, or has been in the queue or with a worker for too long.

        ``on_status_change`` is awaited with ``IN_QUEUE`` and ``IN_PROGRESS`` on a change. Raises
        :class:`PermanentError` if RunPod has reported no status for too long.
        """
        delay = poll_delay(0.0, self._interval)
        while True:
            await asyncio.sleep(delay)
            try:
                reply = await self.poll()
            except TransientError as error:
                delay = self._delay_after(error)
                continue
            due = self._due(reply)
            if due is not Due.ENDED:
                await self._report(reply.status, on_status_change)
            if due is not None:
                return due, reply
            delay = poll_delay(_now() - self._started, self._interval)

    async def poll(self) -> JobReply:
        """Poll once. Raises :class:`TransientError`, and :class:`JobLostError`."""
        try:
            async with self._pacer.slot():
                reply = await self._api.status(self._job_id)
        except JobUnknownError as error:
            self._count_unknown(error)
            raise
        self._failures = self._unknown_answers = 0
        self._unknown_since = None
        self._last_status_at = _now()
        return reply

    def restart_queue_timeout(self, seconds: float) -> None:
        """Restart the queue timeout with ``seconds``."""
        self._queue_timeout = seconds
        self._state_since = _now()

    def _due(self, reply: JobReply) -> Due | None:
        """Update the times by this reply; returns the decision that is due, if any."""
        now = _now()
        if not reply.is_queued and self._is_queued:
            if self._place is not None:
                self._place.leave(reply.queue_seconds or now - self._state_since)
            self._state_since = now
        elif reply.is_queued and not self._is_queued:  # RunPod requeued it after losing its worker
            self._state_since = now
        self._is_queued = reply.is_queued
        if reply.has_ended:
            return Due.ENDED
        in_state = now - self._state_since
        if reply.is_queued:
            return Due.QUEUED_TOO_LONG if in_state > self._queue_timeout else None
        return Due.RAN_TOO_LONG if max(in_state, reply.run_seconds) > self._timeouts.run else None

    def _count_unknown(self, error: JobUnknownError) -> None:
        self._unknown_since = _now() if self._unknown_since is None else self._unknown_since
        self._unknown_answers += 1
        is_over = _now() - self._unknown_since >= self._timeouts.unknown
        if is_over and self._unknown_answers >= self._timeouts.unknown_answers:
            raise JobLostError(error.code, error.message) from error

    def _delay_after(self, error: TransientError) -> float:
        """Seconds until the next poll. Raises :class:`PermanentError` after too long without a status."""
        elapsed = _now() - self._last_status_at
        if elapsed > self._timeouts.run + self._timeouts.result:
            raise PermanentError(
                error.code,
                f"RunPod reported nothing about the job for {elapsed / 60:.0f} minutes. "
                f"Last error: {error.message}",
            ) from error
        self._failures += 1
        if self._failures == 1:
            _log.warning("runpod poll failed", job_id=self._job_id, code=error.code, reason=error.message)
        return retry_delay(self._failures, error.retry_after)

    async def _report(self, state: str, on_status_change: StatusCallback | None) -> None:
        if state == self._state:
            return
        self._state = state
        if state in _RUNNING and on_status_change is not None:
            await on_status_change(state)
        elif state not in _RUNNING:
            _log.warning("runpod state unknown", job_id=self._job_id, state=state[:40])


def _now() -> float:
    return asyncio.get_running_loop().time()
