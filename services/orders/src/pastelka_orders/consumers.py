"""What the worker consumes: facts in batches, and dead letters."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from pastelka_common.contracts.messages import ColoringJob, DeadLetter, SvgJob, VersionJob
from pastelka_common.errors import BrokerUnavailableError, PostponedError
from pastelka_common.jobs.handler import FACTS
from pastelka_common.messaging.consumer import Delivery
from pastelka_common.messaging.outcomes import Ack, Outcome
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.pull import PullSubscription
from pastelka_common.messaging.topology import FACTS_CONSUMER
from pastelka_common.telemetry import TraceHeaders, batch_span
from pastelka_orders.consumer_stats import are_facts_applied
from pastelka_orders.database import Database
from pastelka_orders.database_errors import is_data_error, is_database_error, is_transient
from pastelka_orders.handlers.facts import Received, apply_dead_letter, apply_facts

log = structlog.get_logger(__name__)

_BATCH = 500
_PREFETCH = 1000
_PAUSE = 0.5
_FACTS_RETRY_DELAY = 0.5

_JOBS: dict[str, type[ColoringJob] | type[SvgJob]] = {"coloring": ColoringJob, "svg": SvgJob}


class FactsConsumer:
    """Applies facts in batches: all that arrived while the last batch was being committed.

    A batch is acknowledged after its commit. If it contains a fact that cannot be applied, its facts are
    applied one by one. On any other database error (unavailable, read-only, full, a missing table or
    privilege), the batch waits: no fact is lost.
    """

    def __init__(self, nc: Client, database: Database, on_commit: Callable[[], None]) -> None:
        self._subscription = PullSubscription(nc, FACTS_CONSUMER)
        self._database = database
        self._on_commit = on_commit

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set; facts that were not applied are redelivered."""
        await self._subscription.start()
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                if self._subscription.outstanding < _PREFETCH // 2:
                    await self._subscription.request(_PREFETCH - self._subscription.outstanding)
                receiving = asyncio.create_task(self._subscription.receive(_BATCH))
                await asyncio.wait({receiving, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if receiving.done():
                    await self._apply(receiving.result(), stop)
                else:
                    receiving.cancel()
        finally:
            stopped.cancel()
            for msg in await self._subscription.stop():
                await _try_acknowledge(msg.nak)

    async def _apply(self, msgs: list[Msg], stop: asyncio.Event) -> None:
        arrived = [(msg, fact) for msg in msgs if (fact := await _parsed(msg)) is not None]
        with batch_span("commit facts", SpanKind.CONSUMER, [fact for _, fact in arrived], _traced) as traces:
            facts = [replace(fact, headers=trace) for (_, fact), trace in zip(arrived, traces, strict=True)]
            await self._commit([(msg, fact) for (msg, _), fact in zip(arrived, facts, strict=True)], stop)

    async def _commit(self, batch: list[tuple[Msg, Received]], stop: asyncio.Event) -> None:
        while batch and not stop.is_set():
            try:
                await self._database.write(lambda c: apply_facts(c, [fact for _, fact in batch]))
            except Exception as error:  # noqa: BLE001 - classified below
                if not is_database_error(error) or is_data_error(error):
                    await self._apply_singly(batch, error, stop)
                    return
                _log_deferred(error)
                await self._wait(batch)
            else:
                self._on_commit()
                await asyncio.gather(*(_try_acknowledge(msg.ack) for msg, _ in batch))
                return

    async def _apply_singly(
        self, batch: list[tuple[Msg, Received]], error: Exception, stop: asyncio.Event
    ) -> None:
        """Apply a failed batch one by one; a fact that fails alone is dropped."""
        if len(batch) == 1:
            log.error("fact cannot be applied, dropped", subject=batch[0][0].subject, exc_info=error)
            await _try_acknowledge(batch[0][0].term)
            return
        for one in batch:
            await self._commit([one], stop)

    async def _wait(self, batch: list[tuple[Msg, Received]]) -> None:
        await asyncio.gather(*(_try_acknowledge(msg.in_progress) for msg, _ in batch))
        await asyncio.sleep(_PAUSE)


def _log_deferred(error: Exception) -> None:
    if is_transient(error):
        log.warning("facts deferred, database unavailable", error=str(error))
    else:
        log.error("facts deferred, database unavailable", exc_info=error)


def _traced(received: Received) -> TraceHeaders:
    fact = received.fact
    attributes = {
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.destination.name": fact.subject,
        "messaging.message.id": fact.msg_id,
        "pastelka.status": fact.status.value,
    }
    return TraceHeaders(f"commit status.{fact.kind}", attributes)


async def _parsed(msg: Msg) -> Received | None:
    """The fact in a message; terminates a malformed one."""
    fact = _fact(msg)
    if fact is None:
        log.error("malformed fact dropped", subject=msg.subject, data=msg.data[:500])
        await _try_acknowledge(msg.term)
    return fact


def _fact(msg: Msg) -> Received | None:
    model = FACTS.get(msg.subject.split(".")[1])
    if model is None:
        return None
    try:
        fact = model.model_validate_json(msg.data)
    except ValidationError:
        return None
    return Received(fact, msg.headers or {})


async def _try_acknowledge(call: Callable[[], object]) -> None:
    """Send an acknowledgement; if that fails, the server redelivers, which changes nothing."""
    try:
        await call()  # type: ignore[misc]
    except Exception as error:  # noqa: BLE001 - see the docstring
        log.debug("acknowledgement failed", error=str(error))


@dataclass(frozen=True)
class DeadLetters:
    """Handler of the dead letters' consumer: marks versions of abandoned jobs as failed."""

    database: Database
    nc: Client
    on_commit: Callable[[], None]

    async def handle(self, letter: DeadLetter, _delivery: Delivery) -> Outcome:
        """End the version in error unless its worker already reported it.

        The worker published its facts before the letter, but another consumer applies them. The letter waits
        for that, so that the version passes through its statuses in order.
        """
        job = _job_of(letter)
        if job is not None:
            await self._wait_for_facts(job)
            await self.database.write(lambda c: apply_dead_letter(c, letter, job.version_id, job.run))
            self.on_commit()
        return Ack()

    async def _wait_for_facts(self, job: VersionJob) -> None:
        """Raise :class:`PostponedError` while facts of the job's version are pending."""
        try:
            applied = await are_facts_applied(self.nc, job.kind, job.version_id)
        except BROKER_ERRORS as error:
            raise BrokerUnavailableError from error
        if not applied:
            raise PostponedError(
                "facts_not_applied",
                "Facts of the version are not applied yet.",
                seconds=_FACTS_RETRY_DELAY,
            )


def _job_of(letter: DeadLetter) -> VersionJob | None:
    model = _JOBS.get(letter.original_subject.split(".")[1])
    try:
        return model.model_validate_json(letter.original_payload) if model else None
    except ValidationError:
        log.warning("dead letter without a readable job", subject=letter.original_subject)
        return None
