"""Making a restored database, the storage and an empty broker agree, while no service runs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field

from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.statuses import STATUS_ENUMS, StatusType
from pastelka_common.messaging.topology import delete_streams
from pastelka_common.run_notes import RunNote, RunNotes
from pastelka_common.storage import Storage
from pastelka_orders.errors import ConflictError
from pastelka_orders.handlers.erasures import ask
from pastelka_orders.handlers.making import job_of
from pastelka_orders.reconciler.files import FileRounds
from pastelka_orders.reconciler.sweep import Mended, Sweep
from pastelka_orders.repository import erasures, restoring, versions
from pastelka_orders.repository.erasures import Target
from pastelka_orders.repository.restoring import MANUAL_NUMBERS
from pastelka_orders.repository.versions import Version
from pastelka_orders.restoring.record import ErasedOrder, Record

_PAGE = 1000
_AHEAD = 10_000
"""Ids that may have been given out after the record was made."""
_NUMBERS_AHEAD = 100
"""Likewise, numbers of orders made by hand: people read them, so fewer are left out."""
_NO_ORDERS = 1_000_000
"""So many orders are not made between a backup and a restore; ids end at two thousand millions."""


class NotSettledError(ConflictError):
    """The system is not in a state in which this may be done."""

    code = "not_settled"


@dataclass(slots=True)
class Settled:
    """What was done: names and numbers, for a person to read."""

    erased_again: list[str] = field(default_factory=list)
    files_of_erased: list[str] = field(default_factory=list)
    sessions_ended: int = 0
    users_disabled: list[str] = field(default_factory=list)
    tokens_revoked: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    files: list[Mended] = field(default_factory=list)
    unowned_folders: list[int] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


async def settle(sweep: Sweep, record: Record | None) -> Settled:
    """Apply the record and mend the seams; a dry run of the sweep changes nothing.

    Can be done again. Raises :class:`NotSettledError` while services are connected to the database,
    ``StorageAwayError``.
    """
    found = Settled()
    await sweep.storage.require(may_be_empty=True)
    await _alone(sweep)
    folders = await _folders(sweep.storage)
    found.ids = await _ids_to_go_on_after(sweep, record, folders)
    if not sweep.dry_run:  # neither a stream nor a sequence goes back with a transaction
        await _empty_broker(sweep.nc)
        await sweep.change(lambda c: _advance(c, found.ids))
    await sweep.change(lambda c: _settle_rows(c, found, record))
    for kind in STATUS_ENUMS:
        await _settle_runs(sweep, found, kind)
    await FileRounds(_PAGE, trusting=True).look_at_all(sweep)
    found.files = sweep.mended
    known = await sweep.database.read(lambda c: restoring.known_orders(c, folders))
    found.unowned_folders = sorted(set(folders) - known)
    return found


async def _alone(sweep: Sweep) -> None:
    others = await sweep.database.read(restoring.others)
    if others:
        raise NotSettledError(
            f"{others} other connections to the database are open: stop every service first, also those "
            "that would be started again by themselves, and whatever else is connected."
        )


async def _empty_broker(nc: Client) -> None:
    """What it holds is of a time that the database does not know; all of it is rebuilt."""
    await delete_streams(nc)


async def _ids_to_go_on_after(sweep: Sweep, record: Record | None, folders: list[int]) -> dict[str, int]:
    """Messages, notes and addresses of after the backup name ids; none of those is given to anything else."""
    found = {}
    for name, last in (await sweep.database.read(restoring.ids)).items():
        known = max(last, record.ids.get(name, 0) if record is not None else 0)
        stored = max(folders, default=0) if name == "orders" else 0
        if stored > known + _NO_ORDERS:
            raise NotSettledError(
                f"The storage has a folder {stored}, far beyond any order's id ({known}). Is it the right "
                "storage? If it is, move that folder away."
            )
        found[name] = max(known, stored) + (_NUMBERS_AHEAD if name == MANUAL_NUMBERS else _AHEAD)
    return found


async def _advance(connection: AsyncConnection, ids: Mapping[str, int]) -> None:
    for name, value in ids.items():
        await restoring.advance(connection, name, value)


async def _settle_rows(connection: AsyncConnection, found: Settled, record: Record | None) -> None:
    found.sessions_ended = await restoring.end_sessions(connection)
    if record is None:
        return
    found.users_disabled = await restoring.disable_users_but(connection, record.users)
    found.tokens_revoked = await restoring.revoke_tokens_but(connection, record.tokens)
    await erasures.never_again(connection, record.never_again)
    for order in record.erasures:
        await _erase_again(connection, found, order)


async def _erase_again(connection: AsyncConnection, found: Settled, order: ErasedOrder) -> None:
    here = await restoring.order_number(connection, order.order_id)
    if here is None:
        if await restoring.note_gone(connection, order.model_dump()):
            found.files_of_erased.append(order.order_number)
    elif here == order.order_number:
        target = Target(order.order_id, order.order_number)
        if await ask(connection, target, order.reason, order.asked_by):
            found.erased_again.append(order.order_number)


async def _settle_runs(sweep: Sweep, found: Settled, kind: StatusType) -> None:
    """A version may have been retried since the backup: what a provider was paid for then is gone on with."""
    after = 0
    while ids := await sweep.database.read(_page_of(kind, after)):
        after = ids[-1]
        notes = await _notes_of(sweep, kind, ids)
        await sweep.change(_settle_page(found, kind, notes))


async def _notes_of(sweep: Sweep, kind: StatusType, ids: list[int]) -> dict[int, RunNote]:
    """The notes beside the versions' files, by the versions' ids."""
    notes = RunNotes(sweep.storage)
    found = {v.id: await _note_of(notes, v) for v in await sweep.database.read(_versions(kind, ids))}
    return {version_id: note for version_id, note in found.items() if note is not None}


def _versions(kind: StatusType, ids: list[int]) -> Callable[[AsyncConnection], Awaitable[list[Version]]]:
    return lambda c: versions.lock(c, kind, ids)


def _page_of(kind: StatusType, after: int) -> Callable[[AsyncConnection], Awaitable[list[int]]]:
    return lambda c: restoring.unfinished(c, kind, after=after, page=_PAGE)


def _settle_page(
    found: Settled, kind: StatusType, notes: Mapping[int, RunNote]
) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def work(connection: AsyncConnection) -> None:
        for version in await versions.lock(connection, kind, sorted(notes)):
            note = notes[version.id]
            if note.run <= version.progress.run:
                continue
            await _settle_run(connection, version, note)
            found.runs.append(f"{kind} {version.id} run {version.progress.run} -> {note.run}")

    return work


async def _note_of(notes: RunNotes, version: Version) -> RunNote | None:
    source = version.photo_path if version.kind == "coloring" else version.coloring_path
    return None if source is None else await notes.newest(job_of(version))


async def _settle_run(connection: AsyncConnection, version: Version, note: RunNote) -> None:
    if version.status.is_final:
        await restoring.retry_as(connection, version.kind, version.id, note.run)
        return
    await restoring.go_on(
        connection, version.kind, version.id, run=note.run, provider_job_id=note.provider_job_id
    )


async def _folders(storage: Storage) -> list[int]:
    """Ids of orders that have a folder in the storage."""
    return sorted(int(name) for name in await storage.folders() if name.isdecimal())
