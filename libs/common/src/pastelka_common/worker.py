"""What the coloring and the vectorize service are, apart from what they make and by whom."""

import asyncio
from typing import TypeVar

from pastelka_common.breaker import Breaker
from pastelka_common.contracts.messages import VersionJob
from pastelka_common.health import health_server
from pastelka_common.messaging import hands
from pastelka_common.messaging.connection import connected, ping
from pastelka_common.messaging.consumer import JobConsumer, Retries
from pastelka_common.messaging.holders import Holders
from pastelka_common.messaging.presence import answering
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.runs import Cancellations, ProviderJobs
from pastelka_common.messaging.topology import ConsumerSpec
from pastelka_common.messaging.upkeep import kept
from pastelka_common.messaging.work import Making, Workshop
from pastelka_common.settings import WorkerSettings
from pastelka_common.storage import Storage

J = TypeVar("J", bound=VersionJob)


async def work_off(
    settings: WorkerSettings,
    stop: asyncio.Event,
    *,
    spec: ConsumerSpec,
    job_type: type[J],
    making: Making[J],
    storage: Storage,
    concurrency: int,
    grace: float,
    paid_provider: str | None = None,
) -> None:
    """Take the jobs of one consumer until ``stop`` is set, at most ``concurrency`` at a time.

    Then what is in hand gets ``grace`` seconds to be finished; the rest is handed back. A
    ``paid_provider`` (its name) gets a breaker.
    """
    breaker = _breaker(settings, paid_provider) if paid_provider else None
    async with (
        connected(settings.nats_url, name=spec.name, prefix=settings.nats_prefix) as nc,
        kept(nc, [spec], replicas=settings.stream_replicas),
    ):
        cancellations = await Cancellations.open(nc, job_type.kind)
        workshop: Workshop[J] = Workshop(
            Publisher(nc),
            await ProviderJobs.open(nc),
            cancellations,
            storage,
            making,
            paid_provider or "local",
            breaker,
            await Holders.open(nc),
        )
        consumer = JobConsumer(
            nc,
            spec,
            job_type,
            workshop.handle,
            concurrency=concurrency,
            retries=Retries(attempts=settings.job_attempts, crashes=settings.job_crashes),
            on_rejected=workshop.reject,
            attempts=workshop.attempts,
            gate=breaker,
        )

        async def broker() -> None:
            await ping(nc)

        checks = {"broker": broker}
        async with (
            health_server(settings.host, settings.port, checks),
            answering(nc, spec.name, checks, breaker.health if breaker else None),
            hands.telling(nc, lambda: cancellations.in_hand),
        ):
            await consumer.run(stop, grace=grace)


def _breaker(settings: WorkerSettings, provider: str) -> Breaker:
    return Breaker(
        provider,
        failures=settings.breaker_failures,
        pause=settings.breaker_pause,
        longest=settings.breaker_longest_pause,
    )
