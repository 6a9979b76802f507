"""Messages about an order that is erased: whatever a stream still holds of them is purged.

A download job, and the dead letter of one, hold the photo's address in the shop. The others hold ids
only, and go as well.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from pastelka_common.contracts.statuses import STATUS_ENUMS
from pastelka_common.messaging.stored_messages import get_last_messages, purge_subject
from pastelka_common.messaging.topology import DEAD, JOBS, STATUS

_AT_ONCE = 32


async def purge(nc: Client, subjects: Sequence[str]) -> None:
    """Purge jobs on these subjects, their facts and their dead letters. Raises ``publish.BROKER_ERRORS``."""
    held = await get_last_messages(nc, JOBS, subjects)
    wanted = [(JOBS, subject) for subject in held]
    wanted += [(DEAD, f"dead.{subject}") for subject in subjects]
    wanted += [(STATUS, subject) for subject in _facts(subjects)]
    for start in range(0, len(wanted), _AT_ONCE):
        await asyncio.gather(*(_purge(nc, *one) for one in wanted[start : start + _AT_ONCE]))


def _facts(subjects: Iterable[str]) -> list[str]:
    kinds = tuple(f"jobs.{kind}." for kind in STATUS_ENUMS)
    return [f"status.{subject.removeprefix('jobs.')}" for subject in subjects if subject.startswith(kinds)]


async def _purge(nc: Client, stream: str, subject: str) -> None:
    with suppress(NotFoundError):  # no stream, no messages
        await purge_subject(nc, stream, subject)
