"""A storage, folder or bucket, that a test can make unavailable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from pastelka_common.servers import BucketServer, ServerProcess, running
from pastelka_common.storage import Storage, StorageSettings, open_storage


class Place(Protocol):
    """A test's storage."""

    @property
    def settings(self) -> dict[str, Any]:
        """Fields of a service's settings."""

    async def leave(self) -> None:
        """Become unavailable, like an unmounted share or a store that is down."""

    async def come_back(self) -> None:
        """Become available again, with all files."""


def storage_of(place: Place) -> Storage:
    """The storage as a service opens it."""
    return open_storage(StorageSettings(**place.settings))


@dataclass
class FolderPlace:
    """A folder."""

    root: Path

    @property
    def settings(self) -> dict[str, Any]:
        """See :class:`Place`."""
        return {"storage_path": self.root}

    @property
    def _elsewhere(self) -> Path:
        return self.root.with_name(f"{self.root.name}-away")

    async def leave(self) -> None:
        """See :class:`Place`."""
        self.root.rename(self._elsewhere)
        self.root.touch()  # a write would recreate a missing folder

    async def come_back(self) -> None:
        """See :class:`Place`."""
        self.root.unlink()
        self._elsewhere.rename(self.root)


@dataclass
class BucketPlace:
    """A bucket of a separate server."""

    process: ServerProcess
    server: BucketServer

    @property
    def settings(self) -> dict[str, Any]:
        """See :class:`Place`."""
        given = {name.lower(): value for name, value in self.server.settings("shop").items()}
        return {**given, "aws_secret_access_key": SecretStr(self.server.secret_key)}

    async def leave(self) -> None:
        """See :class:`Place`."""
        await self.process.kill()

    async def come_back(self) -> None:
        """See :class:`Place`."""
        await self.process.start()


@asynccontextmanager
async def folder_place(folder: Path) -> AsyncIterator[FolderPlace]:
    """A new folder below ``folder``."""
    root = folder / "shared"
    root.mkdir()
    yield FolderPlace(root)


@asynccontextmanager
async def bucket_place(folder: Path) -> AsyncIterator[BucketPlace]:
    """A new bucket, with its objects below ``folder``; ends with the block."""
    server = BucketServer(folder=folder / "s3")
    async with running(server, deadline=600) as process:
        yield BucketPlace(process, server)
