"""How the provider runs: processes, cancellation, the fallback, the cache."""

import asyncio
import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from pastelka_coloring.providers import ColoringRequest
from pastelka_coloring.providers.local import LocalColoringProvider, networks
from pastelka_coloring.providers.local.job import Models
from pastelka_coloring.providers.local.loading import load_models
from pastelka_common.errors import TransientError
from pastelka_common.testing.sources import local_source
from pastelka_common.testing.waiting import until
from services.coloring.tests.local.gates import DEADLINE, GatedPhoto, processes, reader

pytestmark = pytest.mark.timeout(3 * DEADLINE)


@pytest.fixture
def gated(tmp_path):
    return GatedPhoto(tmp_path / "gated.jpg")


@pytest.fixture
async def own(cache_dir):
    """A provider for one test."""
    provider = LocalColoringProvider(cache_dir=cache_dir, threads=1)
    yield provider
    await provider.aclose()


async def coloring(provider, photo, progress):
    """Begin a page and return its task and the process that makes it."""
    task = asyncio.create_task(provider.color(ColoringRequest(local_source(photo.path), 0.5, 1), progress))
    await photo.opened()
    return task, await reader(photo)


async def ended(process):
    await until(lambda: process not in processes(), DEADLINE)


async def test_the_fallback_is_used_and_logged_when_the_model_is_missing(without_model, photos, progress):
    with capture_logs() as logs:
        page = await without_model.color(ColoringRequest(local_source(photos["coffee"]), 0.5, 4), progress)

    shades = np.asarray(Image.open(io.BytesIO(page)))
    assert 0.85 < shades.mean() / 255 < 0.99
    assert [log["missing"] for log in logs if log["log_level"] == "warning"] == [
        ["a_package_that_is_not_installed"]
    ]
    assert logs[-1]["detector"] == "classical"


async def test_coloring_does_not_block_the_event_loop(own, gated, progress):
    task, process = await coloring(own, gated, progress)

    assert process != os.getpid()
    assert not task.done()
    gated.close()
    with pytest.raises(Exception, match="photo_unreadable"):
        await asyncio.wait_for(task, DEADLINE)


async def test_a_killed_process_fails_its_own_page_only(own, gated, photos, progress):
    """SIGKILL in mid-page: the attempt fails with a code, so that the job is retried."""
    task, process = await coloring(own, gated, progress)
    os.kill(process, signal.SIGKILL)

    with pytest.raises(TransientError) as caught:
        await asyncio.wait_for(task, DEADLINE)
    assert caught.value.code == "worker_died"
    page = await own.color(ColoringRequest(local_source(photos["cat"]), 0.5, 1), progress)
    assert page.startswith(b"\x89PNG")


async def test_cancelled_work_ends_with_its_process(own, gated, progress):
    task, process = await coloring(own, gated, progress)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, DEADLINE)

    await ended(process)


async def test_closing_ends_active_work(own, gated, progress):
    task, process = await coloring(own, gated, progress)
    await own.aclose()

    with pytest.raises(TransientError) as caught:
        await asyncio.wait_for(task, DEADLINE)
    assert caught.value.code == "provider_closed"
    await ended(process)


async def test_a_page_that_takes_too_long_times_out(cache_dir, gated, photos, progress):
    provider = LocalColoringProvider(cache_dir=cache_dir, threads=1, timeout=DEADLINE)
    await provider.color(ColoringRequest(local_source(photos["cat"]), 0.5, 1), progress)
    provider._timeout = 0.5

    with pytest.raises(TransientError) as caught:
        await provider.color(ColoringRequest(local_source(gated.path), 0.5, 1), progress)
    assert caught.value.code == "timeout"


