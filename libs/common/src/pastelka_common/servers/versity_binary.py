"""Getting the S3-compatible server's program: given by hand, or built by Go.

It is kept in the user's cache folder, named by what it was built from, so that every checkout
builds it once.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs
from filelock import FileLock

from pastelka_common.servers.base import Report, ServerError
from pastelka_common.servers.checkout import deploy_folder

_SOURCES = ("go.mod", "go.sum")
_PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
_ERROR_CHARACTERS = 1500


def versity_binary(report: Report) -> Path:
    """The server's program; ``VERSITYGW_BIN`` names one by hand. Built by Go the first time.

    Blocks, up to a few minutes. Raises :class:`ServerError`, also where there is no Go.
    """
    given = os.environ.get("VERSITYGW_BIN")
    if given:
        return _given(given)
    sources = deploy_folder() / "s3"
    target = cached_path(sources)
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.is_file():
                _build(sources, target, report)
    return target


def can_be_had() -> bool:
    """Whether :func:`versity_binary` has or can make the program, as far as one can see."""
    return bool(
        os.environ.get("VERSITYGW_BIN") or shutil.which("go") or cached_path(deploy_folder() / "s3").is_file()
    )


def cached_path(sources: Path) -> Path:
    """Where the program built from ``sources`` is kept."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update((sources / name).read_bytes())
    machine = f"{sys.platform}-{platform.machine()}".lower()
    return platformdirs.user_cache_path("pastelka") / f"versitygw-{machine}-{digest.hexdigest()[:16]}"


def _given(path: str) -> Path:
    if not os.access(path, os.X_OK) or not Path(path).is_file():
        raise ServerError(f"VERSITYGW_BIN is {path!r}, which is not a program; give the path of a versitygw")
    return Path(path).absolute()


def _build(sources: Path, target: Path, report: Report) -> None:
    go = shutil.which("go")
    if go is None:
        raise ServerError(
            "There is no Go here to build versitygw. Install Go 1.26 or newer, or set VERSITYGW_BIN."
        )
    report("building the S3-compatible server with Go (about two minutes, once on this machine)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".versitygw-") as folder:
        made = Path(folder) / "versitygw"
        flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w"]
        done = subprocess.run(  # noqa: S603 - the developer's own Go
            [go, "build", *flags, "-o", str(made), _PACKAGE],
            cwd=sources,
            env={**os.environ, "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.strip()[-_ERROR_CHARACTERS:]
            raise ServerError(f"Go could not build versitygw: {said}\nSet VERSITYGW_BIN to one you have.")
        made.replace(target)
