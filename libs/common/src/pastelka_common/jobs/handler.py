"""The job handler of the coloring and the vectorize worker: report, check, store."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import structlog
from prometheus_client import Histogram

from pastelka_common.breaker import Breaker
from pastelka_common.contracts.messages import Failure, VersionJob
from pastelka_common.contracts.statuses import ColoringProcessingStatus, SvgProcessingStatus
from pastelka_common.errors import (
    BrokerUnavailableError,
    JobError,
    PermanentError,
    TransientError,
)
from pastelka_common.jobs.active_runs import ActiveRunRegistry, RunCancelled
from pastelka_common.jobs.context import RunContext
from pastelka_common.jobs.records import RunRecords
from pastelka_common.jobs.reporter import FACTS, RunReporter
from pastelka_common.jobs.run_attempts import RunAttempts
from pastelka_common.jobs.run_markers import RunMarkers, postpone_on_storage_error
from pastelka_common.messaging.attempts import Delivery
from pastelka_common.messaging.outcomes import Ack, Outcome
from pastelka_common.messaging.publish import Publisher
from pastelka_common.storage import Storage, UnsafePathError
from pastelka_common.thumbnails import Thumbnails

__all__ = ["FACTS", "Generator", "RunReporter", "VersionJobHandler"]

J = TypeVar("J", bound=VersionJob)
JobT_contra = TypeVar("JobT_contra", bound=VersionJob, contravariant=True)

_STORE_TIMEOUT = 900.0
_STORE_RETRY_DELAY = 1.0
_MAX_STORE_RETRY_DELAY = 15.0
_CANCEL_TIMEOUT = 15.0

log = structlog.get_logger(__name__)

PROVIDER_REQUEST_DURATION = Histogram(
    "pastelka_provider_request_duration_seconds",
    "From request to response or failure of a provider",
    ["kind", "provider", "outcome"],
    buckets=(0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600),
)


class Generator(Protocol[JobT_contra]):
    """The part that differs between the services: generating the file, cancelling at the provider."""

    @property
    def statuses(self) -> type[ColoringProcessingStatus] | type[SvgProcessingStatus]:
        """The statuses of this kind of version."""

    async def generate(self, job: JobT_contra, report: RunReporter) -> bytes:
        """Generate the content of the job's target."""

    async def cancel(self, provider_job_id: str) -> None:
        """Cancel the job at the provider."""


