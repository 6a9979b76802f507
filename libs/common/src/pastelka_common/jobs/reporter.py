"""Reports of one delivery of a version job, and the checks before a paid request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from pastelka_common.contracts.messages import ColoringFact, Failure, Retry, SvgFact, VersionJob, now
from pastelka_common.contracts.statuses import VersionStatus
from pastelka_common.errors import (
    JobError,
    PermanentError,
    PostponedError,
    SubmitUnknownError,
    SupersededError,
    TransientError,
)
from pastelka_common.jobs.context import RunContext
from pastelka_common.jobs.records import RunRecord, VersionedRecord
from pastelka_common.jobs.run_markers import postpone_on_storage_error
from pastelka_common.messaging.attempts import Delivery

FACTS: dict[str, type[ColoringFact] | type[SvgFact]] = {"coloring": ColoringFact, "svg": SvgFact}

# Last steps of an attempt: greater than any reported before.
_RETRY_STEP = 999_999
_LAST_STEP = 1_000_000

_MAX_UNKNOWN = 2
_ACTIVE_ELSEWHERE_RETRY_DELAY = 5.0
_LATE_ID_RETRY_DELAY = 1.0
_DUPLICATE_CANCEL_TIMEOUT = 20.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PaidRequest:
    """A paid request: ``sent``, then ``responded``; ``settled`` once its outcome is final.

    ``probe``: whether it is the circuit breaker's probe.
    """

    probe: bool
    sent: bool = False
    responded: bool = False
    settled: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether the provider may charge for it although its result is lost."""
        return self.sent and not self.settled


