"""How the provider runs: threads, cancellation, the fallback, the cache."""

import asyncio
import io
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.local import LocalColoringProvider
from pastelka_common.errors import TransientError
from pastelka_common.testing.sources import lying

DEADLINE = 20


class GatedDetector:
    """Finds nothing, once it is let to; counts who is in it."""

    name = "gated"

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.calls = self.inside = self.most = 0
        self._lock = threading.Lock()

    def edges(self, photo):
        with self._lock:
            self.calls += 1
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.entered.release()
        assert self.gate.wait(DEADLINE)
        with self._lock:
            self.inside -= 1
        return np.zeros(photo.shape[:2], np.float32)


@pytest.fixture
async def gated(tmp_path):
    """A provider with two workers that wait in their detector."""
    provider = LocalColoringProvider(workers=2, cache_dir=tmp_path)
    detector = provider._detector = GatedDetector()
    yield provider, detector
    detector.gate.set()
    await provider.aclose()


async def entered(detector):
    assert await asyncio.to_thread(detector.entered.acquire, timeout=DEADLINE)


async def test_fallback_is_used_and_said_where_the_model_is_missing(without_model, photos, progress):
    with capture_logs() as logs:
        page = await without_model.color(ColoringRequest(lying(photos["coffee"]), 0.5, 4), progress)

    shades = np.asarray(Image.open(io.BytesIO(page)))
    assert 0.85 < shades.mean() / 255 < 0.99
    assert [log["missing"] for log in logs if log["log_level"] == "warning"] == [
        ["a_package_that_is_not_installed"]
    ]
    assert logs[-1]["detector"] == "classical"


async def test_event_loop_runs_on_while_coloring(gated, photos, progress):
    """The detector holds its thread until the loop lets it go on."""
    provider, detector = gated
    coloring = asyncio.create_task(provider.color(ColoringRequest(lying(photos["cat"]), 0.5, 1), progress))
    await entered(detector)
    assert not coloring.done()

    detector.gate.set()

    assert (await coloring).startswith(b"\x89PNG")


async def test_no_more_photos_at_once_than_workers(gated, photos, progress):
    provider, detector = gated
    request = ColoringRequest(lying(photos["cat"]), 0.5, 1)
    coloring = [asyncio.create_task(provider.color(request, progress)) for _ in range(5)]
    await entered(detector)
    await entered(detector)
    detector.gate.set()
    await asyncio.gather(*coloring)

    assert detector.most == 2


async def test_cancelled_work_stops_at_the_next_stage(gated, photos, progress):
    provider, detector = gated
    coloring = asyncio.create_task(provider.color(ColoringRequest(lying(photos["cat"]), 0.5, 1), progress))
    await entered(detector)
    coloring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(coloring, DEADLINE)
    detector.gate.set()
    await provider.aclose()

    # A page takes two looks at the photo; the second one never began.
    assert detector.calls == 1


async def test_closing_ends_the_work_in_hand(gated, photos, progress):
    provider, detector = gated
    coloring = asyncio.create_task(provider.color(ColoringRequest(lying(photos["cat"]), 0.5, 1), progress))
    await entered(detector)
    closing = asyncio.create_task(provider.aclose())
    assert await asyncio.to_thread(provider._closed.wait, DEADLINE)
    detector.gate.set()

    with pytest.raises(TransientError) as caught:
        await asyncio.wait_for(coloring, DEADLINE)
    await closing
    assert caught.value.code == "provider_closed"
    assert detector.calls == 1


async def test_unknown_job_can_be_cancelled(gated):
    provider, _ = gated
    assert await provider.cancel("a job that is not there") is None


async def prepared_logs(cache_dir):
    provider = LocalColoringProvider(cache_dir=cache_dir)
    with capture_logs() as logs:
        await provider.prepare()
    await provider.aclose()
    return [log["event"] for log in logs]


async def test_graph_is_built_once_and_again_when_damaged(tmp_path):
    assert "coloring model built" in await prepared_logs(tmp_path)
    (graph,) = tmp_path.iterdir()
    whole = graph.stat().st_size
    assert await prepared_logs(tmp_path) == ["coloring model loaded"]

    graph.write_bytes(b"damaged")
    assert "coloring model is damaged" in " ".join(await prepared_logs(tmp_path)).replace("in the cache ", "")
    assert graph.stat().st_size == whole


async def test_cache_that_cannot_be_written_is_no_failure(tmp_path):
    (tmp_path / "file").touch()

    assert "coloring model cache write failed" in await prepared_logs(tmp_path / "file" / "cache")


def test_several_processes_build_at_once(tmp_path):
    program = (
        "import sys; from pathlib import Path;"
        "from pastelka_coloring.providers.local.hed import load_detector;"
        "load_detector(Path(sys.argv[1]), threads=1)"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]

    assert [process.wait(60) for process in running] == [0, 0]
    assert [file.suffix for file in tmp_path.iterdir()] == [".onnx"]


def test_importing_the_provider_does_not_need_the_model():
    program = "import sys, pastelka_coloring.providers.local; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout

    assert not {"onnx", "onnxruntime", "h5py", "tensorflow"} & set(loaded.split())
