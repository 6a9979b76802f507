"""Prometheus metrics of versions: durations and outcomes."""

from datetime import datetime

from prometheus_client import Counter, Histogram

from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_orders.domain.versions import Transition
from pastelka_orders.repository.versions import Version

STEP_SECONDS = Histogram(
    "pastelka_version_status_duration_seconds",
    "Time that versions spent in a status",
    ["kind", "status"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800),
)
VERSION_SECONDS = Histogram(
    "pastelka_version_duration_seconds",
    "Time from request to end of a version",
    ["kind", "outcome"],
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
)
ENDED = Counter("pastelka_versions_ended_total", "Versions by how they ended", ["kind", "outcome", "code"])
for _kind in STATUS_ENUMS:
    # Initialized, because Prometheus sees no increase in a counter that appears with 1.
    ENDED.labels(_kind, "completed", "")


def observe_status_duration(version: Version, since: datetime, transition: Transition) -> None:
    """Observe that ``version`` left the status that it had ``since``."""
    STEP_SECONDS.labels(version.kind, transition.previous.value).observe(_seconds(since, transition.at))
    if transition.status.is_final:
        code = transition.failure.code if transition.failure else ""
        observe_version_end(version, transition.status.value, code, transition.at)


def observe_version_end(version: Version, outcome: str, code: str, at: datetime) -> None:
    """Observe the end of a run; ``code`` is the error code if it failed."""
    ENDED.labels(version.kind, outcome, code).inc()
    if version.status.is_final:
        return  # its file was lost; its duration was observed when it was generated
    VERSION_SECONDS.labels(version.kind, outcome).observe(_seconds(version.asked_at, at))


def _seconds(since: datetime, until: datetime) -> float:
    # The worker's clock may be behind the database's: never negative.
    return max(0.0, (until - since).total_seconds())
