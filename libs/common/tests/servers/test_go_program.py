"""Programs that Go builds once and that lie in the cache from then on."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pastelka_common.servers import ServerError, go_program
from pastelka_common.servers.go_program import GoProgram, program_from_env

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go to build with")
HELLO = 'package main\n\nfunc main() { println("hello") }\n'

pytestmark = pytest.mark.slow


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of one file, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module hello\n\ngo 1.21\n")
    (folder / "main.go").write_text(HELLO)
    return folder


def program(sources: Path) -> GoProgram:
    return GoProgram(
        name="hello",
        title="the greeter",
        sources=sources,
        files=("go.mod", "main.go"),
        duration="a second",
        otherwise="Set HELLO_BIN.",
    )


@needs_go
def test_a_go_program_is_built_once(sources: Path):
    said: list[str] = []
    made = program(sources).get(said.append)
    assert subprocess.run([made], capture_output=True, check=True).stderr == b"hello\n"
    assert said[0] == "building the greeter with Go (a second, once on this machine)"
    said.clear()
    assert program(sources).get(said.append) == made
    assert said == []
    assert [file.name for file in made.parent.iterdir() if not file.name.endswith(".lock")] == [made.name]


@needs_go
def test_a_failed_build_reports_the_output_of_go(sources: Path):
    (sources / "main.go").write_text("package main\n\nfunc main() { return 7 }\n")
    with pytest.raises(ServerError, match=r"(?s)too many return values.*HELLO_BIN"):
        program(sources).get(lambda _line: None)
    assert not program(sources).path.exists()


def test_changed_sources_have_another_program_path(sources: Path):
    first = program(sources).path
    (sources / "main.go").write_text(HELLO.replace("hello", "good day"))
    assert program(sources).path != first


def test_without_go_the_error_names_the_remedy(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    assert not program(sources).is_obtainable
    with pytest.raises(ServerError, match=r"Go, which builds the greeter, was not found.*go\.dev.*HELLO_BIN"):
        program(sources).get(lambda _line: None)


def test_a_long_build_reports_its_progress(sources: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(go_program, "_REPORT_INTERVAL", 0.0)
    said: list[str] = []
    assert list(program(sources)._reported(["net\n", "net/http\n"], said.append)) == ["net\n", "net/http\n"]
    assert said[-1] == "building the greeter: 2 packages so far, now net/http"


def test_a_program_path_from_the_environment_must_be_executable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert program_from_env("HELLO_BIN", "a greeter") is None
    monkeypatch.setenv("HELLO_BIN", str(tmp_path))
    with pytest.raises(ServerError, match=r"HELLO_BIN .* give the path of a greeter"):
        program_from_env("HELLO_BIN", "a greeter")
    found = shutil.which("true")
    assert found is not None
    monkeypatch.setenv("HELLO_BIN", found)
    assert program_from_env("HELLO_BIN", "a greeter") == Path(found)
