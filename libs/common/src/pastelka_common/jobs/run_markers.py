"""What the storage remembers of a version's runs, should the broker forget.

Beside the file to be made lies a hidden note while a provider works on it, with the run and the
provider's job id. A broker that lost its buckets, or went back to an older copy, delivers jobs
again whose provider job it does not know; the note does, and nothing is paid twice.
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
    """A block that asks the storage what is there already.

    Raises :class:`PostponedError` (``storage_unavailable``) for its ``OSError``: a guess might pay
    twice, and the job, which can do nothing about it, loses no attempt.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"The storage cannot be read: {reason}."
        raise PostponedError("storage_unavailable", message, seconds=_STORAGE_SECONDS) from error


class RunMarker(BaseModel):
    """The newest run of a version that a provider accepted.

    ``version_id`` is the row's; a note of before it was kept has none. A database that went back to a
    backup may give the same place in the storage to another row: its jobs are not that note's.
    """

    run: int
    provider_job_id: str
    version_id: int | None = None

    def is_of(self, version_id: int) -> bool:
        """Whether the note is about this row."""
        return self.version_id is None or self.version_id == version_id


class RunMarkers:
    """Notes beside the files, and the files themselves.

    Lookups raise ``OSError`` if the storage is unavailable: a worker that read that as "no file"
    would pay again.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def keep(self, job: VersionJob, provider_job_id: str) -> None:
        """Remember the provider's job id; a failure is logged, as the broker remembers it, too."""
        note = RunMarker(run=job.run, provider_job_id=provider_job_id, version_id=job.version_id)
        try:
            await self._storage.write(_path(job.target), note.model_dump_json().encode())
        except _UNREADABLE as error:
            log.warning("run marker write failed", error=str(error))

    async def provider_job_id(self, job: VersionJob) -> str | None:
        """The provider's job id of this very run. Raises ``OSError``."""
        note = await self.newest(job)
        return note.provider_job_id if note is not None and note.run == job.run else None

    async def is_outdated(self, job: VersionJob) -> bool:
        """Whether a later run of the version has been submitted: this job is of the past.

        Raises ``OSError``.
        """
        note = await self.newest(job)
        return note is not None and note.run > job.run

    async def made(self, job: VersionJob) -> bytes | None:
        """The file, if it was stored since this run was asked for: the job was done, its fact lost.

        Files come into place whole, so one that is there is complete. Raises ``OSError``.
        """
        if job.asked_at is None:
            return None
        try:
            content = await self._storage.read_since(job.target, job.asked_at)
        except _ABSENT:
            return None
        return content or None

    async def forget(self, job: VersionJob) -> None:
        """Remove the note: the file is stored, and says all there is to know."""
        try:
            await self._storage.remove(_path(job.target))
        except _UNREADABLE as error:
            log.warning("run marker removal failed", error=str(error))

    async def newest(self, job: VersionJob) -> RunMarker | None:
        """The note beside the job's target, if it is about the job's version, of whatever run.

        Raises ``OSError``.
        """
        try:
            note = RunMarker.model_validate_json(await self._storage.read(_path(job.target)))
        except (*_ABSENT, ValidationError):
            return None
        return note if note.is_of(job.version_id) else None


def _path(target: str) -> str:
    """Hidden, so that nginx does not serve it: ``.<file>.run`` beside the file."""
    path = Path(target)
    return (path.parent / f".{path.name}.run").as_posix()
