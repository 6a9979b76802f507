"""Jobs of the past, photos nobody fetches, files nobody erases."""

from typing import Any

import asyncpg
import pytest
from nats.js.errors import KeyNotFoundError

from pastelka_common.messaging.topology import CANCELS

ENDED = [("coloring", "job_of_ended_run")]


async def cancelled(broken: Any, key: str) -> bool:
    bucket = await broken.js.key_value(CANCELS)
    try:
        return (await bucket.get(key)).value == b"cancelled"
    except KeyNotFoundError:
        return False


async def forget_cancellations(broken: Any) -> None:
    await broken.js.purge_stream(f"KV_{CANCELS}")


async def test_a_cancelled_version_is_not_begun_when_its_cancellation_is_lost(
    api: Any, broken: Any, coloring: Any
) -> None:
    version_id = await coloring()
    await api.post(f"/coloring-versions/{version_id}/cancel", status=200)
    await broken.published()
    await forget_cancellations(broken)
    assert await broken.run_once(grace=60) == []  # its worker may be about to acknowledge it
    assert await broken.run_once() == ENDED
    assert await broken.jobs() == 0
    assert await cancelled(broken, f"coloring.{version_id}.1")
    assert await broken.run_once() == []


async def test_a_job_that_comes_back_for_a_completed_version_is_removed(
    broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    assert await broken.run_once() == ENDED
    assert await broken.jobs() == 0
    # Whoever has it in hand may end in peace.
    assert not await cancelled(broken, f"coloring.{version_id}.1")


async def test_the_job_of_a_new_run_stays(api: Any, broken: Any, coloring: Any, worker: Any) -> None:
    version_id = await coloring()
    first = await broken.js.get_last_msg("JOBS", f"jobs.coloring.{version_id}")
    await worker.end("coloring", version_id, "error")
    await api.post(f"/coloring-versions/{version_id}/retry")
    await broken.published()
    assert await broken.run_once() == []
    assert await broken.jobs() == 2
    await worker.end("coloring", version_id, run=2)
    assert await broken.run_once() == ENDED
    assert await broken.jobs() == 0
    assert first.seq == 1


async def test_jobs_of_a_deleted_order_are_removed_and_whoever_has_them_is_told(
    api: Any, broken: Any, coloring: Any
) -> None:
    version_id = await coloring()
    await api.http.delete("/orders/M1000")
    await broken.published()
    await forget_cancellations(broken)
    assert ("coloring", "job_of_deleted_version") in await broken.run_once()
    assert await broken.job(f"jobs.coloring.{version_id}") is None
    assert await cancelled(broken, f"coloring.{version_id}.1")


@pytest.mark.parametrize("lost", [True, False])
async def test_files_that_a_worker_wrote_after_the_erasure_are_erased_too(
    api: Any, broken: Any, lost: bool
) -> None:
    order = await api.order()
    await broken.published()
    await api.http.delete("/orders/M1000")
    await broken.published()
    late = api.storage / str(order["id"]) / "1" / "coloring" / "v1" / "image_1.png"
    late.parent.mkdir(parents=True)
    late.write_bytes(b"a page that a frozen worker had in hand")
    if lost:
        await broken.lose_jobs()
    assert await broken.run_once() == ([("erase", "files_left")] if lost else [])
    assert (await broken.job(f"jobs.erase.{order['id']}"))["order_id"] == order["id"]
    assert await broken.run_once() == []


async def test_an_erased_order_needs_nothing_more_and_is_looked_after_for_seven_days(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    await api.http.delete("/orders/M1000")
    await broken.published()
    await broken.lose_jobs()
    assert api.files() == []
    assert await broken.run_once() == []
    assert await sql.fetchval("SELECT order_number FROM erasures") == "M1000"
    late = api.storage / "1" / "image_1.jpg"
    late.parent.mkdir()
    late.write_bytes(b"late")
    await sql.execute("UPDATE erasures SET deleted_at = now() - interval '8 days'")
    assert await broken.run_once() == []
    await sql.execute("UPDATE erasures SET deleted_at = now() - interval '6 days'")
    assert await broken.run_once() == [("erase", "files_left")]


async def test_a_photo_that_nobody_fetches_is_asked_for_again(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    for _ in range(4):
        await api.order()
    await sql.execute("UPDATE orders SET status = 'downloading'")
    await sql.execute("UPDATE images SET original_url = 'https://photos.test/' || id")
    await sql.execute("UPDATE images SET path = NULL WHERE id <> 2")
    await sql.execute("UPDATE images SET download_error_code = 'photo_gone' WHERE id = 3")
    await broken.published()
    await broken.js.publish("jobs.download.4", b"{}")
    assert await broken.run_once(grace=60) == []
    assert await broken.run_once() == [("download", "job_missing")]
    assert await broken.job("jobs.download.1") == {
        "schema_version": 1,
        "image_id": 1,
        "order_number": "M1000",
        "url": "https://photos.test/1",
    }
    assert await broken.jobs() == 2
    assert await broken.run_once() == []
