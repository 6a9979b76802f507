"""Jobs of versions that have ended or are gone."""

from typing import Any

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


async def test_a_cancelled_version_is_not_started_when_its_cancellation_is_lost(
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


async def test_a_leftover_job_of_a_completed_version_is_removed(
    broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id)
    assert await broken.run_once() == ENDED
    assert await broken.jobs() == 0
    # The reconciler does not cancel the active run.
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


async def test_jobs_of_a_deleted_order_are_removed_and_their_workers_cancelled(
    api: Any, broken: Any, coloring: Any
) -> None:
    version_id = await coloring()
    await api.http.delete("/orders/M1000")
    await broken.published()
    await forget_cancellations(broken)
    assert ("coloring", "job_of_deleted_version") in await broken.run_once()
    assert await broken.job(f"jobs.coloring.{version_id}") is None
    assert await cancelled(broken, f"coloring.{version_id}.1")
