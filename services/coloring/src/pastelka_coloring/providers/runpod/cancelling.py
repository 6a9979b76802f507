"""Cancellation of jobs at RunPod, with confirmation."""

import asyncio

import structlog

from pastelka_coloring.providers.runpod.api import RunpodApi
from pastelka_coloring.providers.runpod.faults import JobUnknownError
from pastelka_coloring.providers.runpod.pacing import retry_delay
from pastelka_common.errors import TransientError

_log = structlog.get_logger(__name__)

_ATTEMPTS = 3
_MAX_RETRY_DELAY = 5.0
_TIMEOUT = 20.0


class JobCanceller:
    """Cancels jobs, ``concurrency`` at a time."""

    def __init__(self, api: RunpodApi, *, concurrency: int) -> None:
        self._api = api
        self._limiter = asyncio.Semaphore(concurrency)

    async def cancel(self, job_id: str) -> None:
        """Cancel a job; no error if it is unknown or has ended.

        Raises :class:`TransientError` after three unconfirmed attempts.
        """
        async with self._limiter:
            for attempt in range(1, _ATTEMPTS):
                try:
                    return await self._cancel_once(job_id)
                except TransientError as error:
                    await asyncio.sleep(min(retry_delay(attempt, error.retry_after), _MAX_RETRY_DELAY))
            return await self._cancel_once(job_id)

    async def try_cancel(self, job_id: str) -> None:
        """Cancel a job within 20 seconds; a failure is only logged."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self.cancel(job_id)
        except (TransientError, TimeoutError) as error:
            _log.warning("runpod cancel failed", job_id=job_id, reason=str(error))

    async def _cancel_once(self, job_id: str) -> None:
        try:
            await self._api.cancel(job_id)
        except TransientError:
            # A refusal may mean that the job has ended, but a gateway's response does not.
            if not await self._is_over(job_id):
                raise

    async def _is_over(self, job_id: str) -> bool:
        try:
            return (await self._api.status(job_id)).has_ended
        except JobUnknownError:
            return True
        except TransientError:
            return False
