"""The ``runpod`` provider: submits once, stores the job id, polls until the page is ready."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import httpx
import structlog
from pydantic import SecretStr

from pastelka_coloring.providers import ColoringProgress, ColoringRequest
from pastelka_coloring.providers.runpod.api import RunpodApi, pooled_client
from pastelka_coloring.providers.runpod.cancelling import JobCanceller
from pastelka_coloring.providers.runpod.error_text import reported_error
from pastelka_coloring.providers.runpod.http_limits import RunpodLimits
from pastelka_coloring.providers.runpod.pacing import PollPacer
from pastelka_coloring.providers.runpod.page import NoImageError, page_from_output
from pastelka_coloring.providers.runpod.photo import UploadLimits, read_photo, register_formats
from pastelka_coloring.providers.runpod.queue_window import QueuePlace, QueueWindow
from pastelka_coloring.providers.runpod.watch import (
    Due,
    JobLostError,
    JobWatch,
    StatusCallback,
    WatchTimeouts,
)
from pastelka_coloring.providers.runpod.wire import JobReply, JobState, submission
from pastelka_common.contracts.statuses import ColoringProcessingStatus
from pastelka_common.errors import JobError, PermanentError, PostponedError
from pastelka_common.telemetry import QuietExporter

T = TypeVar("T")
_log = structlog.get_logger(__name__)

_STATUS_OF_STATE = {
    JobState.IN_QUEUE: ColoringProcessingStatus.RUNPOD_QUEUED,
    JobState.IN_PROGRESS: ColoringProcessingStatus.RUNPOD_PROCESSING,
}
_REASON_CHARACTERS = 300
_MAX_SUBMISSIONS = 3
"""Maximum submissions of a run whose jobs never leave the queue."""
_RESUBMIT_DELAY = 2.0
_MAX_QUEUED_CANCELS = 20
_CANCEL_EFFECT_TIMEOUT = 10.0
_FINAL_POLL_TIMEOUT = 20.0


class RunpodProvider:
    """A ``ColoringProvider`` at one serverless endpoint of RunPod.

    Create it in a running event loop and close it with :meth:`aclose`. ``base_url`` is without the endpoint
    (``https://api.runpod.ai/v2``); times are seconds. ``poll_interval`` is the maximum interval between two
    polls of a job, ``timeouts`` limit how long a job is polled, ``max_in_queue`` is the number of this
    process's jobs in RunPod's queue (``None``: adaptive, see ``QueueWindow``). A passed ``client`` is not
    closed and must use the aiohttp transport.
    """

    name = "runpod"

    def __init__(
        self,
        *,
        base_url: str,
        endpoint_id: str,
        api_key: SecretStr,
        poll_interval: float = 3.0,
        timeouts: WatchTimeouts | None = None,
        max_in_queue: int | None = None,
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
        self._silenced = QuietExporter([api_key.get_secret_value()])
        self._poll_interval = poll_interval
        self._timeouts = timeouts or WatchTimeouts()
        self._queue = QueueWindow(queue_timeout=self._timeouts.queue, fixed=max_in_queue)
        self._submits = asyncio.Semaphore(self._limits.submits)
        self._canceller = JobCanceller(self._api, concurrency=self._limits.cancels)
        self._pacer = PollPacer(
            concurrency=self._limits.polls,
            per_second=self._limits.polls_per_second,
            burst=self._limits.poll_burst,
        )
        self._threads = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="runpod-image")
        register_formats()

    async def color(self, request: ColoringRequest, progress: ColoringProgress) -> bytes:
        """Generate the page: submit the photo, or resume ``request.provider_job_id``, and poll."""
        job_id = request.provider_job_id
        async with self._queue.place(wait=job_id is None) as place:
            if job_id is None:
                job_id = await self._submit(request, progress)
                await progress.status(ColoringProcessingStatus.RUNPOD_SUBMITTED)
            reply = await self._wait_until_ended(job_id, request, progress, place)
        return await self._page(reply)

    async def cancel(self, provider_job_id: str) -> None:
        """Cancel a job at RunPod; no error if it is unknown or has ended.

        Raises :class:`TransientError` if RunPod does not confirm.
        """
        await self._canceller.cancel(provider_job_id)

    async def aclose(self) -> None:
        """Close the connections and end the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._owns_client:
            await self._client.aclose()

    async def _submit(self, request: ColoringRequest, progress: ColoringProgress) -> str:
        async with self._submits:
            async with request.photo() as photo:
                body = await self._in_thread(lambda: _submission(photo, request, self._limits.photo))
            return await _shielded(self._submit_and_store_id(body, progress))

    async def _submit_and_store_id(self, body: bytes, progress: ColoringProgress) -> str:
        await progress.submitting(ColoringProcessingStatus.RUNPOD_SUBMITTING)
        return await progress.submitted(await self._api.submit(body))

    async def _wait_until_ended(
        self, job_id: str, request: ColoringRequest, progress: ColoringProgress, place: QueuePlace
    ) -> JobReply:
        """Poll a submitted job; returns its final reply.

        Raises :class:`PermanentError`, and :class:`PostponedError` for a job that never left the queue: it
        was cancelled there, and must be submitted again.
        """

        async def report(state: str) -> None:
            await progress.status(_STATUS_OF_STATE[JobState(state)])

        watch = JobWatch(
            self._api,
            self._pacer,
            job_id,
            interval=self._poll_interval,
            timeouts=self._timeouts,
            place=place,
        )
        if request.is_withdrawing:
            due, reply = await self._withdraw(watch, job_id, report, progress)
        else:
            due, reply = await watch.until_due(report)
        if due is Due.QUEUED_TOO_LONG:
            await progress.withdrawing()
            due, reply = await self._withdraw(watch, job_id, report, progress)
        if due is Due.RAN_TOO_LONG:
            await progress.ensure_ownership()
            return await self._cancel_running(watch, job_id)
        return reply

    async def _withdraw(
        self, watch: JobWatch, job_id: str, on_status_change: StatusCallback, progress: ColoringProgress
    ) -> tuple[Due, JobReply]:
        """Cancel a queued job until RunPod confirms; a worker may have started it meanwhile.

        Returns its state in that case. Raises :class:`PostponedError` once it is cancelled.
        """
        for _ in range(_MAX_QUEUED_CANCELS):
            await self._canceller.try_cancel(job_id)
            watch.restart_queue_timeout(_CANCEL_EFFECT_TIMEOUT)
            try:
                due, reply = await watch.until_due(on_status_change)
            except JobLostError:
                break
            if reply.status == JobState.CANCELLED:
                break
            if due is not Due.QUEUED_TOO_LONG:
                return due, reply
        else:
            raise PermanentError(
                "queue_timeout",
                f"The job never left RunPod's queue within {self._timeouts.queue:g} s, "
                "and RunPod did not cancel it.",
            )
        submissions = await progress.withdrawn(job_id)
        raise self._queue_timeout_error(submissions)

    def _queue_timeout_error(self, submissions: int) -> JobError:
        waited = f"within {self._timeouts.queue:g} s; it was cancelled there at no cost"
        if submissions >= _MAX_SUBMISSIONS:
            return PermanentError(
                "queue_timeout",
                f"The job never left RunPod's queue {waited}, {submissions} times. "
                "Add workers to the endpoint, or raise RUNPOD_QUEUE_TIMEOUT.",
            )
        return PostponedError(
            "queue_timeout",
            f"The job never left RunPod's queue {waited}, and will be submitted again.",
            seconds=_RESUBMIT_DELAY,
        )

    async def _cancel_running(self, watch: JobWatch, job_id: str) -> JobReply:
        """Cancel a running job; if it has completed meanwhile, its page is paid for and used."""
        await self._canceller.try_cancel(job_id)
        with suppress(JobError, TimeoutError):
            async with asyncio.timeout(_FINAL_POLL_TIMEOUT):
                reply = await watch.poll()
                if reply.has_ended and reply.status != JobState.CANCELLED:
                    return reply
        raise PermanentError(
            "timeout",
            f"RunPod did not finish the page within {self._timeouts.run:g} s of work; the job was cancelled.",
        )

    async def _page(self, reply: JobReply) -> bytes:
        if reply.status == JobState.COMPLETED:
            try:
                return await self._in_thread(lambda: page_from_output(reply.output, self._limits.page))
            except NoImageError as error:
                if reason := self._reason(reply):
                    raise PermanentError(
                        "provider_failed", f"RunPod's worker reported an error: {reason}"
                    ) from error
                raise
        if reply.status == JobState.CANCELLED:
            raise PermanentError("provider_cancelled", "The job was cancelled at RunPod.")
        if reply.status == JobState.TIMED_OUT:
            raise PermanentError(
                "provider_timed_out", "RunPod stopped the job because it exceeded the endpoint's time limit."
            )
        reason = self._reason(reply) or "no reason given."
        raise PermanentError("provider_failed", f"RunPod could not generate the page: {reason}")

    def _reason(self, reply: JobReply) -> str:
        """The error that a worker reports, in ``error`` or its output, truncated and redacted."""
        text = str(self._silenced(None, "", reported_error(reply.error, reply.output)))
        text = " ".join(text.split())
        return text if len(text) <= _REASON_CHARACTERS else f"{text[: _REASON_CHARACTERS - 1]}…"

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _submission(photo: Path, request: ColoringRequest, limits: UploadLimits) -> bytes:
    return submission(read_photo(photo, limits), megapixels=request.megapixels, steps=request.steps)


async def _shielded(work: Coroutine[None, None, T]) -> T:
    """Run ``work`` to its end even if cancelled; the cancellation is raised afterwards.

    If ``work`` failed, its error is the cancellation's cause.
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
        _log.warning("runpod submit failed during cancellation", reason=str(fault))
        raise cancelled from fault
    raise cancelled
