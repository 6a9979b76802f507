"""Stages of orders: shown, filtered by, counted at a bounded cost, and what an operator notes on an order."""

import asyncio
import json
from datetime import datetime
from typing import Any

import asyncpg

from pastelka_orders.models.orders import OrderStage
from pastelka_orders.repository import stages
from pastelka_orders.repository.views import list_query
from services.orders.tests.api.test_order_search import nodes, prepared, read

ROWS = 20_000
FILL = """INSERT INTO orders (order_number, source, search, stage, created_at)
    SELECT 'S' || n, 'shopify', 's' || n, CASE WHEN n % 5000 = 0 THEN 'attention'
        WHEN n % 100 = 0 THEN 'to_review' ELSE 'shipped' END,
        timestamptz '2026-01-01' + n * interval '1 minute'
    FROM generate_series(1, $1::integer) n"""
CHANGES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.M1000.order_changed'"


async def stage(api: Any, number: str = "M1000") -> str:
    return str((await api.get(f"/orders/{number}"))["stage"])


async def patch(api: Any, body: Any, status: int = 200, number: str = "M1000") -> Any:
    response = await api.http.patch(f"/orders/{number}", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def test_an_order_passes_every_stage_until_it_is_shipped(api: Any, worker: Any) -> None:
    order = await api.order(2, note="Do Vánoc")
    one, other = (image["id"] for image in order["line_items"][0]["images"])
    assert (order["stage"], order["note"]) == ("to_generate", "Do Vánoc")
    assert datetime.fromisoformat(order["updated_at"])
    first, second = await api.post("/orders/M1000/generate-coloring")
    generating = await api.get("/orders/M1000")
    assert (generating["stage"], generating["in_progress"]) == ("generating", 2)
    await worker.end("coloring", first["id"])
    await worker.end("coloring", second["id"], "error")
    failed = await api.get("/orders/M1000")
    assert (failed["stage"], failed["attention"]) == ("attention", ["failed"])
    assert (failed["failed"], failed["to_review"]) == (1, 1)
    await api.post(f"/coloring-versions/{second['id']}/retry")
    await worker.end("coloring", second["id"], run=2)
    reviewed = await api.get("/orders/M1000")
    assert (reviewed["stage"], reviewed["to_review"], "attention" in reviewed) == ("to_review", 2, False)
    await api.post(f"/images/{one}/approve", status=200)
    assert await stage(api) == "to_review"
    await api.post(f"/images/{other}/approve", status=200)
    assert await stage(api) == "approved"
    assert (await patch(api, {"is_printed": True}))["stage"] == "printed"
    shipped = await patch(api, {"is_shipped": True})
    assert (shipped["stage"], shipped["printed_at"] <= shipped["shipped_at"]) == ("shipped", True)
    assert (await patch(api, {"is_shipped": False, "is_printed": False}))["stage"] == "approved"
    await api.http.delete(f"/images/{one}/approve")
    assert await stage(api) == "to_review"


async def test_an_order_on_hold_keeps_its_reason(api: Any, sql: asyncpg.Connection) -> None:
    await api.order()
    await sql.execute("DELETE FROM outbox")
    held = await patch(api, {"on_hold_reason": " Wrong\tname "})
    assert (held["stage"], held["on_hold_reason"]) == ("on_hold", "Wrong name")
    assert await sql.fetchval(CHANGES) == 1
    assert await patch(api, {}) == held
    assert await sql.fetchval(CHANGES) == 1
    taken_up = await patch(api, {"on_hold_reason": None})
    assert (taken_up["stage"], "on_hold_reason" in taken_up) == ("to_generate", False)
    await patch(api, {"on_hold_reason": "x"}, 404, number="9")
    for wrong in ({"on_hold_reason": " "}, {"on_hold_reason": "x" * 501}, {"stage": "shipped"}, []):
        await patch(api, wrong, 422)


async def test_a_cancelled_page_does_not_count_as_failed(api: Any) -> None:
    await api.order()
    (version,) = await api.post("/orders/M1000/generate-coloring")
    await api.post(f"/coloring-versions/{version['id']}/cancel", status=200)
    assert await stage(api) == "to_generate"


async def test_a_possible_double_payment_needs_attention_until_acknowledged(
    api: Any, worker: Any, sql: asyncpg.Connection
) -> None:
    await api.order()
    (version,) = await api.post("/orders/M1000/generate-coloring")
    await worker.end("coloring", version["id"])
    await sql.execute("UPDATE coloring_versions SET possibly_paid_twice = true, updated_at = now()")
    shown = await api.get("/orders/M1000")
    assert (shown["stage"], shown["attention"]) == ("attention", ["paid_twice"])
    assert (await patch(api, {"is_attention_seen": True}))["stage"] == "to_review"


async def test_rework_moves_an_order_back_to_to_generate(api: Any, worker: Any) -> None:
    order = await api.order()
    (version,) = await api.post("/orders/M1000/generate-coloring")
    await worker.end("coloring", version["id"])
    image_id = order["line_items"][0]["images"][0]["id"]
    await api.post(f"/images/{image_id}/rework", {"reason": "Two noses"}, status=200)
    assert await stage(api) == "to_generate"


async def test_the_last_of_many_approvals_at_once_approves_the_order(api: Any, worker: Any) -> None:
    order = await api.order(8)
    for version in await api.post("/orders/M1000/generate-coloring"):
        await worker.end("coloring", version["id"])
    ids = [image["id"] for image in order["line_items"][0]["images"]]
    await asyncio.gather(*(api.post(f"/images/{image_id}/approve", status=200) for image_id in ids))
    assert await stage(api) == "approved"


async def test_the_list_is_filtered_by_stage_with_a_total(api: Any, sql: asyncpg.Connection) -> None:
    for _ in range(3):
        await api.order()
    await patch(api, {"on_hold_reason": "x"})
    listed = await api.get("/orders?stage=to_generate&limit=1")
    assert [item["order_number"] for item in listed["items"]] == ["M1002"]
    assert (listed["total"], listed["items"][0]["item_count"]) == (2, 1)
    following = await api.get(f"/orders?stage=to_generate&limit=1&cursor={listed['next_cursor']}")
    assert [item["order_number"] for item in following["items"]] == ["M1001"]
    assert (await api.get("/orders?status=ready_for_review"))["total"] == 3
    assert (await api.get("/orders"))["total"] == 3
    assert (await api.get("/orders?q=M1&stage=on_hold"))["total"] is None
    assert [o["order_number"] for o in (await api.get("/orders?q=M1&stage=on_hold"))["items"]] == ["M1000"]
    counts = (await api.get("/orders/stages"))["counts"]
    assert {name: count for name, count in counts.items() if count} == {"to_generate": 2, "on_hold": 1}
    assert set(counts) == set(OrderStage)
    problem = await api.get("/orders?stage=on_hold&status=error", status=422)
    assert problem["errors"][0]["field"] == "stage"


async def test_listing_and_counting_read_a_bounded_number_of_rows(api: Any, sql: asyncpg.Connection) -> None:
    """Counting ends at 1000; neither reads an order that it does not show or count."""
    await sql.execute("DROP INDEX ix_orders_search_keys")  # which is filled slowly
    await sql.execute("SET session_replication_role = replica")  # no triggers: the stages are given
    await sql.execute(FILL, ROWS)
    await sql.execute("ANALYZE orders; SET jit = off; SET plan_cache_mode = force_generic_plan")
    shown = {"attention": 4, "to_review": 196, "shipped": ROWS}
    for limit in (2, 101):
        for stage_, orders in shown.items():
            plan = await _plan(sql, *list_query(None, None, None, OrderStage(stage_)), limit=limit)
            # Each once more for what its images need.
            assert sum(read(node) for node in nodes(plan)) <= 2 * min(orders, limit)
    every = "'{" + ",".join(OrderStage) + "}'"
    counted = await _explained(sql, stages._COUNTS.replace(":stages", every))
    rows = {
        node["Index Name"]: node["Actual Rows"] * node["Actual Loops"]
        for node in nodes(counted)
        if "Index Name" in node
    }
    assert list(rows) == ["ix_orders_stage_created_at_id"]
    assert sum(rows.values()) <= 4 + 196 + stages.COUNTED + len(OrderStage)
    assert (await api.get("/orders/stages"))["counts"]["shipped"] == 1000


async def _plan(sql: asyncpg.Connection, query: str, values: Any, limit: int) -> Any:
    statement, given = prepared(query, {"limit": limit, **values})
    await sql.execute(f"PREPARE asked AS {statement}")
    try:
        return await _explained(sql, f"EXECUTE asked ({given})")
    finally:
        await sql.execute("DEALLOCATE asked")


async def _explained(sql: asyncpg.Connection, statement: str) -> Any:
    return json.loads(await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"))[0]["Plan"]
