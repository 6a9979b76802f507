"""What the coloring and the vectorize worker do alike with a job: report, guard, store."""

from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import structlog

from pastelka_common.contracts.messages import ColoringFact, Failure, SvgFact, VersionJob, now
from pastelka_common.contracts.statuses import ColoringProcessingStatus, SvgProcessingStatus, VersionStatus
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.messaging.consumer import Delivery
from pastelka_common.messaging.outcomes import Done, Outcome
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.runs import Cancellations, ProviderJobs, RunCancelled
from pastelka_common.messaging.turns import Turns
from pastelka_common.run_notes import RunNotes
from pastelka_common.storage import Storage, UnsafePathError
from pastelka_common.thumbnails import Thumbnails

J = TypeVar("J", bound=VersionJob)
JobT_contra = TypeVar("JobT_contra", bound=VersionJob, contravariant=True)

log = structlog.get_logger(__name__)

FACTS: dict[str, type[ColoringFact] | type[SvgFact]] = {"coloring": ColoringFact, "svg": SvgFact}

# The last step of an attempt: whatever was reported before, giving up comes after it.
_LAST_STEP = 1_000_000


class Report:
    """Reports what happens to one delivery of a job; every call returns once the fact is stored."""

    def __init__(
        self,
        publisher: Publisher,
        provider_jobs: ProviderJobs,
        job: VersionJob,
        attempt: int,
        notes: RunNotes,
    ) -> None:
        self._publisher = publisher
        self._provider_jobs = provider_jobs
        self._notes = notes
        self._job = job
        self._attempt = job.first_attempt - 1 + attempt
        self._step = 0
        self.provider_job_id = job.provider_job_id

    async def status(self, status: VersionStatus) -> None:
        """Report a step."""
        await self._send(status)

    async def submitted(self, provider_job_id: str) -> None:
        """Keep the provider's job id before anything else can go wrong."""
        self.provider_job_id = provider_job_id
        # The storage first: the broker may be away for long, and this process may not outlive that.
        await self._notes.keep(self._job, provider_job_id)
        await self._provider_jobs.put(self._job.key, provider_job_id)

    async def completed(self, status: VersionStatus) -> None:
        """Report that the file is stored at the job's target."""
        await self._send(status, path=self._job.target)

    async def failed(self, status: VersionStatus, failure: Failure) -> None:
        """Report that the job is given up on."""
        self._step = _LAST_STEP
        await self._send(status, failure=failure)

    async def recall(self) -> None:
        """Look up whether an earlier delivery had already submitted this run."""
        if self.provider_job_id is None:
            self.provider_job_id = await self._provider_jobs.get(self._job.key)
        if self.provider_job_id is None:
            self.provider_job_id = await self._notes.provider_job_id(self._job)

    async def _send(
        self, status: VersionStatus, *, path: str | None = None, failure: Failure | None = None
    ) -> None:
        self._step += 1
        fact = FACTS[self._job.kind].model_validate(
            {
                "version_id": self._job.version_id,
                "run": self._job.run,
                "attempt": self._attempt,
                "step": self._step,
                "at": now(),
                "status": status,
                "path": path,
                "failure": failure,
                "provider_job_id": self.provider_job_id,
            }
        )
        await self._publisher.publish(fact)


class Making(Protocol[JobT_contra]):
    """What differs between the services: making the file, and stopping it at the provider."""

    @property
    def statuses(self) -> type[ColoringProcessingStatus] | type[SvgProcessingStatus]:
        """The statuses of this kind of version."""

    async def make(self, job: JobT_contra, report: Report) -> bytes:
        """The content of the job's target."""

    async def cancel(self, provider_job_id: str) -> None:
        """Stop the job at the provider."""


@dataclass(frozen=True)
class Workshop(Generic[J]):
    """Handles the jobs of one kind: the handler of a ``JobConsumer``."""

    publisher: Publisher
    provider_jobs: ProviderJobs
    cancellations: Cancellations
    storage: Storage
    making: Making[J]
    thumbnails: Thumbnails = field(init=False)
    notes: RunNotes = field(init=False)
    _turns: Turns = field(init=False, default_factory=Turns)

    def __post_init__(self) -> None:
        object.__setattr__(self, "thumbnails", Thumbnails(self.storage))
        object.__setattr__(self, "notes", RunNotes(self.storage))

    async def handle(self, job: J, delivery: Delivery) -> Outcome:
        """Make and store the file of one version, unless the run was cancelled."""
        structlog.contextvars.bind_contextvars(
            order=job.order_number, version=job.version_id, kind=job.kind, run=job.run
        )
        report = Report(self.publisher, self.provider_jobs, job, delivery.attempt, self.notes)
        try:
            async with self._turns.of(job.key):
                await self.cancellations.guard(job.key, lambda: self._do(job, report))
        except RunCancelled:
            log.info("cancelled")
            await self._cancel_at_provider(report)
        return Done()

    async def reject(self, job: J, delivery: Delivery, failure: Failure) -> None:
        """Report that a job is given up on: the ``on_rejected`` of a ``JobConsumer``."""
        report = Report(self.publisher, self.provider_jobs, job, delivery.attempt, self.notes)
        await report.failed(self.making.statuses.ERROR, failure)

    async def _do(self, job: J, report: Report) -> None:
        if await self.notes.is_outdated(job):
            log.info("job of an earlier run left alone")
            return
        content = await self.notes.made(job)
        if content is None:
            content = await self._make(job, report)
        else:
            log.info("file is there already")
        await report.completed(self.making.statuses.COMPLETED)
        # Nobody waits for it: until it is there, the gateway shows the file itself in its place.
        await self._store_thumbnail(job, content)
        await self.notes.forget(job)

    async def _make(self, job: J, report: Report) -> bytes:
        await report.recall()
        if report.provider_job_id is None:
            await report.status(self.making.statuses.PROCESSING)
        content = await self.making.make(job, report)
        await self._not_cancelled_meanwhile(job)
        await self._store(job.target, content)
        return content

    async def _not_cancelled_meanwhile(self, job: J) -> None:
        """A process that was frozen may have missed what was said. Raises ``RunCancelled``.

        A broker that is away does not keep from storing what may have been paid for.
        """
        try:
            await self.cancellations.check(job.key)
        except TransientError as error:
            log.warning("not asked whether it was cancelled", code=error.code)

    async def _store(self, path: str, content: bytes) -> None:
        try:
            await self.storage.write(path, content)
        except UnsafePathError as error:
            raise PermanentError("unsafe_path", str(error)) from error
        except OSError as error:
            raise TransientError(
                "storage_unavailable", f"The storage refused a file: {error.strerror}."
            ) from error

    async def _store_thumbnail(self, job: J, content: bytes) -> None:
        """A page's is made from itself, an SVG's from the page that it traces: the same lines."""
        if job.kind == "svg":
            try:
                content = await self.storage.read(job.source)
            except (OSError, UnsafePathError) as error:
                log.warning("no page to make the thumbnail from", error=str(error))
                return
        await self.thumbnails.make(job.target, content)

    async def _cancel_at_provider(self, report: Report) -> None:
        """Stop what this or an earlier delivery submitted; while the provider is away, later again."""
        await report.recall()
        if report.provider_job_id is None:
            return
        try:
            await self.making.cancel(report.provider_job_id)
        except PermanentError as error:
            log.warning("cancelling at the provider was refused", code=error.code)
