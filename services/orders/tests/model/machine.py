"""Clicks, facts, crashes and losses in any order, on PostgreSQL and on the reference side by side."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from nats.aio.client import Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringFact, Failure, SvgFact, now
from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.messaging.publish import Outgoing, Publisher, PublishError
from pastelka_common.storage import FolderStorage
from pastelka_orders.database import Database
from pastelka_orders.errors import ConflictError
from pastelka_orders.handlers import generate, orders, versions
from pastelka_orders.handlers.create_versions import target_of
from pastelka_orders.handlers.facts import Received, apply_facts
from pastelka_orders.leases import released
from pastelka_orders.outbox import Relay
from pastelka_orders.reconciler.loop import Reconciler
from pastelka_orders.repository import erasures
from pastelka_orders.repository import versions as repository

from .reference import Reference, Version

KINDS = st.sampled_from(["coloring", "svg"])
PICK = st.integers(0, 5)
OPTIONS = [ColoringOptions(), ColoringOptions(steps=8)]
LOST = st.integers(0, 7).map(lambda number: number == 7)
"""Whether the process dies before its transaction is committed."""


NEW_IMAGE = text(
    """WITH o AS (INSERT INTO orders (order_number, source) VALUES ('X1', 'manual') RETURNING id),
    l AS (INSERT INTO line_items (order_id, position, title) SELECT id, 1, 't' FROM o RETURNING id)
    INSERT INTO images (line_item_id, position, path) SELECT id, 1, 'p' FROM l RETURNING id"""
)
_ROW = "SELECT id, version, run, attempt, step, status::text, error_code, path"
ROWS = {
    "coloring": text(f"{_ROW}, NULL::integer AS coloring_version_id FROM coloring_versions"),
    "svg": text(f"{_ROW}, coloring_version_id FROM svg_versions"),
}


async def _delete_order(connection: AsyncConnection) -> int:
    target = await erasures.by_number(connection, "X1")
    assert target is not None
    await orders.delete_rows(connection, target, None)
    return target.order_id


class Crash(Exception):  # noqa: N818 - what happens, not an error of ours
    """The process dies."""


@dataclass(frozen=True)
class World:
    """What the machine works on; all of it belongs to the runner's loop."""

    runner: asyncio.Runner
    database: Database
    nc: Client
    storage: FolderStorage


class Forgetful(Publisher):
    """Publishes, and then the process dies before it can say so."""

    async def send_all(self, messages: Any) -> None:
        sent: list[Outgoing] = list(messages)
        await super().send_all(sent)
        raise PublishError("died after publishing")


FACTS = st.lists(
    st.tuples(
        KINDS,
        PICK,
        st.sampled_from([0, 0, 0, -1]),
        st.integers(1, 2),
        st.integers(1, 4),
        st.sampled_from(["processing", "provider", "completed", "completed", "error", "queued"]),
    ),
    min_size=1,
    max_size=4,
)
"""Of any version, of its run or the one before, from two attempts, in any order, repeated or left out."""


