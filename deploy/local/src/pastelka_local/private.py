"""Restricts the data folder to its owner."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE_UMASK = 0o077
_FOLDER = 0o700
_OTHERS = 0o077


@contextmanager
def private_umask() -> Iterator[None]:
    """Create files and folders with owner-only permissions while the body runs, in the whole process."""
    before = os.umask(PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(before)


def make_private(data: Path, folders: Iterable[Path]) -> None:
    """Create ``data`` and ``folders`` within it with owner-only permissions.

    Also restricts what an earlier version left in ``data`` with other modes. Files of another owner (those of
    PostgreSQL, if root runs the stack) keep their modes: PostgreSQL requires its own.
    """
    is_open = data.exists() and bool(stat.S_IMODE(data.stat().st_mode) & _OTHERS)
    for folder in (data, *folders):
        folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER)
    if is_open:
        _close_all(data)
    for folder in (*folders, data):  # last, because its mode marks the rest as done
        folder.chmod(_FOLDER)


def _close_all(data: Path) -> None:
    for folder, names, files in os.walk(data):
        for name in (*names, *files):
            path = Path(folder, name)
            found = path.lstat()
            if found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode):
                path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
