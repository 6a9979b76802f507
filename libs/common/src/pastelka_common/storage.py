"""Where files live and how they get there.

Rows and messages hold paths relative to the storage root (``42/121/coloring/v1/image_1.png``);
only :class:`Storage` turns them into absolute ones, and refuses any that would leave the root.
"""

import os
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import anyio
from anyio import to_thread

from pastelka_common.contracts.statuses import StatusType

_PIECE = 1024 * 1024
_SUFFIXES: dict[StatusType, str] = {"coloring": "png", "svg": "svg"}


class UnsafePathError(ValueError):
    """A path that is absolute, would leave the storage root, or is the root itself."""

    def __init__(self, path: str) -> None:
        super().__init__(f"path {path!r} leaves the storage root; a relative path below it is needed")


def photo_path(*, order_id: int, line_item_id: int, position: int, suffix: str, version: int = 1) -> str:
    """Path of a source photo; ``suffix`` without the dot.

    A photo that replaces another is not at the same path, as a file never changes once it is there:
    from ``version`` 2 on it is in a folder of its own.
    """
    folder = f"{order_id}/{line_item_id}" if version == 1 else f"{order_id}/{line_item_id}/photo/v{version}"
    return f"{folder}/image_{position}.{suffix}"


def version_path(kind: StatusType, *, order_id: int, line_item_id: int, position: int, version: int) -> str:
    """Path of a version's file: ``<order>/<line item>/<kind>/v<version>/image_<position>.<suffix>``."""
    return f"{order_id}/{line_item_id}/{kind}/v{version}/image_{position}.{_SUFFIXES[kind]}"


def thumbnail_path(path: str) -> str:
    """Path of the small picture of the file ``path``: beside it, ``thumb_<its name>.webp``.

    The same rule makes a thumbnail's URL of a file's. Where there is none (files of before there
    were thumbnails, a thumbnail that could not be made) nginx answers with the file itself.
    """
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}thumb_{name}.webp"


def public_url(static_url: str, path: str | None) -> str | None:
    """URL by which a browser fetches ``path``; the storage root is served at ``<static_url>/images/``."""
    return None if path is None else f"{static_url}/images/{path}"


class Storage:
    """The shared folder (``STORAGE_PATH``)."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def resolve(self, path: str) -> Path:
        """Absolute path of a stored file. Raises :class:`UnsafePathError`."""
        relative = PurePosixPath(path)
        if not relative.parts or relative.is_absolute() or ".." in relative.parts or "\0" in path:
            raise UnsafePathError(path)
        return self.root / relative

    async def read(self, path: str) -> bytes:
        """The whole file. Raises ``FileNotFoundError``."""
        return await anyio.Path(self.resolve(path)).read_bytes()

    async def has(self, path: str) -> bool:
        """Whether the file is there; a path that leaves the root is not."""
        try:
            return await anyio.Path(self.resolve(path)).is_file()
        except (UnsafePathError, OSError):
            return False

    async def write(self, path: str, content: bytes) -> None:
        """Store ``content`` so that a reader sees all of it or nothing, also after a power cut.

        A file that is there already is replaced in one step (a repeated delivery writes it again).
        """
        target = self.resolve(path)
        await to_thread.run_sync(_write_durably, target, content)

    async def take(self, path: str, source: Path) -> None:
        """The same for the content of the file ``source``, which stays: piece by piece, however large."""
        await to_thread.run_sync(_write_durably, self.resolve(path), source)

    async def delete_tree(self, path: str) -> None:
        """Delete a folder with everything in it; nothing happens if it is not there."""
        await to_thread.run_sync(_delete_tree, self.resolve(path))

    async def files(self, path: str) -> AsyncIterator[str]:
        """Relative paths of all files below ``path``."""
        base = anyio.Path(self.resolve(path))
        async for file in base.rglob("*"):
            if await file.is_file():
                yield Path(file).relative_to(self.root).as_posix()


def _write_durably(target: Path, content: bytes | Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _fill(file: BinaryIO, content: bytes | Path) -> None:
    if isinstance(content, bytes):
        file.write(content)
        return
    with content.open("rb") as source:
        shutil.copyfileobj(source, file, _PIECE)


def _delete_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
