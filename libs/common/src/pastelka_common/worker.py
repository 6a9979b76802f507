"""What the coloring and the vectorize service are, apart from what they make and by whom."""

import asyncio
from typing import TypeVar

from pastelka_common.contracts.messages import VersionJob
from pastelka_common.health import health_server
from pastelka_common.messaging import hands
from pastelka_common.messaging.connection import connected
from pastelka_common.messaging.consumer import JobConsumer
from pastelka_common.messaging.presence import answering
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.runs import Cancellations, ProviderJobs
from pastelka_common.messaging.topology import ConsumerSpec
from pastelka_common.messaging.upkeep import kept
from pastelka_common.messaging.work import Making, Workshop
from pastelka_common.settings import ServiceSettings
from pastelka_common.storage import Storage

J = TypeVar("J", bound=VersionJob)


async def work_off(
    settings: ServiceSettings,
    stop: asyncio.Event,
    *,
    spec: ConsumerSpec,
    job_type: type[J],
    making: Making[J],
    storage: Storage,
    concurrency: int,
    grace: float,
) -> None:
    """Take the jobs of one consumer until ``stop`` is set, at most ``concurrency`` at a time.

    Then what is in hand gets ``grace`` seconds to be finished; the rest is handed back.
    """
    async with (
        connected(settings.nats_url, name=spec.name) as nc,
        kept(nc, [spec], replicas=settings.stream_replicas),
    ):
        cancellations = await Cancellations.open(nc, job_type.kind)
        workshop: Workshop[J] = Workshop(
            Publisher(nc),
            await ProviderJobs.open(nc),
            cancellations,
            storage,
            making,
        )
        consumer = JobConsumer(
            nc, spec, job_type, workshop.handle, concurrency=concurrency, on_rejected=workshop.reject
        )

        async def broker() -> None:
            await nc.flush(timeout=2)

        checks = {"broker": broker}
        async with (
            health_server(settings.host, settings.port, checks),
            answering(nc, spec.name, checks),
            hands.telling(nc, lambda: cancellations.in_hand),
        ):
            await consumer.run(stop, grace=grace)