async def test_concurrent_photos_are_limited_to_the_workers(cache_dir, tmp_path, progress):
    provider = LocalColoringProvider(workers=2, cache_dir=cache_dir, threads=1)
    gates = [GatedPhoto(tmp_path / f"{number}.jpg") for number in range(3)]
    tasks = [
        asyncio.create_task(provider.color(ColoringRequest(local_source(gate.path), 0.5, 1), progress))
        for gate in gates
    ]
    await gates[0].opened()
    await gates[1].opened()
    assert provider._processes.borrowed_tokens == 2
    assert provider._processes.statistics().tasks_waiting == 1
    for gate in gates[:2]:
        gate.close()
    await gates[2].opened()
    gates[2].close()
    failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert [failure.code for failure in failures] == ["photo_unreadable"] * 3


async def test_same_photo_gives_the_same_bytes_in_every_process(own, photos, progress):
    """And a process that was killed while it was idle costs no page."""
    request = ColoringRequest(local_source(photos["astronaut"]), 0.5, 4)
    pages, idle = [], set()
    for _ in range(2):
        pages.append(await own.color(request, progress))
        for process in processes() - idle:
            os.kill(process, signal.SIGKILL)
            await until(lambda pid=process: not Path(f"/proc/{pid}").exists(), DEADLINE)
        idle = processes()
    assert pages[0] == pages[1]


async def test_models_are_loaded_after_an_idle_process_was_killed(own):
    await own.prepare()
    idle = processes()
    assert idle
    for process in idle:
        os.kill(process, signal.SIGKILL)
    await own.prepare()
    assert not processes() & idle


async def test_unknown_job_can_be_cancelled(own):
    assert await own.cancel("a job that is not there") is None


def test_a_provider_without_processes_is_refused():
    with pytest.raises(ValueError, match="workers must be at least 1, not 0"):
        LocalColoringProvider(workers=0)


async def prepared_logs(cache_dir):
    provider = LocalColoringProvider(cache_dir=cache_dir)
    with capture_logs() as logs:
        await provider.prepare()
    await provider.aclose()
    return [log["event"] for log in logs]


async def test_graph_is_built_once_and_again_when_damaged(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert "coloring model built" in await prepared_logs(first)
    (graph,) = first.iterdir()
    whole = graph.stat().st_size
    # A process loads the models once: another folder is another load.
    shutil.copytree(first, second)
    assert await prepared_logs(second) == ["coloring model loaded"]

    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / graph.name).write_bytes(b"damaged")
    assert "coloring model in the cache is damaged" in await prepared_logs(damaged)
    assert (damaged / graph.name).stat().st_size == whole


async def test_an_unwritable_cache_is_logged_and_ignored(tmp_path):
    (tmp_path / "file").touch()

    assert "coloring model cache write failed" in await prepared_logs(tmp_path / "file" / "cache")


def test_several_processes_build_at_once(tmp_path):
    program = (
        "import sys; from pathlib import Path;"
        "from pastelka_coloring.providers.local.hed import load_detector;"
        "load_detector(Path(sys.argv[1]), threads=1)"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(2)]

    assert [process.wait(DEADLINE) for process in running] == [0, 0]
    assert [file.suffix for file in tmp_path.iterdir()] == [".onnx"]


def test_importing_the_provider_does_not_need_the_model():
    program = "import sys, pastelka_coloring.providers.local; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout

    assert not {"onnx", "onnxruntime", "h5py", "tensorflow"} & set(loaded.split())


@pytest.mark.parametrize("name", networks.NAMES)
def test_a_changed_network_is_refused(tmp_path, monkeypatch, name):
    shutil.copytree(networks._FOLDER, tmp_path / "models")
    file = tmp_path / "models" / f"{name}.tflite"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(networks, "_FOLDER", tmp_path / "models")
    networks.network.cache_clear()

    with pytest.raises(networks.DamagedNetworkError, match=name):
        networks.network(name)
    with pytest.raises(TransientError, match="detector_unavailable"):
        load_models(tmp_path, 1)
    networks.network.cache_clear()


def test_a_process_uses_its_share_of_the_cores(cache_dir):
    cores = len(os.sched_getaffinity(0))

    assert LocalColoringProvider(cache_dir=cache_dir)._models == Models(cache_dir, cores)
    assert LocalColoringProvider(workers=2 * cores, cache_dir=cache_dir)._models == Models(cache_dir, 1)
