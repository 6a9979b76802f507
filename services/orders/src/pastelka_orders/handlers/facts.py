"""Workers' facts become committed states: a whole batch in one transaction.

A batch of any size takes six statements, so the cost per status change falls with load.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import (
    ColoringFact,
    DeadLetter,
    Failure,
    Retry,
    SvgFact,
)
from pastelka_common.contracts.statuses import StatusType, VersionStatus
from pastelka_orders.domain.versions import Applied, Transition, VersionProgress, apply_fact
from pastelka_orders.handlers import metrics
from pastelka_orders.handlers.create_versions import Traces, create_svgs, target_of
from pastelka_orders.handlers.versions import end_in_error, status_changed
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import images, versions
from pastelka_orders.repository.images import Finished
from pastelka_orders.repository.versions import Change, Saved, Version

F = TypeVar("F", ColoringFact, SvgFact)

log = structlog.get_logger(__name__)

APPLIED = Counter("pastelka_facts_applied_total", "Facts that changed a version", ["kind", "status"])
IGNORED = Counter("pastelka_facts_ignored_total", "Facts that changed nothing", ["kind", "reason"])


@dataclass(frozen=True, slots=True)
class Received:
    """A received fact with its trace headers."""

    fact: ColoringFact | SvgFact
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class _TimelineEntry:
    """One entry of the timeline and one event: a status change or an announced retry."""

    transition: Transition
    retry: Retry | None
    headers: dict[str, str]


@dataclass(slots=True)
class _VersionUpdate:
    """Effect of a batch on one version."""

    version: Version
    progress: VersionProgress
    since: datetime
    last: ColoringFact | SvgFact | None = None
    path: str | None = None
    provider_job_id: str | None = None
    possibly_paid_twice: bool = False
    entries: list["_TimelineEntry"] = field(default_factory=list)

    @property
    def transitions(self) -> list[Transition]:
        """The changes of status."""
        return [one.transition for one in self.entries if one.retry is None]

    @property
    def is_completed(self) -> bool:
        return self.progress.status.has_file


async def apply_facts(connection: AsyncConnection, batch: Sequence[Received]) -> int:
    """Apply a batch in order; returns the number of status changes."""
    outbox = Outbox()
    colorings = await _apply_kind(connection, outbox, "coloring", batch)
    svgs = await _apply_kind(connection, outbox, "svg", batch)
    await images.choose_finished_colorings(connection, [_finished(c) for c in colorings if c.is_completed])
    await images.choose_finished_svgs(connection, [_finished(c) for c in svgs if c.is_completed])
    await _follow_up(connection, outbox, [c for c in colorings if c.is_completed])
    # The process that applies facts also runs a relay, and wakes it directly.
    await outbox.flush(connection, notify=False)
    return sum(len(update.transitions) for update in (*colorings, *svgs))


def has_expected_path(version: Version, fact: ColoringFact | SvgFact) -> bool:
    """Whether the fact names the file of the version's job, or none if its status has none.

    Every client of the broker can publish facts, so their paths are not trusted.
    """
    if fact.path is None and not fact.status.has_file:
        return True
    return fact.path == target_of(version)


async def apply_dead_letter(
    connection: AsyncConnection, letter: DeadLetter, version_id: int, run: int
) -> None:
    """End the version of an abandoned job in error, if its worker did not report it."""
    kind: StatusType = "svg" if letter.original_subject.startswith("jobs.svg.") else "coloring"
    for version in await versions.lock(connection, kind, [version_id]):
        if version.progress.run != run or version.status.is_final:
            continue
        outbox = Outbox()
        await end_in_error(connection, outbox, version, letter.failure)
        await outbox.flush(connection)


async def _apply_kind(
    connection: AsyncConnection, outbox: Outbox, kind: StatusType, batch: Sequence[Received]
) -> list[_VersionUpdate]:
    received = [one for one in batch if one.fact.kind == kind]
    if not received:
        return []
    ids = sorted({one.fact.version_id for one in received})
    updates = {
        v.id: _VersionUpdate(v, v.progress, v.updated_at) for v in await versions.lock(connection, kind, ids)
    }
    for one in received:
        update = updates.get(one.fact.version_id)
        if update is None:
            IGNORED.labels(kind, "deleted").inc()
        else:
            _advance(update, one)
    changed = [update for update in updates.values() if update.last is not None]
    await versions.save(connection, kind, [_saved(update) for update in changed])
    await versions.add_changes(connection, [change for update in changed for change in _changes(update)])
    for update in changed:
        _announce(outbox, update)
    return changed


def _advance(update: _VersionUpdate, received: Received) -> None:
    fact = received.fact
    status: VersionStatus = fact.status
    if not has_expected_path(update.version, fact):
        IGNORED.labels(fact.kind, "wrong_path").inc()
        log.error(
            "fact refused", subject=fact.subject, path=fact.path, expected_path=target_of(update.version)
        )
        return
    result = apply_fact(update.progress, fact, status)
    if not isinstance(result, Applied):
        IGNORED.labels(fact.kind, result.reason).inc()
        return
    APPLIED.labels(fact.kind, status.value).inc()
    for transition in result.transitions:
        metrics.observe_status_duration(update.version, update.since, transition)
        update.since = transition.at
    update.progress = result.progress
    update.last = fact
    update.path = fact.path or update.path
    update.provider_job_id = fact.provider_job_id or update.provider_job_id
    update.possibly_paid_twice = update.possibly_paid_twice or bool(fact.possibly_paid_twice)
    update.entries += [
        _TimelineEntry(transition, None, received.headers) for transition in result.transitions
    ]
    if fact.retry is not None:
        same = update.progress.status
        announced = Transition(same, same, fact.at, fact.attempt)
        update.entries.append(_TimelineEntry(announced, fact.retry, received.headers))


def _saved(update: _VersionUpdate) -> Saved:
    failure = _failure(update)
    last = update.last
    started_at = next((t.at for t in update.transitions if t.status.is_in_flight), None)
    return Saved(
        update.version.id,
        update.progress,
        path=update.path,
        error_code=failure.code if failure else None,
        error_message=failure.message if failure else None,
        provider_job_id=update.provider_job_id,
        retry=last.retry if last is not None else None,
        possibly_paid_twice=update.possibly_paid_twice,
        started_at=started_at,
        ended_at=last.at if last is not None and update.progress.status.is_final else None,
    )


def _failure(update: _VersionUpdate) -> Failure | None:
    if not update.progress.status.is_retryable:
        return None
    reported = update.last.failure if update.last is not None else None
    return reported or Failure(code="unknown", message="The worker gave no reason.")


def _changes(update: _VersionUpdate) -> list[Change]:
    version = update.version
    return [
        Change(
            version.kind,
            version.image_id,
            version.id,
            update.progress.run,
            one.transition.attempt,
            one.transition.status.value,
            one.transition.at,
            _code(one),
            one.retry,
        )
        for one in update.entries
    ]


def _code(one: _TimelineEntry) -> str | None:
    if one.retry is not None:
        return one.retry.code
    return one.transition.failure.code if one.transition.failure else None


def _announce(outbox: Outbox, update: _VersionUpdate) -> None:
    for one in update.entries:
        changed = status_changed(update.version, one.transition.previous, one.transition.status)
        outbox.add(changed, headers=one.headers)


def _finished(update: _VersionUpdate) -> Finished:
    version = update.version
    return Finished(version.image_id, version.id, version.asked_at, version.coloring_version_id)


async def _follow_up(
    connection: AsyncConnection, outbox: Outbox, completed: Sequence[_VersionUpdate]
) -> None:
    """Create the SVGs that were requested together with the coloring."""
    wanted = [update.version for update in completed if update.version.then_svg is not None]
    traces: Traces = {update.version.id: update.entries[-1].headers for update in completed if update.entries}
    # The images' lock keeps version numbers unique.
    await images.lock_all(connection, [v.image_id for v in wanted])
    still_wanted = await images.wanted(connection, [v.image_id for v in wanted]) if wanted else set()
    wanted = [v for v in wanted if v.image_id in still_wanted]
    for options in {v.then_svg for v in wanted if v.then_svg is not None}:
        pairs = [(v.image_id, v.id) for v in wanted if v.then_svg == options]
        await create_svgs(connection, outbox, pairs, options, traces)
