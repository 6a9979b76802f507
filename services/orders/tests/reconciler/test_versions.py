"""Versions in hand whose messages the broker has lost, on real PostgreSQL and JetStream."""

import asyncio
from typing import Any

import asyncpg
import pytest

from pastelka_common.contracts.messages import ColoringFact, DeadLetter, Failure, now
from pastelka_common.jobs.active_runs import ActiveRunRegistry
from pastelka_common.jobs.records import RunRecord, RunRecords
from pastelka_common.testing.waiting import until
from pastelka_orders.database import Database
from pastelka_orders.handlers.facts import Received
from pastelka_orders.leases import DatabaseLease
from pastelka_orders.outbox import RELAY_LEASE, Outbox

JOB_MISSING = [("coloring", "job_missing")]


async def status(sql: asyncpg.Connection, version_id: int) -> str:
    return await sql.fetchval("SELECT status FROM coloring_versions WHERE id = $1", version_id)


def submitted(version_id: int, *, run: int = 1, attempt: int = 1) -> Received:
    """A fact that carries the provider's job id."""
    fact = ColoringFact.model_validate(
        {
            "version_id": version_id,
            "run": run,
            "attempt": attempt,
            "step": 3,
            "at": now(),
            "status": "runpod_submitted",
            "provider_job_id": f"job-{version_id}",
        }
    )
    return Received(fact, {})


async def test_a_waiting_job_needs_no_repair(broken: Any, coloring: Any) -> None:
    await coloring()
    assert await broken.run_once() == []
    assert await broken.jobs() == 1


async def test_a_queued_version_whose_job_is_lost_is_published_again(broken: Any, coloring: Any) -> None:
    version_id = await coloring()
    before = await broken.job(f"jobs.coloring.{version_id}")
    await broken.lose_jobs()
    assert await broken.run_once() == JOB_MISSING
    job = await broken.job(f"jobs.coloring.{version_id}")
    assert job == before
    assert (job["run"], job["first_attempt"]) == (1, 1)
    assert await broken.run_once() == []
    assert await broken.jobs() == 1


