"""The files of one order: counting them, and deleting them so that what stays is said."""

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from pastelka_common.storage import Storage, UnsafePathError, thumbnail_path

_ROUNDS = 2
"""A worker may write a file into a folder that is being emptied."""


class FilesLeftError(Exception):
    """Files that could not be deleted; says how many, and why the first one."""


class StorageAwayError(Exception):
    """The storage is not there, or holds nothing although it should: it is not mounted."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many files there are, of how many bytes; thumbnails and hidden notes included."""

    files: int
    bytes: int


async def count(storage: Storage, order_id: int, paths: Iterable[str] = ()) -> Found:
    """The files in the order's folder, and those of ``paths`` that lie elsewhere. Raises ``OSError``."""
    return await to_thread.run_sync(_count, storage, order_id, list(paths))


async def delete(storage: Storage, order_id: int, paths: Iterable[str] = ()) -> None:
    """Delete the order's folder, and what ``paths`` name elsewhere.

    Whatever is gone already is fine. Raises :class:`FilesLeftError`, ``OSError``.
    """
    await to_thread.run_sync(_delete, storage, order_id, list(paths))


async def require(storage: Storage, *, may_be_empty: bool) -> None:
    """Raise :class:`StorageAwayError` if the storage is not there, or empty although it may not be."""
    await to_thread.run_sync(_require, storage.root, may_be_empty)


def _require(root: Path, may_be_empty: bool) -> None:
    try:
        with os.scandir(root) as entries:
            is_empty = next(entries, None) is None
    except OSError as error:
        raise StorageAwayError(f"The storage cannot be read: {_reason(error)}.") from error
    if is_empty and not may_be_empty:
        raise StorageAwayError("The storage is empty although the order has files. Is it mounted?")


def _count(storage: Storage, order_id: int, paths: list[str]) -> Found:
    sizes = [os.lstat(file).st_size for file in _below(storage.resolve(str(order_id)))]
    sizes += [os.lstat(file).st_size for file in _elsewhere(storage, order_id, paths)]
    return Found(len(sizes), sum(sizes))


def _below(folder: Path) -> list[str]:
    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    # Names of links to folders are among ``folders``, and nothing is followed.
    return [
        path
        for parent, folders, files in os.walk(folder, onerror=refuse)
        for path in (os.path.join(parent, name) for name in (*files, *folders))  # noqa: PTH118 - thousands
        if os.path.islink(path) or not os.path.isdir(path)  # noqa: PTH112, PTH114
    ]


def _elsewhere(storage: Storage, order_id: int, paths: list[str]) -> list[Path]:
    """What rows of an older system name outside of the order's folder, with thumbnail and note."""
    found = []
    for path in paths:
        if path.startswith(f"{order_id}/"):
            continue
        name = Path(path).name
        note = path.removesuffix(name) + f".{name}.run"
        for candidate in (path, thumbnail_path(path), note):
            try:
                file = storage.resolve(candidate)
            except UnsafePathError:
                continue
            if os.path.lexists(file):
                found.append(file)
    return found


def _delete(storage: Storage, order_id: int, paths: list[str]) -> None:
    folder = storage.resolve(str(order_id))
    left: list[OSError] = []
    for _ in range(_ROUNDS):
        left = _empty(folder)
        if not left:
            break
    for file in _elsewhere(storage, order_id, paths):
        _try(os.unlink, file, left)
    if left:
        raise FilesLeftError(_told(left, storage.root))
    _sync(storage.root)


def _told(left: list[OSError], root: Path) -> str:
    # That a folder is not empty is no reason where a file in it says why.
    reasons = [error for error in left if error.errno != errno.ENOTEMPTY] or left
    first = os.path.relpath(reasons[0].filename or root, root)
    return f"Not deleted: {len(reasons)} of its files; the first is {first} ({_reason(reasons[0])})."


def _empty(folder: Path) -> list[OSError]:
    """Delete all that can be deleted; why the rest cannot be."""
    left: list[OSError] = []

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            left.append(error)

    if folder.is_symlink() or folder.is_file():
        _try(os.unlink, folder, left)
        return left
    for parent, folders, files in os.walk(folder, topdown=False, onerror=note):
        for name in files:
            _try(os.unlink, Path(parent, name), left)
        for name in folders:
            path = Path(parent, name)
            _try(os.unlink if path.is_symlink() else os.rmdir, path, left)
    _try(os.rmdir, folder, left)
    return left


def _try(delete_one: Callable[[Path], None], path: Path, left: list[OSError]) -> None:
    try:
        delete_one(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        left.append(error)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _sync(folder: Path) -> None:
    """So that a power cut brings back no file of which the row is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return  # nothing was ever stored
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
