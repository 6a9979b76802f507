"""Workers' facts become committed states: a whole batch in one transaction.

Six statements serve a batch of any size; so the cost of a status change falls as the load rises.
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
    VersionStatusChanged,
)
from pastelka_common.contracts.statuses import StatusType, VersionStatus
from pastelka_orders.domain.versions import Applied, Progress, Transition, apply_fact
from pastelka_orders.handlers import measures
from pastelka_orders.handlers.making import Traces, make_svgs, target_of
from pastelka_orders.handlers.versions import end_in_error
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
    """A fact as it came, with the trace it belongs to."""

    fact: ColoringFact | SvgFact
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Happened:
    """One line of the timeline and one event: a change of status, or that there will be a retry."""

    transition: Transition
    retry: Retry | None
    headers: dict[str, str]


@dataclass(slots=True)
class _Course:
    """What a batch does to one version."""

    version: Version
    progress: Progress
    since: datetime
    last: ColoringFact | SvgFact | None = None
    path: str | None = None
    provider_job_id: str | None = None
    possibly_paid_twice: bool = False
    happened: list["_Happened"] = field(default_factory=list)

    @property
    def transitions(self) -> list[Transition]:
        """The changes of status."""
        return [one.transition for one in self.happened if one.retry is None]

    @property
    def is_completed(self) -> bool:
        return self.progress.status.has_file


async def apply_facts(connection: AsyncConnection, batch: Sequence[Received]) -> int:
    """Apply a batch, in its order; returns the number of status changes."""
    outbox = Outbox()
    colorings = await _apply_kind(connection, outbox, "coloring", batch)
    svgs = await _apply_kind(connection, outbox, "svg", batch)
    await images.choose_finished_colorings(connection, [_finished(c) for c in colorings if c.is_completed])
    await images.choose_finished_svgs(connection, [_finished(c) for c in svgs if c.is_completed])
    await _follow_up(connection, outbox, [c for c in colorings if c.is_completed])
    # Whoever applies facts also relays, and wakes its own relay at once.
    await outbox.flush(connection, notify=False)
    return sum(len(course.transitions) for course in (*colorings, *svgs))


def has_expected_path(version: Version, fact: ColoringFact | SvgFact) -> bool:
    """Whether the fact names the file that the version's job makes, or no file where it makes none.

    Anything that can publish to the broker can send a fact, so its path is never taken on trust.
    """
    if fact.path is None and not fact.status.has_file:
        return True
    return fact.path == target_of(version)


async def apply_dead_letter(
    connection: AsyncConnection, letter: DeadLetter, version_id: int, run: int
) -> None:
    """End the version of a job that was given up on, if its worker could not say so itself."""
    kind: StatusType = "svg" if letter.original_subject.startswith("jobs.svg.") else "coloring"
    for version in await versions.lock(connection, kind, [version_id]):
        if version.progress.run != run or version.status.is_final:
            continue
        outbox = Outbox()
        await end_in_error(connection, outbox, version, letter.failure)
        await outbox.flush(connection)


async def _apply_kind(
    connection: AsyncConnection, outbox: Outbox, kind: StatusType, batch: Sequence[Received]
) -> list[_Course]:
    received = [one for one in batch if one.fact.kind == kind]
    if not received:
        return []
    ids = sorted({one.fact.version_id for one in received})
    courses = {v.id: _Course(v, v.progress, v.updated_at) for v in await versions.lock(connection, kind, ids)}
    for one in received:
        course = courses.get(one.fact.version_id)
        if course is None:
            IGNORED.labels(kind, "deleted").inc()
        else:
            _advance(course, one)
    changed = [course for course in courses.values() if course.last is not None]
    await versions.save(connection, kind, [_saved(course) for course in changed])
    await versions.note(connection, [change for course in changed for change in _changes(course)])
    for course in changed:
        _announce(outbox, course)
    return changed


def _advance(course: _Course, received: Received) -> None:
    fact = received.fact
    status: VersionStatus = fact.status
    if not has_expected_path(course.version, fact):
        IGNORED.labels(fact.kind, "wrong_path").inc()
        log.error(
            "fact refused", subject=fact.subject, path=fact.path, expected_path=target_of(course.version)
        )
        return
    result = apply_fact(course.progress, fact, status)
    if not isinstance(result, Applied):
        IGNORED.labels(fact.kind, result.reason).inc()
        return
    APPLIED.labels(fact.kind, status.value).inc()
    for transition in result.transitions:
        measures.step_ended(course.version, course.since, transition)
        course.since = transition.at
    course.progress = result.progress
    course.last = fact
    course.path = fact.path or course.path
    course.provider_job_id = fact.provider_job_id or course.provider_job_id
    course.possibly_paid_twice = course.possibly_paid_twice or bool(fact.possibly_paid_twice)
    course.happened += [_Happened(transition, None, received.headers) for transition in result.transitions]
    if fact.retry is not None:
        same = course.progress.status
        announced = Transition(same, same, fact.at, fact.attempt)
        course.happened.append(_Happened(announced, fact.retry, received.headers))


def _saved(course: _Course) -> Saved:
    failure = _failure(course)
    last = course.last
    begun = next((t.at for t in course.transitions if t.status.is_in_flight), None)
    return Saved(
        course.version.id,
        course.progress,
        path=course.path,
        error_code=failure.code if failure else None,
        error_message=failure.message if failure else None,
        provider_job_id=course.provider_job_id,
        retry=last.retry if last is not None else None,
        possibly_paid_twice=course.possibly_paid_twice,
        started_at=begun,
        ended_at=last.at if last is not None and course.progress.status.is_final else None,
    )


def _failure(course: _Course) -> Failure | None:
    if not course.progress.status.is_retryable:
        return None
    told = course.last.failure if course.last is not None else None
    return told or Failure(code="unknown", message="The worker gave no reason.")


def _changes(course: _Course) -> list[Change]:
    version = course.version
    return [
        Change(
            version.kind,
            version.image_id,
            version.id,
            course.progress.run,
            one.transition.attempt,
            one.transition.status.value,
            one.transition.at,
            _code(one),
            one.retry,
        )
        for one in course.happened
    ]


def _code(one: _Happened) -> str | None:
    if one.retry is not None:
        return one.retry.code
    return one.transition.failure.code if one.transition.failure else None


def _announce(outbox: Outbox, course: _Course) -> None:
    version = course.version
    for one in course.happened:
        outbox.add(
            VersionStatusChanged(
                order_number=version.order_number,
                image_id=version.image_id,
                status_type=version.kind,
                version_id=version.id,
                previous=one.transition.previous.value,
                status=one.transition.status.value,
            ),
            headers=one.headers,
        )


def _finished(course: _Course) -> Finished:
    version = course.version
    return Finished(version.image_id, version.id, version.asked_at, version.coloring_version_id)


async def _follow_up(connection: AsyncConnection, outbox: Outbox, completed: Sequence[_Course]) -> None:
    """Ask for the SVGs that were wanted as soon as the page is there."""
    wanted = [course.version for course in completed if course.version.then_svg is not None]
    traces: Traces = {
        course.version.id: course.happened[-1].headers for course in completed if course.happened
    }
    # The images' lock is what makes version numbers unique.
    await images.lock_all(connection, [v.image_id for v in wanted])
    still = await images.wanted(connection, [v.image_id for v in wanted]) if wanted else set()
    wanted = [v for v in wanted if v.image_id in still]
    for options in {v.then_svg for v in wanted if v.then_svg is not None}:
        pairs = [(v.image_id, v.id) for v in wanted if v.then_svg == options]
        await make_svgs(connection, outbox, pairs, options, traces)
