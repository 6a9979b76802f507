"""Requeueing of dead letters."""

from collections.abc import Awaitable, Callable

import structlog
from nats.aio.client import Client
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringJob, DeadLetter, SvgJob
from pastelka_orders import dead_letters
from pastelka_orders.database import Database
from pastelka_orders.errors import DeadLetterNotFoundError, NotRequeueableError
from pastelka_orders.handlers import downloads, versions
from pastelka_orders.repository import shop_jobs
from pastelka_orders.shop_requests import FetchOrders, SyncOrder

log = structlog.get_logger(__name__)

Requeue = Callable[[AsyncConnection, str], Awaitable[None]]


async def requeue_letter(database: Database, nc: Client, sequence: int) -> None:
    """Enqueue the job of dead letter ``sequence`` again, and delete the letter.

    Raises ``DeadLetterNotFoundError`` and what :func:`requeue` raises.
    """
    letter = await dead_letters.read(nc, sequence)
    await database.write(lambda c: requeue(c, sequence, letter))
    try:
        await dead_letters.remove(nc, sequence)
    except DeadLetterNotFoundError:
        log.info("dead letter already removed", sequence=sequence)


async def requeue(connection: AsyncConnection, sequence: int, letter: DeadLetter) -> None:
    """Enqueue the job of dead letter ``sequence`` again.

    A version begins a new run, as with *retry*, since the failed one has ended. Raises
    :class:`NotRequeueableError`, and what *retry* raises.
    """
    requeue_job = _REQUEUE.get(letter.original_subject.removeprefix("jobs.").partition(".")[0])
    if requeue_job is None:
        raise NotRequeueableError(sequence, f"no consumer handles {letter.original_subject}.")
    try:
        await requeue_job(connection, letter.original_payload)
    except ValidationError:
        raise NotRequeueableError(sequence, "its job is malformed.") from None


class _Download(BaseModel):
    image_id: int


_REQUEUE: dict[str, Requeue] = {
    "coloring": lambda c, job: versions.retry(c, "coloring", ColoringJob.model_validate_json(job).version_id),
    "svg": lambda c, job: versions.retry(c, "svg", SvgJob.model_validate_json(job).version_id),
    "download": lambda c, job: downloads.retry(c, _Download.model_validate_json(job).image_id),
    "fetch": lambda c, job: shop_jobs.enqueue(c, FetchOrders.model_validate_json(job)),
    "sync": lambda c, job: shop_jobs.enqueue(c, SyncOrder.model_validate_json(job)),
}
