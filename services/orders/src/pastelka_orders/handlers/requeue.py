"""A job that was given up on is asked for again."""

from collections.abc import Awaitable, Callable

import structlog
from nats.aio.client import Client
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import (
    ColoringJob,
    DeadLetter,
    DownloadJob,
    EraseJob,
    FetchOrdersJob,
    SvgJob,
    SyncOrderJob,
)
from pastelka_orders import dead_letters
from pastelka_orders.database import Database
from pastelka_orders.errors import DeadLetterNotFoundError, NotRequeueableError
from pastelka_orders.handlers import downloads, versions
from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import shop_jobs
from pastelka_orders.shopify.asking import ask_now

log = structlog.get_logger(__name__)

Again = Callable[[AsyncConnection, str], Awaitable[None]]


async def take_back(database: Database, nc: Client, sequence: int) -> None:
    """Ask again for what letter ``sequence`` is about, and take the letter away.

    Raises ``DeadLetterNotFoundError`` and what :func:`requeue` raises.
    """
    letter = await dead_letters.read(nc, sequence)
    await database.write(lambda c: requeue(c, sequence, letter))
    try:
        await dead_letters.remove(nc, sequence)
    except DeadLetterNotFoundError:
        log.info("dead letter already removed", sequence=sequence)


async def requeue(connection: AsyncConnection, sequence: int, letter: DeadLetter) -> None:
    """Ask again for what letter ``sequence`` is about.

    The run of a version that was given up on has ended: a new one begins, as with *retry*. Raises
    :class:`NotRequeueableError`, and what *retry* raises.
    """
    again = _AGAIN.get(letter.original_subject.split(".")[1]) if "." in letter.original_subject else None
    if again is None:
        raise NotRequeueableError(sequence, f"nobody takes {letter.original_subject}.")
    try:
        await again(connection, letter.original_payload)
    except ValidationError:
        raise NotRequeueableError(sequence, "its job cannot be read.") from None


async def _coloring(connection: AsyncConnection, payload: str) -> None:
    await versions.retry(connection, "coloring", ColoringJob.model_validate_json(payload).version_id)


async def _svg(connection: AsyncConnection, payload: str) -> None:
    await versions.retry(connection, "svg", SvgJob.model_validate_json(payload).version_id)


async def _download(connection: AsyncConnection, payload: str) -> None:
    await downloads.again(connection, DownloadJob.model_validate_json(payload))


async def _erase(connection: AsyncConnection, payload: str) -> None:
    outbox = Outbox()
    outbox.add(EraseJob.model_validate_json(payload))
    await outbox.flush(connection)


def _shop(job_type: type[shop_jobs.Job]) -> Again:
    """Ask the shop once more."""

    async def again(connection: AsyncConnection, payload: str) -> None:
        await ask_now(connection, job_type.model_validate_json(payload))

    return again


_AGAIN: dict[str, Again] = {
    "coloring": _coloring,
    "svg": _svg,
    "download": _download,
    "erase": _erase,
    "fetch": _shop(FetchOrdersJob),
    "sync": _shop(SyncOrderJob),
}
