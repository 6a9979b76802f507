"""The actual state at the end of a run: rows, files, and remaining messages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import nats
from nats.js.errors import NotFoundError

from pastelka_local.testing import RunningStack
from tests.faults import cluster

_VERSIONS = """
SELECT '{kind}' AS kind, v.id, v.image_id, v.version, v.run, v.attempt, v.status::text AS status, v.path,
    v.error_code, v.error_message, v.possibly_paid_twice, {own}, i.path AS photo, o.order_number
FROM {kind}_versions v JOIN images i ON i.id = v.image_id JOIN line_items l ON l.id = i.line_item_id
JOIN orders o ON o.id = l.order_id ORDER BY v.id"""
_COLORINGS = _VERSIONS.format(kind="coloring", own="v.steps, NULL::integer AS coloring_version_id")
_SVGS = _VERSIONS.format(kind="svg", own="NULL::integer AS steps, v.coloring_version_id")
_CHANGES = """
SELECT kind, version_id, run, attempt, status, error_code, extract(epoch FROM committed_at)::float8 AS at
FROM status_changes ORDER BY id"""
_CLAIMS = """
SELECT (SELECT count(*) FROM images WHERE path IS NULL AND download_error_code IS NULL)
    + (SELECT count(*) FROM shop_jobs)
    + (SELECT count(*) FROM erasures WHERE erased_at IS NULL OR claimed_until IS NOT NULL)"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FinalState:
    """All versions in the database, and all files (relative paths)."""

    colorings: list[Row]
    svgs: list[Row]
    photos: list[str]
    changes: list[Row]
    orders: list[str]
    outbox: int
    uploads: frozenset[int] = frozenset()
    """Ids of orders that an upload reserved but did not create: their files are deleted some hours later."""
    claims: int = 0
    """Rows with unfinished work of orders: photos to download, requests to the shop, erasures."""

    @property
    def versions(self) -> list[Row]:
        """Versions of both kinds."""
        return [*self.colorings, *self.svgs]

    @property
    def unfinished(self) -> list[Row]:
        """Versions that are neither completed nor in error."""
        return [v for v in self.versions if v["status"] not in {"completed", "error"}]


async def take(stack: RunningStack) -> FinalState:
    """Read the database."""
    connection = await asyncpg.connect(stack.postgres.url, timeout=10)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return FinalState(
                [dict(row) for row in await connection.fetch(_COLORINGS)],
                [dict(row) for row in await connection.fetch(_SVGS)],
                [row["path"] for row in await connection.fetch("SELECT path FROM images")],
                [dict(row) for row in await connection.fetch(_CHANGES)],
                [row["order_number"] for row in await connection.fetch("SELECT order_number FROM orders")],
                await connection.fetchval("SELECT count(*) FROM outbox"),
                frozenset(row["order_id"] for row in await connection.fetch("SELECT order_id FROM uploads")),
                await connection.fetchval(_CLAIMS),
            )
    finally:
        await connection.close()


def files(root: Path) -> set[str]:
    """Every file below the storage root."""
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}


async def jobs_left(stack: RunningStack) -> list[str]:
    """Subjects of the messages in ``JOBS``; raises if the stream does not exist."""
    nc = await nats.connect(cluster.urls_of(stack), connect_timeout=5)
    try:
        info = await nc.jetstream().stream_info("JOBS", subjects_filter=">")
        return sorted(info.state.subjects or {})
    except NotFoundError:
        return ["the stream JOBS itself is gone"]
    finally:
        await nc.close()


async def dead_letters(stack: RunningStack) -> list[tuple[str, Row]]:
    """Original subject and job of every dead letter, with the letter's code as ``code``."""
    nc = await nats.connect(cluster.urls_of(stack), connect_timeout=5)
    found = []
    try:
        js = nc.jetstream()
        try:
            state = (await js.stream_info("DEAD")).state
        except NotFoundError:
            return []
        for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
            try:
                message = await js.get_msg("DEAD", sequence)
            except NotFoundError:
                continue
            letter = json.loads(message.data or b"{}")
            job = json.loads(letter["original_payload"]) | {"code": letter["failure"]["code"]}
            found.append((letter["original_subject"], job))
    finally:
        await nc.close()
    return found
