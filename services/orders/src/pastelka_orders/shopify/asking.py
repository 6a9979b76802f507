"""Jobs that ask the shop: published through the outbox, and kept until they are done."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_orders.outbox import Outbox
from pastelka_orders.repository import shop_jobs
from pastelka_orders.repository.shop_jobs import Job


async def ask(connection: AsyncConnection, outbox: Outbox, job: Job) -> None:
    """Publish ``job`` with the transaction; the reconciler does so again where the broker lost it."""
    await shop_jobs.keep(connection, job)
    outbox.add(job)


async def ask_now(connection: AsyncConnection, job: Job) -> None:
    """The same as the only message of the transaction."""
    outbox = Outbox()
    await ask(connection, outbox, job)
    await outbox.flush(connection)
