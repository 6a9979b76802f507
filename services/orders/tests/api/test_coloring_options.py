"""Options of style, the options that a provider does not take, and the presets."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from pastelka_orders.settings import OrdersSettings

STYLES = [{"frame": False}, {"background": "keep"}, {"background": "none"}, {"line_weight": "thin"}]
DEFAULTS = {"megapixels": 1.0, "steps": 4, "frame": True, "background": "quiet", "line_weight": "normal"}
ALL = {"megapixels": 2.0, "steps": 8, "frame": False, "background": "none", "line_weight": "bold"}


async def image_of(api: Any) -> int:
    order = await api.order(1)
    return int(order["line_items"][0]["images"][0]["id"])


async def job_options(sql: asyncpg.Connection) -> list[str]:
    """The options of each published job, as written."""
    rows = await sql.fetch("SELECT payload FROM outbox WHERE subject LIKE 'jobs.coloring.%' ORDER BY id")
    return [json.dumps(json.loads(row["payload"])["options"]) for row in rows]


@pytest.mark.parametrize("style", STYLES)
async def test_each_style_is_stored_with_its_version(api: Any, sql: asyncpg.Connection, style: Any) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring", style)
    wanted = {"megapixels": 1.0, "steps": 4, **style}
    assert version["options"] == wanted
    assert (await api.get(f"/images/{image_id}/coloring-versions"))[0]["options"] == wanted
    assert await job_options(sql) == [json.dumps(wanted)]


async def test_options_are_returned_in_a_fixed_order(api: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring", dict(reversed(ALL.items())))
    assert json.dumps(version["options"]) == json.dumps(ALL)
    assert await job_options(sql) == [json.dumps(ALL)]


async def test_default_options_are_omitted(api: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    path = f"/images/{image_id}/generate-coloring"
    first = await api.post(path)
    assert json.dumps(first["options"]) == '{"megapixels": 1.0, "steps": 4}'
    assert await api.post(path, DEFAULTS) == first
    assert await job_options(sql) == ['{"megapixels": 1.0, "steps": 4}']


async def test_each_style_creates_one_version(api: Any) -> None:
    path = f"/images/{await image_of(api)}/generate-coloring"
    made = [await api.post(path, style) for style in ({}, *STYLES, *STYLES)]
    assert [version["version"] for version in made] == [1, 2, 3, 4, 5, 2, 3, 4, 5]


async def test_a_style_applies_to_a_whole_order(api: Any) -> None:
    await api.order(2)
    await api.post("/orders/M1000/generate-coloring")
    bold = await api.post("/orders/M1000/generate-coloring", {"line_weight": "bold"})
    assert [(version["version"], version["options"]["line_weight"]) for version in bold] == [(2, "bold")] * 2
    assert await api.post("/orders/M1000/generate-coloring", {"line_weight": "bold"}) == bold


async def test_a_new_order_takes_the_options_of_its_pages(api: Any, sql: asyncpg.Connection) -> None:
    order = await api.order(2, process="svg", coloring_options=json.dumps(ALL))
    images = order["line_items"][0]["images"]
    assert [image["versions"]["coloring"][0]["options"] for image in images] == [ALL] * 2
    assert await job_options(sql) == [json.dumps(ALL)] * 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("{", "coloring_options"),
        ('{"megapixels": 9}', "coloring_options.megapixels"),
        ('{"colour": 1}', "coloring_options.colour"),
    ],
)
async def test_wrong_options_of_a_new_order_are_named(api: Any, wrong: str, field: str) -> None:
    photos = [("1.jpg", b"not read")]
    problem = await api.upload(photos, status=422, process="coloring", coloring_options=wrong)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert (await api.get("/orders"))["items"] == []


async def test_a_retry_keeps_the_style(api: Any, worker: Any, sql: asyncpg.Connection) -> None:
    image_id = await image_of(api)
    version = await api.post(f"/images/{image_id}/generate-coloring", ALL)
    await worker.end("coloring", version["id"], "error")
    again = await api.post(f"/coloring-versions/{version['id']}/retry")
    assert again["options"] == ALL
    assert await job_options(sql) == [json.dumps(ALL)] * 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"background": "loud"}, "'keep', 'quiet' or 'none'"),
        ({"background": None}, "'keep', 'quiet' or 'none'"),
        ({"line_weight": "heavy"}, "'thin', 'normal' or 'bold'"),
        ({"line_weight": 2}, "'thin', 'normal' or 'bold'"),
        ({"frame": "yes"}, "valid boolean"),
        ({"frame": 1}, "valid boolean"),
    ],
)
async def test_an_unknown_value_is_rejected_with_the_allowed_ones(api: Any, wrong: Any, message: str) -> None:
    image_id = await image_of(api)
    for path in (f"/images/{image_id}/generate-coloring", "/orders/M1000/generate-coloring"):
        problem = await api.post(path, wrong, status=422)
        (error,) = problem["errors"]
        assert error["field"] == next(iter(wrong))
        assert message in error["message"]
    assert await api.get(f"/images/{image_id}/coloring-versions") == []


@pytest.fixture(name="remote")
def remote_settings(settings: OrdersSettings) -> OrdersSettings:
    """Settings of an installation whose provider takes size and detail only."""
    return settings.model_copy(update={"coloring_provider": "runpod"})


@pytest.mark.parametrize("given", [*STYLES, {"frame": True}])
async def test_an_option_unsupported_by_the_provider_is_rejected(
    serving: Any, remote: OrdersSettings, given: Any
) -> None:
    async with serving(remote) as api:
        image_id = await image_of(api)
        for path in (f"/images/{image_id}/generate-coloring", "/orders/M1000/generate-coloring"):
            problem = await api.post(path, {"steps": 8, **given}, status=422)
            assert problem["code"] == "option_unsupported"
            assert (problem["provider"], problem["options"]) == ("runpod", list(given))
            assert f"'runpod' does not support {next(iter(given))}" in problem["detail"]
            assert "supported are megapixels, steps" in problem["detail"]
        assert await api.get(f"/images/{image_id}/coloring-versions") == []
        assert (await api.post(f"/images/{image_id}/generate-coloring", {"steps": 8}))["options"][
            "steps"
        ] == 8


async def test_a_version_of_another_provider_is_not_retried_in_a_style(
    api: Any, worker: Any, serving: Any, remote: OrdersSettings
) -> None:
    image_id = await image_of(api)
    path = f"/images/{image_id}/generate-coloring"
    bold, plain = await api.post(path, {"line_weight": "bold"}), await api.post(path)
    for version in (bold, plain):
        await worker.end("coloring", version["id"], "error")
    async with serving(remote) as elsewhere:
        problem = await elsewhere.post(f"/coloring-versions/{bold['id']}/retry", status=422)
        assert (problem["code"], problem["options"]) == ("option_unsupported", ["line_weight"])
        assert (await elsewhere.post(f"/coloring-versions/{plain['id']}/retry"))["status"] == "pending"


async def test_presets_of_the_local_provider(api: Any) -> None:
    presets = await api.get("/presets")
    assert (presets["provider"], presets["options"]) == ("local", list(DEFAULTS))
    assert {preset["name"]: preset["options"] for preset in presets["items"]} == {
        "quick": {"megapixels": 1.0, "steps": 4},
        "fine": {"megapixels": 2.0, "steps": 4},
        "best": {"megapixels": 4.0, "steps": 8},
        "toddler": {"megapixels": 1.0, "steps": 1, "line_weight": "bold"},
        "child": {"megapixels": 1.0, "steps": 4},
        "adult": {"megapixels": 2.0, "steps": 12},
    }
    assert all(preset["seconds"] is None and preset["cost"] is None for preset in presets["items"])


async def test_presets_contain_only_options_supported_by_the_provider(
    serving: Any, remote: OrdersSettings
) -> None:
    async with serving(remote) as api:
        presets = await api.get("/presets")
        image_id = await image_of(api)
        for preset in presets["items"]:
            await api.post(f"/images/{image_id}/generate-coloring", preset["options"])
    assert (presets["provider"], presets["options"]) == ("runpod", ["megapixels", "steps"])
    toddler = next(preset for preset in presets["items"] if preset["name"] == "toddler")
    assert toddler["options"] == {"megapixels": 1.0, "steps": 1}


async def test_presets_show_the_median_duration_of_pages(
    api: Any, serving: Any, remote: OrdersSettings, sql: asyncpg.Connection
) -> None:
    image_id = await image_of(api)
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    # Three pages of two presets by each provider; too few of another; one that failed.
    made = [(1, 4, "completed", n, None) for n in (3, 4, 50)]
    made += [(1, 4, "completed", n, "job") for n in (20, 21.26, 22)]
    made += [(2, 12, "completed", n, None) for n in (6, 7, 8)]
    made += [(2, 4, "completed", 9, None), (2, 4, "completed", 9, None), (2, 4, "error", 9, None)]
    for version, (megapixels, steps, status, seconds, job) in enumerate(made, 1):
        await sql.execute(
            """INSERT INTO coloring_versions (image_id, version, path, status, error_code, megapixels, steps,
                started_at, completed_at, provider_job_id)
            VALUES ($1, $2, 'x', $3, 'failed', $4, $5, $6, $7, $8)""",
            image_id, version, status, megapixels, steps, begin, begin + timedelta(seconds=seconds), job,
        )  # fmt: skip

    async def seconds_of(api: Any) -> dict[str, float]:
        presets = (await api.get("/presets"))["items"]
        return {one["name"]: one["seconds"] for one in presets if one["seconds"] is not None}

    assert await seconds_of(api) == {"quick": 4.0, "child": 4.0, "adult": 7.0}
    async with serving(remote) as elsewhere:
        assert await seconds_of(elsewhere) == {"quick": 21.3, "child": 21.3}


async def test_presets_have_an_etag(api: Any) -> None:
    first = await api.http.get("/presets")
    again = await api.http.get("/presets", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
