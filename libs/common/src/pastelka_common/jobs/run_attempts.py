"""Attempts of a run, stored in its record, so that they survive redelivery, restart and republication."""

from collections.abc import Callable

import structlog

from pastelka_common.contracts.messages import Failure, Retry, VersionJob
from pastelka_common.contracts.statuses import VersionStatus
from pastelka_common.errors import BrokerUnavailableError
from pastelka_common.jobs.context import RunContext
from pastelka_common.jobs.records import RunRecord
from pastelka_common.jobs.reporter import RunReporter
from pastelka_common.messaging.attempts import AttemptStats, Delivery
from pastelka_common.messaging.publish import PublishError

_PROVIDER_DELIVERIES_FACTOR = 3
_MAX_UNSTORED = 10_000

log = structlog.get_logger(__name__)


class RunAttempts:
    """The ``Attempts`` of version jobs. A retry repeats the last reported status, or ``otherwise``.

    The first delivery of a run reads and writes nothing here. A job that the provider has is allowed three
    times as many silent deliveries: abandoning it loses what was paid for.
    """

    def __init__(self, context: RunContext, otherwise: VersionStatus) -> None:
        self._context = context
        self._otherwise = otherwise
        # What could not be stored while the broker was unavailable.
        self._last_reported: dict[str, int] = {}

    def report_of(self, job: VersionJob, delivery: Delivery) -> RunReporter | None:
        """The reporter of this delivery, if its handler had started."""
        reporter = delivery.handler_state
        return (
            reporter
            if isinstance(reporter, RunReporter) and reporter.context is self._context and reporter.job == job
            else None
        )

    async def begin(self, job: VersionJob, delivery: Delivery) -> AttemptStats:
        """See ``Attempts``."""
        number = job.first_attempt - 1 + delivery.attempt
        if number == 1:
            return AttemptStats()
        report = RunReporter(self._context, job, delivery)
        await report.load(allow_partial=True)
        record = report.stored.record
        last_reported = max(record.last_reported, self._last_reported.get(job.key, 0))
        silent_deliveries = record.model_copy(update={"last_reported": last_reported}).silent_before(number)
        if report.provider_job_id is not None:
            silent_deliveries //= _PROVIDER_DELIVERIES_FACTOR
        return AttemptStats(record.failed, silent_deliveries, record.last if record.failed else None)

    async def failed(self, job: VersionJob, delivery: Delivery, failure: Failure) -> int:
        """See ``Attempts``. Raises ``SupersededError``."""
        report = self.report_of(job, delivery) or RunReporter(self._context, job, delivery)
        number = report.number

        def counted(record: RunRecord) -> RunRecord:
            if record.last_reported >= number:
                return record
            return report.owned(
                record,
                failed=record.failed + 1,
                silent_deliveries=0,
                last_reported=number,
                last=failure,
                sending=_is_sending(report, record),
            )

        return await self._try_change(report, counted) or report.stored.record.failed + 1

    async def released(self, job: VersionJob, delivery: Delivery) -> None:
        """See ``Attempts``."""
        report = self.report_of(job, delivery) or RunReporter(self._context, job, delivery)
        number = report.number

        def recorded(record: RunRecord) -> RunRecord:
            if record.last_reported >= number or record.is_beyond(self._context.active_runs.process, number):
                return record
            return record.model_copy(
                update={
                    "silent_deliveries": record.silent_before(number),
                    "last_reported": number,
                    "sending": _is_sending(report, record),
                }
            )

        await self._try_change(report, recorded)

    async def retrying(self, job: VersionJob, delivery: Delivery, retry: Retry) -> None:
        """See ``Attempts``."""
        report = self.report_of(job, delivery) or RunReporter(self._context, job, delivery)
        try:
            await report.retrying(self._otherwise, retry)
        except PublishError as error:
            log.warning("retry announcement failed", error=str(error))

    async def _try_change(self, report: RunReporter, alter: Callable[[RunRecord], RunRecord]) -> int | None:
        """Change the record; returns the failed attempts, ``None`` if the broker is unavailable."""
        key = report.job.key
        try:
            stored = await self._context.records.change(key, alter)
        except BrokerUnavailableError:
            self._last_reported[key] = report.number
            if len(self._last_reported) > _MAX_UNSTORED:
                del self._last_reported[next(iter(self._last_reported))]
            return None
        self._last_reported.pop(key, None)
        return stored.record.failed


def _is_sending(report: RunReporter, record: RunRecord) -> bool:
    """Whether a paid request is still open after this delivery."""
    if report.request is None:
        # Not started or postponed: the request of another delivery keeps its state.
        return record.sending
    return report.request.is_lost
