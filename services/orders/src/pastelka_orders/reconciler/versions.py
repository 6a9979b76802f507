"""Repairs active versions that no message will finish."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from nats.aio.client import Client
from nats.js.errors import NotFoundError as NoSuchConsumerError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringFact, DeadLetter, SvgFact, VersionJob, job_key
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.jobs.active_runs import list_active_runs
from pastelka_common.jobs.handler import FACTS
from pastelka_common.jobs.records import RunRecord, RunRecords, parse_record
from pastelka_common.messaging.names import names_of
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.stored_messages import (
    StoredMessage,
    get_last_message_from_leader,
    get_last_messages,
)
from pastelka_common.messaging.topology import DEAD, FACTS_CONSUMER, JOBS, RUNS, STATUS
from pastelka_orders.database import is_transient
from pastelka_orders.domain.versions import status_of
from pastelka_orders.handlers.create_versions import job_of
from pastelka_orders.handlers.facts import Received, apply_dead_letter, apply_facts, has_expected_path
from pastelka_orders.outbox import Outbox
from pastelka_orders.reconciler.reconcile_pass import Reason, ReconcilePass
from pastelka_orders.repository import reconciling, versions
from pastelka_orders.repository.reconciling import ActiveVersion
from pastelka_orders.repository.versions import Version

_PAGE = 1000

log = structlog.get_logger(__name__)


async def repair_versions(reconcile_pass: ReconcilePass) -> None:
    """Check every active version; repair those that have neither a worker nor a job."""
    for kind in STATUS_ENUMS:
        after = 0
        while page := await _page(reconcile_pass, kind, after):
            reconcile_pass.examined += len(page)
            await _repair_page(reconcile_pass, kind, page)
            after = page[-1].id


async def _page(reconcile_pass: ReconcilePass, kind: StatusType, after: int) -> list[ActiveVersion]:
    return await reconcile_pass.database.read(
        lambda c: reconciling.active_versions(c, kind, grace=reconcile_pass.grace, after=after, page=_PAGE)
    )


async def _repair_page(
    reconcile_pass: ReconcilePass, kind: StatusType, page: Sequence[ActiveVersion]
) -> None:
    jobs = await get_last_messages(reconcile_pass.nc, JOBS, [_job_subject(kind, row.id) for row in page])
    await _restore_records(reconcile_pass, kind, page)
    suspects = [row for row in page if row.is_old and _run_of(jobs.get(_job_subject(kind, row.id))) < row.run]
    if not suspects:
        return
    active = await list_active_runs(reconcile_pass.nc)
    facts_are_applied = await _facts_are_applied(reconcile_pass.nc)
    for row in suspects:
        if job_key(kind, row.id, row.run) in active:
            continue
        reason = await _repair(reconcile_pass, kind, row, facts_are_applied=facts_are_applied)
        if reason is not None:
            reconcile_pass.record(kind, reason, version=row.id, run=row.run, attempt=row.attempt)


@dataclass(frozen=True, slots=True)
class _BrokerState:
    """Messages of a version on the broker's leader: job of an earlier run, last fact, dead letter."""

    job: StoredMessage | None
    fact: ColoringFact | SvgFact | None
    letter: DeadLetter | None


async def _repair(
    reconcile_pass: ReconcilePass, kind: StatusType, row: ActiveVersion, *, facts_are_applied: bool
) -> Reason | None:
    """Repair one version if it still needs it; a failure does not stop the pass."""
    try:
        version = await reconcile_pass.database.read(lambda c: _lock_unchanged(c, kind, row))
        state = await _state_in_broker(reconcile_pass.nc, version, row) if version is not None else None
        if state is None:
            return None
        return await reconcile_pass.change(
            lambda c: _repair_locked(c, kind, row, state, facts_are_applied=facts_are_applied)
        )
    except Exception as error:
        if is_transient(error) or isinstance(error, BROKER_ERRORS):
            raise
        log.exception("version repair failed", kind=kind, version=row.id)
        return None


async def _lock_unchanged(
    connection: AsyncConnection, kind: StatusType, row: ActiveVersion
) -> Version | None:
    """Lock the version; ``None`` if it changed, or its job is in the outbox."""
    found = await versions.lock(connection, kind, [row.id])
    if not found or found[0].status.is_final or found[0].progress.position != row.position:
        return None
    if await reconciling.is_in_outbox(connection, _job_subject(kind, row.id)):
        return None
    return found[0]


