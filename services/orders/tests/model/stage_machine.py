"""Facts, clicks and the shop's changes in any order; stages are recomputed after each step."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringFact, Failure, SvgFact, now
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.database import Database
from pastelka_orders.domain.shop_orders import ShopItem, ShopOrder
from pastelka_orders.errors import ConflictError
from pastelka_orders.handlers import approvals, generate, orders, photo_set, versions
from pastelka_orders.handlers.create_versions import target_of
from pastelka_orders.handlers.facts import Received, apply_facts
from pastelka_orders.repository import downloads, erasures
from pastelka_orders.repository import photo_set as photo_rows
from pastelka_orders.repository import versions as version_rows
from pastelka_orders.repository.orders import StoredPhoto
from pastelka_orders.shopify.ingest import give_up, ingest

PICK = st.integers(0, 9)
SHOP_IDS = (1, 2)
CANCELS = 3
"""Which of the shop's messages cancels an order."""
MOMENT = datetime(2026, 11, 20, tzinfo=UTC)
FAILURE = Failure(code="photo_gone", message="It is gone.")
WORDS = ["processing", "completed", "completed", "completed", "error", "paid_twice"]
LOST = st.integers(0, 9).map(lambda number: number == 9)
"""Whether the process dies before its transaction is committed."""
NOTES = st.sampled_from(
    [
        {"on_hold_reason": "The customer calls back"},
        {"on_hold_reason": None},
        {"is_printed": True},
        {"is_printed": False},
        {"is_shipped": True},
        {"is_shipped": False},
        {"is_attention_seen": True},
    ]
)
ROWS = {
    "orders": "SELECT * FROM orders",
    "images": """SELECT i.*, l.order_id FROM images i JOIN line_items l ON l.id = i.line_item_id
        WHERE l.quantity > 0""",
    "coloring": "SELECT * FROM coloring_versions",
    "svg": "SELECT * FROM svg_versions",
}


class Crash(Exception):  # noqa: N818 - what happens, not an error of ours
    """The process dies."""


@dataclass(frozen=True)
class World:
    """What the machine works on."""

    runner: asyncio.Runner
    database: Database


