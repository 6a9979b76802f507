"""Row jobs that fetch from the shop: pages of orders, and single ones."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import Failure, now
from pastelka_common.errors import PermanentError, TransientError
from pastelka_orders.database import Database, is_transient
from pastelka_orders.dead_letters import row_job_letter
from pastelka_orders.domain.photo_plan import RefetchPolicy
from pastelka_orders.domain.shop_orders import ShopOrder
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import shop_jobs, shop_orders
from pastelka_orders.repository.claims import Claim
from pastelka_orders.row_jobs import Write
from pastelka_orders.shop_requests import FetchOrders, SyncOrder
from pastelka_orders.shopify.client import AdminApi
from pastelka_orders.shopify.ingest import Effect, give_up, ingest

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ShopJobs:
    """Requests to the shop as row jobs; ``on_commit`` wakes the relay."""

    database: Database
    shop: AdminApi
    on_commit: Callable[[], None]
    is_configured: bool = True
    retention_period: timedelta | None = None
    """How long orders are kept; older ones are not imported."""

    name = "shop"
    table = shop_jobs.TABLE

    async def work(self, claim: Claim) -> Write:
        """See ``JobKind``."""
        self._require_shop()
        request = await self.database.read(lambda c: shop_jobs.read(c, claim))
        if isinstance(request, FetchOrders):
            return await self._fetch(request, claim)
        return await self._sync(request, claim)

    async def give_up(self, connection: AsyncConnection, claim: Claim, failure: Failure) -> None:
        """Mark an order as failed, or abandon the remaining pages; publishes a dead letter."""
        request = await shop_jobs.read(connection, claim)
        if isinstance(request, SyncOrder):
            await give_up(connection, request.shopify_id)
        letter = row_job_letter(request.subject, request.model_dump_json(), claim.attempts, failure)
        await Outbox.publish(connection, letter)
        await shop_jobs.delete(connection, claim)

    async def _fetch(self, request: FetchOrders, claim: Claim) -> Write:
        """Fetch one page and import each order in its own transaction; then enqueue the next page.

        An order that cannot be imported gets its own job, whose dead letter names it.
        """
        page = await self.shop.orders(since=request.since.isoformat(), after=request.cursor)
        changed = failed = 0
        for node in page.nodes:
            try:
                effect = await self._import(await self.shop.complete(node), request)
            except TransientError:
                raise
            except Exception as error:
                if is_transient(error):
                    raise
                failed += 1
                await self._enqueue_failed(node, error)
            else:
                changed += effect in {"created", "changed"}
        follow = request.model_copy(
            update={
                "cursor": page.page_info.next_cursor,
                "seen": request.seen + len(page.nodes),
                "changed": request.changed + changed,
                "failed": request.failed + failed,
            }
        )
        log.info("shopify orders fetched", seen=follow.seen, changed=follow.changed, failed=follow.failed)
        if follow.cursor is None:
            return lambda c: shop_jobs.delete(c, claim)
        return lambda c: shop_jobs.replace(c, claim, follow)

    async def _sync(self, request: SyncOrder, claim: Claim) -> Write:
        """Fetch and import one order."""
        order = await self.shop.order(request.shopify_id)
        refetch = RefetchPolicy.MISSING if request.photos else RefetchPolicy.FAILED
        since = self._retention_start()

        async def write(connection: AsyncConnection) -> None:
            effect = await ingest(connection, order, refetch=refetch, retention_start=since)
            if effect == "older":
                # A webhook overtook Shopify's read replica.
                message = f"The shop's data of order {order.order_number} is older than ours."
                raise TransientError("shop_answer_outdated", message)
            await shop_jobs.delete(connection, claim)

        return write

    async def _import(self, order: ShopOrder, request: FetchOrders) -> Effect:
        async def work(connection: AsyncConnection) -> Effect:
            # An order created before ``since`` is updated if it exists, but not added.
            is_old = order.created_at is not None and order.created_at < request.since
            if is_old and await shop_orders.lock(connection, order.shopify_id) is None:
                return "unchanged"
            return await ingest(
                connection,
                order,
                refetch=RefetchPolicy.FAILED,
                restore_deleted=True,
                retention_start=self._retention_start(),
            )

        return await self._write(work)

    async def _enqueue_failed(self, node: dict[str, Any], error: Exception) -> None:
        name = str(node.get("name") or node.get("id"))[:100]
        reason = str(error) if isinstance(error, PermanentError) else type(error).__name__
        log.error("shopify order rejected", order_number=name, reason=reason)
        shopify_id = str(node.get("id")).rpartition("/")[2]
        if shopify_id.isascii() and shopify_id.isdigit() and len(shopify_id) < 19:  # noqa: PLR2004
            request = SyncOrder(shopify_id=int(shopify_id), order_number=name.lstrip("#"))
            await self._write(lambda c: shop_jobs.enqueue(c, request))

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        result = await self.database.write(work)
        self.on_commit()
        return result

    def _retention_start(self) -> datetime | None:
        return None if self.retention_period is None else now() - self.retention_period

    def _require_shop(self) -> None:
        if not self.is_configured:
            message = "No shop is connected; set SHOPIFY_STORE_URL and SHOPIFY_ACCESS_TOKEN, then requeue."
            raise PermanentError("shop_not_configured", message)