async def _state_in_broker(nc: Client, version: Version, row: ActiveVersion) -> _BrokerState | None:
    """Messages of a version in the broker; ``None`` if its job exists.

    The outbox is read first, since its messages move to ``JOBS``. The job is read before the rest, since a
    worker publishes its last fact before its job is removed, and facts before the dead letter.
    """
    subject = _job_subject(version.kind, row.id)
    job = await get_last_message_from_leader(nc, JOBS, subject)
    if _run_of(job) >= row.run:
        return None
    fact = _fact_of(
        version, await get_last_message_from_leader(nc, STATUS, f"status.{version.kind}.{row.id}")
    )
    letter = _letter_of(await get_last_message_from_leader(nc, DEAD, f"dead.{subject}"), row.run)
    return _BrokerState(job, fact, letter)


async def _repair_locked(
    connection: AsyncConnection,
    kind: StatusType,
    row: ActiveVersion,
    state: _BrokerState,
    *,
    facts_are_applied: bool,
) -> Reason | None:
    """Repair the locked version; any change since the broker was read shows in the row or the outbox."""
    version = await _lock_unchanged(connection, kind, row)
    if version is None:
        return None
    fact = state.fact
    if fact is not None and fact.order > row.position:
        if not facts_are_applied:
            return None  # a pending fact will end it
        await apply_facts(connection, [Received(fact, {})])
        return "fact_not_applied"
    if state.letter is not None:
        await apply_dead_letter(connection, state.letter, row.id, row.run)
        return "given_up"
    attempt = max(row.attempt, fact.attempt if fact is not None else 0)
    return await _republish(connection, version, row, attempt, state.job)


async def _republish(
    connection: AsyncConnection, version: Version, row: ActiveVersion, attempt: int, job: StoredMessage | None
) -> Reason:
    """Publish the job again, with the next attempt's number and the provider's job id if known."""
    never = version.status == status_of(version.kind, "pending")
    first = 1 if never else attempt + 1
    outbox = Outbox()
    message = job_of(version, first_attempt=first, provider_job_id=row.provider_job_id)
    outbox.add(message, is_republished=not never)
    await outbox.flush(connection)
    if job is not None:
        return "job_of_earlier_run"
    return "never_published" if never else "job_missing"


async def _restore_records(
    reconcile_pass: ReconcilePass, kind: StatusType, page: Sequence[ActiveVersion]
) -> None:
    """Restore provider job ids in run records that the broker lost."""
    prefix = f"$KV.{RUNS}."
    known = {job_key(kind, row.id, row.run): row for row in page if row.provider_job_id}
    messages = await get_last_messages(reconcile_pass.nc, f"KV_{RUNS}", [prefix + key for key in known])
    records = await RunRecords.open(reconcile_pass.nc)
    for key, row in known.items():
        stored = messages.get(prefix + key)
        record = parse_record(stored.data if stored else None)
        restore = partial(RunRecord.with_provider_job, provider_job_id=row.provider_job_id)
        if restore(record) == record:
            continue
        if not reconcile_pass.dry_run:
            await records.change(key, restore)
        reconcile_pass.record(kind, "provider_job_forgotten", version=row.id, run=row.run)


async def _facts_are_applied(nc: Client) -> bool:
    """Whether every fact in the stream has been processed."""
    try:
        stream = names_of(nc).stream(STATUS)
        info = await asyncio.wait_for(nc.jetstream().consumer_info(stream, FACTS_CONSUMER.name), 5)
    except NoSuchConsumerError:
        return False
    return not info.num_pending and not info.num_ack_pending


def _job_subject(kind: StatusType, version_id: int) -> str:
    return f"jobs.{kind}.{version_id}"


def _run_of(message: StoredMessage | None) -> int:
    """The run of a job message; 0 if it is missing or malformed."""
    if message is None:
        return 0
    try:
        return VersionJob.model_validate_json(message.data).run
    except ValidationError:
        return 0


def _letter_of(message: StoredMessage | None, run: int) -> DeadLetter | None:
    """The dead letter in a message, if it is about the job of this run."""
    try:
        letter = DeadLetter.model_validate_json(message.data) if message is not None else None
        job = VersionJob.model_validate_json(letter.original_payload) if letter is not None else None
    except ValidationError:
        return None
    return letter if job is not None and job.run == run else None


def _fact_of(version: Version, message: StoredMessage | None) -> ColoringFact | SvgFact | None:
    """The fact in a message, if it is of the version's current run and would be applied."""
    try:
        fact = FACTS[version.kind].model_validate_json(message.data) if message is not None else None
    except ValidationError:
        return None
    if fact is None or fact.run != version.progress.run or not has_expected_path(version, fact):
        return None
    return fact
