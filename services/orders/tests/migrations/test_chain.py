"""The chain as a whole: one head, equal to the models, and every step can be taken back."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from pastelka_orders.models import Base


def revisions() -> list[str]:
    """All revision ids, oldest first."""
    config = Config()
    config.set_main_option("script_location", "pastelka_orders:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) == 1
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


async def run(url: str, use: Callable[[Connection], Any]) -> Any:
    """Use a synchronous connection to the database at ``url``."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(use)
    finally:
        await engine.dispose()


def test_the_first_revisions_are_those_of_the_replaced_system():
    assert revisions()[:4] == ["001", "002", "003", "004"]


async def test_alembic_sees_no_difference_between_head_and_models(database):
    await database.upgrade()

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))

    assert await run(database.url, differences) == []


async def test_head_equals_the_schema_created_from_the_models(
    database, new_database: Callable[[], Awaitable[Any]]
):
    """Also what Alembic does not compare: checks, actions of foreign keys, predicates, enum values."""
    from_models = await new_database()
    await database.upgrade()
    keys = import_module("pastelka_orders.migrations.versions.029_order_search").KEYS
    await run(from_models.url, lambda connection: connection.exec_driver_sql(keys))
    await run(from_models.url, Base.metadata.create_all)
    migrated, created = await database.schema(), await from_models.schema()
    for part, expected in created.items():
        assert migrated[part] == expected, part


async def test_every_revision_can_be_reverted_and_reapplied(database):
    first, *others = revisions()
    await database.upgrade(first)
    before = await database.schema()
    for previous, revision in zip([first, *others], others, strict=False):
        await database.upgrade(revision)
        after = await database.schema()
        await database.downgrade(previous)
        assert await database.schema() == before, f"{revision} taken back"
        await database.upgrade(revision)
        assert await database.schema() == after, f"{revision} applied again"
        before = after


async def test_the_whole_chain_can_be_reverted_and_reapplied(database):
    await database.upgrade()
    head = await database.schema()
    await database.downgrade("base")
    await database.upgrade()
    assert await database.schema() == head