class Machine(RuleBasedStateMachine):
    """One image; every rule does the same to both sides, the invariants compare them."""

    world: World

    @initialize(finished=st.integers(0, 2), in_progress=st.booleans())
    def begin(self, finished: int, in_progress: bool) -> None:
        """An image that already has versions: the interesting states are a few steps away."""
        self.reference = Reference()
        self.deleted = False
        self.image_id = self.run(self._new_order())
        for number in range(finished):
            self.generate_coloring(OPTIONS[number], then_svg=False, lost=False)
            self.finish("coloring", number, "completed")
        if in_progress:
            self.generate_coloring(OPTIONS[0], then_svg=False, lost=False)

    # --- clicks -----------------------------------------------------------------------------------

    @precondition(lambda self: not self.deleted)
    @rule(options=st.sampled_from(OPTIONS), then_svg=st.booleans(), lost=LOST)
    def generate_coloring(self, options: ColoringOptions, then_svg: bool, lost: bool) -> None:
        wanted = SvgOptions() if then_svg else None
        same = self.reference.same_active("coloring", options)
        ids = self.write(lambda c: generate.coloring_of_image(c, self.image_id, options, wanted), lost)
        if ids is None:
            return
        if same is not None:
            assert ids == [same.id]
        else:
            self.reference.add("coloring", ids[0], options, then_svg=then_svg)

    @precondition(lambda self: not self.deleted)
    @rule(lost=LOST)
    def generate_svg(self, lost: bool) -> None:
        source = self.reference.source()
        if source is None:
            self.refused(lambda c: generate.svg_of_image(c, self.image_id, SvgOptions()))
            return
        same = self.reference.same_active("svg", SvgOptions(), source.id)
        ids = self.write(lambda c: generate.svg_of_image(c, self.image_id, SvgOptions()), lost)
        if ids is None:
            return
        if same is not None:
            assert ids == [same.id]
        else:
            self.reference.add("svg", ids[0], SvgOptions(), coloring=source.id)

    @rule(kind=KINDS, pick=PICK, lost=LOST)
    def retry(self, kind: str, pick: int, lost: bool) -> None:
        version = self.pick(kind, pick, lambda v: pick % 2 == 0 and v.status.is_retryable)
        if version is None:
            return
        if version.status.has_file:
            self.refused(lambda c: versions.retry(c, kind, version.id))
            return
        in_progress = version.status.is_active
        done = self.write(lambda c: self.said(versions.retry(c, kind, version.id)), lost)
        if done and not in_progress:
            self.reference.retry(version)

    @rule(kind=KINDS, pick=PICK, lost=LOST)
    def cancel(self, kind: str, pick: int, lost: bool) -> None:
        version = self.pick(kind, pick, lambda v: pick % 2 == 0 and v.status.is_active)
        if version is None:
            return
        if version.status.is_final and version.error_code != "cancelled":
            self.refused(lambda c: versions.cancel(c, kind, version.id))
            return
        if self.write(lambda c: self.said(versions.cancel(c, kind, version.id)), lost):
            self.reference.cancel(version)

    @rule(kind=KINDS, pick=PICK, lost=LOST)
    def select(self, kind: str, pick: int, lost: bool) -> None:
        version = self.pick(kind, pick, lambda v: pick > 0 and v.status.has_file)
        if version is None:
            return
        if not version.status.has_file:
            self.refused(lambda c: versions.select(c, kind, self.image_id, version.id))
            return
        if self.write(lambda c: self.said(versions.select(c, kind, self.image_id, version.id)), lost):
            self.reference.choose(version)

    @precondition(lambda self: not self.deleted and len(self.reference.versions) > 3)
    @rule(really=st.integers(0, 4), lost=LOST)
    def delete(self, really: int, lost: bool) -> None:
        if really == 4 and self.write(_delete_order, lost):
            self.deleted = True
            self.reference = Reference()

    # --- the relay, the workers, the reconciler ---------------------------------------------------

    @rule(facts=FACTS, lost=LOST)
    def facts_in_any_order(self, facts: list[Any], lost: bool) -> None:
        self.facts(facts, lost)

    def facts(self, facts: list[Any], lost: bool) -> None:
        batch = [fact for one in facts if (fact := self.fact(*one)) is not None]
        received = [Received(fact, {}) for fact in batch]
        if self.write(lambda c: self.said(apply_facts(c, received)), lost):
            follow = self.reference.facts(batch)
            for coloring in follow:
                self.reference.add("svg", self.newest_svg(coloring), SvgOptions(), coloring=coloring.id)

    @rule(kind=KINDS, pick=PICK, word=st.sampled_from(["completed", "completed", "error"]))
    def finish(self, kind: str, pick: int, word: str) -> None:
        """A worker brings an active version to its end."""
        version = self.pick(kind, pick, lambda v: v.status.is_active)
        if version is not None:
            self.facts([(kind, self.reference.of(kind).index(version), 0, 3, 1, word)], False)

    @rule(pick=PICK, options=st.sampled_from(OPTIONS), kind=KINDS)
    def choose_while_one_is_made(self, pick: int, options: ColoringOptions, kind: str) -> None:
        """What is chosen meanwhile must survive: rare by chance, so the steps come together."""
        if not self.deleted:
            self.generate_coloring(options, then_svg=False, lost=False)
            self.generate_svg(lost=False)
            self.select(kind, pick, lost=False)
            self.finish(kind, pick, "completed")

    @rule(dies=LOST)
    def relay(self, dies: bool) -> None:
        try:
            self.run(self._relay(dies))
        except PublishError:
            return
        self.reference.relay()

    @rule(purged=st.booleans())
    def reconcile(self, purged: bool) -> None:
        """Changes no status by itself; afterwards no active version is without a message."""
        self.run(self._reconcile(purged))

    # --- both sides are the same ------------------------------------------------------------------

    @invariant()
    def rows_are_as_the_reference_says(self) -> None:
        rows = {
            (kind, row["id"]): (
                row["version"],
                (row["run"], row["attempt"], row["step"], row["status"]),
                row["error_code"],
                row["path"] is not None,
                row["coloring_version_id"],
            )
            for kind in STATUS_ENUMS
            for row in self.run(self._rows(kind))
        }
        expected = {
            key: (
                v.number,
                (v.progress.run, v.progress.attempt, v.progress.step, v.status.value),
                v.error_code,
                v.status.has_file,
                v.coloring,
            )
            for key, v in self.reference.versions.items()
        }
        assert rows == expected

    @invariant()
    def the_choice_is_as_the_reference_says(self) -> None:
        if not self.deleted:
            assert self.run(self._chosen()) == (
                self.reference.chosen["coloring"],
                self.reference.chosen["svg"],
            )

    # --- how --------------------------------------------------------------------------------------

    def run(self, work: Awaitable[Any]) -> Any:
        return self.world.runner.run(work)  # type: ignore[arg-type]

    def write(self, work: Callable[[AsyncConnection], Awaitable[Any]], lost: bool) -> Any:
        """The result, or ``None`` if the process died before the commit."""

        async def dying(connection: AsyncConnection) -> Any:
            result = await work(connection)
            if lost:
                raise Crash
            return result

        try:
            return self.run(self.world.database.write(dying))
        except Crash:
            return None

    def refused(self, work: Callable[[AsyncConnection], Awaitable[Any]]) -> None:
        """It must be refused by the present state."""
        try:
            self.run(self.world.database.write(work))
        except ConflictError:
            return
        raise AssertionError("it should have been refused")

    @staticmethod
    async def said(work: Awaitable[Any]) -> bool:
        await work
        return True

    def pick(
        self, kind: str, number: int, prefer: Callable[[Version], bool] = lambda _: True
    ) -> Version | None:
        """One of the versions, of those that are preferred if there are any."""
        found = self.reference.of(kind)
        found = [version for version in found if prefer(version)] or found
        return found[number % len(found)] if found else None

    def fact(self, kind: str, pick: int, earlier: int, attempt: int, step: int, word: str) -> Any:
        version = self.pick(kind, pick)
        if version is None:
            return None
        provider = "runpod_processing" if kind == "coloring" else "vectorizer_processing"
        status = provider if word == "provider" else word
        values = {
            "version_id": version.id,
            "run": max(1, version.progress.run + earlier),
            "attempt": attempt,
            "step": step,
            "at": now(),
            "status": status,
            "path": self.target(version) if status == "completed" else None,
            "failure": Failure(code="provider_failed", message="It failed.") if status == "error" else None,
        }
        return (ColoringFact if kind == "coloring" else SvgFact).model_validate(values)

    def target(self, version: Version) -> str:
        """The path that orders gave the version's worker."""

        async def find(connection: AsyncConnection) -> str:
            (found,) = await repository.lock(connection, cast(StatusType, version.kind), [version.id])
            return target_of(found)

        return self.run(self.world.database.write(find))

    def newest_svg(self, coloring: Version) -> int:
        """The id that the database gave to the SVG that follows a coloring by itself."""
        known = {v.id for v in self.reference.of("svg")}
        rows = self.run(self._rows("svg"))
        new = [r["id"] for r in rows if r["coloring_version_id"] == coloring.id and r["id"] not in known]
        assert len(new) == 1
        return int(new[0])

    async def _new_order(self) -> int:
        await self.world.nc.jetstream().purge_stream("JOBS")

        async def make(connection: AsyncConnection) -> int:
            for table in ("orders", "outbox", "erasures"):
                await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - constants
            return int((await connection.execute(NEW_IMAGE)).scalar_one())

        return await self.world.database.write(make)

    async def _rows(self, kind: str) -> list[Any]:
        async def read(connection: AsyncConnection) -> list[Any]:
            return list((await connection.execute(ROWS[kind])).mappings())

        return await self.world.database.read(read)

    async def _chosen(self) -> tuple[int | None, int | None]:
        async def read(connection: AsyncConnection) -> Any:
            row = await connection.execute(text("SELECT selected_coloring_id, selected_svg_id FROM images"))
            return tuple(row.one())

        return await self.world.database.read(read)

    async def _relay(self, dies: bool) -> None:
        publisher = (Forgetful if dies else Publisher)(self.world.nc)
        relay = Relay(self.world.database, publisher)
        try:
            while await relay.relay_batch():
                pass
        finally:  # another relay need not wait for the lease to end
            await released(self.world.database, relay.lease)

    async def _reconcile(self, purged: bool) -> None:
        js = self.world.nc.jetstream()
        if purged:
            await js.purge_stream("JOBS")
        reconciler = Reconciler(self.world.database, self.world.nc, self.world.storage, interval=60, grace=0)
        assert await reconciler.run_once() is not None
        waiting = (await js.stream_info("JOBS", subjects_filter="jobs.>")).state.subjects or {}
        unpublished = await self._unpublished()
        for version in self.reference.versions.values():
            subject = f"jobs.{version.kind}.{version.id}"
            if version.status.is_active:
                assert subject in unpublished | waiting.keys()
            else:
                assert subject not in waiting

    async def _unpublished(self) -> set[str]:
        async def read(connection: AsyncConnection) -> set[str]:
            return set((await connection.execute(text("SELECT subject FROM outbox"))).scalars())

        return await self.world.database.read(read)