@dataclass(slots=True)
class RunReporter:
    """One delivery of a job: reports what happens to it as facts.

    Every call returns once its report is stored. ``provider_job_id`` is set as soon as it is known.
    """

    context: RunContext
    job: VersionJob
    delivery: Delivery
    provider_job_id: str | None = field(init=False)
    request: PaidRequest | None = field(init=False, default=None)
    stored: VersionedRecord = field(init=False, default=VersionedRecord(RunRecord(), 0))
    has_stored_file: bool = field(init=False, default=False)
    _step: int = field(init=False, default=0)
    _status: VersionStatus | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.provider_job_id = self.job.provider_job_id
        self.delivery.handler_state = self

    @property
    def number(self) -> int:
        """Number of the delivery within the run, across republished jobs."""
        return self.job.first_attempt - 1 + self.delivery.attempt

    @property
    def has_paid_without_id(self) -> bool:
        """Whether a paid response was received that cannot be requested again."""
        request = self.request
        return request is not None and request.sent and request.responded and self.provider_job_id is None

    # --- facts ------------------------------------------------------------------------------------

    async def status(self, status: VersionStatus) -> None:
        """Report a new status."""
        self._status = status
        await self._send(status)

    async def completed(self, status: VersionStatus) -> None:
        """Report that the file is stored at the job's target."""
        await self._send(status, path=self.job.target)

    async def failed(self, status: VersionStatus, failure: Failure) -> None:
        """Report that the job is abandoned."""
        self._step = _LAST_STEP
        await self._send(status, failure=failure)

    async def retrying(self, otherwise: VersionStatus, retry: Retry) -> None:
        """Report that there will be another attempt, with the last reported status, or ``otherwise``."""
        self._step = _RETRY_STEP - 1
        await self._send(self._status or otherwise, retry=retry)

    async def _send(
        self,
        status: VersionStatus,
        *,
        path: str | None = None,
        failure: Failure | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._step += 1
        fact = FACTS[self.job.kind].model_validate(
            {
                "version_id": self.job.version_id,
                "run": self.job.run,
                "attempt": self.number,
                "step": self._step,
                "at": now(),
                "status": status,
                "path": path,
                "failure": failure,
                "provider_job_id": self.provider_job_id,
                "retry": retry,
                "possibly_paid_twice": self._is_possibly_paid_twice or None,
            }
        )
        await self.context.publisher.publish(fact)

    @property
    def _is_possibly_paid_twice(self) -> bool:
        unknown = self.stored.record.unknown
        again = self.request is not None or self.provider_job_id is not None
        return unknown > 1 or (again and unknown > 0)

    # --- ownership --------------------------------------------------------------------------

    async def take_over(self) -> None:
        """Load the record of the run, and take over the run from earlier deliveries.

        Raises :class:`SupersededError` if a later delivery has it, :class:`PostponedError` while an earlier
        one is alive and waits for a paid response, or the storage is unavailable.
        """
        await self.load()
        if self.number == 1 and self.stored.revision == 0:
            return
        record = self.stored.record
        lost = record.sending and self.provider_job_id is None
        if lost:
            await self._postpone_while_active_elsewhere(record)
            self.has_stored_file = not record.had_file and await self._has_file()
        lost = lost and not self.has_stored_file
        await self.change(lambda r: self._taken_over(r, lost=lost))
        if lost:
            self.context.count_unknown()

    async def load(self, *, allow_partial: bool = False) -> None:
        """Load the record of the run without changing it.

        Raises :class:`PostponedError` while the storage is unavailable, unless the broker's data is
        sufficient (``allow_partial``).
        """
        self.stored = await self.context.records.read(self.job.key)
        record = self.stored.record
        self.provider_job_id = record.current(self.provider_job_id, record.provider_job_id)
        if self.provider_job_id is not None:
            return
        try:
            async with postpone_on_storage_error():
                self.provider_job_id = record.current(await self.context.markers.provider_job_id(self.job))
        except PostponedError:
            if not allow_partial:
                raise

    async def ensure_ownership(self) -> None:
        """Raise :class:`SupersededError` if another worker has taken over the job."""
        if not self.delivery.lease.needs_confirmation:
            return
        stored = await self.context.records.read(self.job.key)
        if stored.record.is_beyond(self.context.active_runs.process, self.number):
            raise SupersededError
        self.stored = stored
        self.delivery.lease.confirm()

    async def _postpone_while_active_elsewhere(self, record: RunRecord) -> None:
        if await self.context.active_runs.is_active_elsewhere(record.holder, self.job.key):
            raise PostponedError(
                "active_elsewhere",
                "Another worker is waiting for the provider's response to this job.",
                seconds=_ACTIVE_ELSEWHERE_RETRY_DELAY,
            )

    def owned(self, record: RunRecord, **changes: object) -> RunRecord:
        """``record`` with ``changes``, owned by this delivery. Raises :class:`SupersededError`."""
        if record.is_beyond(self.context.active_runs.process, self.number):
            raise SupersededError
        return record.model_copy(
            update={"holder": self.context.active_runs.process, "delivery": self.number, **changes}
        )

    def _taken_over(self, record: RunRecord, *, lost: bool) -> RunRecord:
        taken_over = self.owned(record, sending=self.has_stored_file, unknown=record.unknown + lost)
        return taken_over.with_provider_job(self.provider_job_id)

    async def change(self, alter: Callable[[RunRecord], RunRecord]) -> None:
        """Replace the run's record by the result of ``alter``, which may raise."""
        self.stored = await self.context.records.change(self.job.key, alter, known=self.stored)

    # --- payment -----------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise :class:`PostponedError` if the job needs the provider and the breaker is open."""
        if self.context.breaker is not None and self.provider_job_id is None:
            self.context.breaker.check()

    async def submitting(self, status: VersionStatus) -> None:
        """Report ``status`` and claim the run, immediately before a paid request is sent.

        Raises :class:`SupersededError`, :class:`PostponedError` (breaker open, storage unavailable), or
        :class:`PermanentError` if two requests are already lost.
        """
        probe = self.context.breaker.allow_request() if self.context.breaker else False
        self.request = PaidRequest(probe)
        try:
            # Only the claim must precede the request: a late fact is harmless.
            claiming = asyncio.create_task(self._claim())
            try:
                await self.status(status)
            finally:
                await claiming
            await self._check_late_id()
            await self.ensure_ownership()
        except BaseException:
            self._abandon()
            raise
        self.request.sent = True

    async def submitted(self, provider_job_id: str) -> str:
        """Store the provider's job id before any other step; returns the id to poll.

        If another worker stored its id first, that one is returned, and this job is cancelled.
        """
        # The storage first: this process may end before an unavailable broker returns.
        await self.context.markers.store(self.job, provider_job_id)
        self.stored = await self.context.records.store_provider_job(self.job.key, provider_job_id)
        stored_id = self.provider_job_id = self.stored.record.provider_job_id or provider_job_id
        self.responded(settled=True)
        if stored_id != provider_job_id:
            await self.context.markers.store(self.job, stored_id)
            await self._cancel(provider_job_id)
        return stored_id

    # A submitted job that never left the provider's queue is cancelled there, to be submitted again. Two
    # steps in the record prevent a crash in between from causing a second payment or a lost job.

    async def withdrawing(self) -> None:
        """Record that the submitted job is about to be cancelled. Raises :class:`SupersededError`."""
        await self.change(lambda record: self.owned(record, withdrawing=True))

    async def withdrawn(self, provider_job_id: str) -> int:
        """Record a job as cancelled before any work; returns their number in this run.

        Its id is then ignored wherever it is still stored. Raises :class:`SupersededError`.
        """

        def without_job(record: RunRecord) -> RunRecord:
            ids = (*(one for one in record.withdrawn if one != provider_job_id), provider_job_id)
            return self.owned(record, withdrawing=False, withdrawn=ids, provider_job_id=None, sending=False)

        await self.change(without_job)
        self.provider_job_id = None
        await self.context.markers.delete(self.job)
        return len(self.stored.record.withdrawn)

    def responded(self, *, settled: bool) -> None:
        """Record that the provider responded."""
        request = self.request
        if request is None or request.responded:
            return
        request.responded, request.settled = True, settled
        if self.context.breaker is not None:
            self.context.breaker.record_success()

    def refused(self, error: JobError) -> None:
        """Record how the request failed."""
        request = self.request
        if request is None or not request.sent or request.responded:
            return None
        if not isinstance(error, TransientError):
            return self.responded(settled=True)
        request.responded = True
        request.settled = not isinstance(error, SubmitUnknownError)
        if self.context.breaker is not None:
            self.context.breaker.record_failure(error)
        return None

    def abandoned(self) -> None:
        """Record that this worker stopped waiting for the request; no effect if none is open."""
        if self.request is not None and not self.request.responded:
            self._abandon()

    async def lost(self) -> None:
        """Count a request with a lost result; the second one ends the run.

        Raises :class:`PermanentError` then.
        """
        if self.request is None or not self.request.is_lost:
            return
        self.request.settled = True
        self.context.count_unknown()
        await self.change(lambda r: self.owned(r, sending=False, unknown=r.unknown + r.sending))
        if self.stored.record.unknown >= _MAX_UNKNOWN:
            raise _possibly_paid(self.context.provider)

    async def cancel_at_provider(self) -> None:
        """Cancel this run's job at the provider. Raises ``TransientError`` if it is unavailable."""
        if self.provider_job_id is None:
            return
        try:
            await self.context.cancel(self.provider_job_id)
        except PermanentError as error:
            log.warning("provider refused cancellation", code=error.code)

    async def _has_file(self) -> bool:
        async with postpone_on_storage_error():
            return await self.context.storage.exists(self.job.target)

    async def _claim(self) -> None:
        had_file = await self._has_file()
        unknown = self.stored.record.unknown
        await self.change(lambda record: self._claimed(record, had_file=had_file))
        if self.stored.record.unknown > unknown:
            self.context.count_unknown()

    def _claimed(self, record: RunRecord, *, had_file: bool) -> RunRecord:
        # Another worker may have received the job, paid and crashed since the last read.
        lost = record.sending and record.holder != self.context.active_runs.process
        unknown = record.unknown + lost
        if unknown >= _MAX_UNKNOWN:
            raise _possibly_paid(self.context.provider)
        return self.owned(record, sending=True, had_file=had_file, unknown=unknown)

    async def _check_late_id(self) -> None:
        """Check whether a worker that was presumed dead has received an id after all."""
        if self.stored.record.unknown == 0:
            return
        await self.load()
        if self.provider_job_id is not None:
            raise PostponedError(
                "submitted_meanwhile", "The provider already has the job.", seconds=_LATE_ID_RETRY_DELAY
            )

    def _abandon(self) -> None:
        if self.context.breaker is not None and self.request is not None:
            self.context.breaker.record_no_result(probe=self.request.probe)

    async def _cancel(self, provider_job_id: str) -> None:
        log.warning("duplicate submission cancelled", provider_job_id=provider_job_id)
        try:
            async with asyncio.timeout(_DUPLICATE_CANCEL_TIMEOUT):
                await self.context.cancel(provider_job_id)
        except (JobError, TimeoutError) as error:
            log.warning("cancellation failed", provider_job_id=provider_job_id, error=str(error))


def _possibly_paid(provider: str) -> PermanentError:
    return PermanentError(
        "submit_unknown",
        f"Two responses of {provider} to this job were lost, so it may have been paid for, even twice. "
        "It is not resubmitted automatically; Retry resubmits it, and may cost again.",
    )
