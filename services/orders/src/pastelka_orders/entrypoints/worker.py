"""``python -m pastelka_orders.entrypoints.worker``: facts, outbox, row jobs, reconciler, retention."""

import asyncio

from nats.aio.client import Client

from pastelka_common import process
from pastelka_common.contracts.messages import DeadLetter
from pastelka_common.health import Check, health_server
from pastelka_common.messaging.connection import connected, ping
from pastelka_common.messaging.consumer import JobConsumer
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.service_health import serve_health
from pastelka_common.messaging.topology import DEAD_CONSUMER, FACTS_CONSUMER
from pastelka_common.messaging.topology_monitor import managed_topology
from pastelka_common.storage import open_storage
from pastelka_orders.book.process import BookComposer
from pastelka_orders.consumers import DeadLetters, FactsConsumer
from pastelka_orders.database import Database, open_database
from pastelka_orders.erasure.eraser import RETRIES as ERASURE_RETRIES
from pastelka_orders.erasure.eraser import Eraser
from pastelka_orders.erasure.loop import Retention
from pastelka_orders.handlers.book_versions import BookJobs
from pastelka_orders.handlers.downloads import Downloads
from pastelka_orders.handlers.queue_pauses import PauseKeeper
from pastelka_orders.metrics import MetricsCollector
from pastelka_orders.outbox import Relay
from pastelka_orders.pg_notify import listen
from pastelka_orders.photos.download import DEFAULT_USER_AGENT, PhotoDownloader, proxies_of
from pastelka_orders.photos.intake import PhotoIntake
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules
from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.repository.claims import CHANNEL as JOBS_CHANNEL
from pastelka_orders.repository.outbox import CHANNEL
from pastelka_orders.row_jobs import JobRunner
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shopify.client import AdminApi
from pastelka_orders.shopify.jobs import ShopJobs

_POOL = 8
_CONSUMERS = (FACTS_CONSUMER, DEAD_CONSUMER)
_SHOP_CONCURRENCY = 3
_ERASURE_CONCURRENCY = 4
_BOOK_CONCURRENCY = 1


def main() -> None:
    """Run the worker until SIGTERM."""
    process.main("orders-worker", OrdersSettings, run)


async def run(settings: OrdersSettings, stop: asyncio.Event) -> None:
    """Run all tasks of the worker until ``stop`` is set."""
    database = open_database(settings, pool_size=_POOL)
    limits = PhotoLimits(max_bytes=settings.photo_max_bytes, max_pixels=settings.photo_max_pixels)
    intake = PhotoIntake(limits)
    hosts = [host.strip() for host in settings.download_allowed_hosts.split(",") if host.strip()]
    try:
        async with (
            connected(settings.nats_url, name="orders-worker", prefix=settings.nats_prefix) as nc,
            PhotoDownloader(
                intake,
                rules=UrlRules(allowed_hosts=hosts),
                proxies=proxies_of(settings.proxy),
                user_agent=settings.photo_user_agent or DEFAULT_USER_AGENT,
                referer=settings.photo_referer,
            ) as downloader,
            health_server(settings.host, settings.port, _checks(nc, database)),
            serve_health(nc, "orders-worker", _checks(nc, database)),
        ):
            await _work(settings, stop, nc, database, downloader)
    finally:
        await intake.aclose()
        await database.aclose()


async def _work(
    settings: OrdersSettings, stop: asyncio.Event, nc: Client, database: Database, downloader: PhotoDownloader
) -> None:
    relay = Relay(database, Publisher(nc))
    storage = open_storage(settings)
    reconciler = Reconciler(
        database,
        nc,
        storage,
        interval=settings.reconcile_interval,
        grace=settings.reconcile_grace,
        files=settings.files_per_pass,
        on_repaired=relay.wake,
    )
    dead = DeadLetters(database, nc, relay.wake)
    retention = Retention(
        database, storage, days=settings.retention_days or None, interval=settings.retention_interval
    )
    async with (
        AdminApi(settings) as shop,
        managed_topology(nc, _CONSUMERS, replicas=settings.stream_replicas, on_loss=reconciler.wake),
        asyncio.TaskGroup() as tasks,
    ):
        runners = [
            JobRunner(
                database,
                Downloads(database, storage, downloader, settings.auto_process),
                settings.download_concurrency,
                on_commit=relay.wake,
            ),
            JobRunner(
                database,
                ShopJobs(database, shop, relay.wake, settings.shop_configured, settings.retention_period),
                _SHOP_CONCURRENCY,
                on_commit=relay.wake,
            ),
            JobRunner(
                database,
                Eraser(database, storage, settings.reconcile_grace),
                _ERASURE_CONCURRENCY,
                ERASURE_RETRIES,
                on_commit=relay.wake,
            ),
            JobRunner(
                database,
                BookJobs(database, storage, BookComposer(), settings.print_layouts),
                _BOOK_CONCURRENCY,
                on_commit=relay.wake,
            ),
        ]

        def wake_runners() -> None:
            for runner in runners:
                runner.wake()

        listeners = {CHANNEL: relay.wake, JOBS_CHANNEL: wake_runners}
        for runner in runners:
            tasks.create_task(runner.run(stop, grace=settings.shutdown_grace / 2))
        tasks.create_task(relay.run(stop))
        tasks.create_task(reconciler.run(stop))
        tasks.create_task(retention.run(stop))
        tasks.create_task(PauseKeeper(database, nc).run(stop))
        tasks.create_task(MetricsCollector(database, nc, storage).run(stop))
        tasks.create_task(listen(settings.direct_url, listeners, stop))
        tasks.create_task(FactsConsumer(nc, database, relay.wake).run(stop))
        tasks.create_task(
            JobConsumer(nc, DEAD_CONSUMER, DeadLetter, dead.handle, concurrency=4).run(stop, grace=5)
        )


def _checks(nc: Client, database: Database) -> dict[str, Check]:
    async def broker() -> None:
        await ping(nc)

    return {"database": database.check, "broker": broker}


if __name__ == "__main__":
    main()
