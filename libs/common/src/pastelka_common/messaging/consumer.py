"""The job consumer: receives jobs, extends their deadline, and applies their outcome.

A delivery is acknowledged only after its handler returned an outcome; meanwhile the acknowledgement deadline
is extended by heartbeats, so that a dead worker is detected by their absence.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from pydantic import ValidationError

from pastelka_common.contracts.messages import Failure, Message, Retry, now
from pastelka_common.errors import (
    BrokerUnavailableError,
    PermanentError,
    PostponedError,
    SupersededError,
    TransientError,
)
from pastelka_common.messaging.attempts import (
    Attempts,
    AttemptStats,
    Delivery,
    DeliveryLease,
    RetryPolicy,
    Unlimited,
)
from pastelka_common.messaging.dead_letters import dead_letter, exhausted, malformed
from pastelka_common.messaging.metrics import ENDED, IN_PROGRESS, RETRIES, SECONDS
from pastelka_common.messaging.outcomes import (
    Nack,
    NoAck,
    Outcome,
    Postpone,
    Reject,
    RetryAfter,
    apply,
    failure_of,
)
from pastelka_common.messaging.publish import Publisher, PublishError
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import ConsumerSpec
from pastelka_common.telemetry import context_of, tracer

__all__ = ["Delivery", "JobConsumer", "RetryPolicy"]

J = TypeVar("J", bound=Message)

log = structlog.get_logger(__name__)

Handler = Callable[[J, Delivery], Awaitable[Outcome]]
OnRejected = Callable[[J, Delivery, Failure], Awaitable[None]]

_RECORD_TIMEOUT = 2.0
_LEASE_FRACTION = 0.9


class AdmissionControl(Protocol):
    """Limits the number of jobs to receive; implemented by the breaker."""

    def available_slots(self, free: int, outstanding: int) -> int:
        """Number of jobs to request, with ``free`` slots and ``outstanding`` requested jobs."""

    def seconds_until_probe(self) -> float | None:
        """Remaining seconds in which no job may be received; ``None`` if they may."""

    def add_listener(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when the above have changed."""


@dataclass(slots=True)
class _Slot:
    """An active job. ``msg`` is its latest delivery, which acknowledgements refer to."""

    msg: Msg
    delivery: Delivery
    task: "asyncio.Task[None] | None" = None

    @property
    def key(self) -> tuple[int, bytes]:
        """Key shared with redeliveries; includes the data, since a recreated stream reuses sequences."""
        return self.delivery.sequence, self.msg.data


