"""Markers of runs in the storage, as a backup of the broker's records.

While a provider works on a file, a hidden marker next to its path contains the run and the provider's job id.
A broker that lost its buckets, or was restored from an older copy, redelivers jobs without their provider
job; the marker has it, so nothing is paid twice.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from pydantic import BaseModel, ValidationError

from pastelka_common.contracts.messages import VersionJob
from pastelka_common.errors import PostponedError
from pastelka_common.storage import Storage, UnsafePathError

log = structlog.get_logger(__name__)

_STORAGE_SECONDS = 10.0
_UNREADABLE = (OSError, UnsafePathError)
_ABSENT = (FileNotFoundError, NotADirectoryError, UnsafePathError)


@asynccontextmanager
async def postpone_on_storage_error() -> AsyncIterator[None]:
    """Context manager for storage lookups.

    Turns ``OSError`` into :class:`PostponedError` (``storage_unavailable``): a guess might pay twice, and the
    job is not at fault, so no attempt counts.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"The storage cannot be read: {reason}."
        raise PostponedError("storage_unavailable", message, seconds=_STORAGE_SECONDS) from error


class RunMarker(BaseModel):
    """The newest run of a version that a provider accepted.

    ``version_id`` is the row's; old markers lack it. A restored database may assign the same path to another
    row, to which the marker does not apply.
    """

    run: int
    provider_job_id: str
    version_id: int | None = None

    def is_of(self, version_id: int) -> bool:
        """Whether the marker is about this row."""
        return self.version_id is None or self.version_id == version_id


class RunMarkers:
    """Reads and writes markers, and checks for stored files.

    Lookups raise ``OSError`` if the storage is unavailable: treating that as "no file" would pay again.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def store(self, job: VersionJob, provider_job_id: str) -> None:
        """Store the provider's job id; a failure is only logged, since the broker has it, too."""
        note = RunMarker(run=job.run, provider_job_id=provider_job_id, version_id=job.version_id)
        try:
            await self._storage.write(_path(job.target), note.model_dump_json().encode())
        except _UNREADABLE as error:
            log.warning("run marker write failed", error=str(error))

    async def provider_job_id(self, job: VersionJob) -> str | None:
        """The provider's job id of exactly this run. Raises ``OSError``."""
        note = await self.newest(job)
        return note.provider_job_id if note is not None and note.run == job.run else None

    async def is_outdated(self, job: VersionJob) -> bool:
        """Whether a later run of the version was submitted, so that this job is obsolete.

        Raises ``OSError``.
        """
        note = await self.newest(job)
        return note is not None and note.run > job.run

    async def stored_result(self, job: VersionJob) -> bytes | None:
        """The file, if it was stored after this run was requested: the job was done, its fact lost.

        Files are written atomically, so an existing one is complete. Raises ``OSError``.
        """
        if job.asked_at is None:
            return None
        try:
            content = await self._storage.read_since(job.target, job.asked_at)
        except _ABSENT:
            return None
        return content or None

    async def delete(self, job: VersionJob) -> None:
        """Delete the marker, once the file is stored."""
        try:
            await self._storage.remove(_path(job.target))
        except _UNREADABLE as error:
            log.warning("run marker removal failed", error=str(error))

    async def newest(self, job: VersionJob) -> RunMarker | None:
        """The marker at the job's target, if it is about the job's version, of any run.

        Raises ``OSError``.
        """
        try:
            note = RunMarker.model_validate_json(await self._storage.read(_path(job.target)))
        except (*_ABSENT, ValidationError):
            return None
        return note if note.is_of(job.version_id) else None


def _path(target: str) -> str:
    """``.<file>.run`` next to the file; hidden, so that nginx does not serve it."""
    path = Path(target)
    return (path.parent / f".{path.name}.run").as_posix()
