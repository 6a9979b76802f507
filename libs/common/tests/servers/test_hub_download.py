"""Where there is no Go, the hub is the official release, and only if it is what its release says."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from pastelka_common.servers import mercure_binary
from pastelka_common.servers.base import ServerError

_PROGRAM = b"#!/bin/sh\necho a hub\n"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of a release that is served; there is no Go, and the cache is empty."""
    folder = tmp_path / "releases" / "v0.24.2"
    folder.mkdir(parents=True)
    server = HTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(mercure_binary, "_RELEASES", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MERCURE_BIN", raising=False)
    try:
        yield folder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _publish(folder: Path, *, honest: bool) -> None:
    archive = folder / mercure_binary._archive_name()
    with tarfile.open(archive, "w:gz") as file:
        member = tarfile.TarInfo("mercure")
        member.size = len(_PROGRAM)
        file.addfile(member, io.BytesIO(_PROGRAM))
    digest = hashlib.sha256(archive.read_bytes() if honest else b"another").hexdigest()
    (folder / "checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {archive.name}\n")


def test_the_release_is_downloaded_once_and_can_be_run(release: Path):
    _publish(release, honest=True)
    said: list[str] = []
    program = mercure_binary.mercure_binary(said.append)
    assert program.read_bytes() == _PROGRAM
    assert program.stat().st_mode & 0o111
    assert "downloading the Mercure hub 0.24.2" in said[0]
    (release / "checksums.txt").unlink()
    assert mercure_binary.mercure_binary(said.append) == program


def test_an_archive_with_a_wrong_digest_is_rejected(release: Path, tmp_path: Path):
    _publish(release, honest=False)
    with pytest.raises(ServerError, match="SHA-256"):
        mercure_binary.mercure_binary(lambda _line: None)
    assert not list((tmp_path / "cache").rglob("mercure-*[0-9a-f]"))


def test_without_network_the_error_names_the_remedy(release: Path):
    release.rmdir()
    with pytest.raises(ServerError, match=r"(?s)could not be downloaded.*MERCURE_BIN"):
        mercure_binary.mercure_binary(lambda _line: None)
