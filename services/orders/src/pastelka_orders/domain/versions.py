"""The status machine of one version: which facts apply, and what they change."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pastelka_common.contracts.messages import Fact, Failure
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType, VersionStatus


@dataclass(frozen=True, slots=True)
class VersionProgress:
    """How far one version is: what its row holds."""

    kind: StatusType
    run: int
    attempt: int
    step: int
    status: VersionStatus

    @property
    def position(self) -> tuple[int, int, int]:
        """What facts are compared with."""
        return (self.run, self.attempt, self.step)


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of status, in the order in which it is shown."""

    previous: VersionStatus
    status: VersionStatus
    at: datetime
    attempt: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A fact that changes nothing, and why."""

    reason: Literal["another_run", "ended", "late", "not_a_workers_status"]


@dataclass(frozen=True, slots=True)
class Applied:
    """A fact that applies: the new progress, and the changes to show (none if the status stays)."""

    progress: VersionProgress
    transitions: tuple[Transition, ...]


def status_of(kind: StatusType, value: str) -> VersionStatus:
    """The status with this value. Raises ``ValueError``."""
    return STATUS_ENUMS[kind](value)


def apply_fact(progress: VersionProgress, fact: Fact, status: VersionStatus) -> Applied | Ignored:
    """Apply ``fact``, which reports ``status``.

    A fact applies only to its own run, only while that has not ended, and only if it is later than
    the last one applied: facts may come twice, late or out of order. One that announces a retry
    changes no status.
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
        # It repeats a status as its worker knows it; that of the row may be later.
        status = progress.status
    after = replace(progress, attempt=fact.attempt, step=fact.step, status=status)
    return Applied(after, _transitions(progress, fact, status))


def _transitions(progress: VersionProgress, fact: Fact, status: VersionStatus) -> tuple[Transition, ...]:
    changes: list[Transition] = []
    previous = progress.status
    queued = status_of(progress.kind, "queued")
    if previous == status_of(progress.kind, "pending"):
        # A worker has the job, so JetStream has acknowledged it, whether or not we saw that.
        changes.append(Transition(previous, queued, fact.at, 0))
        previous = queued
    if status != previous:
        changes.append(Transition(previous, status, fact.at, fact.attempt, fact.failure))
    return tuple(changes)
