"""The worker process that the coloring and the vectorize service share."""

import asyncio
from typing import TypeVar

from pastelka_common.breaker import Breaker
from pastelka_common.contracts.messages import VersionJob
from pastelka_common.health import health_server
from pastelka_common.jobs.active_runs import ActiveRunRegistry
from pastelka_common.jobs.handler import Generator, VersionJobHandler
from pastelka_common.jobs.records import RunRecords
from pastelka_common.messaging.connection import connected, ping
from pastelka_common.messaging.consumer import JobConsumer, RetryPolicy
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.service_health import serve_health
from pastelka_common.messaging.topology import ConsumerSpec
from pastelka_common.messaging.topology_monitor import managed_topology
from pastelka_common.settings import WorkerSettings
from pastelka_common.storage import Storage

J = TypeVar("J", bound=VersionJob)


async def run_worker(
    settings: WorkerSettings,
    stop: asyncio.Event,
    *,
    spec: ConsumerSpec,
    job_type: type[J],
    generator: Generator[J],
    storage: Storage,
    concurrency: int,
    grace: float,
    paid_provider: str | None = None,
) -> None:
    """Process the jobs of one consumer until ``stop`` is set, at most ``concurrency`` at a time.

    Then active jobs get ``grace`` seconds to finish; the others are nacked. A ``paid_provider`` (its name)
    gets a breaker.
    """
    breaker = _breaker(settings, paid_provider) if paid_provider else None
    async with (
        connected(settings.nats_url, name=spec.name, prefix=settings.nats_prefix) as nc,
        managed_topology(nc, [spec], replicas=settings.stream_replicas),
    ):
        handler: VersionJobHandler[J] = VersionJobHandler(
            Publisher(nc),
            await RunRecords.open(nc),
            await ActiveRunRegistry.open(nc, job_type.kind),
            storage,
            generator,
            paid_provider or "local",
            breaker,
        )
        consumer = JobConsumer(
            nc,
            spec,
            job_type,
            handler.handle,
            concurrency=concurrency,
            retries=RetryPolicy(
                attempts=settings.job_max_attempts, silent_deliveries=settings.job_max_silent_deliveries
            ),
            on_rejected=handler.reject,
            attempts=handler.attempts,
            gate=breaker,
        )

        async def broker() -> None:
            await ping(nc)

        checks = {"broker": broker}
        async with (
            health_server(settings.host, settings.port, checks),
            serve_health(nc, spec.name, checks, breaker.health if breaker else None),
        ):
            await consumer.run(stop, grace=grace)


def _breaker(settings: WorkerSettings, provider: str) -> Breaker:
    return Breaker(
        provider,
        failure_threshold=settings.breaker_failure_threshold,
        reset_timeout=settings.breaker_reset_timeout,
        max_reset_timeout=settings.breaker_max_reset_timeout,
    )
