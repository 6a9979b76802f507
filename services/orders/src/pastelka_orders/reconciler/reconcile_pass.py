"""One pass of the reconciler: its dependencies and results."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import structlog
from nats.aio.client import Client
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.storage import Storage
from pastelka_orders.database import Database

T = TypeVar("T")

Kind = Literal["coloring", "svg", "photo", "edited_photo", "book", "events"]
Reason = Literal[
    "never_published",
    "job_missing",
    "job_of_earlier_run",
    "fact_not_applied",
    "given_up",
    "provider_job_forgotten",
    "job_of_ended_run",
    "job_of_deleted_version",
    "job_never_delivered",
    "consumer_ahead",
    "events_lost",
    "file_missing",
    "file_back",
]

log = structlog.get_logger(__name__)

RECONCILED = Counter("pastelka_reconciled_total", "Repairs by the reconciler", ["kind", "reason"])


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair (or, in a dry run, a needed one): kind, reason and ids."""

    kind: Kind
    reason: Reason
    about: dict[str, Any]


class _RolledBackError(Exception):
    def __init__(self, result: Any) -> None:
        super().__init__("dry run")
        self.result = result


@dataclass
class ReconcilePass:
    """One complete pass. With ``dry_run`` it only records needed repairs."""

    database: Database
    nc: Client
    storage: Storage
    grace: float
    dry_run: bool = False
    examined: int = 0
    repaired: list[Repair] = field(default_factory=list)

    async def change(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction, which a dry run rolls back."""
        if not self.dry_run:
            return await self.database.write(work)

        async def try_out(connection: AsyncConnection) -> None:
            raise _RolledBackError(await work(connection))

        try:
            await self.database.write(try_out)
        except _RolledBackError as done:
            result: T = done.result
            return result
        raise AssertionError("unreachable")

    def record(self, kind: Kind, reason: Reason, **about: Any) -> None:
        """Record and log a repair."""
        self.repaired.append(Repair(kind, reason, about))
        if self.dry_run:
            return
        RECONCILED.labels(kind, reason).inc()
        log.warning("reconciled", kind=kind, reason=reason, **about)
