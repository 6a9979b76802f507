"""Alembic environment: uses the runner's connection, or its own for the ``alembic`` command.

The runner (``pastelka_orders.migrations_runner``) passes ``connection`` and ``report``; the
command, used to write new revisions, reads ``DATABASE_URL``.
"""

import asyncio
import os
from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from pastelka_orders.models import Base


def announce(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """Report one revision that was applied or reverted."""
    report = context.config.attributes.get("report")
    if report is None:
        return
    before = ", ".join(step.source_revision_ids) or "empty"
    after = ", ".join(step.destination_revision_ids) or "empty"
    summary = step.up_revision.doc if isinstance(step.up_revision, Script) else ""
    report(f"{before} -> {after}: {summary}")


def run(connection: Connection) -> None:
    """Run the requested revisions, in the connection's transaction if it has one."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=True,
        on_version_apply=announce,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    """Run on a new connection."""
    engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(run)


if context.is_offline_mode():
    raise RuntimeError("revisions read the data they convert, so they need a database (no --sql)")
if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(run_alone())
