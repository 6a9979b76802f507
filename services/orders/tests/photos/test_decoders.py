"""The decoder processes: bounded, replaced when they die, ended when idle."""

import asyncio
import errno
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pastelka_common.testing.processes import children_running
from pastelka_common.testing.waiting import until
from pastelka_orders.photos.decoders import DecoderFailedError, Decoders
from pastelka_orders.photos.errors import Refusal
from pastelka_orders.photos.photo_limits import LARGE_PIXELS, DecoderBounds, PhotoLimits

LIMITS = PhotoLimits(max_bytes=10_000_000)
LONG = 60.0


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    found = Decoders(LIMITS, DecoderBounds.of(LIMITS))
    yield found
    found.close()


@pytest.fixture
def sent(tmp_path, jpeg) -> Path:
    file = tmp_path / "sent.jpg"
    file.write_bytes(jpeg)
    return file


def children() -> set[int]:
    """Decoders that this process has started."""
    return children_running("pastelka_orders.photos.decoder")


def about(pid: int, what: str) -> bytes:
    return Path(f"/proc/{pid}/{what}").read_bytes()


async def started(before: set[int]) -> int:
    """The process that was started since."""
    (pid,) = await until(lambda: children() - before, LONG)
    return pid


async def test_one_process_decodes_many_photos(decoders, sent, tmp_path, jpeg):
    before = children()
    assert decoders.decode(sent, tmp_path).content == jpeg
    pid = await started(before)
    for _ in range(3):
        assert decoders.decode(sent, tmp_path).content == jpeg
    assert children() - before == {pid}
    decoders.close()
    assert pid not in children()


async def test_idle_decoders_exit_and_are_restarted(sent, tmp_path, jpeg):
    before = children()
    decoders = Decoders(LIMITS, DecoderBounds.of(LIMITS), idle=0.2)
    decoders.decode(sent, tmp_path)
    await until(lambda: children() <= before, LONG)
    assert decoders.decode(sent, tmp_path).content == jpeg
    decoders.close()


async def test_a_process_that_was_killed_is_replaced(decoders, sent, tmp_path, jpeg):
    before = children()
    decoders.decode(sent, tmp_path)
    killed = await started(before)
    os.kill(killed, signal.SIGKILL)
    assert decoders.decode(sent, tmp_path).content == jpeg
    assert await started(before) != killed


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGSEGV, "photo_damaged"), (signal.SIGKILL, "photo_too_complex")]
)
async def test_a_photo_that_crashes_every_decoder_is_refused(decoders, tmp_path, number, code):
    """A pipe without a writer keeps each process reading until it is killed."""
    before, pipe = children(), tmp_path / "pipe"
    os.mkfifo(pipe)
    decoding = asyncio.create_task(asyncio.to_thread(decoders.decode, pipe, tmp_path))
    killed: set[int] = set()
    try:
        while not decoding.done() and len(killed) < 3:
            found = await until(lambda: children() - before - killed or decoding.done(), LONG)
            assert isinstance(found, set)
            (pid,) = found
            os.kill(pid, number)
            killed.add(pid)
    finally:
        pipe.rename(tmp_path / "gone")  # whatever failed, no further process waits for a writer
        with suppress(OSError):
            os.close(os.open(tmp_path / "gone", os.O_WRONLY | os.O_NONBLOCK))
    with pytest.raises(Refusal) as refused:
        await decoding
    assert refused.value.code == code
    assert len(killed) == 3


async def test_a_decoder_that_cannot_start_does_not_refuse_the_photo(sent, tmp_path, monkeypatch):
    monkeypatch.setattr("pastelka_orders.photos.decoders.sys.executable", "/bin/false")
    decoders = Decoders(LIMITS, DecoderBounds.of(LIMITS))
    with pytest.raises(DecoderFailedError):
        decoders.decode(sent, tmp_path)
    decoders.close()


async def test_a_full_disk_is_reported_as_such(decoders, sent, tmp_path):
    (tmp_path / "decoded").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        decoders.decode(sent, tmp_path)
    assert full.value.errno == errno.ENOSPC


async def test_decoder_memory_is_limited(tmp_path, png_by_hand):
    file = tmp_path / "large.png"
    file.write_bytes(png_by_hand((4000, 4000), color_type=2, depth=8, rows=[bytes(12_000)] * 4000))
    decoders = Decoders(LIMITS, DecoderBounds(usual=130_000_000, large=130_000_000))
    with pytest.raises(Refusal) as refused:
        decoders.decode(file, tmp_path)
    assert refused.value.code == "photo_too_complex"
    decoders.close()


async def test_decoder_cpu_time_is_limited(tmp_path, png_by_hand):
    file = tmp_path / "large.png"
    file.write_bytes(png_by_hand((4000, 4000), color_type=2, depth=8, rows=[bytes(12_000)] * 4000))
    bounds = DecoderBounds.of(LIMITS)
    decoders = Decoders(LIMITS, DecoderBounds(bounds.usual, bounds.large, seconds=0.1))
    with pytest.raises(Refusal) as refused:
        decoders.decode(file, tmp_path)
    assert refused.value.code == "photo_too_complex"
    decoders.close()


async def test_a_large_photo_is_decoded_alone(decoders, sent, tmp_path, png_by_hand, jpeg):
    """While another has the room for large ones, it waits; small ones do not."""
    large = tmp_path / "large.png"
    rows = [bytes(5010)] * 5010
    assert LARGE_PIXELS < 5010 * 5010
    large.write_bytes(png_by_hand((5010, 5010), color_type=0, depth=8, rows=rows))
    (folder := tmp_path / "other").mkdir()
    lock = decoders._lock  # another holder of the room
    fcntl.lockf(lock, fcntl.LOCK_EX)
    decoding = asyncio.create_task(asyncio.to_thread(decoders.decode, large, folder))
    await until(lambda: any(_waits_for_lock(pid) for pid in children()), LONG)
    assert decoders.decode(sent, tmp_path).content == jpeg
    assert not decoding.done()
    fcntl.lockf(lock, fcntl.LOCK_UN)
    assert (await asyncio.wait_for(decoding, LONG)).width == 5000


def _waits_for_lock(pid: int) -> bool:
    locks = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and f" {pid} " in line for line in locks)


async def test_a_decoder_has_no_secrets_in_its_environment(decoders, sent, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@db/p")
    monkeypatch.setenv("SHOPIFY_ACCESS_TOKEN", "hunter2")
    before = children()
    decoders.decode(sent, tmp_path)
    pid = await started(before)
    assert b"hunter2" not in about(pid, "environ")
    (line,) = [line for line in about(pid, "limits").splitlines() if line.startswith(b"Max address space")]
    assert int(line.split()[3]) == DecoderBounds.of(LIMITS).usual


def test_decoder_bounds_are_derived_from_the_photo_limits():
    bounds = DecoderBounds.of(PhotoLimits(max_bytes=50_000_000, max_pixels=100_000_000))
    interpreter = 256 * 1024 * 1024
    assert bounds.usual == interpreter + 3 * 50_000_000 + 16 * 25_000_000
    assert bounds.large == interpreter + 3 * 50_000_000 + 16 * 100_000_000
    assert bounds.of_all(2) == bounds.usual + bounds.large


def test_photos_of_more_than_100_megapixels_get_no_more_memory():
    assert DecoderBounds.of(PhotoLimits()) == DecoderBounds.of(PhotoLimits(max_pixels=100_000_000))
    assert PhotoLimits().max_pixels == 250_000_000
