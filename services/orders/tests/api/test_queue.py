"""The place of an order's versions among all that wait."""

from typing import Any

import asyncpg


async def ahead(api: Any, number: str) -> list[tuple[str, int, int]]:
    queue = await api.get(f"/orders/{number}/queue")
    assert queue["order_number"] == number
    return [(one["status_type"], one["version_id"], one["ahead"]) for one in queue["waiting"]]


async def test_a_version_waits_behind_those_requested_before_it(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(3)
    await api.order(2)
    assert await ahead(api, "M1000") == []
    first = [one["id"] for one in await api.post("/orders/M1000/generate-coloring")]
    second = [one["id"] for one in await api.post("/orders/M1001/generate-coloring")]
    assert await ahead(api, "M1000") == [("coloring", one, place) for place, one in enumerate(first)]
    assert await ahead(api, "M1001") == [("coloring", one, 3 + place) for place, one in enumerate(second)]

    # Started, ended and postponed ones wait no more; SVGs have a queue of their own.
    await sql.execute("UPDATE coloring_versions SET status = 'processing' WHERE id = $1", first[0])
    await sql.execute(
        "UPDATE coloring_versions SET status = 'error', error_code = 'x' WHERE id = $1", first[1]
    )
    await sql.execute("""UPDATE coloring_versions SET retry = '{"attempt": 1}' WHERE id = $1""", first[2])
    assert await ahead(api, "M1000") == []
    assert await ahead(api, "M1001") == [("coloring", one, place) for place, one in enumerate(second)]
    await sql.execute(
        "UPDATE coloring_versions SET status = 'completed', path = 'coloring/1.png' WHERE id = $1", second[0]
    )
    image = (await api.get("/orders/M1001"))["line_items"][0]["images"][0]["id"]
    svg = await api.post(f"/images/{image}/generate-svg")
    assert await ahead(api, "M1001") == [("coloring", second[1], 0), ("svg", svg["id"], 0)]


async def test_a_version_requested_again_goes_to_the_end(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(2)
    one, other = [version["id"] for version in await api.post("/orders/M1000/generate-coloring")]
    await api.post(f"/coloring-versions/{one}/cancel", status=200)
    await api.post(f"/coloring-versions/{one}/retry")
    assert await ahead(api, "M1000") == [("coloring", other, 0), ("coloring", one, 1)]


async def test_an_unknown_order_has_no_queue(api: Any) -> None:
    assert (await api.http.get("/orders/M9999/queue")).status_code == 404
