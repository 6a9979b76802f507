"""Docker Compose itself: the plugin of this machine, or one built by Go and kept outside of the checkout."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import platformdirs
from filelock import FileLock

from tests.compose.files import FOLDER

_MODULE = FOLDER / "config-check"
_PROGRAM = "github.com/docker/compose/v5/cmd"
WITHOUT = "there is neither Docker Compose nor Go here, so Compose itself was not asked"


@cache
def command() -> Sequence[str] | None:
    """How to call Docker Compose, built if it has to be; ``None`` where that cannot be done."""
    docker = shutil.which("docker")
    if docker is not None and _works([docker, "compose", "version"]):
        return (docker, "compose")
    target = _target()
    if target.is_file():
        return (str(target),)
    if shutil.which("go") is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_file():
            _build(target)
    return (str(target),)


def _target() -> Path:
    digest = hashlib.sha256(b"".join((_MODULE / name).read_bytes() for name in ("go.mod", "go.sum")))
    machine = f"{sys.platform}-{platform.machine()}".lower()
    return platformdirs.user_cache_path("pastelka") / f"compose-{machine}-{digest.hexdigest()[:16]}"


def _build(target: Path) -> None:
    """Build it in a copy of the module, as Go may write into that. Raises ``RuntimeError``."""
    print("building Docker Compose with Go (one to four minutes, once on this machine)", flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".compose-") as folder:
        shutil.copytree(_MODULE, folder, dirs_exist_ok=True)
        made = Path(folder) / "docker-compose"
        process = subprocess.run(
            [
                "go",
                "build",
                "-mod=mod",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags=-s -w",
                "-o",
                made,
                _PROGRAM,
            ],
            cwd=folder,
            env={**os.environ, "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            raise RuntimeError(f"Go could not build Docker Compose: {process.stderr.strip()[-1500:]}")
        made.replace(target)


def _works(call: Sequence[str]) -> bool:
    return subprocess.run(call, capture_output=True, check=False).returncode == 0
