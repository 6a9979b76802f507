"""``python -m pastelka_notifier``: pushes events until SIGTERM."""

import asyncio

from pastelka_common import process
from pastelka_common.health import health_server
from pastelka_common.messaging.connection import connected, ping
from pastelka_common.messaging.service_health import serve_health
from pastelka_common.messaging.topology import EVENTS_CONSUMER
from pastelka_common.messaging.topology_monitor import managed_topology
from pastelka_notifier.handlers import NotificationService
from pastelka_notifier.heartbeat import Heartbeat
from pastelka_notifier.mercure import MercureClient
from pastelka_notifier.settings import NotifierSettings


def main() -> None:
    """Run until SIGTERM."""
    process.main("notifier", NotifierSettings, run)


async def run(settings: NotifierSettings, stop: asyncio.Event) -> None:
    """Push committed events until ``stop`` is set."""
    key = settings.mercure_publisher_jwt_key.get_secret_value()
    width = settings.mercure_concurrency
    async with (
        MercureClient(settings.mercure_url, key, connections=width) as hub,
        connected(settings.nats_url, name="notifier", prefix=settings.nats_prefix) as nc,
        managed_topology(nc, [EVENTS_CONSUMER], replicas=settings.stream_replicas),
    ):

        async def broker() -> None:
            await ping(nc)

        checks = {"broker": broker, "hub": hub.check}
        async with (
            health_server(settings.host, settings.port, checks),
            serve_health(nc, "notifier", checks),
        ):
            notifications = NotificationService(nc, hub, width=width)
            async with Heartbeat(nc, hub, lambda: notifications.is_active).running():
                await notifications.run(stop, grace=settings.shutdown_grace / 2)
