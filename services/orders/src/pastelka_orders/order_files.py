"""Counts and deletes the files of one order."""

from collections.abc import Iterable

from pastelka_common.storage import Storage, StorageUsage, UnsafePathError, thumbnail_path
from pastelka_common.storage.paths import validate_path


async def count(storage: Storage, order_id: int, paths: Iterable[str] = ()) -> StorageUsage:
    """Usage of the order's folder and of ``paths`` outside it. Raises ``OSError``."""
    return await storage.usage(str(order_id), _elsewhere(order_id, paths))


async def delete(storage: Storage, order_id: int, paths: Iterable[str] = ()) -> None:
    """Delete the order's folder, and ``paths`` outside it.

    Missing files are ignored. Raises ``IncompleteDeleteError``, ``OSError``.
    """
    await storage.erase(str(order_id), _elsewhere(order_id, paths))


def with_companions(paths: Iterable[str]) -> list[str]:
    """``paths`` with thumbnails and markers, without those outside of the root."""
    return [
        candidate
        for path in paths
        for candidate in (path, thumbnail_path(path), _note_path(path))
        if _is_below_root(candidate)
    ]


def _elsewhere(order_id: int, paths: Iterable[str]) -> list[str]:
    """Paths of the replaced system outside the order's folder, with thumbnail and marker."""
    return with_companions(path for path in paths if not path.startswith(f"{order_id}/"))


def _note_path(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.run"


def _is_below_root(path: str) -> bool:
    try:
        validate_path(path)
    except UnsafePathError:
        return False
    return True
