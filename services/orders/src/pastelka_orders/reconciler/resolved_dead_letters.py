"""Removes dead letters whose job was retried, completed or deleted."""

from collections.abc import Iterable
from contextlib import suppress

import structlog
from pydantic import ValidationError

from pastelka_common.contracts.messages import DeadLetter, VersionJob
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.messaging.stored_messages import (
    StoredMessage,
    get_last_messages,
    ids_in_subjects,
    list_subjects,
)
from pastelka_common.messaging.topology import DEAD
from pastelka_orders import dead_letters
from pastelka_orders.errors import DeadLetterNotFoundError
from pastelka_orders.handlers.versions import CANCELLED
from pastelka_orders.reconciler.reconcile_pass import ReconcilePass
from pastelka_orders.repository import reconciling
from pastelka_orders.repository.reconciling import ResolvedVersion

_MAX_LETTERS = 500
"""Letters of each kind that one pass reads."""

log = structlog.get_logger(__name__)


async def remove_resolved_dead_letters(reconcile_pass: ReconcilePass) -> None:
    """Remove the letters of versions that were retried, completed, cancelled or deleted, and of photos.

    A letter with a malformed job stays, for an operator to judge.
    """
    for kind in STATUS_ENUMS:
        versions = await _resolved_versions(reconcile_pass, kind)
        for letter in await _letters(reconcile_pass, f"dead.jobs.{kind}", versions):
            job = _job(letter)
            if (
                job is not None
                and job.version_id in versions
                and versions[job.version_id].is_resolved(job.run)
            ):
                await _remove(reconcile_pass, letter)
    for prefix in ("dead.", "dead.jobs."):  # the latter from when downloads were messages
        await _remove_resolved_downloads(reconcile_pass, f"{prefix}download")


async def _remove_resolved_downloads(reconcile_pass: ReconcilePass, prefix: str) -> None:
    ids = await _ids(reconcile_pass, prefix)
    images = (
        await reconcile_pass.database.read(lambda c: reconciling.resolved_downloads(c, ids)) if ids else []
    )
    for letter in await _letters(reconcile_pass, prefix, images):
        await _remove(reconcile_pass, letter)


async def _resolved_versions(reconcile_pass: ReconcilePass, kind: StatusType) -> dict[int, ResolvedVersion]:
    ids = await _ids(reconcile_pass, f"dead.jobs.{kind}")
    found = await reconcile_pass.database.read(
        lambda c: reconciling.resolved_versions(c, kind, ids, cancelled=CANCELLED.code)
    )
    return {version.id: version for version in found}


async def _ids(reconcile_pass: ReconcilePass, prefix: str) -> list[int]:
    return sorted(ids_in_subjects(await list_subjects(reconcile_pass.nc, DEAD, f"{prefix}.*")))


async def _letters(reconcile_pass: ReconcilePass, prefix: str, ids: Iterable[int]) -> list[StoredMessage]:
    subjects = [f"{prefix}.{number}" for number in sorted(ids)[:_MAX_LETTERS]]
    return list((await get_last_messages(reconcile_pass.nc, DEAD, subjects)).values())


def _job(letter: StoredMessage) -> VersionJob | None:
    try:
        payload = DeadLetter.model_validate_json(letter.data).original_payload
        return VersionJob.model_validate_json(payload)
    except ValidationError:
        return None


async def _remove(reconcile_pass: ReconcilePass, letter: StoredMessage) -> None:
    """Remove exactly this letter: a newer one of its subject is about a later failure."""
    if reconcile_pass.dry_run:
        return
    with suppress(DeadLetterNotFoundError):
        await dead_letters.remove(reconcile_pass.nc, letter.sequence)
        log.info("dead letter removed", subject=letter.subject, sequence=letter.sequence)