class StageMachine(RuleBasedStateMachine):
    """Two orders of the shop, of two books with two photos each."""

    world: World

    @initialize(stored=st.booleans())
    def begin(self, stored: bool) -> None:
        """Two orders; usually all photos are stored: the interesting stages are a few steps away."""
        self.clock = 0
        self.write(lambda c: c.execute(text("DELETE FROM orders")))
        self.write(lambda c: c.execute(text("DELETE FROM deleted_shop_orders")))
        self.write(lambda c: c.execute(text("DELETE FROM erasures")))
        self.shown = {shop_id: [True, True] for shop_id in SHOP_IDS}
        self.photos = dict.fromkeys(SHOP_IDS, 0)
        for shop_id in SHOP_IDS:
            self.shop_says(shop_id, 9, False)
        if stored:
            for image in self.rows("images"):
                self.write(lambda c, i=image["id"]: self.stored(c, i))

    # --- the shop ---------------------------------------------------------------------------------

    @rule(shop_id=st.sampled_from(SHOP_IDS), what=PICK, lost=LOST)
    def shop_says(self, shop_id: int, what: int, lost: bool) -> None:
        """The shop replaces a photo, removes or restores a book, cancels, restores or changes the head."""
        shown, photo = list(self.shown[shop_id]), self.photos[shop_id]
        if what in {0, 1}:
            shown[what] = not shown[what]
        photo += what == 2
        self.clock += 1
        items = tuple(
            ShopItem(n, f"Book {n}", int(shown[n]), {p: f"https://a/{n}/{p}/{photo}" for p in (1, 2)})
            for n in (0, 1)
        )
        order = ShopOrder(
            shop_id,
            f"#{shop_id}",
            items,
            updated_at=MOMENT + timedelta(seconds=self.clock),
            cancelled_at=MOMENT if what == CANCELS else None,
            has_cancellation=what in {CANCELS, 4, 5},
            payment_status="paid" if what == 6 else None,
        )
        if self.write(lambda c: ingest(c, order, restore_deleted=True), lost):
            self.shown[shop_id], self.photos[shop_id] = shown, photo

    @rule(shop_id=st.sampled_from(SHOP_IDS), lost=LOST)
    def shop_is_away(self, shop_id: int, lost: bool) -> None:
        self.write(lambda c: give_up(c, shop_id), lost)

    # --- photos -----------------------------------------------------------------------------------

    @rule(pick=PICK, fails=st.booleans(), lost=LOST)
    def photo_arrives(self, pick: int, fails: bool, lost: bool) -> None:
        waiting = [image for image in self.rows("images") if image["path"] is None]
        if waiting:
            image_id = waiting[pick % len(waiting)]["id"]
            work = self.failed if fails else self.stored
            self.write(lambda c: work(c, image_id), lost)

    # --- people -----------------------------------------------------------------------------------

    @rule(pick=PICK, steps=st.integers(1, 2), then_svg=st.booleans(), lost=LOST)
    def generate_coloring(self, pick: int, steps: int, then_svg: bool, lost: bool) -> None:
        wanted = SvgOptions() if then_svg else None
        image = self.picked("images", pick)
        if image is None:
            return
        self.click(
            lambda c: generate.coloring_of_image(c, image["id"], ColoringOptions(steps=steps), wanted),
            lost,
        )

    @rule(pick=PICK, lost=LOST)
    def generate_svg(self, pick: int, lost: bool) -> None:
        image = self.picked("images", pick)
        if image is None:
            return
        self.click(lambda c: generate.svg_of_image(c, image["id"], SvgOptions()), lost)

    @rule(kind=st.sampled_from(["coloring", "svg"]), pick=PICK, word=st.sampled_from("csr"), lost=LOST)
    def change_version(self, kind: StatusType, pick: int, word: str, lost: bool) -> None:
        version = self.picked(kind, pick)
        if version is None:
            return
        click = {
            "c": lambda c: versions.cancel(c, kind, version["id"]),
            "s": lambda c: versions.select(c, kind, version["image_id"], version["id"]),
            "r": lambda c: versions.retry(c, kind, version["id"]),
        }[word]
        self.click(click, lost)

    @rule(pick=PICK, word=st.sampled_from("aaal"), lost=LOST)
    def review(self, pick: int, word: str, lost: bool) -> None:
        """Approve (mostly), lift that, or send back."""
        image = self.picked("images", pick)
        if image is None:
            return
        click = {
            "a": lambda c: approvals.approve(c, image["id"], "Jana"),
            "l": lambda c: approvals.lift(c, image["id"]),
        }[word]
        self.click(click, lost)

    @rule(pick=PICK, lost=LOST)
    def send_back(self, pick: int, lost: bool) -> None:
        image = self.picked("images", pick)
        if image is None:
            return
        self.click(lambda c: approvals.send_back(c, image["id"], "Two noses"), lost)

    @rule(pick=PICK, word=st.sampled_from("amrd"), lost=LOST)
    def change_photos(self, pick: int, word: str, lost: bool) -> None:
        """Add, move, replace or delete a photo."""
        image = self.picked("images", pick)
        if image is None:
            return
        photo = StoredPhoto(1, f"q/{pick}", 9, 9)
        change = {
            "a": lambda c: photo_rows.add(c, image["line_item_id"], photo, None),
            "m": lambda c: photo_set.move(c, image["id"], None, pick + 1, lambda _: True),
            "r": lambda c: photo_rows.replace(c, image["id"], 2, photo),
            "d": lambda c: photo_set.delete_image(c, image["id"], lambda _: True),
        }[word]
        self.click(change, lost)

    @rule(pick=PICK, notes=NOTES, lost=LOST)
    def note(self, pick: int, notes: Any, lost: bool) -> None:
        order = self.picked("orders", pick)
        if order is None:
            return
        self.write(lambda c: orders.change(c, order["order_number"], notes), lost)

    @rule(pick=PICK, really=st.integers(0, 6), lost=LOST)
    def delete(self, pick: int, really: int, lost: bool) -> None:
        order = self.picked("orders", pick)
        if order is None or really < 6:
            return
        number = order["order_number"]

        async def gone(connection: AsyncConnection, number: str = number) -> None:
            target = await erasures.by_number(connection, number)
            assert target is not None
            await orders.delete_rows(connection, target, None)

        self.write(gone, lost)

    # --- workers ----------------------------------------------------------------------------------

    @rule(
        facts=st.lists(
            st.tuples(st.sampled_from(["coloring", "coloring", "svg"]), PICK, st.sampled_from(WORDS)),
            min_size=1,
            max_size=6,
        ),
        lost=LOST,
    )
    def facts(self, facts: Sequence[tuple[StatusType, int, str]], lost: bool) -> None:
        """A batch about active versions of both orders."""

        async def apply(connection: AsyncConnection) -> None:
            batch = []
            for step, (kind, pick, word) in enumerate(facts, start=1):
                active = [row for row in await self.read_rows(connection, kind) if row["is_active"]]
                if active:
                    row = active[pick % len(active)]
                    batch.append(await self.fact(connection, kind, row, step, word))
            await apply_facts(connection, batch)

        self.write(apply, lost)

    @rule(until=st.sampled_from(["generating", "to_review", "approved", "printed", "shipped", "on_hold"]))
    def goes_well(self, until: str) -> None:
        """All photos arrive, all pages are made and approved, the orders are shipped: rare by chance."""
        for image in self.rows("images"):
            if image["path"] is None and image["download_error_code"] is None:
                self.write(lambda c, i=image["id"]: self.stored(c, i))
            self.click(lambda c, i=image["id"]: generate.coloring_of_image(c, i, ColoringOptions()))
        if until == "generating":
            return
        self.facts([("coloring", number, "completed") for number in range(8)], False)
        if until == "to_review":
            return
        for image in self.rows("images"):
            self.click(lambda c, i=image["id"]: approvals.approve(c, i, "Jana"))
        notes = {
            "printed": {"is_printed": True},
            "shipped": {"is_shipped": True},
            "on_hold": {"on_hold_reason": "The customer calls back"},
        }
        for order in self.rows("orders"):
            self.write(lambda c, n=order["order_number"]: orders.change(c, n, notes.get(until, {})))

    # --- the column is what a recomputation says ----------------------------------------------------

    @invariant()
    def the_stage_is_the_recomputed_one(self) -> None:
        found = self.run(self.world.database.read(self.read_all))
        kept = {order["id"]: order["stage"] for order in found["orders"]}
        expected = {
            order["id"]: stage_of(
                order,
                [
                    work_of(image, order, found["coloring"], found["svg"])
                    for image in found["images"]
                    if image["order_id"] == order["id"]
                ],
            )
            for order in found["orders"]
        }
        assert kept == expected
        self.seen.update(expected.values())

    seen: set[str] = set()  # noqa: RUF012 - of all examples: the test asks which stages occurred

    # --- how --------------------------------------------------------------------------------------

    def picked(self, kind: str, pick: int) -> Any:
        """One of the rows, or ``None`` if there is none."""
        found = sorted(self.rows(kind), key=lambda row: row["id"])
        return found[pick % len(found)] if found else None

    def rows(self, kind: str) -> list[Any]:
        return cast(list[Any], self.run(self.world.database.read(lambda c: self.read_rows(c, kind))))

    async def read_all(self, connection: AsyncConnection) -> dict[str, list[Any]]:
        return {kind: await self.read_rows(connection, kind) for kind in ROWS}

    @staticmethod
    async def read_rows(connection: AsyncConnection, kind: str) -> list[Any]:
        return list((await connection.execute(text(f"{ROWS[kind]} ORDER BY 1"))).mappings())

    def run(self, work: Awaitable[Any]) -> Any:
        return self.world.runner.run(work)  # type: ignore[arg-type]

    def write(self, work: Callable[[AsyncConnection], Awaitable[Any]], lost: bool = False) -> bool:
        """Whether the transaction was committed."""

        async def dying(connection: AsyncConnection) -> None:
            await work(connection)
            if lost:
                raise Crash

        try:
            self.run(self.world.database.write(dying))
        except Crash:
            return False
        return True

    def click(self, work: Callable[[AsyncConnection], Awaitable[Any]], lost: bool = False) -> None:
        """What the state may forbid."""
        try:
            self.write(work, lost)
        except ConflictError:
            return

    @staticmethod
    async def stored(connection: AsyncConnection, image_id: int) -> None:
        await downloads.save_stored(connection, image_id, StoredPhoto(1, f"p/{image_id}", 9, 9))

    @staticmethod
    async def failed(connection: AsyncConnection, image_id: int) -> None:
        await downloads.save_failure(connection, image_id, FAILURE)

    @staticmethod
    async def fact(connection: AsyncConnection, kind: StatusType, row: Any, step: int, word: str) -> Received:
        (found,) = await version_rows.lock(connection, kind, [row["id"]])
        status = "processing" if word == "paid_twice" else word
        fact = (ColoringFact if kind == "coloring" else SvgFact).model_validate(
            {
                "version_id": row["id"],
                "run": row["run"],
                "attempt": max(row["attempt"], 1),
                "step": row["step"] + step,
                "at": now(),
                "status": status,
                "path": target_of(found) if status == "completed" else None,
                "failure": FAILURE if status == "error" else None,
                "possibly_paid_twice": True if word == "paid_twice" else None,
            }
        )
        return Received(fact, {})


