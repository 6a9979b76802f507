"""Row jobs: claims due rows, works on them outside any transaction, and writes their outcome.

Each worker has one runner per kind of job; any number of workers share the rows. A claim is extended while
its job runs, so another worker takes over when a crashed worker's claim expires. Only a failure of the job
itself counts as an attempt; jobs that lack the database, the storage or a free slot of their host are
postponed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure
from pastelka_common.errors import PermanentError, PostponedError, TransientError
from pastelka_common.messaging.attempts import RetryPolicy
from pastelka_common.messaging.metrics import ENDED, IN_PROGRESS, RETRIES
from pastelka_common.messaging.outcomes import failure_of
from pastelka_common.process import wait_at_most
from pastelka_common.telemetry import tracer
from pastelka_orders.database import Database, is_transient
from pastelka_orders.database_errors import DatabaseUnavailableError
from pastelka_orders.errors import NO_ROOM
from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import Claim, ClaimLostError, JobTable

CLAIM_SECONDS = 30.0
"""Duration of a claim; a worker that does not extend it is considered dead."""
POLL_INTERVAL = 1.0
"""Seconds between polls for due rows without a notification."""
STORAGE_RETRY_DELAY = 10.0
_MAX_LOST_CLAIMS = 5
_OUTCOME_RETRY_DELAY = 1.0

log = structlog.get_logger(__name__)


Write = Callable[[AsyncConnection], Awaitable[None]]
"""Writes an outcome, in one transaction."""


class JobKind(Protocol):
    """One kind of row job."""

    @property
    def name(self) -> str:
        """Name in metrics and logs."""

    @property
    def table(self) -> JobTable:
        """Table of its rows."""

    async def work(self, claim: Claim) -> Write:
        """Do the job; returns the transaction that writes its result, and ends the claim last.

        Writes that depend on the claim hold ``claim.lock``. Raises ``PostponedError`` or ``OSError`` (not
        counted), ``TransientError`` or anything unexpected (counted), ``PermanentError`` (abandoned),
        ``ClaimLostError``.
        """

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        """Make the failure visible to users, and end the claim."""


@dataclass
class JobRunner:
    """Claims rows of one kind, at most ``concurrency`` at a time; :meth:`wake` triggers a poll.

    ``on_commit`` is called when an outcome is written. A job is abandoned after ``retries.attempts`` failed
    attempts, or if its claims repeatedly expire without an outcome: it may crash its workers.
    """

    database: Database
    kind: JobKind
    concurrency: int
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    on_commit: Callable[[], None] = lambda: None
    claim_seconds: float = CLAIM_SECONDS
    _tasks: "set[asyncio.Task[None]]" = field(init=False, default_factory=set)
    _awake: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def wake(self) -> None:
        """Poll for due rows immediately."""
        self._awake.set()

    async def run(self, stop: asyncio.Event, *, grace: float = 0.0) -> None:
        """Run until ``stop`` is set; then let jobs finish for ``grace`` seconds and release the others."""
        stopped = asyncio.create_task(stop.wait())
        stopped.add_done_callback(lambda _: self.wake())
        try:
            while not stop.is_set():
                self._awake.clear()
                if not await self._claim():
                    await wait_at_most(self._awake, POLL_INTERVAL)
        finally:
            stopped.cancel()
            await self._drain(grace)

    async def _claim(self) -> bool:
        """Start due jobs up to the concurrency limit; returns whether there may be more."""
        free = self.concurrency - len(self._tasks)
        if free <= 0:
            return False
        try:
            found = await self.database.write(
                lambda c: claims.claim_due(c, self.kind.table, free=free, lease=self.claim_seconds)
            )
        except Exception as error:
            if not is_transient(error):
                log.exception("claiming failed", kind=self.kind.name)
            return False
        for claim in found:
            task = asyncio.create_task(self._process(claim), name=f"{self.kind.name}:{claim.key}")
            self._tasks.add(task)
            task.add_done_callback(self._on_task_done)
        IN_PROGRESS.labels(self.kind.name).set(len(self._tasks))
        return bool(found)

    def _on_task_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("outcome not written", kind=self.kind.name, task=task.get_name(), exc_info=error)
        IN_PROGRESS.labels(self.kind.name).set(len(self._tasks))
        self.wake()

    async def _drain(self, grace: float) -> None:
        tasks = list(self._tasks)
        await asyncio.sleep(0)  # a task cancelled before its first step could not release its claim
        if tasks and grace > 0:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _process(self, claim: Claim) -> None:
        with tracer.start_as_current_span(f"process {self.kind.name}", kind=SpanKind.CONSUMER) as span:
            try:
                outcome = await self._attempt(claim, span)
            except ClaimLostError:
                outcome = "Lost"
                log.info("claim lost", kind=self.kind.name, key=claim.key)
            except asyncio.CancelledError:
                ENDED.labels(self.kind.name, "Released").inc()
                with suppress(DatabaseUnavailableError):
                    await self.database.write(lambda c: claims.release(c, claim))
                raise
        ENDED.labels(self.kind.name, outcome).inc()
        self.on_commit()

    async def _attempt(self, claim: Claim, span: Span) -> str:
        """Run the job once; returns the outcome."""
        try:
            _require_outcomes(claim)
            async with self._extended(claim):
                write = await self.kind.work(claim)
            await self.database.write(write)
        except ClaimLostError:
            raise
        except Exception as error:  # noqa: BLE001 - classified there
            if not isinstance(error, PostponedError):
                span.set_status(Status(StatusCode.ERROR, str(error)))
            return await self._end_failed(claim, error)
        return "Done"

    @asynccontextmanager
    async def _extended(self, claim: Claim) -> AsyncIterator[None]:
        """Extend the claim while the body runs; if it is lost, end the body and raise ``ClaimLostError``."""
        ended, deadline = asyncio.Event(), asyncio.timeout(None)
        try:
            async with deadline:
                extending = asyncio.create_task(self._extend(claim, ended, deadline))
                try:
                    yield
                finally:
                    # After a cancelled extension the claim's expiry would be unknown.
                    ended.set()
                    await asyncio.wait({extending})
        except TimeoutError:
            if deadline.expired():
                raise ClaimLostError from None
            raise

    async def _extend(self, claim: Claim, ended: asyncio.Event, deadline: asyncio.Timeout) -> None:
        while not await wait_at_most(ended, self.claim_seconds / 3):
            try:
                async with claim.lock:
                    claim.until = await self.database.write(
                        lambda c: claims.extend(c, claim, lease=self.claim_seconds)
                    )
            except ClaimLostError:
                deadline.reschedule(asyncio.get_running_loop().time())
                return
            except Exception as error:  # noqa: BLE001 - the next extension may succeed
                log.warning("claim not extended", kind=self.kind.name, key=claim.key, error=str(error))

    async def _end_failed(self, claim: Claim, error: Exception) -> str:
        if isinstance(error, OSError):
            error = _postponed(error)
        failure = failure_of(error)
        if isinstance(error, PostponedError):
            log.info("job deferred", kind=self.kind.name, key=claim.key, code=failure.code)
            await self._defer(claim, failure, claim.attempts, error.seconds)
            return "Postpone"
        if not isinstance(error, PermanentError | TransientError):
            log.error("job failed", kind=self.kind.name, key=claim.key, exc_info=error)
        attempts = claim.attempts + 1
        if isinstance(error, PermanentError) or attempts >= self.retries.attempts:
            return await self._give_up(claim, attempts, failure)
        RETRIES.labels(self.kind.name, failure.code).inc()
        retry_after = error.retry_after if isinstance(error, TransientError) else None
        seconds = self.retries.delay(attempts, retry_after)
        log.warning(
            "trying again",
            kind=self.kind.name,
            key=claim.key,
            attempt=attempts,
            code=failure.code,
            seconds=seconds,
        )
        await self._defer(claim, failure, attempts, seconds)
        return "RetryAfter"

    async def _give_up(self, claim: Claim, attempts: int, failure: Failure) -> str:
        claim.attempts = attempts
        try:
            await self._write(lambda c: self.kind.give_up(c, claim, failure))
        except ClaimLostError:
            raise
        except Exception:
            log.exception("job cannot be given up", kind=self.kind.name, key=claim.key)
            await self._defer(claim, failure, attempts, self.retries.max_delay)
            return "RetryAfter"
        log.error("job given up", kind=self.kind.name, key=claim.key, code=failure.code)
        return "Reject"

    async def _defer(self, claim: Claim, failure: Failure, attempts: int, seconds: float) -> None:
        await self._write(
            lambda c: claims.end(c, claim, attempts=attempts, error=failure.message, seconds=seconds)
        )
        asyncio.get_running_loop().call_later(seconds, self.wake)

    async def _write(self, write: Write) -> None:
        """Write an outcome; while the database is unavailable, retry and keep the claim."""
        while True:
            try:
                return await self.database.write(write)
            except DatabaseUnavailableError:
                await asyncio.sleep(_OUTCOME_RETRY_DELAY)


def _postponed(error: OSError) -> PostponedError:
    if error.errno in NO_ROOM:
        return PostponedError(
            "storage_full", "The storage is full; free space in it.", seconds=STORAGE_RETRY_DELAY
        )
    reason = error.strerror or type(error).__name__
    return PostponedError(
        "storage_unavailable", f"The storage does not respond: {reason}.", seconds=STORAGE_RETRY_DELAY
    )


def _require_outcomes(claim: Claim) -> None:
    if claim.lost_claims >= _MAX_LOST_CLAIMS:
        message = f"Gave up after {claim.lost_claims} attempts, none of which completed."
        raise PermanentError("attempts_exhausted", message)
