"""Facts of version jobs as the coloring and vectorize services publish them."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import ColoringFact, Failure, SvgFact, now
from pastelka_orders.database import Database
from pastelka_orders.handlers.create_versions import target_of
from pastelka_orders.handlers.facts import Received, apply_facts
from pastelka_orders.repository import versions


def first_path(kind: str, version_id: int) -> str:
    """The target of image ``version_id`` of the first order's first line item."""
    return f"1/1/{kind}/v1/image_{version_id}.{'png' if kind == 'coloring' else 'svg'}"


class PlayedWorker:
    """A worker whose facts are given by a test."""

    happy = (
        "processing",
        "runpod_submitting",
        "runpod_submitted",
        "runpod_queued",
        "runpod_processing",
        "completed",
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    def fact(
        self, kind: str, version_id: int, status: str, *, run: int = 1, attempt: int = 1, step: int = 1
    ) -> Received:
        """One fact; ``completed`` has the path of an image's first version, ``error`` a failure.

        :meth:`tell` replaces the path by that of the version.
        """
        values: dict[str, Any] = {
            "version_id": version_id,
            "run": run,
            "attempt": attempt,
            "step": step,
            "at": now(),
            "status": status,
            "path": first_path(kind, version_id) if status == "completed" else None,
            "failure": Failure(code="provider_failed", message="It failed.") if status == "error" else None,
        }
        model = ColoringFact if kind == "coloring" else SvgFact
        return Received(model.model_validate(values), {})

    async def tell(self, *facts: Received) -> int:
        """Apply facts in one batch; returns the number of changes."""

        async def apply(connection: AsyncConnection) -> int:
            return await apply_facts(connection, [await self._with_path(connection, one) for one in facts])

        return await self._database.write(apply)

    @staticmethod
    async def _with_path(connection: AsyncConnection, received: Received) -> Received:
        fact = received.fact
        if fact.path != first_path(fact.kind, fact.version_id):
            return received
        targets = [target_of(v) for v in await versions.lock(connection, fact.kind, [fact.version_id])]
        return Received(fact.model_copy(update={"path": (targets or [fact.path])[0]}), received.headers)

    async def end(self, kind: str, version_id: int, status: str = "completed", *, run: int = 1) -> None:
        """Process a version, then complete or fail it."""
        await self.tell(
            self.fact(kind, version_id, "processing", run=run, step=1),
            self.fact(kind, version_id, status, run=run, step=2),
        )
