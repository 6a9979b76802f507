"""``python -m tests.bench.growth``: bytes that an image adds to database, broker and storage.

Each image gets one page and one SVG. Rows and messages are counted with faked providers over many images;
files are those of the local providers from the sample photos, because the fakes' pages are small.
"""

import asyncio
import importlib.resources
import json
import logging
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import aiohttp
import asyncpg
import nats
import structlog

from pastelka_common.messaging.topology import streams
from pastelka_common.servers.postgres import binaries
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_common.testing.waiting import until
from pastelka_local.testing import RunningStack, StackOptions
from pastelka_local.testing.stack import photo, post_order
from tests.system import running_system

_ORDERS = 40
_PHOTOS = 5
_IMAGES = _ORDERS * _PHOTOS
_WARM = 4
_SECONDS = 600
_TABLES = """SELECT relname, pg_total_relation_size(oid)::bigint FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
_UNFINISHED = """SELECT (SELECT count(*) FROM images) * 2
    - (SELECT count(*) FROM coloring_versions WHERE status = 'completed')
    - (SELECT count(*) FROM svg_versions WHERE status = 'completed')"""

Sizes = dict[str, int]


async def rows_and_messages() -> dict[str, float]:
    """Bytes that an image adds to each table, the write-ahead log, a dump, and each stream."""
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0, run_seconds=0))
    with tempfile.TemporaryDirectory(prefix="pastelka-growth-") as name:
        Path(name).chmod(0o755)  # noqa: ASYNC240 - before anything runs
        async with (
            running_system(Path(name), runpod, FakeVectorizer(duration=0)) as system,
            aiohttp.ClientSession() as http,
        ):
            await _made(system.stack, http, _WARM)
            before = await _sizes(system.stack)
            await _made(system.stack, http, _ORDERS)
            after = await _sizes(system.stack)
    return {what: (after[what] - before.get(what, 0)) / _IMAGES for what in after}


async def files() -> dict[str, float]:
    """Bytes of each kind of file, on average over the sample photos."""
    found: dict[str, list[int]] = defaultdict(list)
    samples = importlib.resources.files("pastelka_local") / "sample"
    contents = [file.read_bytes() for file in samples.iterdir() if file.name.endswith(".jpg")]
    with tempfile.TemporaryDirectory(prefix="pastelka-growth-") as name:
        Path(name).chmod(0o755)  # noqa: ASYNC240 - before anything runs
        async with RunningStack(Path(name), StackOptions()) as stack, aiohttp.ClientSession() as http:
            await post_order(http, stack.api_url, contents, process="svg")
            await _finished(stack)
            for file in stack.storage.rglob("*"):
                if file.is_file() and not file.name.startswith("."):
                    found[_kind(file)].append(file.stat().st_size)
    return {kind: sum(sizes) / len(sizes) for kind, sizes in sorted(found.items())}


def _kind(file: Path) -> str:
    kind = file.parent.parent.name if file.parent.name.startswith("v") else "photo"
    return f"thumbnail of {kind}" if file.name.startswith("thumb_") else kind


async def _made(stack: RunningStack, http: aiohttp.ClientSession, orders: int) -> None:
    contents = [photo(place) for place in range(_PHOTOS)]
    for _ in range(orders):
        await post_order(http, stack.api_url, contents, process="svg")
    await _finished(stack)


async def _finished(stack: RunningStack) -> None:
    connection = await asyncpg.connect(stack.postgres.url)
    try:

        async def all_done() -> bool:
            return await connection.fetchval(_UNFINISHED) == 0

        await until(all_done, _SECONDS)
    finally:
        await connection.close()


async def _sizes(stack: RunningStack) -> Sizes:
    return {**await _of_database(stack), "dump": await _of_dump(stack), **await _of_broker(stack)}


async def _of_database(stack: RunningStack) -> Sizes:
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        log = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        await connection.execute("VACUUM")
        tables = {f"table {name}": size for name, size in await connection.fetch(_TABLES)}
        return {**tables, "write-ahead log": int(log)}
    finally:
        await connection.close()


async def _of_dump(stack: RunningStack) -> int:
    file = stack.folder / "dump"
    command = (binaries() / "pg_dump", "--format=custom", "--file", file, stack.postgres.url)
    process = await asyncio.create_subprocess_exec(*map(str, command))
    if await process.wait() != 0:
        raise RuntimeError("pg_dump failed")
    return file.stat().st_size


async def _of_broker(stack: RunningStack) -> Sizes:
    nc = await nats.connect(stack.nats.url)
    try:
        names = [config.name for config in streams()]
        infos = [await nc.jetstream().stream_info(str(name)) for name in names]
        return {f"stream {info.config.name}": info.state.bytes for info in infos}
    finally:
        await nc.close()


async def _measure() -> dict[str, dict[str, float]]:
    return {
        "rows and messages, bytes an image": await rows_and_messages(),
        "files, bytes each": await files(),
    }


def main() -> None:
    """Print the figures as JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found = asyncio.run(_measure())
    rounded = {part: {what: round(size) for what, size in sizes.items()} for part, sizes in found.items()}
    json.dump(rounded, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
