"""Starts Python programs quickly: as forks of a process that has already imported their modules.

Importing its libraries takes a service about a second of CPU time; a fork takes a few milliseconds. The
program runs as with ``python -m``, in a separate process with its own arguments, environment and standard
streams. Only its memory is partly shared with the process that forks, so a test that measures memory starts
the program itself.

``python -m pastelka_common.testing.forkserver LISTENER FOLDER MODULE ...`` is the process that forks; it ends
when its standard input is closed, its forks and ``FOLDER`` with it. It refuses modules that start a thread
when they are imported (a fork would lack it), and programs whose environment differs in what Python and its
libraries read when they start.
"""

import asyncio
import atexit
import gc
import importlib
import importlib.util
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple, TypedDict

_READ_BYTES = 1 << 16
_READ_AT_START = ("PYTHON", "LD_", "MALLOC_", "OMP_", "OPENBLAS_", "OTEL_PYTHON_")
"""Prefixes of variables that have no effect on a fork: they were read before."""
_END_SECONDS = 10
_THREADS = Path("/proc/self/task")


class ForkServerError(Exception):
    """A program could not be started as a fork, or its fork server ended before it; the message says why."""


class Completed(NamedTuple):
    """Exit code and output of a program that has ended."""

    code: int
    out: str
    err: str