def work_of(image: Any, order: Any, colorings: Sequence[Any], svgs: Sequence[Any]) -> str:
    """What one image needs: by the words of the documentation, from its rows."""
    own = [row for row in colorings if row["image_id"] == image["id"]]
    replaced = image["photo_replaced_at"]
    current = [row for row in own if replaced is None or row["asked_at"] > replaced]
    chosen = next((row for row in own if row["id"] == image["selected_coloring_id"]), None)
    has_page = chosen is not None and chosen["status"] == "completed"
    if has_page and image["approved_at"]:
        return "approved"
    ended = [
        row for row in (*own, *(s for s in svgs if s["image_id"] == image["id"])) if not row["is_active"]
    ]
    seen = order["attention_seen_at"]
    if any(row["possibly_paid_twice"] and (seen is None or row["updated_at"] > seen) for row in ended):
        return "paid_twice"
    if has_page:
        return "to_review"
    if any(row["is_active"] for row in current):
        return "generating"
    newest = max(current, key=lambda row: row["version"], default=None)
    has_failed = newest is not None and newest["status"] == "error" and newest["error_code"] != "cancelled"
    is_lost = chosen is not None and chosen["status"] == "error"
    if image["download_error_code"] is not None or has_failed or is_lost:
        return "failed"
    return "intake" if image["path"] is None else "to_generate"


def stage_of(order: Any, work: Sequence[str]) -> str:
    """The stage of an order whose images need ``work``."""
    noted = [
        ("cancelled", order["cancelled_at"]),
        ("on_hold", order["on_hold_reason"]),
        ("shipped", order["shipped_at"]),
        ("attention", order["shop_changed_at"]),
        ("printed", order["printed_at"]),
    ]
    for stage, moment in noted:
        if moment is not None:
            return stage
    if {"failed", "paid_twice"} & set(work) or (not work and order["status"] == "error"):
        return "attention"
    if not work:
        return "intake"
    return next(
        stage for stage in ("intake", "to_generate", "generating", "to_review", "approved") if stage in work
    )
