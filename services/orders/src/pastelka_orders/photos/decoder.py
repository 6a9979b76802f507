"""``python -m pastelka_orders.photos.decoder``: decodes photos for :mod:`.decoders`, with resource limits.

Decoders are large C libraries that read untrusted files. In this process they may exhaust memory, hang or
crash, and only the photo fails. It has no secrets and accesses nothing but its files.

One JSON document a line on standard input (``source`` and ``target`` are paths, ``edit`` the parameters of a
``PhotoEdit`` or null), one on standard output: ``{"suffix", "width", "height", "has_thumbnail"}``, ``{"code",
"reason"}`` for an invalid photo, or ``{"fault"}``, with ``errno`` for a system error. The process exits when
its input ends, or when idle for too long.
"""

import fcntl
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from pastelka_orders.domain.photo_edit import PhotoEdit
from pastelka_orders.photos.errors import Refusal, too_complex
from pastelka_orders.photos.normalise import normalise, prepare_decoders
from pastelka_orders.photos.photo_limits import LARGE_PIXELS, DecoderBounds, PhotoLimits


@dataclass(frozen=True)
class Decoder:
    """Decodes photos one by one; ``lock`` is the descriptor of a file shared by all decoders of a service."""

    limits: PhotoLimits
    bounds: DecoderBounds
    lock: int

    def decode(self, source: Path, target: Path, edit: PhotoEdit | None) -> dict[str, Any]:
        """Decode ``source`` into ``target`` and ``<target>.thumbnail``."""
        try:
            photo = normalise(source.read_bytes(), limits=self.limits, room_for=self._room_for, edit=edit)
        except MemoryError:
            refusal = too_complex()
            return {"code": refusal.code, "reason": refusal.reason}
        except Refusal as refusal:
            return {"code": refusal.code, "reason": refusal.reason}
        target.write_bytes(photo.content)
        if photo.thumbnail is not None:
            target.with_suffix(".thumbnail").write_bytes(photo.thumbnail)
        return {
            "suffix": photo.suffix,
            "width": photo.width,
            "height": photo.height,
            "has_thumbnail": photo.thumbnail is not None,
        }

    def _room_for(self, pixels: int) -> AbstractContextManager[object]:
        return self._exclusive() if pixels > LARGE_PIXELS else nullcontext()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        fcntl.lockf(self.lock, fcntl.LOCK_EX)  # released if the process dies
        limit_memory(self.bounds.large)
        try:
            yield
        finally:
            limit_memory(self.bounds.usual)
            fcntl.lockf(self.lock, fcntl.LOCK_UN)


def limit_memory(size: int) -> None:
    """Limit the address space of this process to ``size`` bytes, where the system supports it."""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        return


@contextmanager
def limited_time(seconds: float) -> Iterator[None]:
    """End the process (SIGPROF) if the block uses more than ``seconds`` of CPU time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _responses() -> TextIO:
    """A private copy of standard output, which libraries that print cannot corrupt."""
    kept = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return os.fdopen(kept, "w", encoding="utf-8")


def _requests(idle: float) -> Iterator[dict[str, Any]]:
    """Yield requests until the input ends or none arrives for ``idle`` seconds."""
    while select.select([sys.stdin], [], [], idle)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        yield json.loads(line)


def main() -> None:
    """Process requests until there are no more."""
    given = json.loads(sys.argv[1])
    decoder = Decoder(PhotoLimits(**given["limits"]), DecoderBounds(**given["bounds"]), given["lock"])
    responses = _responses()
    prepare_decoders(threads=1)
    limit_memory(decoder.bounds.usual)
    for request in _requests(given["idle"]):
        try:
            with limited_time(decoder.bounds.seconds):
                edit = PhotoEdit.of(request["edit"]) if request["edit"] is not None else None
                response = decoder.decode(Path(request["source"]), Path(request["target"]), edit)
        except OSError as error:  # such as a full disk
            response = {"fault": str(error.strerror), "errno": error.errno}
        except Exception as error:  # noqa: BLE001 - the parent process raises it
            response = {"fault": f"{type(error).__name__}: {error}"}
        responses.write(json.dumps(response) + "\n")
        responses.flush()


if __name__ == "__main__":
    main()
