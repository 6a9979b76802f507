"""A pass of the reconciler asks the storage for little, and goes on where another process stopped."""

from typing import Any

import asyncpg

from pastelka_common.storage import FolderStorage

PASS = 20
WEEK = 7 * 24 * 3600


class CountingStorage(FolderStorage):
    """Counts the folders that are listed."""

    listed: int = 0

    async def prefix_exists(self, folder: str) -> bool:
        self.listed += 1
        return await super().prefix_exists(folder)


async def _delete(sql: asyncpg.Connection, orders: int) -> None:
    await sql.execute(
        """INSERT INTO erasures (order_id, order_number, deleted_at)
        SELECT n, 'S' || n, clock_timestamp() - interval '2 minutes'
        FROM generate_series(1, $1::integer) n""",
        orders,
    )


async def test_a_pass_looks_for_few_folders_of_many_deleted_orders(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    storage = CountingStorage(api.storage)
    await _delete(sql, 3 * PASS)
    for passes in (1, 2, 3, 3):  # by then each has been looked for, and none is due
        await broken.run_once(grace=60, storage=storage)
        assert storage.listed == passes * PASS
    assert await sql.fetchval("SELECT count(*) FROM erasures WHERE looks = 1") == 3 * PASS


async def test_a_deleted_order_is_looked_for_some_times_in_a_week(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    storage = CountingStorage(api.storage)
    await _delete(sql, 1)
    seconds = 0.0
    while seconds < WEEK and storage.listed < 100:
        await broken.run_once(grace=60, storage=storage)
        seconds += await sql.fetchval(
            """UPDATE erasures SET next_look_at = clock_timestamp(), deleted_at = deleted_at
                - (next_look_at - clock_timestamp())
            RETURNING EXTRACT(EPOCH FROM (SELECT next_look_at FROM erasures) - clock_timestamp())::float8"""
        )
    assert 10 < storage.listed < 25


async def test_files_that_are_back_are_looked_for_soon_again(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await _delete(sql, 1)
    await sql.execute("UPDATE erasures SET looks = 9, next_look_at = clock_timestamp()")
    await api.stored.write("1/1/image_1.jpg", b"written late")
    assert await broken.run_once(grace=60) == [("erase", "files_left")]
    assert await sql.fetchval("SELECT next_look_at < clock_timestamp() + interval '3 minutes' FROM erasures")


async def test_another_process_goes_on_with_the_files_where_one_stopped(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    for _ in range(3):
        await worker.end("coloring", await coloring())
    missing = [await broken.run_once(files=1) for _ in range(3)]  # each by a reconciler of its own
    assert [found.count(("coloring", "file_missing")) for found in missing] == [1, 1, 1]
