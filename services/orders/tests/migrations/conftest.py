"""An empty database for each test, and one as an installation of the system we replace has it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import make_url

from pastelka_common.servers import PostgresServer
from pastelka_orders import migrations_runner as runner

STORAGE_PATH = "/srv/photos"

# What the system we replace had stored: every status, both ways to write a number, numbers that
# occur twice, files by absolute path, active work, selections (one of them of another image).
OLD_ORDERS = """
INSERT INTO orders (id, shopify_id, shopify_order_number, customer_name, customer_email, status,
                    created_at, updated_at) VALUES
(1, 6100000000001, '#1270', 'Žaneta Příhodová', 'Zaneta@Example.cz', 'PENDING', now(), now()),
(2, 6100000000002, '1270', NULL, NULL, 'DOWNLOADING', now(), now()),
(3, 6100000000003, '#1271', NULL, NULL, 'PROCESSING', now(), now()),
(4, 6100000000004, '', NULL, NULL, 'READY_FOR_REVIEW', now(), now()),
(5, 6100000000005, '#1272', NULL, NULL, 'ERROR', now(), now()),
(6, 6100000000006, '1270-2', NULL, NULL, 'ERROR', now(), now());
INSERT INTO line_items (id, order_id, shopify_line_item_id, title, quantity) VALUES
(11, 1, 9000000000002, 'Book two', 1),
(10, 1, 9000000000001, 'Book one', 2),
(12, 3, 9000000000003, 'Book', 1);
INSERT INTO images (id, line_item_id, position, original_url, local_path) VALUES
(1, 10, 1, 'https://cdn.example/1.jpg', '/data/images/1/10/image_1.jpg'),
(2, 10, 2, 'https://cdn.example/2.jpg', NULL),
(3, 10, 2, 'https://cdn.example/3.jpg', '/srv/photos/1/10/image_2.jpg'),
(4, 12, 1, 'https://cdn.example/4.jpg', '');
SELECT setval('orders_id_seq', 100), setval('line_items_id_seq', 100), setval('images_id_seq', 100);
"""
OLD_VERSIONS = """
INSERT INTO coloring_versions (id, image_id, version, file_path, status, created_at) VALUES
(1, 1, 1, '/data/images/1/10/image_1_coloring_v1.png', 'completed', '2026-01-01 10:00+00'),
(2, 1, 1, '/srv/photos/1/10/coloring/v1/image_1.png', 'completed', '2026-01-01 10:01+00'),
(3, 1, 2, NULL, 'error', '2026-01-01 10:02+00'),
(4, 1, 3, NULL, 'pending', '2026-01-01 10:03+00'),
(5, 1, 4, NULL, 'queued', '2026-01-01 10:04+00'),
(6, 1, 5, NULL, 'processing', '2026-01-01 10:05+00'),
(7, 1, 6, NULL, 'completed', '2026-01-01 10:06+00'),
(8, 3, 7, '/data/images/1/10/image_3_coloring_v7.png', 'completed', '2026-01-01 10:07+00');
INSERT INTO svg_versions (id, coloring_version_id, version, file_path, status, created_at) VALUES
(1, 1, 1, '/data/images/1/10/image_1_v1.svg', 'completed', '2026-01-01 11:00+00'),
(2, 8, 1, NULL, 'queued', '2026-01-01 11:01+00'),
(3, 2, 1, '/data/images/1/10/image_1_v1b.svg', 'completed', '2026-01-01 11:02+00'),
(4, 2, 2, NULL, 'pending', '2026-01-01 11:03+00'),
(5, 2, 3, NULL, 'processing', '2026-01-01 11:04+00'),
(6, 2, 4, NULL, 'error', '2026-01-01 11:05+00');
UPDATE images SET selected_coloring_id = 2, selected_svg_id = 3 WHERE id = 1;
UPDATE images SET selected_coloring_id = 1, selected_svg_id = 2 WHERE id = 3;
SELECT setval('coloring_versions_id_seq', 100), setval('svg_versions_id_seq', 100);
"""


@dataclass(frozen=True)
class Database:
    """One database, to migrate and to look into."""

    url: str

    @property
    def name(self) -> str:
        """Its name on the server."""
        return make_url(self.url).database or ""

    async def upgrade(self, revision: str = "head") -> None:
        """Upgrade to ``revision``."""
        await runner.upgrade(self.url, revision, storage_path=STORAGE_PATH)

    async def downgrade(self, revision: str) -> None:
        """Take back to ``revision``."""
        await runner.downgrade(self.url, revision, storage_path=STORAGE_PATH)

    async def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return await with_connection(self.url, lambda connection: connection.fetch(query, *parameters))

    async def execute(self, script: str) -> None:
        """Run statements."""
        await with_connection(self.url, lambda connection: connection.execute(script))

    async def pairs(self, query: str) -> dict[Any, Any]:
        """A query of two columns as a dictionary."""
        return dict(await self.rows(query))

    async def schema(self) -> dict[str, set[tuple[Any, ...]]]:
        """Everything the schema consists of, the order of columns aside."""

        async def read(connection: Any) -> dict[str, set[tuple[Any, ...]]]:
            return {name: set(await connection.fetch(query)) for name, query in SCHEMA.items()}

        return await with_connection(self.url, read)


# Without triggers, which only migrations make.
SCHEMA = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attgenerated::text, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND NOT a.attisdropped AND c.relname <> 'alembic_version'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype NOT IN ('n', 't')
            AND conrelid::regclass::text <> 'alembic_version'""",
    "indexes": """
        SELECT tablename, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'""",
    "enums": """
        SELECT typname, array_to_string(array_agg(enumlabel ORDER BY enumsortorder), ' ')
        FROM pg_enum JOIN pg_type t ON t.oid = enumtypid GROUP BY typname""",
    "sequences": "SELECT sequencename, start_value FROM pg_sequences WHERE schemaname = 'public'",
}


