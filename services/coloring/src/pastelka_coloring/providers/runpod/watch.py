"""Watching one submitted job until it ends."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from pastelka_coloring.providers.runpod.api import RunpodApi
from pastelka_coloring.providers.runpod.pacing import PollPacer, poll_delay, retry_delay
from pastelka_coloring.providers.runpod.wire import JobReply, JobState
from pastelka_common.errors import PermanentError, TransientError

_log = structlog.get_logger(__name__)

_GONE = "provider_job_gone"
# One stray 404 of a gateway must not throw away a page that is paid for.
_GONE_ANSWERS = 3
_RUNNING = (JobState.IN_QUEUE, JobState.IN_PROGRESS)

StatusCallback = Callable[[str], Awaitable[None]]


class JobWatch:
    """The polls of one job.

    A poll that fails for a reason that may pass is repeated, never the submission; a state that
    nobody has heard of is waited out. Both last until whoever watches gives up.
    """

    def __init__(self, api: RunpodApi, pacer: PollPacer, job_id: str, *, interval: float) -> None:
        self._api = api
        self._pacer = pacer
        self._job_id = job_id
        self._interval = interval
        self._started = asyncio.get_running_loop().time()
        self._failures = 0
        self._gone = 0
        self._state: str | None = None

    @property
    def age(self) -> float:
        """Seconds since the job was submitted, or since this process took it over."""
        return asyncio.get_running_loop().time() - self._started

    async def until_ended(
        self, on_status_change: StatusCallback | None, on_age: Callable[[float], None]
    ) -> JobReply:
        """Poll until the job has ended and return its last reply.

        ``on_status_change`` is awaited with ``IN_QUEUE`` and ``IN_PROGRESS`` when they are new;
        ``on_age`` is told how old RunPod says the job is, in seconds. Raises
        :class:`PermanentError` when the job is gone or may not be asked after.
        """
        delay = poll_delay(0.0, self._interval)
        while True:
            await asyncio.sleep(delay)
            try:
                reply = await self.ask()
            except TransientError as error:
                delay = self._delay_after(error)
                continue
            if reply.has_ended:
                return reply
            on_age(reply.age)
            await self._tell(reply.status, on_status_change)
            delay = poll_delay(self.age, self._interval)

    async def ask(self) -> JobReply:
        """Poll once. Raises :class:`TransientError` for what may pass, else :class:`PermanentError`."""
        try:
            async with self._pacer.turn():
                reply = await self._api.status(self._job_id)
        except PermanentError as error:
            self._gone += 1
            if error.code != _GONE or self._gone >= _GONE_ANSWERS:
                raise
            raise TransientError(error.code, error.message) from error
        self._gone = self._failures = 0
        return reply

    def _delay_after(self, error: TransientError) -> float:
        self._failures += 1
        if self._failures == 1:
            _log.warning("runpod_poll_failed", job_id=self._job_id, code=error.code, reason=error.message)
        return retry_delay(self._failures, error.retry_after)

    async def _tell(self, state: str, on_status_change: StatusCallback | None) -> None:
        if state == self._state:
            return
        self._state = state
        if state in _RUNNING and on_status_change is not None:
            await on_status_change(state)
        elif state not in _RUNNING:
            _log.warning("runpod_state_unknown", job_id=self._job_id, state=state[:40])
