"""``python -m tests.k8s``: build missing programs, then run the tests in separate namespaces.

The cluster's programs listen on fixed ports, two of them on every address: in a separate network namespace
these ports are free, and other programs cannot reach them. In a process namespace no process outlives the
tests. Both need root.
"""

import os
import shutil
import sys
from pathlib import Path

from tests.k8s import keda, schemas
from tests.k8s.control_plane import KWOK_MODULE
from tests.k8s.get import main as get
from tests.k8s.programs import go_module

_NEEDED = ("unshare", "ip", "openssl", "setpriv")
_FOLDER = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Does not return if the tests can run: the process becomes theirs."""
    if reason := _missing_requirement():
        print(f"k8s: {reason}", file=sys.stderr)
        return 1
    if status := get(["all"]):
        return status
    # Load what the tests need while there is still a network.
    schemas.crd_files()
    for module in (keda.MODULE, KWOK_MODULE):
        go_module(module)
    _exec_tests(arguments)
    return 0


def _missing_requirement() -> str | None:
    if sys.platform != "linux" or os.geteuid() != 0:
        return "root on Linux is needed: the cluster runs in a network namespace of its own"
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    return f"{', '.join(missing)} not found (util-linux, iproute2, openssl)" if missing else None


def _exec_tests(arguments: list[str]) -> None:
    pytest = [sys.executable, "-m", "pytest", "--exitfirst", "-v", "-p", "no:cacheprovider", *arguments]
    command = f'ip link set lo up && exec "$@" {_FOLDER}'
    namespaces = ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]
    sys.stdout.flush()
    os.execvp(namespaces[0], [*namespaces, "sh", "-c", command, "sh", *pytest])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
