"""The files of a stack and their backup: a folder and its copy, or a bucket and its copy in another."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import obstore

from pastelka_common.servers import BucketServer
from pastelka_common.storage import FolderStorage, Storage
from pastelka_common.storage.bucket import BucketStorage, parse_bucket_url
from pastelka_common.storage.settings import StorageSettings
from tests.restore.command import run


class Files(Protocol):
    """``live`` is the storage of the services, ``kept`` its copy."""

    live: Storage
    kept: Storage

    async def back_up(self) -> None:
        """Make ``kept`` like ``live``."""

    async def restore(self) -> None:
        """Make ``live`` like ``kept``."""

    async def delete_live(self) -> None:
        """Delete all of ``live``."""


@dataclass
class FolderFiles:
    """``cp -a`` in place of ``rsync -a``, which may not be installed: modification times are kept."""

    folder: Path
    copy: Path
    live: Storage = field(init=False)
    kept: Storage = field(init=False)

    def __post_init__(self) -> None:
        self.live, self.kept = FolderStorage(self.folder), FolderStorage(self.copy)

    async def back_up(self) -> None:
        await _copied(self.folder, self.copy)

    async def restore(self) -> None:
        await self.delete_live()
        await _copied(self.copy, self.folder)

    async def delete_live(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


async def _copied(source: Path, target: Path) -> None:
    """A file that is renamed or deleted during the copy is no failure, as with rsync (code 24)."""
    await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
    await run("cp", "-a", f"{source}/.", target, allowed=(0, 1))


@dataclass
class BucketFiles:
    """Objects copied by the store itself, like ``rclone sync --metadata``: metadata is kept."""

    server: BucketServer
    live: Storage = field(init=False)
    kept: Storage = field(init=False)

    def __post_init__(self) -> None:
        self.live, self.kept = (
            BucketStorage(parse_bucket_url(self._settings(part))) for part in ("shop", "copy")
        )

    async def back_up(self) -> None:
        await self._synced("shop", "copy")

    async def restore(self) -> None:
        await self._synced("copy", "shop")

    async def delete_live(self) -> None:
        await self._emptied("shop")

    def environment(self) -> dict[str, str]:
        """Environment of the services."""
        return self.server.settings("shop")

    def _settings(self, prefix: str) -> StorageSettings:
        names = {name.lower(): value for name, value in self.server.settings(prefix).items()}
        return StorageSettings.model_validate(names)

    async def _synced(self, source: str, target: str) -> None:
        await self._emptied(target)
        whole = parse_bucket_url(self._settings(""))
        for meta in await obstore.list(whole, source).collect_async():
            path = meta["path"]
            await obstore.copy_async(whole, path, f"{target}{path.removeprefix(source)}")

    async def _emptied(self, prefix: str) -> None:
        whole = parse_bucket_url(self._settings(""))
        paths = [meta["path"] for meta in await obstore.list(whole, prefix).collect_async()]
        if paths:
            await obstore.delete_async(whole, paths)
