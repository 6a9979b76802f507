"""The interface of a storage."""

import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


class IncompleteDeleteError(Exception):
    """Files could not be deleted; the message has their number and the first reason."""


class StorageNotMountedError(Exception):
    """The storage is missing or unexpectedly empty, probably not mounted."""


class StorageUnavailableError(OSError):
    """The storage is unavailable; ``strerror`` states the cause, without full stop and secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EIO, reason)


@dataclass(frozen=True, slots=True)
class StorageUsage:
    """Number of files and bytes, including thumbnails and hidden markers."""

    files: int
    bytes: int


class Storage(Protocol):
    """Files by their paths relative to the root, as in rows and messages.

    Files are written and replaced atomically, also across a power cut. Paths that would leave the root raise
    ``UnsafePathError``; an unavailable storage raises ``OSError``, with a ``strerror`` without secrets.
    """

    async def read(self, path: str) -> bytes:
        """Read the whole file. Raises ``FileNotFoundError``."""

    async def read_head(self, path: str, most: int) -> bytes:
        """The first bytes of the file, ``most`` at most. Raises ``FileNotFoundError``."""

    async def read_since(self, path: str, moment: datetime) -> bytes | None:
        """Read the file, if it was written at ``moment`` or later. Raises ``FileNotFoundError``."""

    def local_copy(self, path: str) -> AbstractAsyncContextManager[Path]:
        """A read-only local copy of the file for the duration of the block.

        If the file does not exist, neither does the yielded path.
        """

    async def exists(self, path: str) -> bool:
        """Whether the file exists; ``False`` for a path outside the root.

        Raises ``OSError`` if that cannot be determined: a file may have been paid for.
        """

    async def size(self, path: str) -> int | None:
        """Size in bytes; ``None`` if missing, or for a path outside the root. Raises ``OSError``."""

    async def prefix_exists(self, folder: str) -> bool:
        """Whether anything exists at or below ``folder``."""

    async def write(self, path: str, content: bytes) -> None:
        """Store ``content`` atomically and durably.

        Replaces an existing file (a redelivered job writes it again).
        """

    async def put_file(self, path: str, source: Path) -> None:
        """Like :meth:`write`, streaming from the file ``source``, which is kept."""

    async def remove(self, path: str) -> None:
        """Delete one file; no effect if it is missing."""

    def files(self, path: str) -> AsyncIterator[str]:
        """Relative paths of all files below ``path``."""

    async def folders(self) -> list[str]:
        """Names of the folders at the root. Raises ``OSError``."""

    async def usage(self, folder: str, others: Sequence[str]) -> StorageUsage:
        """Usage of the files below ``folder`` and the existing ones of ``others``. Raises ``OSError``."""

    async def erase(self, folder: str, others: Sequence[str]) -> None:
        """Delete ``folder`` and the files ``others``, durably.

        Missing files are ignored. Raises :class:`IncompleteDeleteError`, ``OSError``.
        """

    async def ensure_mounted(self, *, may_be_empty: bool) -> None:
        """Raise ``StorageNotMountedError`` if the storage is missing or unexpectedly empty."""

    async def ping(self) -> None:
        """Return if the storage responds to one cheap request. Raises ``OSError``."""

    async def capacity(self) -> tuple[int, int] | None:
        """Free and total size in bytes; ``None`` if unlimited. Raises ``OSError``."""

    async def presign(self, path: str, *, lifetime: timedelta) -> str | None:
        """URL with which any client may GET the file for ``lifetime``, whether or not it exists.

        ``None`` if files have no own URL: the gateway serves them from the folder.
        """
