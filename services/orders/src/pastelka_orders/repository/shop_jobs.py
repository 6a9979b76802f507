"""Requests to the shop that are not answered yet: rows that are jobs."""

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
_DONE = "DELETE FROM shop_jobs WHERE key = :key AND claimed_until = :until RETURNING 1"


async def enqueue(connection: AsyncConnection, request: ShopRequest) -> None:
    """Ask the shop; a request of the same key is replaced, also one that a worker has."""
    await execute(connection, _ENQUEUE, {"key": request.key, "payload": request.model_dump_json()})
    await claims.notify(connection)


async def read(connection: AsyncConnection, claim: Claim) -> ShopRequest:
    """The request that was claimed. Raises ``ClaimLostError``."""
    payload = (await execute(connection, _PAYLOAD, claim.row)).scalar()
    if payload is None:
        raise ClaimLostError
    model = FetchOrders if str(claim.key).startswith("fetch.") else SyncOrder
    return model.model_validate_json(json.dumps(payload))


async def go_on(connection: AsyncConnection, claim: Claim, request: FetchOrders) -> None:
    """The next page is due. Raises ``ClaimLostError``."""
    await execute(connection, _CONTINUE, {"key": claim.key, "payload": request.model_dump_json()})
    await claims.end(connection, claim, seconds=0)


async def done(connection: AsyncConnection, claim: Claim) -> None:
    """The request is answered, or given up. Raises ``ClaimLostError``."""
    if (await execute(connection, _DONE, claim.row)).first() is None:
        raise ClaimLostError
