"""The storage folder as a small disk that can be filled: a tmpfs in a private mount namespace."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

MARK = "PASTELKA_FAULTS_NAMESPACE"
_MIB = 1024 * 1024
_CHUNK = 64 * 1024


def enter_namespace(module: str = "tests.faults") -> None:
    """Re-execute this program (``module``) in a mount namespace if the system permits it; else continue
    without.

    root needs only a mount namespace; other users get one through a user namespace (Linux), in which they
    keep their id.
    """
    if os.environ.get(MARK) is not None or sys.platform != "linux":
        return
    unshare = shutil.which("unshare")
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    prefix = [unshare or "unshare", "--mount", *user]
    possible = unshare is not None and _works([*prefix, "true"])
    os.environ[MARK] = "yes" if possible else "no"
    if possible:
        os.execv(prefix[0], [*prefix, sys.executable, "-m", module, *sys.argv[1:]])  # noqa: S606


def can_mount() -> bool:
    """Whether this process may mount after :func:`enter_namespace`."""
    return os.environ.get(MARK) == "yes"


def mount(folder: Path, *, megabytes: int) -> None:
    """Mount a tmpfs at ``folder``; it disappears with the last process of the namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def enlarge(folder: Path, *, megabytes: int) -> None:
    """Resize the mount of :func:`mount` while it is in use."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(folder)], check=True)


class Filler:
    """A file beside the stored ones that occupies all free space."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".filler"

    def fill(self) -> int:
        """Occupy the free space; returns the MiB taken."""
        taken = 0
        with self.path.open("wb", buffering=0) as file:
            try:
                while True:
                    taken += file.write(bytes(_CHUNK))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        return taken // _MIB

    def empty(self) -> None:
        """Release the space."""
        self.path.unlink(missing_ok=True)


def _works(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