async def test_a_republished_job_keeps_its_attempt_count_and_provider_job_id(
    broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.tell(submitted(version_id, attempt=3))
    await broken.lose_jobs()
    assert await broken.run_once() == [("coloring", "provider_job_forgotten"), *JOB_MISSING]
    job = await broken.job(f"jobs.coloring.{version_id}")
    assert (job["first_attempt"], job["provider_job_id"]) == (4, f"job-{version_id}")
    # Facts of the new delivery apply, those of a worker that was presumed dead no longer do once they have.
    assert await worker.tell(worker.fact("coloring", version_id, "runpod_processing", attempt=4)) == 1
    assert await worker.tell(worker.fact("coloring", version_id, "runpod_queued", attempt=3, step=9)) == 0


async def test_the_id_of_a_provider_job_is_restored_to_the_record_of_its_run(
    broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.tell(submitted(version_id))
    key, records = f"coloring.{version_id}.1", await RunRecords.open(broken.nc)
    await records.change(key, lambda _: RunRecord(failed=2))
    assert await broken.run_once() == [("coloring", "provider_job_forgotten")]
    assert (await records.read(key)).record == RunRecord(failed=2, provider_job_id=f"job-{version_id}")
    assert await broken.run_once() == []


async def test_the_id_of_a_withdrawn_provider_job_is_not_restored(
    broken: Any, coloring: Any, worker: Any
) -> None:
    version_id = await coloring()
    await worker.tell(submitted(version_id))
    records = await RunRecords.open(broken.nc)
    withdrawn = RunRecord(withdrawn=(f"job-{version_id}",))
    await records.change(f"coloring.{version_id}.1", lambda _: withdrawn)
    assert await broken.run_once() == []


async def test_an_active_run_is_not_repaired(broken: Any, coloring: Any, worker: Any) -> None:
    version_id = await coloring()
    await worker.tell(worker.fact("coloring", version_id, "processing"))
    await broken.lose_jobs()
    active_runs = await ActiveRunRegistry.open(broken.nc, "coloring")
    assert await active_runs.execute(f"coloring.{version_id}.1", broken.run_once) == []
    assert await broken.run_once() == JOB_MISSING


async def test_a_recent_change_is_not_repaired_within_the_grace_period(broken: Any, coloring: Any) -> None:
    await coloring()
    await broken.lose_jobs()
    assert await broken.run_once(grace=60) == []
    assert await broken.jobs() == 0


async def test_a_pending_version_without_a_message_is_published(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await broken.published()
    await api.order()
    async with sql.transaction():
        await sql.execute("LOCK TABLE outbox IN EXCLUSIVE MODE")  # no relay comes between
        await sql.execute("INSERT INTO coloring_versions (image_id, version) VALUES (1, 1)")
    assert await broken.run_once() == [("coloring", "never_published")]
    assert await status(sql, 1) == "queued"
    assert (await broken.job("jobs.coloring.1"))["target"] == "1/1/coloring/v1/image_1.png"


async def test_a_job_in_the_outbox_is_not_published_again(
    broken: Any, coloring: Any, sql: asyncpg.Connection, database: Database
) -> None:
    version_id = await coloring()
    await broken.lose_jobs()
    other = DatabaseLease(RELAY_LEASE)
    # The relay cannot publish meanwhile, as if the broker were away.
    await database.write(broken.relay.lease.release)
    assert await database.write(other.acquire)
    outbox = Outbox()
    outbox.add_raw(f"jobs.coloring.{version_id}", b"{}")
    await database.write(outbox.flush)
    found = await broken.reconciler().run_once()
    assert found is not None
    assert found.repaired == []
    await database.write(other.release)
    await broken.published()
    assert await broken.jobs() == 1


async def test_a_job_of_an_earlier_run_is_replaced(
    api: Any, broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await worker.end("coloring", version_id, "error")
    await api.post(f"/coloring-versions/{version_id}/retry")
    await broken.published()
    older = await broken.js.get_msg("JOBS", 1)
    await broken.lose_jobs()
    await broken.js.publish(f"jobs.coloring.{version_id}", older.data)
    assert await broken.run_once() == [("coloring", "job_of_earlier_run")]
    assert (await broken.job(f"jobs.coloring.{version_id}"))["run"] == 2


async def test_a_version_with_a_pending_fact_is_not_repaired(broken: Any, coloring: Any, worker: Any) -> None:
    version_id = await coloring()
    await broken.fact(worker.fact("coloring", version_id, "completed", step=5))
    await broken.lose_jobs()
    assert await broken.run_once() == []


async def test_a_fact_acknowledged_without_being_applied_is_applied(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await broken.fact(worker.fact("coloring", version_id, "completed", step=5))
    await broken.ack_facts()
    await broken.lose_jobs()
    assert await broken.run_once() == [("coloring", "fact_not_applied")]
    assert await status(sql, version_id) == "completed"
    assert await broken.jobs() == 0


async def test_a_job_with_a_dead_letter_is_not_published_again(
    broken: Any, coloring: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    job = (await broken.js.get_last_msg("JOBS", f"jobs.coloring.{version_id}")).data.decode()
    letter = DeadLetter(
        original_subject=f"jobs.coloring.{version_id}",
        original_payload=job,
        failure=Failure(code="provider_refused", message="No."),
        attempt=1,
        at=now(),
    )
    await broken.js.publish(letter.subject, letter.model_dump_json().encode())
    await broken.lose_jobs()
    assert await broken.run_once() == [("coloring", "given_up")]
    row = await sql.fetchrow("SELECT status::text, error_code FROM coloring_versions")
    assert tuple(row) == ("error", "provider_refused")
    assert await broken.jobs() == 0


async def test_a_job_whose_only_fact_was_refused_is_published_again(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    refused = worker.fact("coloring", version_id, "completed", attempt=7).fact
    await broken.fact(Received(refused.model_copy(update={"path": "../../etc/passwd"}), {}))
    await broken.ack_facts()
    await broken.lose_jobs()
    assert await broken.run_once() == JOB_MISSING
    assert await status(sql, version_id) == "queued"
    assert (await broken.job(f"jobs.coloring.{version_id}"))["first_attempt"] == 1


async def test_facts_are_applied_before_the_dead_letter_of_the_same_run(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    job = (await broken.js.get_last_msg("JOBS", f"jobs.coloring.{version_id}")).data.decode()
    await broken.fact(worker.fact("coloring", version_id, "processing"))
    letter = DeadLetter(
        original_subject=f"jobs.coloring.{version_id}",
        original_payload=job,
        failure=Failure(code="provider_refused", message="No."),
        attempt=1,
        at=now(),
    )
    await broken.js.publish(letter.subject, letter.model_dump_json().encode())
    await broken.lose_jobs()
    assert await broken.run_once() == []  # the fact's consumer is on its way
    assert await status(sql, version_id) == "queued"
    await broken.ack_facts()
    assert await broken.run_once() == [("coloring", "fact_not_applied")]
    assert await broken.run_once() == [("coloring", "given_up")]
    lines = await sql.fetch("SELECT status FROM status_changes WHERE attempt > 0 ORDER BY id")
    assert [line["status"] for line in lines] == ["processing", "error"]


async def test_an_unrepairable_version_blocks_no_other(
    broken: Any, coloring: Any, sql: asyncpg.Connection
) -> None:
    hopeless, other = await coloring(), await coloring()
    await sql.execute("UPDATE images SET path = NULL WHERE id = 1")
    await broken.lose_jobs()
    assert await broken.run_once() == JOB_MISSING
    assert await broken.job(f"jobs.coloring.{hopeless}") is None
    assert await broken.job(f"jobs.coloring.{other}") is not None


async def test_facts_applied_while_waiting_for_the_row_lock_win(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    version_id = await coloring()
    await broken.lose_jobs()
    # Another transaction holds the row while the reconciler wants it, and completes the version.
    holder = sql.transaction()
    await holder.start()
    await sql.execute("SELECT 1 FROM coloring_versions WHERE id = $1 FOR UPDATE", version_id)
    sweeping = asyncio.create_task(broken.reconciler().run_once())
    while not await sql.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert not sweeping.done()
    await sql.execute(
        "UPDATE coloring_versions SET status = 'completed', path = 'p', step = 5 WHERE id = $1", version_id
    )
    await holder.commit()
    assert (await sweeping).repaired == []
    assert await broken.jobs() == 0


@pytest.mark.parametrize("ending", ["completed", "error"])
async def test_a_dry_run_reports_and_changes_nothing(
    broken: Any, coloring: Any, worker: Any, sql: asyncpg.Connection, ending: str
) -> None:
    lost, ended = await coloring(), await coloring()
    await worker.end("coloring", ended, ending)
    job = await broken.js.get_last_msg("JOBS", f"jobs.coloring.{ended}")
    await broken.lose_jobs()
    await broken.published()
    await broken.js.publish(f"jobs.coloring.{ended}", job.data)
    before = await sql.fetch("SELECT * FROM coloring_versions ORDER BY id")
    found = await broken.run_once(dry_run=True)
    assert found == [("coloring", "job_of_ended_run"), *JOB_MISSING]
    assert await broken.jobs() == 1
    assert await sql.fetch("SELECT * FROM coloring_versions ORDER BY id") == before
    assert await sql.fetchval("SELECT count(*) FROM outbox") == 0
    assert await sql.fetchval("SELECT count(*) FROM reconciler") == 0
    assert await broken.job(f"jobs.coloring.{lost}") is None
    assert await broken.run_once() == found


async def test_one_replica_reconciles_at_a_time(broken: Any, coloring: Any, database: Database) -> None:
    await coloring()
    await broken.lose_jobs()
    other = DatabaseLease("reconciler")
    assert await database.write(other.acquire)
    assert await broken.reconciler().run_once() is None
    await database.write(other.release)
    sweeps = await asyncio.gather(*(broken.reconciler().run_once() for _ in range(4)))
    assert sum(len(one.repaired) for one in sweeps if one) == 1
    await broken.published()
    assert await broken.jobs() == 1


async def test_many_versions_are_examined_with_few_broker_requests(
    api: Any, broken: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    await sql.execute(
        "INSERT INTO coloring_versions (image_id, version, status)"
        " SELECT 1, n, 'queued' FROM generate_series(1, 1200) n"
    )
    before = broken.nc.stats["out_msgs"]
    for version_id in range(1, 1201):
        if version_id % 400:
            await broken.js.publish(
                f"jobs.coloring.{version_id}",
                b'{"version_id": 1, "run": 1, '
                b'"order_number": "M1000", "image_id": 1, "source": "s", "target": "t"}',
            )
    published = broken.nc.stats["out_msgs"] - before
    found = await broken.run_once()
    assert found == 3 * JOB_MISSING
    assert broken.nc.stats["out_msgs"] - before - published < 60


async def test_the_system_page_shows_the_reconciler(api: Any, broken: Any, coloring: Any) -> None:
    assert (await api.get("/system"))["reconciler"] is None
    await coloring()
    await broken.lose_jobs()
    await broken.run_once()
    await broken.run_once()

    async def shown() -> Any:
        return (await api.get("/system"))["reconciler"]

    found = await until(shown, 30)
    assert (found["examined"], found["repaired"], found["repaired_total"]) == (1, 0, 1)
    assert found["last_repaired_at"] is not None
