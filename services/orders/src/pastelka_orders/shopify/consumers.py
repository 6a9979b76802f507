"""What the worker does for the shop: pages of orders, and single ones."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, FetchOrdersJob, SyncOrderJob, now
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.messaging.consumer import Delivery, JobConsumer
from pastelka_common.messaging.outcomes import Ack, Outcome
from pastelka_common.messaging.topology import FETCH_CONSUMER, SYNC_CONSUMER
from pastelka_orders.attempts import AttemptRows, postpones_in_outage
from pastelka_orders.database import Database, is_transient
from pastelka_orders.repository import shop_jobs, shop_orders
from pastelka_orders.shopify.asking import ask_now
from pastelka_orders.shopify.client import AdminApi
from pastelka_orders.shopify.ingest import Effect, give_up, ingest
from pastelka_orders.shopify.orders import ShopOrder
from pastelka_orders.shopify.photo_plan import RefetchPolicy
from pastelka_orders.shopify.settings import ShopifySettings

T = TypeVar("T")

log = structlog.get_logger(__name__)


_GRACE = 5.0


async def follow_shop(
    settings: ShopifySettings,
    stop: asyncio.Event,
    nc: Client,
    database: Database,
    on_commit: Callable[[], None],
    *,
    kept: timedelta | None = None,
) -> None:
    """Read from the shop what is asked for, until ``stop`` is set; nothing older than orders are ``kept``."""
    async with AdminApi(settings) as shop, asyncio.TaskGroup() as tasks:
        handlers = FromShop(database, shop, on_commit, is_configured=settings.shop_configured, kept=kept)
        fetch = JobConsumer(
            nc,
            FETCH_CONSUMER,
            FetchOrdersJob,
            handlers.fetch,
            concurrency=1,
            on_rejected=handlers.give_up_page,
            attempts=AttemptRows(database),
        )
        sync = JobConsumer(
            nc,
            SYNC_CONSUMER,
            SyncOrderJob,
            handlers.sync,
            concurrency=2,
            on_rejected=handlers.give_up,
            attempts=AttemptRows(database),
        )
        tasks.create_task(fetch.run(stop, grace=_GRACE))
        tasks.create_task(sync.run(stop, grace=_GRACE))


@dataclass(frozen=True)
class FromShop:
    """Handlers of the consumers ``fetch`` and ``sync``; ``on_commit`` wakes the relay."""

    database: Database
    shop: AdminApi
    on_commit: Callable[[], None]
    is_configured: bool = True
    kept: timedelta | None = None
    """How long orders are kept; older ones are not taken in."""

    @postpones_in_outage
    async def fetch(self, job: FetchOrdersJob, _delivery: Delivery) -> Outcome:
        """Read one page, each order in a transaction of its own; the next page is another job.

        An order that cannot be taken in gets a job of its own, which ends where people see its number.
        """
        self._require_shop()
        page = await self.shop.orders(since=job.since.isoformat(), after=job.cursor)
        changed = failed = 0
        for node in page.nodes:
            try:
                effect = await self._take(await self.shop.complete(node), job)
            except TransientError:
                raise
            except Exception as error:
                if is_transient(error):
                    raise
                failed += 1
                await self._set_aside(node, error)
            else:
                changed += effect in {"created", "changed"}
        follow = job.model_copy(
            update={
                "cursor": page.page_info.next_cursor,
                "seen": job.seen + len(page.nodes),
                "changed": job.changed + changed,
                "failed": job.failed + failed,
            }
        )
        log.info("shopify orders fetched", seen=follow.seen, changed=follow.changed, failed=follow.failed)
        await self._write(lambda c: shop_jobs.forget(c, job) if follow.cursor is None else ask_now(c, follow))
        return Ack()

    @postpones_in_outage
    async def sync(self, job: SyncOrderJob, _delivery: Delivery) -> Outcome:
        """Read one order."""
        self._require_shop()
        order = await self.shop.order(job.shopify_id)
        again = RefetchPolicy.MISSING if job.photos else RefetchPolicy.FAILED
        since = self._kept_since()

        async def take(connection: AsyncConnection) -> Effect:
            effect = await ingest(connection, order, again=again, kept_since=since)
            if effect != "older":
                await shop_jobs.forget(connection, job)
            return effect

        effect = await self._write(take)
        if effect == "older":
            # A webhook was faster than the copy of the shop's database that answers.
            message = f"The shop's answer about order {order.order_number} is older than what is here."
            raise TransientError("shop_answer_outdated", message)
        return Ack()

    async def give_up(self, job: SyncOrderJob, _delivery: Delivery, failure: Failure) -> None:
        """The order could not be read; it says so, and so does the dead letter."""
        log.error("shopify order fetch failed", order_number=job.order_number, code=failure.code)

        async def end(connection: AsyncConnection) -> None:
            await give_up(connection, job.shopify_id)
            await shop_jobs.forget(connection, job)

        await self._write(end)

    async def give_up_page(self, job: FetchOrdersJob, _delivery: Delivery, failure: Failure) -> None:
        """The page could not be read, nor those after it; the dead letter says so."""
        log.error("shopify orders fetch failed", since=job.since.isoformat(), code=failure.code)
        await self._write(lambda c: shop_jobs.forget(c, job))

    async def _take(self, order: ShopOrder, job: FetchOrdersJob) -> Effect:
        async def work(connection: AsyncConnection) -> Effect:
            # One that only changed since then is followed, but nobody asked for it if it is not here.
            is_old = order.created_at is not None and order.created_at < job.since
            if is_old and await shop_orders.lock(connection, order.shopify_id) is None:
                return "unchanged"
            return await ingest(
                connection, order, again=RefetchPolicy.FAILED, bring_back=True, kept_since=self._kept_since()
            )

        return await self._write(work)

    async def _set_aside(self, node: dict[str, Any], error: Exception) -> None:
        name = str(node.get("name") or node.get("id"))[:100]
        reason = str(error) if isinstance(error, PermanentError) else type(error).__name__
        log.error("shopify order rejected", order_number=name, reason=reason)
        shopify_id = str(node.get("id")).rpartition("/")[2]
        if shopify_id.isascii() and shopify_id.isdigit() and len(shopify_id) < 19:  # noqa: PLR2004
            job = SyncOrderJob(shopify_id=int(shopify_id), order_number=name.lstrip("#"))
            await self._write(lambda c: ask_now(c, job))

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        result = await self.database.write(work)
        self.on_commit()
        return result

    def _kept_since(self) -> datetime | None:
        return None if self.kept is None else now() - self.kept

    def _require_shop(self) -> None:
        if not self.is_configured:
            message = "No shop is connected; set SHOPIFY_STORE_URL and SHOPIFY_ACCESS_TOKEN, then requeue."
            raise PermanentError("shop_not_configured", message)
