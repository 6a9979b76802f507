"""The attempts of a run, kept in its record: redelivery, restart and a second publication keep them."""

from collections.abc import Callable

import structlog

from pastelka_common.contracts.messages import Failure, Retry, VersionJob
from pastelka_common.contracts.statuses import VersionStatus
from pastelka_common.errors import BrokerUnavailableError
from pastelka_common.messaging.attempts import Delivery, Tally
from pastelka_common.messaging.publish import PublishError
from pastelka_common.messaging.records import RunRecord
from pastelka_common.messaging.report import Desk, Report

_PATIENCE_AT_PROVIDER = 3
_REMEMBERED = 10_000

log = structlog.get_logger(__name__)


class RunAttempts:
    """The ``Attempts`` of jobs of versions. ``otherwise`` is what a retry repeats where nothing was told.

    The first delivery of a run reads and writes nothing here. A job that the provider has is given
    three times as many crashes: giving up on it gives up what is paid for.
    """

    def __init__(self, desk: Desk, otherwise: VersionStatus) -> None:
        self._desk = desk
        self._otherwise = otherwise
        # What could not be stored because the broker was away.
        self._told: dict[str, int] = {}

    def report_of(self, job: VersionJob, delivery: Delivery) -> Report | None:
        """The report of this delivery, if its handler had begun."""
        kept = delivery.kept
        return kept if isinstance(kept, Report) and kept.desk is self._desk and kept.job == job else None

    async def begin(self, job: VersionJob, delivery: Delivery) -> Tally:
        """See ``Attempts``."""
        number = job.first_attempt - 1 + delivery.attempt
        if number == 1:
            return Tally()
        report = Report(self._desk, job, delivery)
        await report.look(at_least_roughly=True)
        record = report.held.record
        told = max(record.told, self._told.get(job.key, 0))
        crashes = record.model_copy(update={"told": told}).silent_before(number)
        if report.provider_job_id is not None:
            crashes //= _PATIENCE_AT_PROVIDER
        return Tally(record.failed, crashes, record.last if record.failed else None)

    async def failed(self, job: VersionJob, delivery: Delivery, failure: Failure) -> int:
        """See ``Attempts``. Raises ``SupersededError``."""
        report = self.report_of(job, delivery) or Report(self._desk, job, delivery)
        number = report.number

        def counted(record: RunRecord) -> RunRecord:
            if record.told >= number:
                return record
            return report.mine(
                record,
                failed=record.failed + 1,
                crashes=0,
                told=number,
                last=failure,
                sending=_is_sending(report, record),
            )

        return await self._noted(report, counted) or report.held.record.failed + 1

    async def spared(self, job: VersionJob, delivery: Delivery) -> None:
        """See ``Attempts``."""
        report = self.report_of(job, delivery) or Report(self._desk, job, delivery)
        number = report.number

        def noted(record: RunRecord) -> RunRecord:
            if record.told >= number or record.is_beyond(self._desk.name, number):
                return record
            return record.model_copy(
                update={
                    "crashes": record.silent_before(number),
                    "told": number,
                    "sending": _is_sending(report, record),
                }
            )

        await self._noted(report, noted)

    async def retrying(self, job: VersionJob, delivery: Delivery, retry: Retry) -> None:
        """See ``Attempts``."""
        report = self.report_of(job, delivery) or Report(self._desk, job, delivery)
        try:
            await report.retrying(self._otherwise, retry)
        except PublishError as error:
            log.warning("the next attempt is not announced", error=str(error))

    async def _noted(self, report: Report, alter: Callable[[RunRecord], RunRecord]) -> int | None:
        """Change the record; returns the attempts that failed, ``None`` if the broker is away."""
        key = report.job.key
        try:
            held = await self._desk.provider_jobs.records.change(key, alter)
        except BrokerUnavailableError:
            self._told[key] = report.number
            if len(self._told) > _REMEMBERED:
                del self._told[next(iter(self._told))]
            return None
        self._told.pop(key, None)
        return held.record.failed


def _is_sending(report: Report, record: RunRecord) -> bool:
    """Whether a paid request is still open after this delivery."""
    if report.request is None:
        # Not begun, or put off: somebody else's request stays what it was.
        return record.sending
    return report.request.is_lost
