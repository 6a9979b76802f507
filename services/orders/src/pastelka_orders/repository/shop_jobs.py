"""Queries on pending requests to the shop, which are job rows."""

import json

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.repository import claims
from pastelka_orders.repository.claims import DUE_NOW, Claim, ClaimLostError, JobTable
from pastelka_orders.repository.sql import execute
from pastelka_orders.shop_requests import FetchOrders, ShopRequest, SyncOrder

TABLE = JobTable("shop_jobs", "key")

_ENQUEUE = f"""INSERT INTO shop_jobs (key, payload) VALUES (:key, CAST(:payload AS jsonb))
    ON CONFLICT (key) DO UPDATE SET payload = EXCLUDED.payload, updated_at = clock_timestamp(), {DUE_NOW}"""
_PAYLOAD = "SELECT payload FROM shop_jobs WHERE key = :key AND claimed_until = :until"
_CONTINUE = (
    "UPDATE shop_jobs SET payload = CAST(:payload AS jsonb), updated_at = clock_timestamp() WHERE key = :key"
)
_DELETE = "DELETE FROM shop_jobs WHERE key = :key AND claimed_until = :until RETURNING 1"


async def enqueue(connection: AsyncConnection, request: ShopRequest) -> None:
    """Enqueue a request; replaces one with the same key, even if claimed."""
    await execute(connection, _ENQUEUE, {"key": request.key, "payload": request.model_dump_json()})
    await claims.notify(connection)


async def read(connection: AsyncConnection, claim: Claim) -> ShopRequest:
    """Read the claimed request. Raises ``ClaimLostError``."""
    payload = (await execute(connection, _PAYLOAD, claim.row)).scalar()
    if payload is None:
        raise ClaimLostError
    model = FetchOrders if str(claim.key).startswith("fetch.") else SyncOrder
    return model.model_validate_json(json.dumps(payload))


async def replace(connection: AsyncConnection, claim: Claim, request: FetchOrders) -> None:
    """Replace the claimed request by the one for the next page. Raises ``ClaimLostError``."""
    await execute(connection, _CONTINUE, {"key": claim.key, "payload": request.model_dump_json()})
    await claims.end(connection, claim, seconds=0)


async def delete(connection: AsyncConnection, claim: Claim) -> None:
    """Delete the finished or abandoned request. Raises ``ClaimLostError``."""
    if (await execute(connection, _DELETE, claim.row)).first() is None:
        raise ClaimLostError
