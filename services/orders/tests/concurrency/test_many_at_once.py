"""Many people at several API processes and one PostgreSQL, on the same few images, at the same time.

``HAMMER_SEED`` repeats a run; what was done is drawn from it, how it interleaves is not.
``HAMMER_PROCESSES`` says how many API processes there are (10).
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from pastelka_common.servers import free_port
from pastelka_common.testing.forkserver import fork_server
from pastelka_common.testing.waiting import until

_API = "pastelka_orders.entrypoints.api"
PROCESSES = int(os.environ.get("HAMMER_PROCESSES", "10"))
PEOPLE, CLICKS, ORDERS, IMAGES = 12, 25, 3, 2
SEED = int(os.environ.get("HAMMER_SEED", "20261123"))
EXPECTED = {200, 202, 204, 404, 409}

# Every change of a choice, with what was chosen before: the invariants are about each of them.
WATCH = """
CREATE TABLE choices (id bigserial PRIMARY KEY, image_id integer, by_person boolean,
    chosen_before timestamptz, coloring_id integer, svg_id integer, coloring_before integer,
    svg_before integer);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO choices (image_id, by_person, chosen_before, coloring_id, svg_id, coloring_before, svg_before)
    VALUES (NEW.id, (NEW.coloring_chosen_at, NEW.svg_chosen_at) IS DISTINCT FROM
        (OLD.coloring_chosen_at, OLD.svg_chosen_at), GREATEST(OLD.coloring_chosen_at, OLD.svg_chosen_at),
        NEW.selected_coloring_id, NEW.selected_svg_id, OLD.selected_coloring_id, OLD.selected_svg_id);
    RETURN NEW; END $$;
CREATE TRIGGER watch AFTER UPDATE OF selected_coloring_id, selected_svg_id ON images
    FOR EACH ROW EXECUTE FUNCTION watch();
"""

NEVER = {
    "a version number given twice, or left out": """
        SELECT image_id FROM (SELECT image_id, version, row_number() OVER (
            PARTITION BY image_id ORDER BY version) AS place FROM coloring_versions) v WHERE version <> place
        UNION ALL SELECT image_id FROM (SELECT image_id, version, row_number() OVER (
            PARTITION BY image_id ORDER BY version) AS place FROM svg_versions) v WHERE version <> place""",
    "an SVG chosen beside another page than its own": """
        SELECT i.id FROM images i JOIN svg_versions s ON s.id = i.selected_svg_id
        WHERE s.coloring_version_id IS DISTINCT FROM i.selected_coloring_id""",
    "an SVG chosen beside another page than its own, for a moment": """
        SELECT c.image_id FROM choices c JOIN svg_versions s ON s.id = c.svg_id
        WHERE s.coloring_version_id IS DISTINCT FROM c.coloring_id""",
    "something chosen that is not completed": """
        SELECT i.id FROM images i JOIN coloring_versions c ON c.id = i.selected_coloring_id
        WHERE c.status <> 'completed' UNION ALL
        SELECT i.id FROM images i JOIN svg_versions s ON s.id = i.selected_svg_id
        WHERE s.status <> 'completed'""",
    "a chosen page replaced by itself": """
        SELECT image_id FROM choices WHERE NOT by_person AND coloring_id IS DISTINCT FROM coloring_before
            AND (chosen_before IS NOT NULL OR coloring_before IS NOT NULL)""",
    "a run with two jobs": """
        SELECT queues_version_id FROM outbox WHERE queues_kind IS NOT NULL
        GROUP BY queues_kind, queues_version_id, queues_run HAVING count(*) > 1""",
    "an active run without a job": """
        SELECT v.id FROM coloring_versions v WHERE v.is_active AND NOT EXISTS (SELECT 1 FROM outbox o
            WHERE o.queues_kind = 'coloring' AND o.queues_version_id = v.id AND o.queues_run = v.run)
        UNION ALL SELECT v.id FROM svg_versions v WHERE v.is_active AND NOT EXISTS (SELECT 1 FROM outbox o
            WHERE o.queues_kind = 'svg' AND o.queues_version_id = v.id AND o.queues_run = v.run)""",
    "a line in the timeline of a version that is gone": """
        SELECT c.id FROM status_changes c
        WHERE NOT EXISTS (SELECT 1 FROM images i WHERE i.id = c.image_id)""",
}


ROWS_OF = """SELECT (SELECT count(*) FROM images WHERE id = ANY($1))
    + (SELECT count(*) FROM coloring_versions WHERE image_id = ANY($1))
    + (SELECT count(*) FROM svg_versions WHERE image_id = ANY($1))
    + (SELECT count(*) FROM status_changes WHERE image_id = ANY($1))"""


@dataclass
class Town:
    """The people's clients, and what they were answered."""

    clients: list[httpx.AsyncClient]
    numbers: list[str]
    images: list[int]
    finished: list[tuple[str, int, int]] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    async def click(self, dice: Random) -> None:
        """One click of a user, at any of the processes."""
        method, path, body = self._draw(dice)
        response = await dice.choice(self.clients).request(method, path, json=body)
        self.answers[response.status_code] = self.answers.get(response.status_code, 0) + 1
        if response.status_code not in EXPECTED:
            self.wrong.append(f"{method} {path}: {response.status_code} {response.text}")

    def _draw(self, dice: Random) -> tuple[str, str, Any]:
        kind = dice.choice(["coloring", "coloring", "svg"])
        version, image = dice.randint(1, 40), dice.choice(self.images)
        what, where, which = dice.choice(self.finished or [(kind, image, version)])
        options = {"steps": dice.choice([4, 4, 8])} if kind == "coloring" else {}
        return dice.choices(
            [
                ("POST", f"/images/{image}/generate-{kind}", options),
                ("POST", f"/orders/{dice.choice(self.numbers)}/generate-{kind}", options),
                ("POST", f"/images/{where}/select-{what}/{which}", None),
                ("POST", f"/{kind}-versions/{version}/retry", None),
                ("POST", f"/{kind}-versions/{version}/cancel", None),
                ("DELETE", f"/orders/{self.numbers[-1]}", None),
            ],
            weights=[30, 15, 25, 15, 10, 1],
        )[0]


