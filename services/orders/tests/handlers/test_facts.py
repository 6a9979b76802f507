"""Facts in batches against real PostgreSQL: what is committed, chosen, followed up and announced."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from pastelka_common.contracts.messages import ColoringJob, DeadLetter, Failure, Retry, now
from pastelka_common.contracts.options import ColoringOptions
from pastelka_orders.handlers.facts import Received, apply_dead_letter

OTHER_PATHS = (
    "../1/coloring/v1/image_1.png",
    "1/1/coloring/v1/../v1/image_1.png",
    "/etc/passwd",
    "1/1/image_1.jpg",
    "1/1/coloring/v2/image_1.png",
    "2/1/coloring/v1/image_1.png",
)
"""What the target of the first coloring is not."""


async def colored(api: Any, photos: int = 1, **options: Any) -> list[dict[str, Any]]:
    """An order whose images each have an active coloring."""
    await api.order(photos)
    return await api.post("/orders/M1000/generate-coloring", options or None)


async def announced(sql: asyncpg.Connection) -> list[tuple[str | None, str]]:
    rows = await sql.fetch(
        "SELECT payload FROM outbox WHERE subject LIKE '%.version_status_changed' ORDER BY id"
    )
    events = [json.loads(row["payload"]) for row in rows]
    return [(event.get("previous"), event["status"]) for event in events]


async def image(api: Any, number: int = 0) -> Any:
    return (await api.get("/orders/M1000"))["line_items"][0]["images"][number]


async def test_all_statuses_of_a_version_are_applied_in_one_batch(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    (version,) = await colored(api)
    facts = [worker.fact("coloring", version["id"], s, step=n) for n, s in enumerate(worker.happy, start=1)]
    assert await worker.tell(*facts) == 7  # pending -> queued is implied by the first
    shown = (await image(api))["versions"]["coloring"][0]
    assert shown["status"] == "completed"
    assert shown["url"].endswith(f"/images/1/1/coloring/v1/image_{version['id']}.png")
    row = await sql.fetchrow("SELECT * FROM coloring_versions")
    assert row["started_at"] == facts[0].fact.at
    assert row["completed_at"] == facts[-1].fact.at
    statuses = ["pending", "queued", *worker.happy]
    assert await announced(sql) == list(pairwise(statuses))


async def test_repeated_and_out_of_order_facts_change_nothing(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    (version,) = await colored(api)
    facts = [worker.fact("coloring", version["id"], s, step=n) for n, s in enumerate(worker.happy, start=1)]
    await worker.tell(*facts[:4])
    before = await announced(sql)
    assert await worker.tell(facts[3], facts[0], facts[2]) == 0
    assert await announced(sql) == before
    assert await worker.tell(facts[5]) == 1
    assert await worker.tell(*facts) == 0


async def test_facts_of_many_versions_are_applied_in_one_batch(api: Any, worker: Any) -> None:
    versions = await colored(api, 6)
    batch = [
        worker.fact("coloring", version["id"], status, step=step)
        for step, status in enumerate(worker.happy, start=1)
        for version in versions
    ]
    assert await worker.tell(*batch) == 6 * 7
    order = await api.get("/orders/M1000")
    for one in order["line_items"][0]["images"]:
        assert one["selected_version_ids"]["coloring"] == one["versions"]["coloring"][0]["id"]


async def test_facts_of_a_deleted_version_do_not_block_others(api: Any, worker: Any) -> None:
    (version,) = await colored(api)
    assert await worker.tell(
        worker.fact("coloring", 999, "processing"),
        worker.fact("svg", 999, "completed"),
        worker.fact("coloring", version["id"], "processing"),
    )


async def test_a_completed_coloring_is_selected_only_where_none_is(api: Any, worker: Any) -> None:
    await api.order()
    image_id = (await image(api))["id"]
    path = f"/images/{image_id}/generate-coloring"
    failed, first, second = [await api.post(path, {"steps": n}) for n in (1, 2, 3)]
    await worker.end("coloring", failed["id"], "error")
    assert (await image(api))["selected_version_ids"]["coloring"] is None
    await worker.end("coloring", first["id"])
    assert (await image(api))["selected_version_ids"]["coloring"] == first["id"]
    # A later version is a candidate, also where the one before was selected automatically.
    await worker.end("coloring", second["id"])
    assert (await image(api))["selected_version_ids"]["coloring"] == first["id"]
    await api.post(f"/images/{image_id}/select-coloring/{second['id']}", status=200)
    third = await api.post(path, {"steps": 4})
    await worker.end("coloring", third["id"])
    assert (await image(api))["selected_version_ids"]["coloring"] == second["id"]


async def test_of_two_colorings_completed_in_one_batch_the_newer_request_is_selected(
    api: Any, worker: Any
) -> None:
    await api.order()
    path = f"/images/{(await image(api))['id']}/generate-coloring"
    first, second = [await api.post(path, {"steps": n}) for n in (1, 2)]
    await worker.tell(*(worker.fact("coloring", one["id"], "completed") for one in (second, first)))
    assert (await image(api))["selected_version_ids"]["coloring"] == second["id"]


async def test_a_completed_svg_is_selected_only_if_its_page_is(api: Any, worker: Any) -> None:
    await api.order()
    image_id = (await image(api))["id"]
    path = f"/images/{image_id}"
    first = await api.post(f"{path}/generate-coloring", {"steps": 1})
    await worker.end("coloring", first["id"])
    svg = await api.post(f"{path}/generate-svg")
    second = await api.post(f"{path}/generate-coloring", {"steps": 2})
    await worker.end("coloring", second["id"])
    await api.post(f"{path}/select-coloring/{second['id']}", status=200)
    await worker.end("svg", svg["id"])
    assert (await image(api))["selected_version_ids"] == {"coloring": second["id"], "svg": None}
    own = await api.post(f"{path}/generate-svg")
    await worker.end("svg", own["id"])
    assert (await image(api))["selected_version_ids"]["svg"] == own["id"]
    other = await api.post(f"{path}/generate-svg", {"group_by": "layer"})
    await worker.end("svg", other["id"])
    assert (await image(api))["selected_version_ids"]["svg"] == own["id"]


async def test_a_requested_svg_starts_when_its_coloring_completes(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order(2, process="svg")
    versions = [
        i["versions"]["coloring"][0] for i in (await api.get("/orders/M1000"))["line_items"][0]["images"]
    ]
    for version in versions:
        await worker.end("coloring", version["id"])
    svgs = [(await image(api, n))["versions"]["svg"] for n in (0, 1)]
    assert [svg[0]["coloring_version_id"] for svg in svgs] == [v["id"] for v in versions]
    assert await sql.fetchval("SELECT count(*) FROM outbox WHERE subject LIKE 'jobs.svg.%'") == 2
    for (svg,) in svgs:
        await worker.end("svg", svg["id"])
    assert (await image(api))["selected_version_ids"]["svg"] == svgs[0][0]["id"]


async def test_a_failed_version_shows_its_error(api: Any, worker: Any) -> None:
    (version,) = await colored(api)
    await worker.end("coloring", version["id"], "error")
    shown = (await image(api))["versions"]["coloring"][0]
    assert (shown["status"], shown["url"]) == ("error", None)
    assert shown["error"] == {"code": "provider_failed", "message": "It failed."}


@pytest.mark.parametrize("ended", [False, True])
async def test_a_dead_letter_ends_the_version_unless_it_has_ended(
    api: Any, worker: Any, database: Any, sql: asyncpg.Connection, ended: bool
) -> None:
    (version,) = await colored(api)
    if ended:
        await worker.end("coloring", version["id"])
    job = ColoringJob(
        version_id=version["id"],
        run=1,
        order_number="M1000",
        image_id=1,
        source="1/1/image_1.jpg",
        target="1/1/coloring/v1/image_1.png",
        options=ColoringOptions(),
    )
    letter = DeadLetter(
        original_subject=job.subject,
        original_payload=job.model_dump_json(),
        failure=Failure(code="attempts_exhausted", message="Given up."),
        attempt=12,
        at=now(),
    )
    for _ in range(2):
        await database.write(lambda c: apply_dead_letter(c, letter, job.version_id, job.run))
    shown = (await image(api))["versions"]["coloring"][0]
    assert shown["status"] == ("completed" if ended else "error")
    if not ended:
        assert shown["error"]["code"] == "attempts_exhausted"
        assert [status for _, status in await announced(sql)].count("error") == 1


async def test_a_fact_with_another_path_than_its_jobs_target_changes_nothing(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    (version,) = await colored(api)
    completed = worker.fact("coloring", version["id"], "completed").fact
    processing = worker.fact("coloring", version["id"], "processing").fact
    facts = [completed.model_copy(update={"path": path}) for path in (*OTHER_PATHS, None)]
    # No status but completed comes with a file.
    facts += [processing.model_copy(update={"path": path}) for path in OTHER_PATHS]
    for fact in facts:
        assert await worker.tell(Received(fact, {})) == 0, fact
        row = await sql.fetchrow("SELECT status::text, path FROM coloring_versions")
        assert tuple(row) == ("pending", None), fact
    # The worker's own fact still applies.
    await worker.end("coloring", version["id"])
    assert (await image(api))["versions"]["coloring"][0]["status"] == "completed"


def waiting(worker: Any, version_id: int, **order: int) -> Received:
    """A fact that announces the second attempt of three."""
    retry = Retry(attempt=1, of=3, next_at=now() + timedelta(minutes=1), code="busy", message="Busy.")
    received = worker.fact("coloring", version_id, "processing", **order)
    return Received(received.fact.model_copy(update={"retry": retry}), {})


async def test_a_retry_is_shown_until_the_next_attempt_begins(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    (version,) = await colored(api)
    await worker.tell(
        worker.fact("coloring", version["id"], "processing", step=1),
        worker.fact("coloring", version["id"], "runpod_submitting", step=2),
    )
    told = waiting(worker, version["id"], step=999_999)
    assert await worker.tell(told) == 0
    shown = (await image(api))["versions"]["coloring"][0]
    assert shown["status"] == "runpod_submitting"
    expected = told.fact.retry
    assert expected is not None
    assert shown["retry"] | {"next_at": None} == expected.model_dump() | {"next_at": None}
    assert list(shown["retry"]) == ["attempt", "of", "next_at", "code", "message"]
    assert datetime.fromisoformat(shown["retry"]["next_at"]) == expected.next_at
    # The browser is told to fetch the image; nothing looks like another status.
    assert (await announced(sql))[-1] == ("runpod_submitting", "runpod_submitting")
    (line,) = [e for e in (await api.get("/orders/M1000/timeline"))["entries"] if "retry" in e]
    assert (line["status"], line["error_code"], line["retry"]) == (
        "runpod_submitting",
        "busy",
        shown["retry"],
    )
    assert await worker.tell(told) == 0
    assert len(await announced(sql)) == 4
    await worker.tell(worker.fact("coloring", version["id"], "processing", attempt=2))
    assert "retry" not in (await image(api))["versions"]["coloring"][0]


async def test_a_late_announcement_of_a_retry_is_not_shown(api: Any, worker: Any) -> None:
    (version,) = await colored(api)
    await worker.tell(worker.fact("coloring", version["id"], "processing", attempt=2))
    await worker.tell(waiting(worker, version["id"], attempt=1, step=999_999))
    assert "retry" not in (await image(api))["versions"]["coloring"][0]


@pytest.mark.parametrize("end", ["completed", "error"])
async def test_no_retry_is_shown_after_the_end(api: Any, worker: Any, end: str) -> None:
    (version,) = await colored(api)
    await worker.tell(waiting(worker, version["id"], step=1))
    assert "retry" in (await image(api))["versions"]["coloring"][0]
    await worker.tell(worker.fact("coloring", version["id"], end, attempt=2))
    await worker.tell(waiting(worker, version["id"], attempt=3))
    shown = (await image(api))["versions"]["coloring"][0]
    assert (shown["status"], "retry" in shown) == (end, False)


async def test_a_cancelled_version_shows_no_retry(api: Any, worker: Any) -> None:
    (version,) = await colored(api)
    await worker.tell(waiting(worker, version["id"], step=1))
    await api.post(f"/coloring-versions/{version['id']}/cancel", status=200)
    assert "retry" not in (await image(api))["versions"]["coloring"][0]


async def test_the_possibly_paid_twice_flag_is_never_cleared(api: Any, worker: Any) -> None:
    (version,) = await colored(api)
    received = worker.fact("coloring", version["id"], "runpod_submitting", attempt=2)
    await worker.tell(Received(received.fact.model_copy(update={"possibly_paid_twice": True}), {}))
    assert (await image(api))["versions"]["coloring"][0]["possibly_paid_twice"] is True
    await worker.tell(worker.fact("coloring", version["id"], "error", attempt=2, step=2))
    assert (await image(api))["versions"]["coloring"][0]["possibly_paid_twice"] is True
    await api.post(f"/coloring-versions/{version['id']}/retry")
    await worker.end("coloring", version["id"], run=2)
    # A new run takes nothing back that was spent.
    assert (await image(api))["versions"]["coloring"][0]["possibly_paid_twice"] is True
