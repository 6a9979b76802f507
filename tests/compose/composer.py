"""Docker Compose: the installed plugin, or one built by Go and kept outside the checkout."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

from pastelka_common.servers.go_program import GoProgram
from tests.compose.files import FOLDER

WITHOUT = "neither Docker Compose nor Go is installed"
_PROGRAM = GoProgram(
    name="compose",
    title="Docker Compose",
    sources=FOLDER / "config-check",
    package="github.com/docker/compose/v5/cmd",
    flags=("-mod=mod",),
    duration="one to four minutes",
)


@cache
def command() -> Sequence[str] | None:
    """Command line of Docker Compose, built if necessary; ``None`` if that is impossible."""
    docker = shutil.which("docker")
    if docker is not None and _works([docker, "compose", "version"]):
        return (docker, "compose")
    if not _PROGRAM.is_obtainable:
        return None
    return (str(_PROGRAM.get(_say)),)


def _say(line: str) -> None:
    print(line, flush=True)


def _works(call: Sequence[str]) -> bool:
    return subprocess.run(call, capture_output=True, check=False).returncode == 0
