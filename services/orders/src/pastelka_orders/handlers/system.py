"""Status of the system: queries services, broker and database concurrently."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog
from nats.aio.client import Client
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import now
from pastelka_common.health import run_checks
from pastelka_common.messaging import service_health
from pastelka_common.messaging.publish import BROKER_ERRORS
from pastelka_common.messaging.topology import COLORING_CONSUMER, VECTORIZE_CONSUMER, ConsumerSpec
from pastelka_orders import dead_letters
from pastelka_orders.broker import Broker
from pastelka_orders.consumer_stats import consumer_stats
from pastelka_orders.database import Database, DatabaseUnavailableError
from pastelka_orders.errors import BrokerDownError
from pastelka_orders.repository import claims, downloads, reconciling, retention, system
from pastelka_orders.system_schemas import (
    BreakerResponse,
    DeadLettersResponse,
    HourResponse,
    MinutesResponse,
    OutboxResponse,
    QueueResponse,
    ReconcilerResponse,
    RetentionResponse,
    ServiceResponse,
    SystemResponse,
)

T = TypeVar("T")

OTHER_SERVICES = ("orders-worker", "coloring", "vectorize", "notifier")
"""Services that report over NATS; the API reports for itself."""
_QUEUES = (COLORING_CONSUMER, VECTORIZE_CONSUMER)
_CACHE_SECONDS = 1.0
_TIMEOUT = 3.0

log = structlog.get_logger(__name__)


@dataclass
class System:
    """Collects the system's status, cached for a second."""

    database: Database
    broker: Broker
    started_at: datetime = field(default_factory=now)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _cached: SystemResponse | None = None
    _cached_at: float = 0.0

    async def state(self) -> SystemResponse:
        """The status, at most a second old. Does not raise if a dependency is unavailable."""
        async with self._lock:
            if self._cached is None or time.monotonic() - self._cached_at > _CACHE_SECONDS:
                self._cached = await self._collect()
                self._cached_at = time.monotonic()
            return self._cached

    def clear_cache(self) -> None:
        """Clear the cache, after a change through this process."""
        self._cached = None

    async def _collect(self) -> SystemResponse:
        nc = await _or_none(self.broker.client())
        own, (others, queues, letters), (outbox, hour, reconciler, kept), downloading = await asyncio.gather(
            self._own_status(),
            _read_broker(nc),
            self._read_database(),
            _or_none(self.database.read(_downloads)),
        )
        return SystemResponse(
            at=now(),
            services=[own, *_other_services(others or [])],
            queues=[*queues, downloading] if queues is not None and downloading is not None else queues,
            outbox=outbox,
            last_hour=hour,
            dead_letters=letters,
            reconciler=reconciler,
            retention=kept,
        )

    async def _read_database(
        self,
    ) -> tuple[
        OutboxResponse | None, list[HourResponse] | None, ReconcilerResponse | None, RetentionResponse | None
    ]:
        return await asyncio.gather(
            _or_none(self.database.read(_outbox)),
            _or_none(self.database.read(_last_hour)),
            _or_none(self.database.read(_reconciler)),
            _or_none(self.database.read(_retention)),
        )

    async def _own_status(self) -> ServiceResponse:
        checks = await run_checks({"database": self.database.check, "broker": self.broker.check})
        return ServiceResponse(
            name="orders-api",
            instance=service_health.instance(),
            healthy=all(result == "ok" for result in checks.values()),
            started_at=self.started_at,
            checks=checks,
            breaker=None,
        )


def _other_services(found: list[service_health.ServiceHealth]) -> list[ServiceResponse]:
    """Every process that responded, and every service of which none did."""
    answered = [
        ServiceResponse(
            name=one.name,
            instance=one.instance,
            healthy=one.healthy,
            started_at=one.started_at,
            checks=one.checks,
            breaker=BreakerResponse.model_validate(one.breaker.model_dump()) if one.breaker else None,
        )
        for one in found
    ]
    names = {one.name for one in found}
    silent = [
        ServiceResponse(name=name, instance=None, healthy=False, started_at=None, checks={}, breaker=None)
        for name in OTHER_SERVICES
        if name not in names
    ]
    return sorted([*answered, *silent], key=_sort_key)


def _sort_key(service: ServiceResponse) -> tuple[int, str, str]:
    known = service.name in OTHER_SERVICES
    place = OTHER_SERVICES.index(service.name) if known else len(OTHER_SERVICES)
    return place, service.name, service.instance or ""


async def _read_broker(
    nc: Client | None,
) -> tuple[list[service_health.ServiceHealth] | None, list[QueueResponse] | None, DeadLettersResponse | None]:
    if nc is None:
        return None, None, None
    return await asyncio.gather(
        _or_none(service_health.collect_health(nc, OTHER_SERVICES)),
        _or_none(_queues(nc)),
        _or_none(dead_letters.newest(nc)),
    )


async def _downloads(connection: AsyncConnection) -> QueueResponse:
    """Photos that wait to be downloaded, and that are being downloaded."""
    jobs = await claims.stats(connection, downloads.TABLE)
    return QueueResponse(name="download", waiting=jobs.waiting, in_progress=jobs.in_progress)


async def _outbox(connection: AsyncConnection) -> OutboxResponse:
    return OutboxResponse.model_validate(await system.outbox(connection), from_attributes=True)


async def _last_hour(connection: AsyncConnection) -> list[HourResponse]:
    return [_hour(ended) for ended in await system.last_hour(connection)]


def _hour(ended: system.EndedLastHour) -> HourResponse:
    completed, failed = sum(ended.completed), sum(ended.failed)
    return HourResponse(
        kind=ended.kind,
        completed=completed,
        failed=failed,
        cancelled=sum(ended.cancelled),
        failure_rate=failed / (completed + failed) if completed + failed else None,
        minutes=MinutesResponse.model_validate(ended, from_attributes=True),
    )


async def _reconciler(connection: AsyncConnection) -> ReconcilerResponse | None:
    """Result of the reconciler's last pass; ``None`` before the first."""
    state = await reconciling.state(connection)
    return ReconcilerResponse.model_validate(state, from_attributes=True) if state else None


async def _retention(connection: AsyncConnection) -> RetentionResponse | None:
    """Result of the last retention pass; ``None`` before the first."""
    state = await retention.state(connection)
    if state is None:
        return None
    return RetentionResponse(
        on=state.days is not None,
        days=state.days,
        ran_at=state.ran_at,
        since=state.since,
        erased=state.erased,
        last_erased_at=state.last_erased_at,
        waiting=state.waiting,
        failing=state.failing,
        error=state.error or state.failure,
    )


async def _queues(nc: Client) -> list[QueueResponse]:
    return list(await asyncio.gather(*(_queue(nc, spec) for spec in _QUEUES)))


async def _queue(nc: Client, spec: ConsumerSpec) -> QueueResponse:
    found = await consumer_stats(nc, spec)
    return QueueResponse(name=spec.name, waiting=found.waiting, in_progress=found.in_progress)


async def _or_none(query: Awaitable[T]) -> T | None:
    """The result, or ``None`` if the database or the broker is unavailable."""
    try:
        return await asyncio.wait_for(query, _TIMEOUT)
    except (BrokerDownError, DatabaseUnavailableError, SQLAlchemyError, *BROKER_ERRORS) as error:
        log.warning("system state unavailable", error=str(error) or type(error).__name__)
        return None