async def with_connection(url: str, use: Callable[[Any], Awaitable[Any]]) -> Any:
    """Use a connection to the database at ``url``."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        return await use(connection)
    finally:
        await connection.close()


NewDatabase = Callable[..., Awaitable[Database]]
"""Makes a database: empty, or a copy of the one given as ``like``."""

Template = Callable[[str, Callable[[Database], Awaitable[None]]], Awaitable[str]]
"""Takes a key and how to fill a database; returns the name of the one so filled."""


@pytest.fixture
def server_url(postgres_server: PostgresServer) -> str:
    """The server tests share; its own database, to create others from."""
    return postgres_server.url_of("postgres")


@pytest.fixture
async def new_database(server_url: str) -> AsyncIterator[NewDatabase]:
    """Makes databases on the server that tests share, and drops them."""
    made: list[str] = []

    async def make(like: str = "template1") -> Database:
        made.append(await create_database(server_url, like))
        return Database(with_name(server_url, made[-1]))

    yield make
    for name in made:
        statement = f"DROP DATABASE {name} WITH (FORCE)"
        await with_connection(server_url, lambda connection, sql=statement: connection.execute(sql))


@pytest.fixture
async def database(new_database: NewDatabase) -> Database:
    """An empty database."""
    return await new_database()


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """Databases that were filled once, to be copied; they go with the server."""
    return {}


@pytest.fixture
def template(server_url: str, templates: dict[str, str]) -> Template:
    """Fills a database the first time its key is asked for; returns its name."""

    async def make(key: str, fill: Callable[[Database], Awaitable[None]]) -> str:
        if key not in templates:
            name = await create_database(server_url, "template1")
            await fill(Database(with_name(server_url, name)))
            templates[key] = name
        return templates[key]

    return make


@pytest.fixture
async def old_installation(template: Template, new_database: NewDatabase) -> Database:
    """A database of the system we replace at 003."""
    return await new_database(like=await template("old", fill_as_old))


@pytest.fixture
async def upgraded(template: Template, server_url: str) -> Database:
    """The old installation at head, after a change of mind at 004; shared, so only to be read."""
    return Database(with_name(server_url, await template("upgraded", fill_as_old_and_upgrade)))


@pytest.fixture
async def upgraded_copy(upgraded: Database, new_database: NewDatabase) -> Database:
    """The same, to be changed."""
    return await new_database(like=upgraded.name)


async def fill_as_old(database: Database) -> None:
    """Make a database of the system we replace at 003."""
    await database.upgrade("003")
    await database.execute(OLD_ORDERS + OLD_VERSIONS)


async def fill_as_old_and_upgrade(database: Database) -> None:
    """Make one, and bring it to head: 003, 004, 003, 004, head."""
    await fill_as_old(database)
    await database.upgrade("004")
    await database.downgrade("003")
    await database.upgrade("004")
    await database.upgrade()


async def create_database(server_url: str, like: str) -> str:
    """Create a copy of the database ``like``; returns its name."""
    name = f"migrations_{uuid4().hex}"
    statement = f"CREATE DATABASE {name} TEMPLATE {like}"
    await with_connection(server_url, lambda connection: connection.execute(statement))
    return name


def with_name(url: str, name: str) -> str:
    """``url`` with another database name, and the driver SQLAlchemy is to use."""
    return (
        make_url(url)
        .set(drivername="postgresql+asyncpg", database=name)
        .render_as_string(hide_password=False)
    )