class JobConsumer(Generic[J]):
    """Processes jobs of one durable consumer, at most ``concurrency`` at a time in this process.

    ``handler`` returns an outcome, or raises ``TransientError`` (retried), ``PermanentError`` (abandoned),
    ``PostponedError`` (not counted), ``SupersededError`` (no longer ours) or anything else (a bug: retried,
    then abandoned). ``on_rejected`` is called before the dead letter is written. Cancelling a handler nacks
    the job. ``attempts`` stores the attempts (without it, they are unlimited); ``gate`` may hold back new
    jobs. A redelivery of a job that is active here is merged into it.
    """

    def __init__(
        self,
        nc: Client,
        spec: ConsumerSpec,
        job_type: type[J],
        handler: Handler[J],
        *,
        concurrency: int,
        retries: RetryPolicy | None = None,
        on_rejected: OnRejected[J] | None = None,
        attempts: Attempts[J] | None = None,
        gate: AdmissionControl | None = None,
    ) -> None:
        self._nc = nc
        self._spec = spec
        self._job_type = job_type
        self._handler = handler
        self._concurrency = concurrency
        self._retries = retries or RetryPolicy()
        self._on_rejected = on_rejected
        self._attempts: Attempts[J] = attempts or Unlimited()
        self._gate = gate
        self._publisher = Publisher(nc)
        self._slots: dict[tuple[int, bytes], _Slot] = {}
        self._capacity_changed = asyncio.Event()
        if gate is not None:
            gate.add_listener(self._capacity_changed.set)

    async def run(self, stop: asyncio.Event, *, grace: float = 0.0) -> None:
        """Run until ``stop`` is set; then let handlers finish for ``grace`` seconds, and nack the others."""
        subscription = PullSubscription(self._nc, self._spec)
        await subscription.start()
        stopped = asyncio.create_task(stop.wait())
        received: list[Msg] = []
        try:
            while not stop.is_set():
                received = await self._receive(subscription, stopped)
                # A task cancelled before its first step could not nack its job.
                while received and not stop.is_set():
                    self._start_job(received.pop(0))
        finally:
            stopped.cancel()
            unstarted = [*received, *await subscription.stop()]
            await asyncio.gather(*(self._nack(self._slot(msg)) for msg in unstarted))
            await self._drain(grace)

    async def _receive(self, subscription: PullSubscription, stopped: asyncio.Task[bool]) -> list[Msg]:
        """Received messages; empty if slots became free, or on stop."""
        # Cleared before counting: a job that ends from here on sets it again.
        self._capacity_changed.clear()
        free = self._concurrency - len(self._slots) - subscription.outstanding
        gate_closed = None
        if self._gate is not None:
            free = self._gate.available_slots(free, subscription.outstanding)
            gate_closed = self._gate.seconds_until_probe()
        if free > 0:
            await subscription.request(free)
        receiving = asyncio.create_task(subscription.receive(self._concurrency))
        capacity_changed = asyncio.create_task(self._capacity_changed.wait())
        try:
            await asyncio.wait(
                {receiving, capacity_changed, stopped},
                timeout=gate_closed,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            capacity_changed.cancel()
            if not receiving.done():
                receiving.cancel()
        return receiving.result() if receiving.done() else []

    def _slot(self, msg: Msg) -> _Slot:
        metadata = msg.metadata
        lease = DeliveryLease(
            _LEASE_FRACTION * self._spec.ack_wait, lambda: int(self._nc.stats["reconnects"])
        )
        number = metadata.num_delivered or 1
        return _Slot(msg, Delivery(number, is_last=False, sequence=metadata.sequence.stream, lease=lease))

    def _start_job(self, msg: Msg) -> None:
        slot = self._slot(msg)
        in_progress = self._slots.get(slot.key)
        if in_progress is not None:
            # The server missed our heartbeats and redelivered. Acknowledgements now refer to this delivery,
            # which may have waited here until another worker received the next one.
            in_progress.msg = msg
            in_progress.delivery.attempt = max(in_progress.delivery.attempt, slot.delivery.attempt)
            in_progress.delivery.lease.mark_expired()
            return
        self._slots[slot.key] = slot
        slot.task = asyncio.create_task(self._process(slot), name=f"{self._spec.name}:{msg.subject}")
        IN_PROGRESS.labels(self._spec.name).set(len(self._slots))
        slot.task.add_done_callback(lambda _: self._on_job_done(slot))

    def _on_job_done(self, slot: _Slot) -> None:
        del self._slots[slot.key]
        IN_PROGRESS.labels(self._spec.name).set(len(self._slots))
        self._capacity_changed.set()

    async def _drain(self, grace: float) -> None:
        """Let handlers finish within ``grace`` seconds, then cancel them, which nacks."""
        tasks = [slot.task for slot in self._slots.values() if slot.task is not None]
        if tasks and grace > 0:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _process(self, slot: _Slot) -> None:
        started = time.monotonic()
        heartbeat = asyncio.create_task(self._send_heartbeats(slot))
        try:
            outcome = await self._run_handler(slot)
        except asyncio.CancelledError:
            heartbeat.cancel()
            await self._nack(slot)
            raise
        finally:
            heartbeat.cancel()
        error_type = outcome.failure.code if isinstance(outcome, RetryAfter | Reject) else ""
        SECONDS.labels("nats", self._spec.stream, self._spec.name, error_type).observe(
            time.monotonic() - started
        )
        if isinstance(outcome, RetryAfter | Postpone) and slot.delivery.lease.needs_confirmation:
            outcome = NoAck()  # if no other worker has it, the server redelivers
        await self._try_apply(slot.msg, outcome)

    async def _send_heartbeats(self, slot: _Slot) -> None:
        """Send heartbeats (in-progress acks), three per deadline."""
        while True:
            await asyncio.sleep(self._spec.ack_wait / 3)
            try:
                await slot.msg.in_progress()
            except Exception as error:  # noqa: BLE001 - the next heartbeat may succeed
                log.warning("heartbeat failed", subject=slot.msg.subject, error=str(error))
                continue
            # While disconnected, heartbeats are only buffered.
            if self._nc.is_connected:
                slot.delivery.lease.renew()

    async def _nack(self, slot: _Slot) -> None:
        """Nack a job for another worker, without counting an attempt."""
        if slot.delivery.lease.needs_confirmation:
            return
        try:
            job = self._job_type.model_validate_json(slot.msg.data)
            async with asyncio.timeout(_RECORD_TIMEOUT):
                await self._attempts.released(job, slot.delivery)
        except (ValidationError, TimeoutError) as error:
            log.debug("attempt not recorded", subject=slot.msg.subject, error=str(error))
        await self._try_apply(slot.msg, Nack())

    async def _run_handler(self, slot: _Slot) -> Outcome:
        msg, delivery = slot.msg, slot.delivery
        if not self._spec.accepts(msg.subject):
            # A server restored from an older copy may deliver another consumer's message under the
            # sequence number of a job in progress here. An ack would lose that message.
            log.warning("message of another consumer", consumer=self._spec.name, subject=msg.subject)
            return NoAck()
        with tracer.start_as_current_span(
            f"process {self._spec.name}",
            context=context_of(msg.headers),
            kind=SpanKind.CONSUMER,
            attributes=self._attributes(slot),
        ) as span:
            try:
                job = self._job_type.model_validate_json(msg.data)
            except ValidationError as error:
                span.set_status(Status(StatusCode.ERROR, "malformed_job"))
                return await self._reject(slot, None, malformed(error))
            try:
                stats = await self._attempts.begin(job, delivery)
            except (PostponedError, BrokerUnavailableError) as error:
                if isinstance(error, PostponedError):
                    seconds = error.seconds
                else:
                    seconds = self._retries.delay(delivery.attempt)
                return await self._release(slot, job, failure_of(error), seconds)
            if (
                stats.failed >= self._retries.attempts
                or stats.silent_deliveries >= self._retries.silent_deliveries
            ):
                return await self._reject(slot, job, stats.last or exhausted(stats))
            delivery.is_last = stats.failed + 1 >= self._retries.attempts
            try:
                return await self._call_handler(slot, job, stats, span)
            except SupersededError:
                return self._superseded(slot)

    def _attributes(self, slot: _Slot) -> dict[str, str | int]:
        """Span attributes by OpenTelemetry's conventions for messaging."""
        return {
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.destination.name": slot.msg.subject,
            "messaging.consumer.group.name": self._spec.name,
            "pastelka.delivery": slot.delivery.attempt,
        }

    async def _call_handler(self, slot: _Slot, job: J, stats: AttemptStats, span: Span) -> Outcome:
        delivery = slot.delivery
        try:
            outcome = await self._handler(job, delivery)
        except SupersededError:
            raise
        except PostponedError as error:
            return await self._postpone(slot, job, stats, error)
        except PermanentError as error:
            outcome = Reject(failure_of(error))
        except (PublishError, BrokerUnavailableError) as error:
            # Not the job's fault: the attempt does not count.
            span.set_status(Status(StatusCode.ERROR, str(error)))
            return await self._release(slot, job, failure_of(error), self._retries.delay(delivery.attempt))
        except TransientError as error:
            span.set_status(Status(StatusCode.ERROR, str(error)))
            return await self._retry(slot, job, error)
        except Exception as error:
            log.exception("handler failed", subject=slot.msg.subject, attempt=delivery.attempt)
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            return await self._retry(slot, job, error)
        if isinstance(outcome, Reject):
            span.set_status(Status(StatusCode.ERROR, outcome.failure.code))
            return await self._reject(slot, job, outcome.failure)
        return outcome

    async def _retry(self, slot: _Slot, job: J, error: Exception) -> Outcome:
        failure = failure_of(error)
        failed = await self._attempts.failed(job, slot.delivery, failure)
        if failed >= self._retries.attempts:
            return await self._reject(slot, job, failure)
        RETRIES.labels(self._spec.name, failure.code).inc()
        retry_after = error.retry_after if isinstance(error, TransientError) else None
        seconds = self._retries.delay(failed, retry_after)
        log.warning(
            "trying again", subject=slot.msg.subject, attempt=failed, code=failure.code, seconds=seconds
        )
        await self._announce_retry(slot, job, failed, failure, seconds)
        return RetryAfter(seconds, failure)

    async def _postpone(self, slot: _Slot, job: J, stats: AttemptStats, error: PostponedError) -> Outcome:
        failure = failure_of(error)
        if stats.failed:
            await self._announce_retry(slot, job, stats.failed, failure, error.seconds)
        return await self._release(slot, job, failure, error.seconds)

    async def _release(self, slot: _Slot, job: J, failure: Failure, seconds: float) -> Outcome:
        log.info("job deferred", subject=slot.msg.subject, code=failure.code, seconds=seconds)
        await self._attempts.released(job, slot.delivery)
        return Postpone(seconds, failure)

    async def _announce_retry(
        self, slot: _Slot, job: J, failed: int, failure: Failure, seconds: float
    ) -> None:
        retry = Retry(
            attempt=failed,
            of=self._retries.attempts,
            next_at=now() + timedelta(seconds=seconds),
            code=failure.code,
            message=failure.message,
        )
        await self._attempts.retrying(job, slot.delivery, retry)

    def _superseded(self, slot: _Slot) -> Outcome:
        log.warning(
            "job taken over by another worker", subject=slot.msg.subject, attempt=slot.delivery.attempt
        )
        return NoAck()

    async def _reject(self, slot: _Slot, job: J | None, failure: Failure) -> Outcome:
        """Write the dead letter and report the failure; if that fails, retry."""
        msg, delivery = slot.msg, slot.delivery
        try:
            if job is not None and self._on_rejected is not None:
                await self._on_rejected(job, delivery, failure)
            await self._publisher.publish(
                dead_letter(msg, delivery.attempt, failure), msg_id=f"dead.{_stream_sequence(msg)}"
            )
        except SupersededError:
            return self._superseded(slot)
        except Exception as error:
            log.exception("dead letter write failed", subject=msg.subject)
            return RetryAfter(self._retries.delay(1), failure_of(error))
        return Reject(failure)

    async def _try_apply(self, msg: Msg, outcome: Outcome) -> None:
        """Apply the outcome; if that fails, the server redelivers after the deadline."""
        try:
            await apply(msg, outcome)
        except Exception as error:  # noqa: BLE001 - a lost acknowledgement is a redelivery, not a crash
            log.warning("ack failed", subject=msg.subject, error=str(error))
            return
        ENDED.labels(self._spec.name, type(outcome).__name__).inc()


def _stream_sequence(msg: Msg) -> str:
    """Identifies the message, even across a recreated stream, whose sequence restarts at 1."""
    metadata = msg.metadata
    return f"{metadata.stream}.{metadata.sequence.stream}.{metadata.timestamp:%Y%m%dT%H%M%S.%f}"
