"""The history of an order: who did what, in the transaction that does it; notes, customer and assignee."""

from typing import Any

import asyncpg
import pytest

from pastelka_orders.actors import acting_as
from pastelka_orders.database import Database
from pastelka_orders.repository import stages

HISTORY = "/orders/M1000/history"
DETAILS = "/orders/M1000/details"
NOTES = "/orders/M1000/notes"
CHANGES = "SELECT count(*) FROM outbox WHERE subject LIKE 'events.order.M1000.order_changed'"


async def entries(api: Any, path: str = HISTORY, **options: Any) -> list[Any]:
    response = await api.http.get(path, **options)
    assert response.status_code == 200, response.text
    return list(response.json()["items"])


async def actions(api: Any) -> list[str]:
    """Oldest first."""
    return [one["action"] for one in reversed(await entries(api))]


async def change(api: Any, values: Any, status: int = 200, path: str = DETAILS, **headers: str) -> Any:
    response = await api.http.patch(path, json=values, headers=headers)
    assert response.status_code == status, response.text
    return response.json()


async def test_an_order_passes_every_stage_until_it_is_shipped(api: Any, worker: Any) -> None:
    order = await api.order(2)
    one, other = (image["id"] for image in order["line_items"][0]["images"])
    first, second = await api.post("/orders/M1000/generate-coloring", {"steps": 6})
    await worker.end("coloring", first["id"])
    await worker.end("coloring", second["id"], "error")
    await api.post(f"/coloring-versions/{second['id']}/retry")
    await api.post(f"/coloring-versions/{second['id']}/cancel", status=200)
    await api.post(f"/images/{one}/rework", {"reason": "Ruka chybí"}, status=200)
    await api.post(f"/images/{one}/select-coloring/{first['id']}", status=200)
    await api.post(f"/images/{one}/approve", status=200)
    await api.http.delete(f"/images/{one}/approve")
    await api.post(f"/images/{one}/generate-svg", {"group_by": "color"})
    for body in (
        {"on_hold_reason": "Čeká"},
        {"on_hold_reason": None},
        {"is_printed": True, "is_shipped": True},
    ):
        await change(api, body, path="/orders/M1000")
    assert await actions(api) == [
        "created",
        "coloring_requested",
        "coloring_completed",
        "coloring_failed",
        "coloring_retried",
        "coloring_cancelled",
        "sent_back",
        "page_chosen",
        "approved",
        "approval_lifted",
        "svg_requested",
        "put_on_hold",
        "hold_ended",
        "printed",
        "shipped",
    ]
    found = {entry["action"]: entry for entry in await entries(api)}
    options = {"megapixels": 1, "steps": 6, "frame": True, "background": "quiet", "line_weight": "normal"}
    assert found["coloring_requested"]["details"] == {"count": 2, "options": options}
    assert "image_id" not in found["coloring_requested"]
    assert found["coloring_failed"]["details"] == {"version": 1, "error_code": "provider_failed"}
    assert (found["coloring_failed"]["image_id"], found["coloring_failed"]["position"]) == (other, 2)
    assert found["sent_back"]["details"] == {"reason": "Ruka chybí"}
    assert found["page_chosen"]["details"] == {"version": 1}
    assert (found["svg_requested"]["image_id"], found["svg_requested"]["details"]["count"]) == (one, 1)
    assert found["put_on_hold"]["details"] == {"reason": "Čeká"}
    people = {action: entry["actor"]["kind"] for action, entry in found.items()}
    assert {action for action, kind in people.items() if kind == "system"} == {
        "coloring_completed",
        "coloring_failed",
    }
    assert {entry["source"] for entry in found.values()} == {"order", "version"}


async def test_a_change_that_is_rolled_back_leaves_no_entry(
    api: Any, database: Database, sql: asyncpg.Connection
) -> None:
    await api.order()
    before = await sql.fetchval("SELECT count(*) FROM order_history")

    async def hold(connection: Any) -> None:
        await stages.change(connection, "M1000", {"on_hold_reason": "x"})
        assert (await connection.exec_driver_sql("SELECT count(*) FROM order_history")).scalar() == before + 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(hold)
    assert await sql.fetchval("SELECT count(*) FROM order_history") == before
    assert await actions(api) == ["created"]


