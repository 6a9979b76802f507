"""Decodes each file of the corpus with the service's decoder process and with another decoder."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from pastelka_common.testing.processes import children_running, peak_memory, reset_peak_memory
from pastelka_orders.photos.decoders import Decoders
from pastelka_orders.photos.errors import Refusal
from pastelka_orders.photos.normalise import prepare_decoders
from pastelka_orders.photos.photo_limits import DecoderBounds, PhotoLimits
from tests.photos import second
from tests.photos.corpus import Case
from tests.photos.reasons import reason_for

_DECODER = "pastelka_orders.photos.decoder"
LIMITS = PhotoLimits()
BOUNDS = DecoderBounds.of(LIMITS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``verdict`` and ``other`` are *accepted* or an error code; ``difference`` is the mean over all levels.

    ``seconds`` and ``memory`` (bytes, peak of the decoder process) are the cost of the service's decoder.
    """

    case: Case
    verdict: str
    other: str
    difference: float | None
    seconds: float
    memory: int

    @property
    def agrees(self) -> bool:
        if self.difference is not None:
            return self.difference <= self.case.tolerance
        return (self.verdict == "accepted") == (self.other == "accepted")

    @property
    def reason(self) -> str | None:
        """Known reason of a disagreement; ``None`` if they agree or the reason is unknown."""
        return None if self.agrees else reason_for(self.case)

    @property
    def is_finding(self) -> bool:
        """Whether the two disagree for no known reason."""
        return not self.agrees and self.reason is None

    def __str__(self) -> str:
        difference = "" if self.difference is None else f", levels differ by {self.difference:.1f}"
        return f"{self.case.name}: ours {self.verdict}, other {self.other}{difference}"


@contextmanager
def decoding() -> Iterator["Decoding"]:
    """Run the service's decoders until the block ends."""
    prepare_decoders(threads=1)
    decoders = Decoders(LIMITS, BOUNDS)
    with TemporaryDirectory(prefix="pastelka-decoding-") as folder:
        try:
            yield Decoding(decoders, Path(folder))
        finally:
            decoders.close()


@dataclass(frozen=True, slots=True)
class Decoding:
    """Decodes cases one after the other."""

    decoders: Decoders
    folder: Path

    def outcome(self, case: Case) -> Outcome:
        """Compare the two decoders on one case."""
        content = case.make()
        return self.compare(case, content, content)

    def compare(self, case: Case, content: bytes, for_other: bytes) -> Outcome:
        """Decode ``content`` with the service's decoder, ``for_other`` with the other one."""
        verdict, ours, seconds, memory = self.ours(content)
        try:
            other, theirs = "accepted", second.pixels(for_other, case.kind, case.turn)
        except second.UnreadableError as error:
            other, theirs = f"refused ({str(error).strip().splitlines()[-1][:60]})", None
        difference = None if ours is None or theirs is None else _difference(ours, theirs)
        return Outcome(case, verdict, other, difference, seconds, memory)

    def ours(self, content: bytes) -> tuple[str, second.Pixels | None, float, int]:
        """Verdict, pixels, seconds and bytes."""
        source = self.folder / "sent"
        source.write_bytes(content)
        _forget_peaks()
        started = time.monotonic()
        try:
            photo = self.decoders.decode(source, self.folder)
        except Refusal as refusal:
            return refusal.code, None, time.monotonic() - started, _peak()
        seconds, memory = time.monotonic() - started, _peak()
        with Image.open(BytesIO(photo.content)) as image:
            return "accepted", np.asarray(image.convert("RGB"), dtype=np.int16), seconds, memory


def _difference(ours: second.Pixels, theirs: second.Pixels) -> float:
    if theirs.ndim == 2:
        theirs = theirs[..., None]
    if ours.shape[:2] != theirs.shape[:2]:
        return 255.0
    return float(np.abs(ours - theirs).mean())


def _forget_peaks() -> None:
    for pid in children_running(_DECODER):
        with suppress(OSError):  # it has ended
            reset_peak_memory(pid)


def _peak() -> int:
    """The most memory that a decoder took; 0 if none lives on."""
    peaks = [0]
    for pid in children_running(_DECODER):
        with suppress(OSError):
            peaks.append(peak_memory(pid))
    return max(peaks)