@dataclass(frozen=True)
class VersionJobHandler(Generic[J]):
    """Handles the jobs of one kind: the handler of a ``JobConsumer``."""

    publisher: Publisher
    records: RunRecords
    active_runs: ActiveRunRegistry
    storage: Storage
    generator: Generator[J]
    provider: str = "provider"
    breaker: Breaker | None = None
    thumbnails: Thumbnails = field(init=False)
    markers: RunMarkers = field(init=False)
    context: RunContext = field(init=False)
    attempts: RunAttempts = field(init=False)

    def __post_init__(self) -> None:
        markers = RunMarkers(self.storage)
        context = RunContext(
            self.publisher,
            self.records,
            self.active_runs,
            self.generator.cancel,
            self.storage,
            markers,
            self.provider,
            self.breaker,
        )
        object.__setattr__(self, "thumbnails", Thumbnails(self.storage))
        object.__setattr__(self, "markers", markers)
        object.__setattr__(self, "context", context)
        object.__setattr__(self, "attempts", RunAttempts(context, self.generator.statuses.PROCESSING))

    async def handle(self, job: J, delivery: Delivery) -> Outcome:
        """Generate and store the file of one version, unless the run is cancelled."""
        structlog.contextvars.bind_contextvars(
            order=job.order_number, version=job.version_id, kind=job.kind, run=job.run
        )
        report = RunReporter(self.context, job, delivery)
        try:
            await self.active_runs.execute(job.key, lambda: self._generate_unless_done(job, report))
        except RunCancelled:
            log.info("cancelled")
            # A submission in progress at the cancellation has ended with an id.
            await report.load()
            await report.cancel_at_provider()
        return Ack()

    async def reject(self, job: J, delivery: Delivery, failure: Failure) -> None:
        """Report that a job is abandoned: the ``on_rejected`` of a ``JobConsumer``.

        Cancels what may still run, and cost, at the provider. Raises ``SupersededError`` if another worker
        has the job.
        """
        report = self.attempts.report_of(job, delivery)
        if report is None:
            report = RunReporter(self.context, job, delivery)
            await report.load(allow_partial=True)
        await report.ensure_ownership()
        await report.failed(self.generator.statuses.ERROR, failure)
        try:
            async with asyncio.timeout(_CANCEL_TIMEOUT):
                await report.cancel_at_provider()
        except (JobError, TimeoutError) as error:
            log.warning("provider cancellation failed", job_id=report.provider_job_id, error=str(error))

    async def _generate_unless_done(self, job: J, report: RunReporter) -> None:
        async with postpone_on_storage_error():
            is_outdated = await self.markers.is_outdated(job)
            content = None if is_outdated else await self.markers.stored_result(job)
        if is_outdated:
            log.info("outdated job ignored")
            return
        if content is None:
            content = await self._generate_and_store(job, report)
        else:
            log.info("file already stored")
            await report.load()
        await report.completed(self.generator.statuses.COMPLETED)
        # Nothing waits for the thumbnail: until it exists, the gateway serves the file itself.
        await self._store_thumbnail(job, content)
        await self.markers.delete(job)

    async def _generate_and_store(self, job: J, report: RunReporter) -> bytes:
        await report.take_over()
        if report.has_stored_file:
            # Generated and paid for by an earlier delivery that could not report it.
            async with postpone_on_storage_error():
                return await self.storage.read(job.target)
        report.check()
        if report.provider_job_id is None:
            await report.status(self.generator.statuses.PROCESSING)
        content = await self._generate(job, report)
        await self._ensure_not_cancelled(job)
        await self._store(job.target, content, report)
        return content

    async def _ensure_not_cancelled(self, job: J) -> None:
        """Check the bucket: a suspended process may have missed a cancellation. Raises ``RunCancelled``.

        If the broker is unavailable, continue: the result may have been paid for.
        """
        try:
            await self.active_runs.check_cancelled(job.key)
        except TransientError as error:
            log.warning("cancellation check failed", code=error.code)

    async def _generate(self, job: J, report: RunReporter) -> bytes:
        started, outcome = time.monotonic(), "cancelled"
        try:
            content = await self._generate_with_metrics(job, report)
            outcome = "completed"
        except JobError as error:
            outcome = error.code
            raise
        finally:
            PROVIDER_REQUEST_DURATION.labels(job.kind, self.provider, outcome).observe(
                time.monotonic() - started
            )
        return content

    async def _generate_with_metrics(self, job: J, report: RunReporter) -> bytes:
        try:
            content = await self.generator.generate(job, report)
        except JobError as error:
            report.refused(error)
            if isinstance(error, TransientError):
                await report.lost()
            raise
        except BaseException as error:
            # A submission that finished despite a cancellation may have been refused.
            if isinstance(error.__cause__, JobError):
                report.refused(error.__cause__)
            report.abandoned()
            raise
        report.responded(settled=False)
        return content

    async def _store(self, path: str, content: bytes, report: RunReporter) -> None:
        """Write the file; retry for a while if it is paid for and cannot be fetched again."""
        until = time.monotonic() + _STORE_TIMEOUT
        pause = _STORE_RETRY_DELAY
        while True:
            try:
                await report.ensure_ownership()
                await self.storage.write(path, content)
            except UnsafePathError as error:
                raise PermanentError("unsafe_path", str(error)) from error
            except (OSError, BrokerUnavailableError) as error:
                if not report.has_paid_without_id or time.monotonic() > until:
                    raise _not_stored(error) from error
                log.warning("paid result not stored yet", path=path, error=str(error))
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_STORE_RETRY_DELAY)

    async def _store_thumbnail(self, job: J, content: bytes) -> None:
        """Store the thumbnail, of an SVG from the page that it traces."""
        if job.kind == "svg":
            try:
                content = await self.storage.read(job.source)
            except (OSError, UnsafePathError) as error:
                log.warning("thumbnail source missing", error=str(error))
                return
        await self.thumbnails.make(job.target, content)


def _not_stored(error: OSError | BrokerUnavailableError) -> TransientError:
    if isinstance(error, BrokerUnavailableError):
        return error
    return TransientError("storage_unavailable", f"The storage refused a file: {error.strerror}.")
