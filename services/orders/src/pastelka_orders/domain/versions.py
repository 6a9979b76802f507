"""The state machine of one version: which facts apply, and what they change."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pastelka_common.contracts.messages import Fact, Failure
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType, VersionStatus


@dataclass(frozen=True, slots=True)
class VersionProgress:
    """Progress of one version, as in its row."""

    kind: StatusType
    run: int
    attempt: int
    step: int
    status: VersionStatus

    @property
    def position(self) -> tuple[int, int, int]:
        """The sort key that facts are compared by."""
        return (self.run, self.attempt, self.step)


@dataclass(frozen=True, slots=True)
class Transition:
    """One status change, for timeline and events."""

    previous: VersionStatus
    status: VersionStatus
    at: datetime
    attempt: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """The fact is ignored, with the reason."""

    reason: Literal["another_run", "ended", "late", "not_a_workers_status"]


@dataclass(frozen=True, slots=True)
class Applied:
    """The fact applies: new progress, and status changes to show (none if unchanged)."""

    progress: VersionProgress
    transitions: tuple[Transition, ...]


def status_of(kind: StatusType, value: str) -> VersionStatus:
    """The status with this value. Raises ``ValueError``."""
    return STATUS_ENUMS[kind](value)


def apply_fact(progress: VersionProgress, fact: Fact, status: VersionStatus) -> Applied | Ignored:
    """Apply ``fact``, which reports ``status``.

    A fact applies only to its own run, only until that has ended, and only if it is later than the last one
    applied: facts may arrive twice, late or out of order. One that announces a retry changes no status.
    """
    if fact.run != progress.run:
        return Ignored("another_run")
    if progress.status.is_final:
        return Ignored("ended")
    if fact.order <= progress.position:
        return Ignored("late")
    if status.is_startable:
        return Ignored("not_a_workers_status")
    if fact.retry is not None:
        # It repeats its worker's status; the row's may be later.
        status = progress.status
    after = replace(progress, attempt=fact.attempt, step=fact.step, status=status)
    return Applied(after, _transitions(progress, fact, status))


def _transitions(progress: VersionProgress, fact: Fact, status: VersionStatus) -> tuple[Transition, ...]:
    changes: list[Transition] = []
    previous = progress.status
    queued = status_of(progress.kind, "queued")
    if previous == status_of(progress.kind, "pending"):
        # The worker received the job, so it was published, even if we missed the acknowledgement.
        changes.append(Transition(previous, queued, fact.at, 0))
        previous = queued
    if status != previous:
        changes.append(Transition(previous, status, fact.at, fact.attempt, fact.failure))
    return tuple(changes)
