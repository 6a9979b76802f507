"""Dead letters that need no person any more: what they are about was asked for again, done, or deleted."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

import structlog
from pydantic import ValidationError

from pastelka_common.contracts.messages import DeadLetter, DownloadJob, Message, VersionJob
from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.messaging.held import Held, last_held, numbers, subjects_held
from pastelka_common.messaging.topology import DEAD
from pastelka_orders import dead_letters
from pastelka_orders.errors import DeadLetterNotFoundError
from pastelka_orders.handlers.versions import CANCELLED
from pastelka_orders.reconciler.sweep import Sweep
from pastelka_orders.repository import reconciling
from pastelka_orders.repository.reconciling import AnsweredVersion

J = TypeVar("J", bound=Message)

_LETTERS_AT_MOST = 500
"""Letters of each kind that one pass reads."""

log = structlog.get_logger(__name__)


async def remove_answered_letters(sweep: Sweep) -> None:
    """Remove the letters of versions that were retried, completed, cancelled or deleted, and of photos.

    A letter whose job cannot be read stays: nothing but a person can tell what was to be done.
    """
    for kind in STATUS_ENUMS:
        versions = await _answered_versions(sweep, kind)
        for letter in await _letters(sweep, f"dead.jobs.{kind}", versions):
            job = _job(letter, VersionJob)
            if job is not None and job.version_id in versions and versions[job.version_id].answers(job.run):
                await _remove(sweep, letter)
    ids = await _ids(sweep, "dead.jobs.download")
    images = await sweep.database.read(lambda c: reconciling.answered_downloads(c, ids))
    for letter in await _letters(sweep, "dead.jobs.download", images):
        if _job(letter, DownloadJob) is not None:
            await _remove(sweep, letter)


async def _answered_versions(sweep: Sweep, kind: StatusType) -> dict[int, AnsweredVersion]:
    ids = await _ids(sweep, f"dead.jobs.{kind}")
    found = await sweep.database.read(
        lambda c: reconciling.answered_versions(c, kind, ids, cancelled=CANCELLED.code)
    )
    return {version.id: version for version in found}


async def _ids(sweep: Sweep, prefix: str) -> list[int]:
    return sorted(numbers(await subjects_held(sweep.nc, DEAD, f"{prefix}.*")))


async def _letters(sweep: Sweep, prefix: str, ids: Iterable[int]) -> list[Held]:
    subjects = [f"{prefix}.{number}" for number in sorted(ids)[:_LETTERS_AT_MOST]]
    return list((await last_held(sweep.nc, DEAD, subjects)).values())


def _job(letter: Held, model: type[J]) -> J | None:
    try:
        payload = DeadLetter.model_validate_json(letter.data).original_payload
        return model.model_validate_json(payload)
    except ValidationError:
        return None


async def _remove(sweep: Sweep, letter: Held) -> None:
    """Remove this very letter: a newer one of its subject is about a later failure."""
    if sweep.dry_run:
        return
    with suppress(DeadLetterNotFoundError):
        await dead_letters.remove(sweep.nc, letter.sequence)
        log.info("dead letter removed", subject=letter.subject, sequence=letter.sequence)