@asynccontextmanager
async def api_process(env: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """One API process, ready, with a client of it."""
    port = free_port()
    with open(os.devnull, "wb") as output:  # noqa: ASYNC230, PTH123 - does not block
        process = await fork_server(_API).start(
            _API,
            env={**env, "HOST": "127.0.0.1", "PORT": str(port)},
            out=output.fileno(),
            err=output.fileno(),
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60) as client:

            async def ready() -> bool:
                assert process.returncode is None
                try:
                    return (await client.get("/orders")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(ready, 60)
            yield client
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)


@pytest_asyncio.fixture(loop_scope="session")
async def town(orders_url: str, tmp_path: Path, api: Any, sql: asyncpg.Connection) -> AsyncIterator[Town]:
    """Processes, orders, and the watch on every choice."""
    env = {**os.environ, "DATABASE_URL": orders_url, "STORAGE_PATH": str(tmp_path / "images")}
    orders = [await api.order(IMAGES) for _ in range(ORDERS)]
    await sql.execute(WATCH)
    async with AsyncExitStack() as stack:
        starting = [stack.enter_async_context(api_process(env)) for _ in range(PROCESSES)]
        clients = await asyncio.gather(*starting)
        images = [image["id"] for order in orders for image in order["line_items"][0]["images"]]
        yield Town(clients, [order["order_number"] for order in orders], images)


CHOSEN_BY_ITSELF = "SELECT count(*) FROM choices WHERE NOT by_person"


async def finish_some(
    town: Town, worker: Any, sql: asyncpg.Connection, dice: Random, over: asyncio.Event
) -> None:
    """Workers end the active versions, slow ones after fast ones, until enough were chosen."""
    while not over.is_set() or await sql.fetchval(CHOSEN_BY_ITSELF) <= 5:
        for kind in ("coloring", "svg"):
            rows = await sql.fetch(f"SELECT id, image_id, run FROM {kind}_versions WHERE is_active")  # noqa: S608
            some = dice.sample(rows, k=len(rows) // 2)
            facts = [
                worker.fact(kind, row["id"], dice.choice(["completed", "completed", "error"]), run=row["run"])
                for row in some
            ]
            await worker.tell(*facts)
            town.finished += [(kind, row["image_id"], row["id"]) for row in some]
        await asyncio.sleep(dice.uniform(0, 0.02))


async def person(town: Town, dice: Random) -> None:
    for _ in range(CLICKS):
        await town.click(dice)


async def test_concurrent_users_cause_no_inconsistency(
    town: Town, worker: Any, sql: asyncpg.Connection
) -> None:
    dice = Random(SEED)  # noqa: S311 - what is clicked, not a secret
    over = asyncio.Event()
    working = asyncio.create_task(finish_some(town, worker, sql, _of(dice), over))
    await asyncio.gather(*(person(town, _of(dice)) for _ in range(PEOPLE)))
    deleted = await delete_amid_clicks(town, dice)
    over.set()
    await asyncio.wait_for(working, 30)
    assert town.wrong == []
    assert sum(town.answers.values()) == PEOPLE * CLICKS
    assert town.answers[202] > 50
    assert town.answers[200] > 10
    assert await sql.fetchval("SELECT count(*) FROM choices WHERE by_person") > 10
    assert await sql.fetchval(CHOSEN_BY_ITSELF) > 5
    for what, question in NEVER.items():
        assert await sql.fetch(question) == [], f"{what} (HAMMER_SEED={SEED})"
    assert await sql.fetchval(ROWS_OF, deleted) == 0


async def delete_amid_clicks(town: Town, dice: Random) -> list[int]:
    """All processes delete the first order while others ask for work in it; returns its images."""
    number, images = town.numbers[0], town.images[:IMAGES]
    paths = [f"/orders/{number}/generate-coloring", f"/orders/{number}/generate-svg"]
    paths += [f"/images/{image}/generate-coloring" for image in images] * 3
    clicks = [dice.choice(town.clients).post(path, json={}) for path in paths * 2]
    deletes = [client.delete(f"/orders/{number}") for client in town.clients]
    half = len(paths)
    answers = await asyncio.gather(*clicks[:half], *deletes, *clicks[half:])
    town.wrong += [answer.text for answer in answers if answer.status_code not in EXPECTED]
    said = sorted(answer.status_code for answer in answers[half : half + PROCESSES])
    assert said == [204, *[404] * (PROCESSES - 1)]
    return images


def _of(dice: Random) -> Random:
    return Random(dice.random())  # noqa: S311
