"""The ``runpod`` provider: submit once, remember, poll until the page is there."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import httpx
import structlog
from pydantic import SecretStr

from pastelka_coloring.providers import ColoringRequest, Progress
from pastelka_coloring.providers.runpod.api import RunpodApi, pooled_client
from pastelka_coloring.providers.runpod.limits import RunpodLimits
from pastelka_coloring.providers.runpod.pacing import PollPacer, retry_delay
from pastelka_coloring.providers.runpod.page import page_from_output
from pastelka_coloring.providers.runpod.photo import PhotoLimits, read_photo, register_formats
from pastelka_coloring.providers.runpod.watch import JobWatch, StatusCallback
from pastelka_coloring.providers.runpod.wire import JobReply, JobState, submission
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.errors import JobError, PermanentError, TransientError

T = TypeVar("T")
_log = structlog.get_logger(__name__)

_STATUS_OF_STATE = {
    JobState.IN_QUEUE: ColoringProcessingStatus.RUNPOD_QUEUED,
    JobState.IN_PROGRESS: ColoringProcessingStatus.RUNPOD_PROCESSING,
}
_CANCEL_ATTEMPTS = 3
_LONGEST_CANCEL_WAIT = 5.0
_GIVING_UP_SECONDS = 20.0
_REASON_CHARACTERS = 300


class RunpodProvider:
    """Colors photos at one serverless endpoint of RunPod; keeps ``ColoringProvider``.

    Build it in a running event loop and close it with :meth:`aclose`. ``base_url`` is without the
    endpoint (``https://api.runpod.ai/v2``); ``poll_interval`` is the longest pause between two polls
    of a job and ``job_timeout`` how long a job may take from its submission, both in seconds. A
    ``client`` that is passed in stays open and must use the aiohttp transport.
    """

    name = "runpod"

    def __init__(
        self,
        *,
        base_url: str,
        endpoint_id: str,
        api_key: SecretStr,
        poll_interval: float = 3.0,
        job_timeout: float = 600.0,
        client: httpx.AsyncClient | None = None,
        limits: RunpodLimits | None = None,
    ) -> None:
        self._limits = limits or RunpodLimits()
        self._owns_client = client is None
        self._client = client or pooled_client(self._limits.connections)
        self._api = RunpodApi(
            self._client,
            base_url=base_url,
            endpoint_id=endpoint_id,
            api_key=api_key,
            response_bytes=self._limits.response_bytes,
        )
        self._api_key = api_key
        self._poll_interval = poll_interval
        self._job_timeout = job_timeout
        self._submits = asyncio.Semaphore(self._limits.submits)
        self._cancels = asyncio.Semaphore(self._limits.cancels)
        self._pacer = PollPacer(
            at_once=self._limits.polls,
            per_second=self._limits.polls_per_second,
            burst=self._limits.poll_burst,
        )
        self._threads = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="runpod-image")
        register_formats()

    async def color(self, request: ColoringRequest, progress: Progress) -> bytes:
        """Make the page: submit the photo, or go on with ``request.provider_job_id``, and poll."""

        async def report(state: str) -> None:
            await progress.status(_STATUS_OF_STATE[JobState(state)])

        job_id = request.provider_job_id
        if job_id is None:
            job_id = await self._submit(request, progress)
            await progress.status(ColoringProcessingStatus.RUNPOD_SUBMITTED)
        return await self.poll_job(job_id, report, progress.still_ours)

    async def poll_job(
        self,
        job_id: str,
        on_status_change: StatusCallback | None = None,
        still_ours: Callable[[], Awaitable[None]] | None = None,
    ) -> bytes:
        """Wait for a submitted job and return its page as PNG.

        ``on_status_change`` is awaited with RunPod's ``IN_QUEUE`` and ``IN_PROGRESS`` when the job
        enters them. Raises :class:`PermanentError`; faults that may pass are waited out. After
        ``job_timeout`` the job is cancelled at RunPod, unless ``still_ours`` raises.
        """
        watch = JobWatch(self._api, self._pacer, job_id, interval=self._poll_interval)
        started = asyncio.get_running_loop().time()
        deadline = asyncio.timeout_at(started + self._job_timeout)

        def count_from(age: float) -> None:
            """A job taken over may be older than this watch; RunPod's word moves the deadline forward."""
            older = asyncio.get_running_loop().time() - age
            if older < started:
                deadline.reschedule(older + self._job_timeout)

        try:
            async with deadline:
                reply = await watch.until_ended(on_status_change, count_from)
        except TimeoutError:
            if not deadline.expired():  # on_status_change's own
                raise
            if still_ours is not None:
                await still_ours()
            reply = await self._give_up(watch, job_id)
        return await self._page(reply)

    async def cancel(self, provider_job_id: str) -> None:
        """Cancel a job at RunPod; one that is unknown or has ended is no error.

        Raises :class:`TransientError` after three attempts, :class:`PermanentError` when refused.
        """
        async with self._cancels:
            for attempt in range(1, _CANCEL_ATTEMPTS):
                try:
                    return await self._api.cancel(provider_job_id)
                except TransientError as error:
                    await asyncio.sleep(min(retry_delay(attempt, error.retry_after), _LONGEST_CANCEL_WAIT))
            return await self._api.cancel(provider_job_id)

    async def aclose(self) -> None:
        """Close the connections and end the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._owns_client:
            await self._client.aclose()

    async def _submit(self, request: ColoringRequest, progress: Progress) -> str:
        async with self._submits:
            async with request.photo() as photo:
                body = await self._in_thread(lambda: _submission(photo, request, self._limits.photo))
            return await _despite_cancellation(self._submit_and_remember(body, progress))

    async def _submit_and_remember(self, body: bytes, progress: Progress) -> str:
        await progress.submitting(ColoringProcessingStatus.RUNPOD_SUBMITTING)
        return await progress.submitted(await self._api.submit(body))

    async def _give_up(self, watch: JobWatch, job_id: str) -> JobReply:
        """A last look, as the page is paid for; then stop what still costs money."""
        try:
            async with asyncio.timeout(_GIVING_UP_SECONDS):
                reply = await watch.ask()
                if reply.has_ended:
                    return reply
        except (JobError, TimeoutError):
            _log.info("runpod_last_look_failed", job_id=job_id)
        try:
            async with asyncio.timeout(_GIVING_UP_SECONDS):
                await self.cancel(job_id)
        except (JobError, TimeoutError) as error:
            _log.warning("runpod_cancel_failed", job_id=job_id, reason=str(error))
        raise PermanentError(
            "timeout",
            f"RunPod did not finish the page within {self._job_timeout:g} s; the job was cancelled.",
        )

    async def _page(self, reply: JobReply) -> bytes:
        if reply.status == JobState.COMPLETED:
            return await self._in_thread(lambda: page_from_output(reply.output, self._limits.page))
        if reply.status == JobState.CANCELLED:
            raise PermanentError("provider_cancelled", "The job was cancelled at RunPod.")
        if reply.status == JobState.TIMED_OUT:
            raise PermanentError(
                "provider_timed_out", "RunPod stopped the job, as it took longer than the endpoint allows."
            )
        raise PermanentError("provider_failed", f"RunPod could not make the page: {self._reason(reply)}")

    def _reason(self, reply: JobReply) -> str:
        text = _error_text(reply.error).replace(self._api_key.get_secret_value(), "***")
        text = " ".join(text.split()) or "it gave no reason."
        return text if len(text) <= _REASON_CHARACTERS else f"{text[: _REASON_CHARACTERS - 1]}…"

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _submission(photo: Path, request: ColoringRequest, limits: PhotoLimits) -> bytes:
    return submission(read_photo(photo, limits), megapixels=request.megapixels, steps=request.steps)


def _error_text(error: object) -> str:
    """RunPod's workers give a text, or a JSON object with ``error_message`` and a traceback."""
    if isinstance(error, str):
        try:
            parsed = json.loads(error)
        except ValueError:
            return error
        error = parsed
    match error:
        case {"error_message": str(message)}:
            return message
        case None:
            return ""
        case _:
            return str(error)


async def _despite_cancellation(work: Coroutine[None, None, T]) -> T:
    """Run ``work`` to its end even when cancelled meanwhile; the cancellation goes on afterwards.

    If ``work`` failed then, its error is the cancellation's cause.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (fault := task.exception()):
        _log.warning("runpod_submit_failed_while_cancelled", reason=str(fault))
        raise cancelled from fault
    raise cancelled
