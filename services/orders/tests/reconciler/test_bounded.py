"""A pass of the reconciler goes on where another process stopped."""

from typing import Any

import asyncpg


async def test_another_process_continues_the_file_scan(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    for _ in range(3):
        await worker.end("coloring", await coloring())
    missing = [await broken.run_once(files=1) for _ in range(3)]  # each by a reconciler of its own
    assert [found.count(("coloring", "file_missing")) for found in missing] == [1, 1, 1]
