"""What the reports of a process have in common: where they go, and what is known of runs and provider."""

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
    """What reports need of the process: where they go, and what is known of runs and provider."""

    publisher: Publisher
    records: RunRecords
    active_runs: ActiveRunRegistry
    cancel: Callable[[str], Awaitable[None]]
    storage: Storage
    markers: RunMarkers
    provider: str
    breaker: Breaker | None

    def __post_init__(self) -> None:
        # Prometheus sees no increase in a counter that first appears with 1: no alert would fire.
        SUBMIT_UNKNOWN.labels(self.provider)

    def count_unknown(self) -> None:
        """Count a paid request whose acceptance by the provider is unknown."""
        SUBMIT_UNKNOWN.labels(self.provider).inc()
        log.warning("submission outcome unknown", provider=self.provider)
