"""What a storage does, whatever is behind it."""

import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


class IncompleteDeleteError(Exception):
    """Files that could not be deleted; says how many, and why the first one."""


class StorageNotMountedError(Exception):
    """The storage is not there, or holds nothing although it should: it is not mounted."""


class StorageUnavailableError(OSError):
    """The storage cannot do it now; ``strerror`` says why, without a full stop and without a secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EIO, reason)


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """How many files there are, of how many bytes; thumbnails and hidden notes included."""

    files: int
    bytes: int


class Storage(Protocol):
    """Files by their paths relative to the root, as rows and messages hold them.

    A file is whole or not there, also after a power cut, and never changes but as a whole. Paths
    that would leave the root raise ``UnsafePathError``; what the storage cannot do just now raises
    ``OSError``, with a ``strerror`` that holds no secret.
    """

    async def read(self, path: str) -> bytes:
        """The whole file. Raises ``FileNotFoundError``."""

    async def read_head(self, path: str, most: int) -> bytes:
        """The first bytes of the file, ``most`` at most. Raises ``FileNotFoundError``."""

    async def read_since(self, path: str, moment: datetime) -> bytes | None:
        """The file, if it was written at ``moment`` or later. Raises ``FileNotFoundError``."""

    def local_copy(self, path: str) -> AbstractAsyncContextManager[Path]:
        """The file in the file system, to be read only, for as long as the block lasts.

        Where there is no such file, there is none at the path that is given either.
        """

    async def exists(self, path: str) -> bool:
        """Whether the file is there; one outside the root is not.

        Raises ``OSError`` where that cannot be found out: a file may have been paid for.
        """

    async def size(self, path: str) -> int | None:
        """Bytes of the file; None for none, also for a path outside the root. Raises ``OSError``."""

    async def prefix_exists(self, folder: str) -> bool:
        """Whether there is anything at or below ``folder``."""

    async def write(self, path: str, content: bytes) -> None:
        """Store ``content`` so that a reader sees all of it or nothing, also after a power cut.

        A file that is there already is replaced in one step (a repeated delivery writes it again).
        """

    async def put_file(self, path: str, source: Path) -> None:
        """The same for the content of the file ``source``, which stays: piece by piece, however large."""

    async def remove(self, path: str) -> None:
        """Delete one file; nothing happens if it is not there."""

    def files(self, path: str) -> AsyncIterator[str]:
        """Relative paths of all files below ``path``."""

    async def folders(self) -> list[str]:
        """Names of the folders at the root. Raises ``OSError``."""

    async def usage(self, folder: str, others: Sequence[str]) -> StorageUsage:
        """The files below ``folder`` and those of ``others`` that are there. Raises ``OSError``."""

    async def erase(self, folder: str, others: Sequence[str]) -> None:
        """Delete ``folder`` and the files ``others``, so that they stay away after a power cut.

        Whatever is gone already is fine. Raises :class:`IncompleteDeleteError`, ``OSError``.
        """

    async def ensure_mounted(self, *, may_be_empty: bool) -> None:
        """Raise ``StorageNotMountedError`` if the storage is missing, or empty although it may not be."""

    async def ping(self) -> None:
        """Return if the storage answers; one cheap question. Raises ``OSError``."""

    async def capacity(self) -> tuple[int, int] | None:
        """Free and whole size in bytes, where there is an end to it. Raises ``OSError``."""

    async def presign(self, path: str, *, lifetime: timedelta) -> str | None:
        """URL by which any client may GET the file for ``lifetime``, whether or not it exists.

        ``None`` where files have no URL of their own: the gateway serves them from the folder.
        """