async def test_the_actor_is_a_user_a_token_or_the_system(
    locked_api: Any, people: Any, database: Database
) -> None:
    jana = await people.signed_in("operator", "Jana")
    robot = await people.token("write", "packing robot")
    viewer = await people.signed_in("viewer")
    locked_api.http.headers.update(jana)
    await locked_api.order()
    locked_api.http.headers.clear()
    await change(locked_api, {"is_printed": True}, path="/orders/M1000", **robot)
    await database.write(lambda c: stages.change(c, "M1000", {"is_shipped": True}))
    found = {one["action"]: one["actor"] for one in await entries(locked_api, headers=viewer)}
    assert found == {
        "created": {"kind": "user", "name": "Jana"},
        "printed": {"kind": "token", "name": "packing robot"},
        "shipped": {"kind": "system"},
    }
    for method, path in (("PATCH", DETAILS), ("POST", NOTES), ("DELETE", f"{NOTES}/1")):
        response = await locked_api.http.request(method, path, json={"text": "x"}, headers=viewer)
        assert (response.status_code, response.json()["code"]) == (403, "operator_required")
    names = await locked_api.http.get("/assignees", headers=jana)
    assert names.json() == {"names": ["Jana", "viewer"]}


async def test_an_actor_does_not_reach_the_next_transaction(database: Database, api: Any) -> None:
    await api.order()
    with acting_as("user", "Jana"):
        await database.write(lambda c: stages.change(c, "M1000", {"is_printed": True}))
    await database.write(lambda c: stages.change(c, "M1000", {"is_shipped": True}))
    newest, second, _ = await entries(api)
    assert (newest["actor"], second["actor"]) == ({"kind": "system"}, {"kind": "user", "name": "Jana"})


async def test_changed_fields_are_recorded_with_a_bound(api: Any) -> None:
    await api.order(customer_name="Jana")
    await change(api, {"title": "Pro Aničku", "dedication": "a" * 1000}, path="/orders/M1000/line-items/1")
    await change(api, {"customer_name": "Eva"})
    customer, item, _ = await entries(api)
    assert customer["details"] == {"fields": {"customer_name": {"from": "Jana", "to": "Eva"}}}
    assert (item["action"], item["line_item_id"]) == ("line_item_changed", 1)
    assert item["details"]["fields"] == {
        "title": {"from": "Omalovánky z vlastních fotek", "to": "Pro Aničku"},
        "dedication": {"from": None, "to": "a" * 200},
    }


async def test_photos_that_come_and_go_are_recorded_without_further_code(
    api: Any, sql: asyncpg.Connection
) -> None:
    await api.order(3)
    await sql.execute("INSERT INTO images (line_item_id, position) VALUES (1, 4), (1, 5)")
    await sql.execute("UPDATE images SET photo_version = 2 WHERE position = 1")
    async with sql.transaction():
        await sql.execute("UPDATE images SET position = 100 + position WHERE position < 3")
        await sql.execute("UPDATE images SET position = 103 - position WHERE position > 100")
    await sql.execute("DELETE FROM images WHERE position = 5")
    await sql.execute("INSERT INTO line_items (order_id, position, title) VALUES (1, 2, 'Druhá')")
    await sql.execute("UPDATE images SET line_item_id = 2 WHERE position = 4")
    await sql.execute("DELETE FROM line_items WHERE id = 1")
    found = [(one["action"], one.get("details")) for one in reversed(await entries(api))]
    assert found == [
        ("created", {"source": "manual"}),
        ("photos_added", {"count": 2}),
        ("photo_replaced", None),
        ("photos_reordered", None),
        ("photo_removed", {"position": 5}),
        ("line_item_added", {"title": "Druhá"}),
        ("photo_moved", None),
        ("line_item_removed", {"title": "Omalovánky z vlastních fotek"}),
    ]


async def test_pages_of_the_history(api: Any, worker: Any) -> None:
    await api.order(2)
    for version in await api.post("/orders/M1000/generate-coloring"):
        await worker.end("coloring", version["id"])
    everything = await entries(api)
    assert len(everything) == 4
    paged, cursor = [], ""
    while cursor is not None:
        page = await api.get(f"{HISTORY}?limit=1" + (f"&cursor={cursor}" if cursor else ""))
        paged += page["items"]
        cursor = page["next_cursor"]
    assert paged == everything
    for wrong in ("x", "WzFd", "WyIyMDI2LTAxLTAxIiwgIm9yZGVyIiwgMV0="):
        assert (await api.get(f"{HISTORY}?cursor={wrong}", status=422))["code"] == "bad_cursor"
    assert (await api.get("/orders/9/history", status=404))["code"] == "order_not_found"
    tag = (await api.http.get(HISTORY)).headers["etag"]
    assert (await api.http.get(HISTORY, headers={"If-None-Match": tag})).status_code == 304


