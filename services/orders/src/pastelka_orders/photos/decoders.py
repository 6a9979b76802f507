"""Pool of decoder processes: started on demand, one photo at a time, replaced when they die."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from pastelka_orders.photos.errors import Refusal, damaged, too_complex
from pastelka_orders.photos.formats import NormalisedPhoto
from pastelka_orders.photos.photo_limits import DecoderBounds, PhotoLimits

_MAX_TRIES = 3
_EXIT_TIMEOUT = 5.0
# What a decoder needs to start; it gets no other variables, in particular no secrets.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "LANG")

# NumPy threads and malloc arenas would reserve address space per core.
_ADDRESS_SPACE = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}

log = structlog.get_logger(__name__)


class DecoderFailedError(RuntimeError):
    """A decoder process failed for a reason other than the photo."""


class Decoders:
    """A pool with as many decoder processes as concurrent requests.

    They end with the pool, or after ``idle`` seconds without a request.
    """

    def __init__(self, limits: PhotoLimits, bounds: DecoderBounds, *, idle: float = 120.0) -> None:
        self._lock, name = tempfile.mkstemp(prefix="pastelka-decoders-")
        Path(name).unlink()
        setup = {"limits": asdict(limits), "bounds": asdict(bounds), "lock": self._lock, "idle": idle}
        self._setup = json.dumps(setup)
        self._idle: list[_Process] = []
        self._end = weakref.finalize(self, _end_all, self._idle, self._lock)

    def close(self) -> None:
        """End the processes."""
        self._end()

    def decode(self, source: Path, folder: Path) -> NormalisedPhoto:
        """Decode the photo in ``source``; ``folder`` is for temporary files. Blocking.

        Raises :class:`Refusal`, :class:`DecoderFailedError`, and ``OSError`` (no room for the result).
        """
        target = folder / "decoded"
        response = self._request({"source": str(source), "target": str(target)})
        if "code" in response:
            raise Refusal(response["code"], response["reason"])
        if response.get("errno"):
            raise OSError(response["errno"], response["fault"])
        if "fault" in response:
            raise DecoderFailedError(response["fault"])
        thumbnail = target.with_suffix(".thumbnail").read_bytes() if response["has_thumbnail"] else None
        return NormalisedPhoto(
            target.read_bytes(), response["suffix"], response["width"], response["height"], thumbnail
        )

    def _request(self, request: Mapping[str, str]) -> dict[str, Any]:
        code = 0
        for _ in range(_MAX_TRIES):
            process = self._process()
            response = process.send(request)
            if response is not None:
                self._idle.append(process)
                return response
            code = process.end()
            if code == -signal.SIGPROF:
                raise too_complex()
            if code:  # 0: its idle timeout expired at this moment
                log.warning("decoder process died", code=code)
        raise _failure(code)

    def _process(self) -> "_Process":
        with suppress(IndexError):  # other threads take from the list, too
            while self._idle:
                process = self._idle.pop()
                if process.is_running:
                    return process
                process.end()
        return _Process(self._setup, self._lock)


def _failure(code: int) -> Exception:
    """The error if every process died while decoding the same file."""
    if code == -signal.SIGKILL:
        return too_complex()
    if code < 0:
        return damaged()
    return DecoderFailedError(f"the decoder process ended with {code}")


def _end_all(processes: list["_Process"], lock: int) -> None:
    while processes:
        processes.pop().end()
    os.close(lock)


class _Process:
    """One decoder process and the pipes to it."""

    def __init__(self, setup: str, lock: int) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "pastelka_orders.photos.decoder", setup],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**environment, **_ADDRESS_SPACE},
            pass_fds=(lock,),
            start_new_session=True,  # it ends when its pipe does, not on Ctrl+C
        )

    @property
    def is_running(self) -> bool:
        """Whether the process has not exited."""
        return self._process.poll() is None

    def send(self, request: Mapping[str, str]) -> dict[str, Any] | None:
        """Send a request; returns the response, or ``None`` if the process has exited."""
        requests, responses = self._process.stdin, self._process.stdout
        assert requests is not None  # noqa: S101 - both are pipes
        assert responses is not None  # noqa: S101
        try:
            requests.write(json.dumps(request) + "\n")
            requests.flush()
            line = responses.readline()
        except OSError:
            return None
        return json.loads(line) if line.endswith("\n") else None

    def end(self) -> int:
        """Close its input and wait; returns the exit code."""
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            return self._process.wait(_EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
