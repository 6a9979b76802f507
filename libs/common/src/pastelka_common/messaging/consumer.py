"""The job consumer: how a worker takes jobs, keeps them, and says how they ended.

A delivery is acknowledged only after its handler returned an outcome; while the handler works,
the acknowledgement deadline is extended, so that a dead worker is noticed by its silence.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from prometheus_client import Counter, Gauge, Histogram
from pydantic import ValidationError

from pastelka_common.contracts.messages import DeadLetter, Failure, Message, now
from pastelka_common.errors import JobError, PermanentError, TransientError
from pastelka_common.messaging.outcomes import Done, HandBack, Outcome, Reject, RetryAfter
from pastelka_common.messaging.publish import Publisher, PublishError
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import ConsumerSpec
from pastelka_common.telemetry import context_of, trace_id_of, tracer

J = TypeVar("J", bound=Message)

log = structlog.get_logger(__name__)

IN_HAND = Gauge("pastelka_jobs_in_hand", "Jobs a process is working on", ["consumer"])
ENDED = Counter("pastelka_deliveries_total", "Deliveries by how they ended", ["consumer", "outcome"])
SECONDS = Histogram(
    "pastelka_delivery_seconds",
    "From delivery to outcome",
    ["consumer"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600),
)


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how soon a job is tried again.

    The delay before attempt ``n + 1`` is drawn between half and all of
    ``min(base * 2**(n - 1), longest)`` seconds, or is the provider's own wish if that is longer.
    """

    attempts: int = 12
    base: float = 2.0
    longest: float = 120.0

    def delay(self, attempt: int, wish: float | None = None) -> float:
        """Seconds to wait after ``attempt`` (from 1) failed."""
        most = min(self.base * 2.0 ** (attempt - 1), self.longest)
        return max(most * random.uniform(0.5, 1.0), wish or 0.0)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a job: ``attempt`` from 1 counts deliveries of this message."""

    attempt: int
    is_last: bool


Handler = Callable[[J, Delivery], Awaitable[Outcome]]
OnRejected = Callable[[J, Delivery, Failure], Awaitable[None]]


class JobConsumer(Generic[J]):
    """Takes jobs of one durable consumer, at most ``concurrency`` at a time in this process.

    ``handler`` returns an outcome, or raises ``TransientError`` (tried again), ``PermanentError``
    (given up) or anything else (a bug: tried again, then given up). ``on_rejected`` is told before
    the dead letter is written. Cancellation of a handler hands the job back.
    """

    def __init__(
        self,
        nc: Client,
        spec: ConsumerSpec,
        job_type: type[J],
        handler: Handler[J],
        *,
        concurrency: int,
        retries: Retries = Retries(),
        on_rejected: OnRejected[J] | None = None,
    ) -> None:
        self._nc = nc
        self._spec = spec
        self._job_type = job_type
        self._handler = handler
        self._concurrency = concurrency
        self._retries = retries
        self._on_rejected = on_rejected
        self._publisher = Publisher(nc)
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()

    async def run(self, stop: asyncio.Event, *, grace: float = 0.0) -> None:
        """Work until ``stop`` is set; then give handlers ``grace`` seconds, and hand back the rest."""
        subscription = PullSubscription(self._nc, self._spec)
        await subscription.start()
        stopped = asyncio.create_task(stop.wait())
        taken: list[Msg] = []
        try:
            while not stop.is_set():
                taken = await self._take(subscription, stopped)
                # A task that is cancelled before its first step could not hand its job back.
                while taken and not stop.is_set():
                    self._begin(taken.pop(0))
        finally:
            stopped.cancel()
            for msg in [*taken, *await subscription.stop()]:
                await self._apply_quietly(msg, HandBack())
            await self._drain(grace)

    async def _take(self, subscription: PullSubscription, stopped: asyncio.Task[bool]) -> list[Msg]:
        """What has arrived; nothing when there may be room for more, or when it is time to stop."""
        # Cleared before counting: a job that ends from here on is noticed below.
        self._room.clear()
        free = self._concurrency - len(self._tasks) - subscription.outstanding
        if free > 0:
            await subscription.ask(free)
        taking = asyncio.create_task(subscription.take(self._concurrency))
        room = asyncio.create_task(self._room.wait())
        try:
            await asyncio.wait({taking, room, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
            if not taking.done():
                taking.cancel()
        return taking.result() if taking.done() else []

    def _begin(self, msg: Msg) -> None:
        task = asyncio.create_task(self._process(msg), name=f"{self._spec.name}:{msg.subject}")
        self._tasks.add(task)
        IN_HAND.labels(self._spec.name).set(len(self._tasks))
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        IN_HAND.labels(self._spec.name).set(len(self._tasks))
        self._room.set()

    async def _drain(self, grace: float) -> None:
        """Let handlers finish within ``grace`` seconds, then cancel them: that hands back."""
        if self._tasks and grace > 0:
            await asyncio.wait(self._tasks, timeout=grace)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _process(self, msg: Msg) -> None:
        started = time.monotonic()
        heartbeat = asyncio.create_task(self._extend(msg))
        try:
            outcome = await self._outcome(msg)
        except asyncio.CancelledError:
            heartbeat.cancel()
            await self._apply_quietly(msg, HandBack())
            raise
        finally:
            heartbeat.cancel()
        SECONDS.labels(self._spec.name).observe(time.monotonic() - started)
        await self._apply_quietly(msg, outcome)

    async def _extend(self, msg: Msg) -> None:
        """Tell the server that the job is being worked on, three times per deadline."""
        while True:
            await asyncio.sleep(self._spec.ack_wait / 3)
            try:
                await msg.in_progress()
            except Exception as error:  # noqa: BLE001 - the next heartbeat may get through
                log.warning("heartbeat failed", subject=msg.subject, error=str(error))

    async def _outcome(self, msg: Msg) -> Outcome:
        with tracer.start_as_current_span(
            f"process {self._spec.name}", context=context_of(msg.headers), kind=SpanKind.CONSUMER
        ) as span:
            attempt = _attempt(msg)
            delivery = Delivery(attempt, is_last=attempt >= self._retries.attempts)
            try:
                job = self._job_type.model_validate_json(msg.data)
            except ValidationError as error:
                span.set_status(Status(StatusCode.ERROR, "malformed_job"))
                return await self._reject(msg, None, delivery, _malformed(error))
            if attempt > self._retries.attempts:
                return await self._reject(msg, job, delivery, _exhausted(self._retries.attempts))
            return await self._handle(msg, job, delivery, span)

    async def _handle(self, msg: Msg, job: J, delivery: Delivery, span: Span) -> Outcome:
        try:
            outcome = await self._handler(job, delivery)
        except PermanentError as error:
            outcome = Reject(_failure(error))
        except (TransientError, PublishError) as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            return await self._retry(msg, job, delivery, error)
        except Exception as error:
            log.exception("handler failed", subject=msg.subject, attempt=delivery.attempt)
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            return await self._retry(msg, job, delivery, error)
        if isinstance(outcome, Reject):
            span.set_status(Status(StatusCode.ERROR, outcome.failure.code))
            return await self._reject(msg, job, delivery, outcome.failure)
        return outcome

    async def _retry(self, msg: Msg, job: J, delivery: Delivery, error: Exception) -> Outcome:
        failure = _failure(error)
        if delivery.is_last and not isinstance(error, PublishError):
            return await self._reject(msg, job, delivery, failure)
        wish = error.retry_after if isinstance(error, TransientError) else None
        seconds = self._retries.delay(delivery.attempt, wish)
        log.warning(
            "trying again", subject=msg.subject, attempt=delivery.attempt, code=failure.code, seconds=seconds
        )
        return RetryAfter(seconds, failure)

    async def _reject(self, msg: Msg, job: J | None, delivery: Delivery, failure: Failure) -> Outcome:
        """Say that the job is given up on; if even that fails, it is tried again."""
        try:
            if job is not None and self._on_rejected is not None:
                await self._on_rejected(job, delivery, failure)
            await self._publisher.publish(
                _dead_letter(msg, delivery, failure), msg_id=f"dead.{_stream_sequence(msg)}"
            )
        except Exception as error:
            log.exception("could not write the dead letter", subject=msg.subject)
            return RetryAfter(self._retries.delay(1), _failure(error))
        return Reject(failure)

    async def _apply_quietly(self, msg: Msg, outcome: Outcome) -> None:
        """Apply; if the server cannot be told, it delivers again when the deadline has passed."""
        try:
            await apply(msg, outcome)
        except Exception as error:  # noqa: BLE001 - an outcome that is not told is a redelivery, not a crash
            log.warning("outcome not told", subject=msg.subject, error=str(error))
            return
        ENDED.labels(self._spec.name, type(outcome).__name__).inc()


async def apply(msg: Msg, outcome: Outcome) -> None:
    """Tell the server how a delivery ended: the one place where that is done."""
    match outcome:
        case Done():
            await msg.ack()
        case RetryAfter(seconds=seconds):
            await msg.nak(delay=seconds)
        case HandBack():
            await msg.nak()
        case Reject():
            await msg.term()


def _attempt(msg: Msg) -> int:
    return msg.metadata.num_delivered or 1


def _stream_sequence(msg: Msg) -> str:
    """Names the delivered message, also after a loss of the stream, which counts from 1 again."""
    metadata = msg.metadata
    return f"{metadata.stream}.{metadata.sequence.stream}.{metadata.timestamp:%Y%m%dT%H%M%S.%f}"


def _failure(error: Exception) -> Failure:
    if isinstance(error, JobError):
        return Failure(code=error.code, message=error.message)
    if isinstance(error, PublishError):
        return Failure(code="broker_unavailable", message="The message broker did not answer.")
    return Failure(
        code="internal_error",
        message=f"An unexpected error in the service ({type(error).__name__}); its log tells more.",
    )


def _malformed(error: ValidationError) -> Failure:
    fields = {".".join(map(str, problem["loc"])) or "the whole document" for problem in error.errors()}
    return Failure(
        code="malformed_job", message=f"The job message is malformed at: {', '.join(sorted(fields))}."
    )


def _exhausted(attempts: int) -> Failure:
    return Failure(
        code="attempts_exhausted",
        message=f"Given up after {attempts} attempts, none of which came to an end.",
    )


def _dead_letter(msg: Msg, delivery: Delivery, failure: Failure) -> DeadLetter:
    return DeadLetter(
        original_subject=msg.subject,
        original_payload=msg.data.decode(errors="replace"),
        original_headers=dict(msg.headers or {}),
        failure=failure,
        attempt=delivery.attempt,
        at=now(),
        trace_id=trace_id_of(msg.headers),
    )
