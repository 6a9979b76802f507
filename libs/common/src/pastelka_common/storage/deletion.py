"""Counts and deletes the files of a folder, reporting those that remain."""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pastelka_common.storage.interface import IncompleteDeleteError, StorageNotMountedError, StorageUsage
from pastelka_common.storage.sync import sync_folder

_ROUNDS = 2
"""A worker may write into a folder while it is deleted."""


def require(root: Path, *, may_be_empty: bool) -> None:
    """Raise ``StorageNotMountedError`` if ``root`` is unreadable or unexpectedly empty."""
    try:
        with os.scandir(root) as entries:
            is_empty = next(entries, None) is None
    except OSError as error:
        raise StorageNotMountedError(f"The storage cannot be read: {_reason(error)}.") from error
    if is_empty and not may_be_empty:
        raise StorageNotMountedError(
            "The storage is empty although the order has files; check that it is mounted."
        )


def count(folder: Path, others: Sequence[Path]) -> StorageUsage:
    """Usage of the files below ``folder`` and the existing ones of ``others``. Raises ``OSError``."""
    files: list[str | Path] = [*_below(folder), *others]
    sizes = [size for file in files if (size := _size(file)) is not None]
    return StorageUsage(len(sizes), sum(sizes))


def delete(root: Path, folder: Path, others: Sequence[Path]) -> None:
    """Delete ``folder`` and the files ``others``, durably. Raises ``IncompleteDeleteError``, ``OSError``."""
    errors: list[OSError] = []
    for _ in range(_ROUNDS):
        errors = _delete_contents(folder)
        if not errors:
            break
    for file in others:
        if os.path.lexists(file):
            _try(os.unlink, file, errors)
    if errors:
        raise IncompleteDeleteError(_summary(errors, root))
    with suppress(FileNotFoundError):  # nothing was ever stored
        sync_folder(root)  # after a power cut, no file of a deleted row may reappear


def _below(folder: Path) -> list[str]:
    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    # ``folders`` includes links to folders; links are not followed.
    return [
        path
        for parent, folders, files in os.walk(folder, onerror=refuse)
        for path in (os.path.join(parent, name) for name in (*files, *folders))  # noqa: PTH118 - thousands
        if os.path.islink(path) or not os.path.isdir(path)  # noqa: PTH112, PTH114
    ]


def _size(file: str | Path) -> int | None:
    try:
        return os.lstat(file).st_size
    except (FileNotFoundError, NotADirectoryError):
        return None  # deleted concurrently


def _summary(errors: list[OSError], root: Path) -> str:
    # ENOTEMPTY is only a consequence of another error.
    reasons = [error for error in errors if error.errno != errno.ENOTEMPTY] or errors
    first = os.path.relpath(reasons[0].filename or root, root)
    return f"Not deleted: {len(reasons)} of its files; the first is {first} ({_reason(reasons[0])})."


def _delete_contents(folder: Path) -> list[OSError]:
    """Delete as much as possible; returns the errors."""
    errors: list[OSError] = []

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            errors.append(error)

    if folder.is_symlink() or folder.is_file():
        _try(os.unlink, folder, errors)
        return errors
    for parent, folders, files in os.walk(folder, topdown=False, onerror=note):
        for name in files:
            _try(os.unlink, Path(parent, name), errors)
        for name in folders:
            path = Path(parent, name)
            _try(os.unlink if path.is_symlink() else os.rmdir, path, errors)
    _try(os.rmdir, folder, errors)
    return errors


def _try(delete_one: Callable[[Path], None], path: Path, errors: list[OSError]) -> None:
    try:
        delete_one(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        errors.append(error)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
