"""The storage folder as a small disk of its own that can be filled: a tmpfs of a private mount namespace."""

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
    """Run this program (``module``) again where it may mount, if the system permits; else go on without.

    As root a mount namespace is enough; others get one through a user namespace (Linux), in which
    they stay who they are.
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
    """Whether :func:`enter_namespace` brought us where we may mount."""
    return os.environ.get(MARK) == "yes"


def mount(folder: Path, *, megabytes: int) -> None:
    """Make ``folder`` a disk of its own; it is gone with the last process of the namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m,mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def enlarge(folder: Path, *, megabytes: int) -> None:
    """Give what :func:`mount` made another size, while it is in use."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(folder)], check=True)


class Filler:
    """A file beside the stored ones that takes all space that is left."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".filler"

    def fill(self) -> int:
        """Take what is left; returns the MiB taken."""
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
        """Give it back."""
        self.path.unlink(missing_ok=True)


def _works(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
