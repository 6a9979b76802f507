"""The dependencies that the reporters of a process share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from pastelka_common.breaker import Breaker
from pastelka_common.jobs.active_runs import ActiveRunRegistry
from pastelka_common.jobs.records import RunRecords
from pastelka_common.jobs.run_markers import RunMarkers
from pastelka_common.messaging.publish import Publisher
from pastelka_common.storage import Storage

log = structlog.get_logger(__name__)

SUBMIT_UNKNOWN = Counter(
    "pastelka_submit_unknown_total",
    "Paid requests whose acceptance by the provider is unknown",
    ["provider"],
)


@dataclass(frozen=True)
class RunContext:
    """Dependencies of reporters, shared by the process."""

    publisher: Publisher
    records: RunRecords
    active_runs: ActiveRunRegistry
    cancel: Callable[[str], Awaitable[None]]
    storage: Storage
    markers: RunMarkers
    provider: str
    breaker: Breaker | None

    def __post_init__(self) -> None:
        # Initialize: Prometheus sees no increase in a counter that first appears with 1.
        SUBMIT_UNKNOWN.labels(self.provider)

    def count_unknown(self) -> None:
        """Count a paid request whose acceptance by the provider is unknown."""
        SUBMIT_UNKNOWN.labels(self.provider).inc()
        log.warning("submission outcome unknown", provider=self.provider)
