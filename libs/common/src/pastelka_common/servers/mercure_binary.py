"""Provides the hub's program: from the environment, built with Go, or the official release."""

import hashlib
import platform
import shutil
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import IO

from pastelka_common.servers.base import Report, ServerError, deploy_folder
from pastelka_common.servers.go_program import GoProgram, program_from_env

_RELEASES = "https://github.com/dunglas/mercure/releases/download"
_DOWNLOAD_TIMEOUT_SECONDS = 30


def mercure_binary(report: Report) -> Path:
    """Path of the hub's program; ``MERCURE_BIN`` overrides it. Built or downloaded the first time.

    Blocks, up to a few minutes. Raises :class:`ServerError`.
    """
    return program_from_env("MERCURE_BIN", "a Mercure hub") or _program().get(report, _download)


def _program() -> GoProgram:
    return GoProgram(
        name="mercure",
        title="the Mercure hub",
        sources=_sources(),
        files=("go.mod", "go.sum", "main.go"),
        # The tags exclude databases that only other parts of Caddy use (as the official releases do).
        flags=("-mod=readonly", "-tags=nobadger,nomysql,nopgx"),
        duration="two to four minutes",
        otherwise="Set MERCURE_BIN to the path of an existing hub.",
    )


def _sources() -> Path:
    return deploy_folder() / "mercure"


def _download(made: Path, report: Report) -> None:
    version, archive = _version(_sources()), _archive_name()
    report(f"downloading the Mercure hub {version} ({archive}; Go, which could build it, was not found)")
    try:
        with tempfile.TemporaryFile() as file:
            digest = _fetch(f"{_RELEASES}/v{version}/{archive}", file, report)
            _check(digest, archive, _text(f"{_RELEASES}/v{version}/checksums.txt"))
            file.seek(0)
            _extract(file, made)
    except OSError as error:
        raise ServerError(
            f"The Mercure hub could not be downloaded ({error}). Install Go 1.26 or newer, which builds it,"
            " or set MERCURE_BIN to the path of an existing hub."
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
    """Download ``url`` into ``file``; returns its SHA-256 in hexadecimal digits."""
    digest, received, reported = hashlib.sha256(), 0, 0
    with urllib.request.urlopen(url, timeout=_DOWNLOAD_TIMEOUT_SECONDS) as response:  # noqa: S310 - https, constant
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(1 << 18):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            if received - reported >= 4 << 20:
                reported = received
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
            raise ServerError("the release of the Mercure hub contains no program `mercure`")
        with made.open("wb") as target:
            shutil.copyfileobj(member, target)
