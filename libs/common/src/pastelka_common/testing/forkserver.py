"""Python programs that start at once: forked from a process that has imported what they need.

A service takes one to two seconds of the processor to import its libraries, a fork of a process that has
imported them a few milliseconds. A program is run as by ``python -m``, in a process of its own, with its
own arguments, environment and output; only its memory is not what it takes by itself.

``python -m pastelka_common.testing.forkserver MODULE ...`` is the process that forks. It ends when its
standard input does.
"""

import asyncio
import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

_MOST = 1 << 16


class ForkedProcess:
    """A program that runs, with the part of :class:`asyncio.subprocess.Process` that tests use."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._writer = writer
        self._end = asyncio.create_task(self._until_end(reader))

    async def wait(self) -> int:
        """Its exit code, once it has ended; the negative number of the signal that ended it."""
        return await asyncio.shield(self._end)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def _until_end(self, reader: asyncio.StreamReader) -> int:
        said = await reader.readline()
        self._writer.close()
        if not said:
            raise RuntimeError(f"the fork server ended before process {self.pid}")
        self.returncode = int(said)
        return self.returncode


class ForkServer:
    """The process that has imported ``modules``, and forks."""

    def __init__(self, modules: Sequence[str]) -> None:
        folder = tempfile.mkdtemp(prefix="pastelka-fork-")
        self._path = Path(folder) / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._path))
            listener.listen()
            self._process = subprocess.Popen(  # noqa: S603 - this module
                [sys.executable, "-m", __name__, str(listener.fileno()), *modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )

    async def start(
        self, module: str, *arguments: str, env: Mapping[str, str], out: int, err: int
    ) -> ForkedProcess:
        """Run ``python -m module arguments`` with ``out`` and ``err`` (file descriptors) as its output.

        It reads nothing, and is in the working folder of the caller.
        """
        request: _Request = {
            "module": module,
            "arguments": list(arguments),
            "env": dict(env),
            "folder": str(Path.cwd()),
        }
        connection, pid = await asyncio.to_thread(self._ask, request, out, err)
        return ForkedProcess(pid, *await asyncio.open_unix_connection(sock=connection))

    def close(self) -> None:
        """End the server; what it started runs on."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()
        self._process.wait()
        self._path.unlink()
        self._path.parent.rmdir()

    def _ask(self, request: "_Request", out: int, err: int) -> tuple[socket.socket, int]:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self._path))
        socket.send_fds(connection, [b"\n"], [out, err])
        connection.sendall(json.dumps(request).encode() + b"\n")
        return connection, int(_line(connection))


@cache
def fork_server(*modules: str) -> ForkServer:
    """The server of this process that has imported ``modules``; it ends with this process."""
    server = ForkServer(modules)
    atexit.register(server.close)
    return server


class _Request(TypedDict):
    module: str
    arguments: list[str]
    env: dict[str, str]
    folder: str


def _line(connection: socket.socket) -> str:
    """One line; nothing follows it until the other side has had an answer."""
    received = b""
    while not received.endswith(b"\n"):
        received += (part := connection.recv(_MOST))
        if not part:
            raise RuntimeError("the fork server ended")
    return received.decode()


class _Server:
    """Forks for every connection, and writes into it how the fork ended."""

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

    def serve(self) -> _Request | None:
        """``None`` once standard input ends; in a fork, what it is to run."""
        while True:
            ready = {key.fileobj for key, _ in self._selector.select()}
            if sys.stdin in ready:
                return None
            if self._woken in ready:
                os.read(self._woken, _MOST)
                self._reap()
            if self._listener in ready and (request := self._fork()) is not None:
                return request

    def _fork(self) -> _Request | None:
        connection, _ = self._listener.accept()
        _, outputs, _, _ = socket.recv_fds(connection, 1, 2)
        request: _Request = json.loads(_line(connection))
        pid = os.fork()
        if pid == 0:
            self._leave(connection, outputs)
            return request
        for output in outputs:
            os.close(output)
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

    def _leave(self, connection: socket.socket, outputs: list[int]) -> None:
        """Be a process of one's own: nothing of the server's stays open."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)
        for other in (self._listener, connection, *self._running.values()):
            other.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in enumerate((nothing, *outputs)):
            os.dup2(source, target)
            os.close(source)


def _run(request: _Request) -> None:
    module = request["module"]
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["folder"])
    sys.path[0] = request["folder"]
    sys.argv = [module, *request["arguments"]]
    # It runs as ``__main__``, also where it was imported before.
    for name in (module, f"{module}.__main__"):
        if not hasattr(sys.modules.get(name), "__path__"):
            sys.modules.pop(name, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _main(listener: str, *modules: str) -> None:
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    request: Any = _Server(socket.socket(fileno=int(listener))).serve()
    if request is not None:
        _run(request)


if __name__ == "__main__":
    _main(*sys.argv[1:])
