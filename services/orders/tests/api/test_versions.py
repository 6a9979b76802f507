"""Generating, choosing, retrying and cancelling."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest


async def image_of(api: Any, **fields: str) -> int:
    order = await api.order(1, **fields)
    return order["line_items"][0]["images"][0]["id"]


async def jobs(sql: asyncpg.Connection, kind: str) -> list[dict[str, Any]]:
    rows = await sql.fetch("SELECT payload FROM outbox WHERE subject LIKE $1 ORDER BY id", f"jobs.{kind}.%")
    return [json.loads(row["payload"]) for row in rows]


async def versions(api: Any, image_id: int, kind: str = "coloring") -> Any:
    return (await api.get(f"/orders/M1000/images/{image_id}"))["versions"][kind]


async def test_requesting_a_coloring_creates_its_job(api: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring", {"megapixels": 2, "steps": 8})
    assert version == {
        "id": 1,
        "version": 1,
        "url": None,
        "status": "pending",
        "options": {"megapixels": 2.0, "steps": 8},
        "created_at": version["created_at"],
    }
    (job,) = await jobs(sql, "coloring")
    assert job["source"] == "1/1/image_1.jpg"
    assert job["target"] == "1/1/coloring/v1/image_1.png"
    assert job["options"] == {"megapixels": 2.0, "steps": 8}
    assert (job["version_id"], job["run"], job["order_number"]) == (1, 1, "M1000")


async def test_an_active_version_with_the_same_options_is_returned(api: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    path = f"/images/{image_id}/generate-coloring"
    first = await api.post(path)
    assert await api.post(path) == first
    assert await api.post(path, {"megapixels": 1.0, "steps": 4}) == first
    other = await api.post(path, {"megapixels": 4, "steps": 8})
    assert (other["id"], other["version"]) == (first["id"] + 1, 2)
    assert len(await jobs(sql, "coloring")) == 2


async def test_concurrent_identical_requests_create_one_version(api: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    path = f"/images/{image_id}/generate-coloring"
    answers = await asyncio.gather(*(api.post(path) for _ in range(12)))
    assert len({answer["id"] for answer in answers}) == 1
    different = await asyncio.gather(*(api.post(path, {"steps": n}) for n in range(5, 15)))
    assert sorted(answer["version"] for answer in different) == list(range(2, 12))


async def test_a_completed_version_is_made_again_on_request(api: Any, worker: Any) -> None:
    image_id = await image_of(api)
    first = await api.post(f"/images/{image_id}/generate-coloring")
    await worker.end("coloring", first["id"])
    assert (await api.post(f"/images/{image_id}/generate-coloring"))["version"] == 2


async def test_coloring_an_order_skips_completed_images(api: Any, worker: Any) -> None:
    order = await api.order(4)
    images = [image["id"] for image in order["line_items"][0]["images"]]
    done = await api.post(f"/images/{images[0]}/generate-coloring")
    await worker.end("coloring", done["id"])
    failed = await api.post(f"/images/{images[1]}/generate-coloring")
    await worker.end("coloring", failed["id"], "error")
    waiting = await api.post(f"/images/{images[2]}/generate-coloring")
    answered = await api.post("/orders/M1000/generate-coloring")
    assert len(answered) == 3
    assert waiting["id"] in {version["id"] for version in answered}
    assert done["id"] not in {version["id"] for version in answered}
    assert len(await api.post("/orders/M1000/generate-coloring")) == 3
    for version in answered:
        await worker.end("coloring", version["id"])
    problem = await api.post("/orders/M1000/generate-coloring", status=409)
    assert problem["code"] == "nothing_to_do"


async def test_an_svg_is_made_from_the_chosen_page(api: Any, worker: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    problem = await api.post(f"/images/{image_id}/generate-svg", status=409)
    assert problem["code"] == "no_completed_coloring"
    first = await api.post(f"/images/{image_id}/generate-coloring", {"steps": 2})
    second = await api.post(f"/images/{image_id}/generate-coloring", {"steps": 3})
    await worker.end("coloring", first["id"])
    await worker.end("coloring", second["id"])
    await api.post(f"/images/{image_id}/select-coloring/{first['id']}", status=200)
    svg = await api.post(f"/images/{image_id}/generate-svg", {"shape_stacking": "cutouts"})
    assert svg["coloring_version_id"] == first["id"]
    assert svg["options"] == {"shape_stacking": "cutouts", "group_by": "color"}
    (job,) = await jobs(sql, "svg")
    assert job["source"] == f"1/1/coloring/v1/image_{first['id']}.png"
    assert job["target"] == "1/1/svg/v1/image_1.svg"


async def test_svgs_of_an_order_are_made_from_completed_colorings(api: Any, worker: Any) -> None:
    await api.order(3)
    await api.post("/orders/M1000/generate-svg", status=409)
    colorings = await api.post("/orders/M1000/generate-coloring")
    for version in colorings[:2]:
        await worker.end("coloring", version["id"])
    svgs = await api.post("/orders/M1000/generate-svg")
    assert {svg["coloring_version_id"] for svg in svgs} == {v["id"] for v in colorings[:2]}
    assert await api.post("/orders/M1000/generate-svg") == svgs


async def test_selecting_a_version_updates_coloring_and_svg(api: Any, worker: Any) -> None:
    image_id = await image_of(api)
    first = await api.post(f"/images/{image_id}/generate-coloring", {"steps": 2})
    second = await api.post(f"/images/{image_id}/generate-coloring", {"steps": 3})
    problem = await api.post(f"/images/{image_id}/select-coloring/{first['id']}", status=409)
    assert problem["code"] == "version_not_completed"
    await worker.end("coloring", first["id"])
    svg = await api.post(f"/images/{image_id}/generate-svg")
    await worker.end("svg", svg["id"])
    await worker.end("coloring", second["id"])

    async def chosen() -> Any:
        return (await api.get(f"/orders/M1000/images/{image_id}"))["selected_version_ids"]

    assert await chosen() == {"coloring": first["id"], "svg": svg["id"]}
    await api.post(f"/images/{image_id}/select-coloring/{second['id']}", status=200)
    assert await chosen() == {"coloring": second["id"], "svg": None}
    answer = await api.post(f"/images/{image_id}/select-coloring/{first['id']}", status=200)
    assert answer == {"status": "ok", "message": f"Selected coloring version {first['id']}"}
    assert await chosen() == {"coloring": first["id"], "svg": svg["id"]}
    await api.post(f"/images/{image_id}/select-coloring/{second['id']}", status=200)
    assert await chosen() == {"coloring": second["id"], "svg": None}
    await api.post(f"/images/{image_id}/select-svg/{svg['id']}", status=200)
    assert await chosen() == {"coloring": first["id"], "svg": svg["id"]}


async def test_a_version_of_another_image_cannot_be_chosen(api: Any, worker: Any) -> None:
    order = await api.order(2)
    one, other = (image["id"] for image in order["line_items"][0]["images"])
    version = await api.post(f"/images/{one}/generate-coloring")
    await worker.end("coloring", version["id"])
    problem = await api.post(f"/images/{other}/select-coloring/{version['id']}", status=404)
    assert problem["code"] == "version_not_found"


async def test_a_retry_is_a_new_run(api: Any, worker: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring")
    await worker.end("coloring", version["id"], "error")
    (failed,) = await versions(api, image_id)
    assert failed["status"] == "error"
    assert failed["error"] == {"code": "provider_failed", "message": "It failed."}
    again = await api.post(f"/coloring-versions/{version['id']}/retry")
    assert (again["id"], again["version"], again["status"]) == (version["id"], 1, "pending")
    assert "error" not in again
    assert [job["run"] for job in await jobs(sql, "coloring")] == [1, 2]
    # A second click, or a second person: nothing more.
    assert await api.post(f"/coloring-versions/{version['id']}/retry") == again
    assert len(await jobs(sql, "coloring")) == 2
    # The old run's facts are no longer about this version.
    await worker.tell(worker.fact("coloring", version["id"], "completed", run=1, attempt=9))
    assert (await versions(api, image_id))[0]["status"] == "pending"
    await worker.end("coloring", version["id"], run=2)
    problem = await api.post(f"/coloring-versions/{version['id']}/retry", status=409)
    assert problem["code"] == "version_not_retryable"


@pytest.mark.parametrize(
    "reached", [(), ("processing",), ("processing", "runpod_submitting", "runpod_queued")]
)
async def test_a_version_can_be_cancelled_in_every_active_status(
    api: Any, worker: Any, sql: asyncpg.Connection, reached: tuple[str, ...]
) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring")
    for step, status in enumerate(reached, start=1):
        await worker.tell(worker.fact("coloring", version["id"], status, step=step))
    answer = await api.post(f"/coloring-versions/{version['id']}/cancel", status=200)
    assert answer["status"] == "error"
    assert answer["error"]["code"] == "cancelled"
    key = f"$KV.CANCELS.coloring.{version['id']}.1"
    assert await sql.fetchval("SELECT count(*) FROM outbox WHERE subject = $1", key) == 1
    # Whichever was first holds: the worker's page comes too late.
    await worker.tell(worker.fact("coloring", version["id"], "completed", attempt=2))
    assert (await versions(api, image_id))[0] == answer
    assert await api.post(f"/coloring-versions/{version['id']}/cancel", status=200) == answer


async def test_a_completed_version_cannot_be_cancelled(api: Any, worker: Any) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring")
    await worker.end("coloring", version["id"])
    problem = await api.post(f"/coloring-versions/{version['id']}/cancel", status=409)
    assert problem["code"] == "version_already_ended"


async def test_svgs_can_be_cancelled_and_retried(api: Any, worker: Any) -> None:
    image_id = await image_of(api)
    coloring = await api.post(f"/images/{image_id}/generate-coloring")
    await worker.end("coloring", coloring["id"])
    svg = await api.post(f"/images/{image_id}/generate-svg")
    assert (await api.post(f"/svg-versions/{svg['id']}/cancel", status=200))["error"]["code"] == "cancelled"
    assert (await api.post(f"/svg-versions/{svg['id']}/retry"))["status"] == "pending"


async def test_a_photo_that_is_not_downloaded_cannot_be_colored(api: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    await sql.execute("UPDATE images SET path = NULL, original_url = 'https://cdn.example/1.jpg'")
    problem = await api.post(f"/images/{image_id}/generate-coloring", status=409)
    assert problem["code"] == "photo_missing"
    await api.post("/orders/M1000/generate-coloring", status=409)


async def test_concurrent_requests_cause_no_server_error(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    order = await api.order(4)
    images = [image["id"] for image in order["line_items"][0]["images"]]
    colorings = await api.post("/orders/M1000/generate-coloring")
    for version in colorings[:2]:
        await worker.end("coloring", version["id"])
    paths = [
        *(f"/images/{i}/generate-coloring" for i in images),
        *(f"/images/{i}/generate-svg" for i in images),
        "/orders/M1000/generate-coloring",
        "/orders/M1000/generate-svg",
        *(f"/coloring-versions/{v['id']}/{verb}" for v in colorings for verb in ("retry", "cancel")),
        *(
            f"/images/{v_image}/select-coloring/{v['id']}"
            for v_image, v in zip(images, colorings, strict=True)
        ),
    ]
    facts = [
        worker.tell(worker.fact("coloring", v["id"], status, step=step))
        for v in colorings[2:]
        for step, status in enumerate(worker.happy, start=1)
    ]
    requests = [api.http.post(path) for path in paths * 3]
    results = await asyncio.gather(*requests, *facts)
    codes = {response.status_code for response in results[: len(requests)]}
    assert codes <= {200, 202, 409}, codes
    for table in ("coloring_versions", "svg_versions"):
        numbers = await sql.fetch(f"SELECT image_id, version FROM {table}")  # noqa: S608
        assert len(set(numbers)) == len(numbers)
