"""Runs a server that refuses root (PostgreSQL) as another user.

Uses ``setpriv`` of util-linux, which every Linux distribution has. The other user often cannot traverse the
parent folders of the program or its data (such as ``/root``). Their modes must not be changed, so the process
gets one capability: ``dac_read_search``, or ``dac_override`` where a container has only that.
"""

import os
import pwd
import shutil
import stat
import sys
from functools import cache
from pathlib import Path

from pastelka_common.servers.base import ServerError

_READ_SEARCH, _OVERRIDE = 2, 1
_CAPABILITY_NAMES = {_READ_SEARCH: "dac_read_search", _OVERRIDE: "dac_override"}


def unprivileged_user() -> str:
    """An existing account that owns few files: ``postgres``, else ``nobody``."""
    for name in ("postgres", "nobody"):
        try:
            if pwd.getpwnam(name).pw_uid != 0:
                return name
        except KeyError:
            continue
    raise ServerError(
        "PostgreSQL does not run as root, and no user postgres or nobody exists; run as another user"
    )


def change_owner(path: Path, user: str) -> None:
    """Make ``user`` the owner of ``path`` (not of what is in it)."""
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def as_user(user: str, argv: list[str]) -> list[str]:
    """``argv`` run as ``user``, with access to root's folders. Raises :class:`ServerError`."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServerError(
            "PostgreSQL does not run as root: run as another user, or install util-linux (setpriv)"
        )
    entry = pwd.getpwnam(user)
    drop = [setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    if not _open_to_all(Path(argv[0])) or not _open_to_all(Path.cwd()) or not _arguments_open(argv):
        capability = _passing_capability()
        drop += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
    return [*drop, "--", *argv]


def terminate_with_parent(argv: list[str]) -> list[str]:
    """``argv`` that the kernel ends when its parent dies, where supported."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return argv if setpriv is None else [setpriv, "--pdeathsig", "TERM", "--", *argv]


def _arguments_open(argv: list[str]) -> bool:
    return all(_open_to_all(Path(argument).parent) for argument in argv[1:] if argument.startswith("/"))


def _open_to_all(path: Path) -> bool:
    """Whether all users may traverse every parent folder of ``path``."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.absolute().parents if folder.exists())


@cache
def _passing_capability() -> str:
    bounding = _bounding_set()
    for bit in (_READ_SEARCH, _OVERRIDE):
        if bounding >> bit & 1:
            return _CAPABILITY_NAMES[bit]
    raise ServerError(
        "PostgreSQL does not run as root, and its own user cannot access the data folder, which is closed"
        " to other users; run as another user, or with the capability CAP_DAC_READ_SEARCH"
    )


def _bounding_set() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return 0