class ForkedProcess:
    """A running program, with the part of :class:`asyncio.subprocess.Process` that tests use."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._writer = writer
        self._end = asyncio.create_task(self._until_end(reader))

    async def wait(self) -> int:
        """Wait until it ends; returns its exit code, or the negative number of the signal that ended it."""
        return await asyncio.shield(self._end)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; no effect if it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def _until_end(self, reader: asyncio.StreamReader) -> int:
        line = await reader.readline()
        self._writer.close()
        if not line:
            raise ForkServerError(f"the fork server ended before process {self.pid}")
        self.returncode = int(line)
        return self.returncode


class ForkServer:
    """A process that has imported ``modules`` and forks on request."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pastelka-fork-"))
        self._environ = dict(os.environ)
        with socket.socket(socket.AF_UNIX) as listener, self._log.open("wb") as log:
            listener.bind(self._address)
            listener.listen()
            self._process = subprocess.Popen(  # noqa: S603 - this module
                [sys.executable, "-m", __name__, str(listener.fileno()), str(self._folder), *modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    async def start(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str],
        out: int,
        err: int,
        stdin: int | None = None,
    ) -> ForkedProcess:
        """Run ``python -m module arguments`` in the caller's working folder.

        ``stdin``, ``out`` and ``err`` are the file descriptors of its standard streams; without ``stdin`` its
        input is empty. Raises :class:`ForkServerError` if the server has ended or refuses ``env``.
        """
        if ineffective := [name for name, value in env.items() if self._is_ineffective(name, value)]:
            raise ForkServerError(f"start {module} without the fork server: it has read {ineffective} before")
        request: _ForkRequest = {
            "module": module,
            "arguments": list(arguments),
            "env": dict(env),
            "folder": str(Path.cwd()),
        }
        with open(os.devnull, "rb") as empty:  # noqa: ASYNC230, PTH123 - does not block
            streams = [empty.fileno() if stdin is None else stdin, out, err]
            connection, pid = await asyncio.to_thread(self._request, request, streams)
        return ForkedProcess(pid, *await asyncio.open_unix_connection(sock=connection))

    def close(self) -> None:
        """End the server and the programs that it started."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _address(self) -> str:
        return str(self._folder / "socket")

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _is_ineffective(self, name: str, value: str) -> bool:
        return name.startswith(_READ_AT_START) and value != self._environ.get(name)

    def _request(self, request: "_ForkRequest", streams: list[int]) -> tuple[socket.socket, int]:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self._address)
            socket.send_fds(connection, [b"\n"], streams)
            connection.sendall(json.dumps(request).encode() + b"\n")
            # The exit code of a short program may follow at once.
            return connection, int(_line(connection, 1))
        except (OSError, EOFError) as error:
            connection.close()
            code, log = self._process.wait(_END_SECONDS), self._log.read_text(errors="replace")
            raise ForkServerError(
                f"the fork server for {request['module']} ended with {code}:\n{log}"
            ) from error


@cache
def fork_server(*modules: str) -> ForkServer:
    """This process's fork server for ``modules``; ends with this process."""
    server = ForkServer(modules)
    atexit.register(server.close)
    return server


async def run_forked(
    module: str, *arguments: str, env: Mapping[str, str], typed: str = "", deadline: float = 120
) -> Completed:
    """Run ``python -m module arguments`` as a fork and wait until it ends; ``typed`` is its standard input.

    Raises ``TimeoutError`` after ``deadline`` seconds, when the program has been killed.
    """
    imported = f"{module}.__main__" if _is_package(module) else module
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(typed.encode())
        given.seek(0)
        process = await fork_server(imported).start(
            module, *arguments, env=env, out=out.fileno(), err=err.fileno(), stdin=given.fileno()
        )
        try:
            code = await asyncio.wait_for(process.wait(), deadline)
        finally:
            process.kill()
            await process.wait()
        return Completed(code, _content(out), _content(err))


def _is_package(module: str) -> bool:
    found = importlib.util.find_spec(module)
    return found is not None and found.submodule_search_locations is not None


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class _ForkRequest(TypedDict):
    module: str
    arguments: list[str]
    env: dict[str, str]
    folder: str


def _line(connection: socket.socket, piece: int = _READ_BYTES) -> str:
    """Receive one line, ``piece`` bytes at a time: 1 where more may follow it. Raises ``EOFError``."""
    received = b""
    while not received.endswith(b"\n"):
        received += (part := connection.recv(piece))
        if not part:
            raise EOFError
    return received.decode()


class _Server:
    """Forks for every connection, and writes the fork's exit code to it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._running: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake)
        for source in (listener, sys.stdin, self._woken):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self) -> _ForkRequest | None:
        """Serve until standard input ends (``None``), then kill the forks.

        In a fork, return the request that it must run.
        """
        while True:
            ready = {key.fileobj for key, _ in self._selector.select()}
            if sys.stdin in ready:
                for pid in self._running:
                    os.kill(pid, signal.SIGKILL)
                return None
            if self._woken in ready:
                os.read(self._woken, _READ_BYTES)
                self._reap()
            if self._listener in ready and (request := self._fork()) is not None:
                return request

    def _fork(self) -> _ForkRequest | None:
        connection, _ = self._listener.accept()
        _, streams, _, _ = socket.recv_fds(connection, 1, 3)
        request: _ForkRequest = json.loads(_line(connection))
        pid = os.fork()
        if pid == 0:
            self._leave(connection, streams)
            return request
        for stream in streams:
            os.close(stream)
        connection.sendall(b"%d\n" % pid)
        self._running[pid] = connection
        return None

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._running.pop(pid) as connection, suppress(OSError):
                connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))

    def _leave(self, connection: socket.socket, streams: list[int]) -> None:
        """Close every file of the server, and install the program's standard streams."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)
        for other in (self._listener, connection, *self._running.values()):
            other.close()
        for target, source in enumerate(streams):
            os.dup2(source, target)
            os.close(source)


def _run(request: _ForkRequest) -> None:
    module = request["module"]
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["folder"])
    sys.path[0] = request["folder"]
    sys.argv = [module, *request["arguments"]]
    # It runs as ``__main__``, although it has been imported.
    for name in (module, f"{module}.__main__"):
        if not hasattr(sys.modules.get(name), "__path__"):
            sys.modules.pop(name, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _require_one_thread(modules: Sequence[str]) -> None:
    threads = sum(1 for _ in _THREADS.iterdir()) if _THREADS.exists() else threading.active_count()
    if threads > 1:
        raise ForkServerError(
            f"importing {', '.join(modules)} started {threads - 1} threads; a fork lacks them"
        )


def _main(listener: str, folder: str, *modules: str) -> None:
    for module in modules:
        importlib.import_module(module)
    _require_one_thread(modules)
    gc.freeze()
    request: Any = _Server(socket.socket(fileno=int(listener))).serve()
    if request is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _run(request)


if __name__ == "__main__":
    _main(*sys.argv[1:])
