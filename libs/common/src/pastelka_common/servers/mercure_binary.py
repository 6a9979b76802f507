"""Getting the hub's program: given by hand, built by Go, or the official release.

It is kept in the user's cache folder, named by what it was built from, so that every checkout
builds it once.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import platformdirs
from filelock import FileLock

from pastelka_common.servers.base import Report, ServerError
from pastelka_common.servers.checkout import deploy_folder

_SOURCES = ("go.mod", "go.sum", "main.go")
_RELEASES = "https://github.com/dunglas/mercure/releases/download"
_DOWNLOAD_TIMEOUT_SECONDS = 30
_ERROR_CHARACTERS = 1500
_TELL_SECONDS = 5.0


def mercure_binary(report: Report) -> Path:
    """The hub's program; ``MERCURE_BIN`` names one by hand. Builds or downloads it the first time.

    Blocks, up to a few minutes. Raises :class:`ServerError`.
    """
    given = os.environ.get("MERCURE_BIN")
    if given:
        return _given(given)
    sources = deploy_folder() / "mercure"
    target = cached_path(sources)
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.is_file():
                _obtain(sources, target, report)
    return target


def cached_path(sources: Path) -> Path:
    """Where the program built from ``sources`` is kept."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update((sources / name).read_bytes())
    machine = f"{sys.platform}-{platform.machine()}".lower()
    return platformdirs.user_cache_path("pastelka") / f"mercure-{machine}-{digest.hexdigest()[:16]}"


def _given(path: str) -> Path:
    if not os.access(path, os.X_OK) or not Path(path).is_file():
        raise ServerError(f"MERCURE_BIN is {path!r}, which is not a program; give the path of a Mercure hub")
    return Path(path).absolute()


def _obtain(sources: Path, target: Path, report: Report) -> None:
    go = shutil.which("go")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".mercure-") as folder:
        made = Path(folder) / "mercure"
        if go is None:
            _download(sources, made, report)
        else:
            report("building the Mercure hub with Go (two to four minutes, once on this machine)")
            _build(go, sources, made, report)
        made.chmod(0o755)
        made.replace(target)


def _build(go: str, sources: Path, made: Path, report: Report) -> None:
    # The tags leave out databases that only other parts of Caddy can use (as the official releases do).
    flags = [
        "-v",
        "-tags=nobadger,nomysql,nopgx",
        "-trimpath",
        "-buildvcs=false",
        "-mod=readonly",
        "-ldflags=-s -w",
    ]
    process = subprocess.Popen(  # noqa: S603 - the developer's own Go
        [go, "build", *flags, "-o", str(made), "."],
        cwd=sources,
        env={**os.environ, "CGO_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        output = list(_told(process.stderr or (), report))
    if process.returncode != 0:
        raise ServerError(
            f"Go could not build the Mercure hub: {''.join(output).strip()[-_ERROR_CHARACTERS:]}\n"
            "Set MERCURE_BIN to the path of a hub that you have."
        )


def _told(lines: Iterable[str], report: Report) -> Iterator[str]:
    """The build's lines (one for each package, or an error), with word of it every few seconds."""
    told = time.monotonic()
    for number, line in enumerate(lines, 1):
        if time.monotonic() - told >= _TELL_SECONDS:
            told = time.monotonic()
            report(f"building the Mercure hub: {number} packages so far, now {line.strip()}")
        yield line


def _download(sources: Path, made: Path, report: Report) -> None:
    version, archive = _version(sources), _archive_name()
    report(f"downloading the Mercure hub {version} ({archive}; there is no Go here to build it)")
    try:
        with tempfile.TemporaryFile() as file:
            digest = _fetch(f"{_RELEASES}/v{version}/{archive}", file, report)
            _check(digest, archive, _text(f"{_RELEASES}/v{version}/checksums.txt"))
            file.seek(0)
            _extract(file, made)
    except OSError as error:
        raise ServerError(
            f"The Mercure hub could not be downloaded ({error}). Install Go 1.26 or newer, which builds it,"
            " or set MERCURE_BIN to the path of a hub that you have."
        ) from error


def _version(sources: Path) -> str:
    for line in (sources / "go.mod").read_text().splitlines():
        if "dunglas/mercure/caddy v" in line:
            return line.split()[1].removeprefix("v")
    raise ServerError(f"{sources / 'go.mod'} does not name github.com/dunglas/mercure/caddy")


def _archive_name() -> str:
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    return f"mercure_{platform.system().title()}_{machine}.tar.gz"


def _fetch(url: str, file: IO[bytes], report: Report) -> str:
    """Write what ``url`` answers to ``file``; its SHA-256 in hexadecimal digits."""
    digest, received, told = hashlib.sha256(), 0, 0
    with urllib.request.urlopen(url, timeout=_DOWNLOAD_TIMEOUT_SECONDS) as response:  # noqa: S310 - https, constant
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(1 << 18):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            if received - told >= 4 << 20:
                told = received
                report(f"downloading the Mercure hub: {received >> 20} of {total >> 20} MB")
    return digest.hexdigest()


def _text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_DOWNLOAD_TIMEOUT_SECONDS) as response:  # noqa: S310 - https, constant
        return str(response.read().decode())


def _check(digest: str, archive: str, checksums: str) -> None:
    lines = (line.split() for line in checksums.splitlines())
    expected = next((words[0] for words in lines if words[1:] == [archive]), None)
    if digest != expected:
        raise ServerError(f"{archive} has the SHA-256 {digest}; its release says {expected}")


def _extract(file: IO[bytes], made: Path) -> None:
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        member = archive.extractfile("mercure")
        if member is None:
            raise ServerError("the release of the Mercure hub carries no program `mercure`")
        with made.open("wb") as target:
            shutil.copyfileobj(member, target)
