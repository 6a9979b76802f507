"""Programs that are forked run as with ``python -m``."""

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from pastelka_common.testing import forkserver
from pastelka_common.testing.forkserver import ForkedProcess, ForkServer, ForkServerError, run_forked
from pastelka_common.testing.waiting import until

ECHO = """
import sys

if __name__ == "__main__":
    print(input() * 2)
    sys.exit(f"no {sys.argv[1]}")
"""
ASLEEP = """
import signal, sys, time

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))
    print("here", flush=True)
    time.sleep(100)
"""
THREAD = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
PROGRAM = """
import atexit, os, sys
import heavy

def main():
    print(__name__, sys.argv[1:], os.environ["COLOR"], os.getpid(), sorted(os.listdir("/proc/self/fd")))
    print(os.getcwd(), "HOME" in os.environ)
    atexit.register(print, "the end")
    sys.exit(int(sys.argv[1]))

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two programs and a module that records its imports."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "heavy.py").write_text("open('imports', 'a').write('x')")
    (tmp_path / "asleep.py").write_text(ASLEEP)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[ForkServer]:
    """A fork server that has imported the program and its module."""
    found = ForkServer(["heavy", "program"])
    yield found
    found.close()


async def _started(*arguments: str, env: Mapping[str, str]) -> tuple[int | None, str]:
    """Exit code and output of the program if Python starts it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "program", *arguments), env=env, stdin=DEVNULL, stdout=PIPE
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_a_forked_program_runs_like_a_started_one(server: ForkServer, folder: Path) -> None:
    env = {**os.environ, "COLOR": "red"}
    for code in (0, 3):
        with (folder / "out").open("w+b") as out:
            process = await server.start("program", str(code), "more", env=env, out=out.fileno(), err=2)
            assert await process.wait() == process.returncode == code
            printed = (folder / "out").read_text()
        started, printed_by_it = await _started(str(code), "more", env=env)
        assert started == code
        pid = str(process.pid)
        assert [part for part in printed.split() if part != pid] == [
            part for part in printed_by_it.split() if not part.isdigit()
        ]
    assert (folder / "imports").read_text() == "x" * 3  # in the server and in two started programs


async def _asleep(server: ForkServer, folder: Path) -> ForkedProcess:
    """A program that sleeps until a signal comes."""
    with (folder / "out").open("w+b") as out:
        process = await server.start("asleep", env=os.environ, out=out.fileno(), err=2)
    await until(lambda: (folder / "out").read_bytes() == b"here\n", 20)
    return process


async def test_signals_reach_a_forked_program(server: ForkServer, folder: Path) -> None:
    process = await _asleep(server, folder)
    assert process.returncode is None
    process.terminate()
    assert await process.wait() == 4
    process = await _asleep(server, folder)
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    process.terminate()  # nothing happens


async def test_programs_end_with_the_server(folder: Path) -> None:
    server = ForkServer([])
    process = await _asleep(server, folder)
    await asyncio.to_thread(server.close)
    with pytest.raises(ForkServerError, match="the fork server ended before process"):
        await process.wait()
    await until(lambda: not psutil.pid_exists(process.pid), 20)


async def test_a_program_runs_in_the_folder_and_environment_of_its_caller(
    server: ForkServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(folder / "inner")
    with (folder / "out").open("w+b") as out:
        process = await server.start("program", "0", env={"COLOR": "red"}, out=out.fileno(), err=2)
        assert await process.wait() == 0
    assert f"{folder / 'inner'} False\n" in (folder / "out").read_text()


async def test_a_server_keeps_nothing_of_programs_that_ended(server: ForkServer, folder: Path) -> None:
    await _run(server, folder)
    files, own = _files(server.pid), _files(os.getpid())
    for _ in range(5):
        await _run(server, folder)
    # The first program may not have been cleaned up yet when the files were counted.
    await until(lambda: _files(server.pid) <= files)
    assert _files(os.getpid()) <= own
    assert not psutil.Process(server.pid).children()


async def _run(server: ForkServer, folder: Path) -> None:
    with (folder / "out").open("wb") as out:
        env = {**os.environ, "COLOR": "red"}
        assert await (await server.start("program", "0", env=env, out=out.fileno(), err=2)).wait() == 0


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (THREAD, "started 1 threads"),
        ("raise ValueError('no red')", "no red"),
        ("import os; os._exit(7)", "ended with 7"),
    ],
    ids=["thread", "exception", "exit"],
)
async def test_a_module_that_cannot_be_imported_before_a_fork_is_an_error(
    folder: Path, content: str, error: str
) -> None:
    (folder / "bad.py").write_text(content)
    server = ForkServer(["bad"])
    with pytest.raises(ForkServerError, match=error):
        await server.start("bad", env=os.environ, out=1, err=2)
    server.close()


async def test_a_variable_that_was_read_before_the_fork_is_an_error(server: ForkServer) -> None:
    with pytest.raises(ForkServerError, match="PYTHONHASHSEED"):
        await server.start("program", env={**os.environ, "PYTHONHASHSEED": "5"}, out=1, err=2)


async def test_output_input_and_exit_code_are_returned(folder: Path) -> None:
    (folder / "echo.py").write_text(ECHO)
    found = await run_forked("echo", "photo", env=os.environ, typed="page\n")
    assert found == (1, "pagepage\n", "no photo\n")


async def test_the_exit_code_of_a_program_that_ends_at_once_is_kept(
    server: ForkServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there before the caller reads the process id."""
    read = forkserver._line

    def reads_late(connection: socket.socket, *piece: int) -> str:
        while connection.recv(100, socket.MSG_PEEK).count(b"\n") < 2:
            time.sleep(0.01)
        return read(connection, *piece)

    monkeypatch.setattr(forkserver, "_line", reads_late)
    with (folder / "out").open("wb") as out:
        env = {**os.environ, "COLOR": "red"}
        process = await server.start("program", "3", env=env, out=out.fileno(), err=2)
        assert await process.wait() == 3


async def test_a_program_that_takes_too_long_is_killed(folder: Path) -> None:
    with pytest.raises(TimeoutError):
        await run_forked("asleep", env=os.environ, deadline=0.2)