async def test_notes_have_an_author_and_can_be_deleted(
    locked_api: Any, people: Any, sql: asyncpg.Connection
) -> None:
    jana, eva = [await people.signed_in("operator", name) for name in ("Jana", "Eva")]
    locked_api.http.headers.update(jana)
    await locked_api.order()
    await sql.execute("DELETE FROM outbox")
    note = await locked_api.post(NOTES, {"text": " Volat\r\nzítra "}, status=201)
    assert (note["details"], note["actor"]["name"]) == ({"text": "Volat\nzítra"}, "Jana")
    locked_api.http.headers.update(eva)
    await locked_api.post(NOTES, {"text": "Voláno"}, status=201)
    assert await sql.fetchval(CHANGES) == 2
    only = await entries(locked_api, f"{HISTORY}?notes=true")
    assert [one["details"]["text"] for one in only] == ["Voláno", "Volat\nzítra"]
    assert only[1] == note
    gone = await locked_api.http.delete(f"{NOTES}/{note['id']}")
    assert gone.status_code == 204
    assert await sql.fetchval(CHANGES) == 3
    newest, *_ = await entries(locked_api)
    assert (newest["action"], newest["actor"]["name"]) == ("note_deleted", "Eva")
    assert newest["details"] == {"author": "Jana"}
    assert await sql.fetchval("SELECT count(*) FROM order_history WHERE details::text LIKE '%zítra%'") == 0
    # Only notes can be deleted, of this order.
    for path in (
        f"{NOTES}/{newest['id']}",
        f"{NOTES}/{note['id']}",
        f"{NOTES}/99999999999",
        "/orders/9/notes/1",
    ):
        response = await locked_api.http.delete(path)
        assert (response.status_code, response.json()["code"]) == (404, "note_not_found")
    for wrong in ({"text": " "}, {"text": "x" * 2001}, {}, {"text": "x", "author": "Eva"}):
        await locked_api.post(NOTES, wrong, status=422)
    await locked_api.post("/orders/9/notes", {"text": "x"}, status=404)


async def test_customer_note_and_assignee_are_changed(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(customer_name="Jana", note="Spěchá")
    await sql.execute("DELETE FROM outbox")
    values = {"customer_name": " Eva\tNová ", "note": "Dva\r\nřádky", "assignee": "Karel"}
    changed = await change(api, values)
    assert changed == {"customer_name": "Eva Nová", "note": "Dva\nřádky", "assignee": "Karel"}
    assert await change(api, {"assignee": "Karel"}) == changed
    assert await sql.fetchval(CHANGES) == 1
    order = await api.get("/orders/M1000")
    assert {name: order[name] for name in changed} == changed
    found = await api.get("/orders?q=nova")
    assert [(one["customer_name"], one["assignee"]) for one in found["items"]] == [("Eva Nová", "Karel")]
    assert [one["action"] for one in await entries(api)] == ["assigned", "order_changed", "created"]
    emptied = await change(api, {"customer_name": None, "note": " ", "assignee": None})
    assert emptied == {"customer_name": None, "note": None, "assignee": None}
    assert not {"note", "assignee", "shop_values"} & set(await api.get("/orders/M1000"))
    for wrong in ({"customer_name": "x" * 201}, {"assignee": "x" * 201}, {"note": "x" * 2001}, {"id": 1}, []):
        await change(api, wrong, 422)
    await change(api, {"note": "x"}, 404, path="/orders/9/details")


async def test_a_lost_update_of_an_order_is_refused(api: Any) -> None:
    await api.order()
    read = await api.http.get(DETAILS)
    await change(api, {"note": "Mine"}, **{"If-Match": read.headers["etag"]})
    refused = await change(api, {"note": "Yours"}, 412, **{"If-Match": read.headers["etag"]})
    assert refused["code"] == "precondition_failed"
    again = await api.http.get(DETAILS)
    assert again.json()["note"] == "Mine"
    # What is no part of the details does not change their ETag.
    await change(api, {"on_hold_reason": "x"}, path="/orders/M1000")
    await change(api, {"note": "Yours"}, **{"If-Match": again.headers["etag"]})


async def test_the_history_goes_with_its_order(api: Any, sql: asyncpg.Connection) -> None:
    await api.order(2)
    await api.order(1)
    await api.post(NOTES, {"text": "Paní Nováková"}, status=201)
    await api.post("/orders/M1000/generate-coloring")
    assert (await api.http.delete("/orders/M1000")).status_code == 204
    assert await sql.fetchval("SELECT array_agg(DISTINCT order_id) FROM order_history") == [2]


async def test_the_history_is_read_and_written_by_index(api: Any, sql: asyncpg.Connection) -> None:
    await api.order()
    await sql.execute("""INSERT INTO order_history (order_id, action)
        SELECT 1, 'note' FROM generate_series(1, 20000)""")
    await api.order()
    await sql.execute("ANALYZE order_history")
    plan = await sql.fetchval("""EXPLAIN (FORMAT text) SELECT 1 FROM order_history h
        WHERE h.order_id = 2 AND h.action = 'created' AND h.xmin = pg_current_xact_id()::xid""")
    assert "ix_order_history_order_id_id" in plan
    assert len(await entries(api, "/orders/M1001/history")) == 1
