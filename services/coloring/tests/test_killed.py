"""A process of the local provider that is killed in the middle of a page."""

import io
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pastelka_common.contracts.messages import ColoringJob
from pastelka_common.contracts.options import ColoringOptions
from pastelka_common.testing.workbench import Run, Workbench, at_work
from services.coloring.tests.local.gates import DEADLINE, GatedPhoto, reader

pytestmark = pytest.mark.timeout(3 * DEADLINE)


async def test_a_page_whose_process_is_killed_is_made_in_the_next_attempt(
    bench: Workbench, service: Callable[..., Run], make_job: Callable[..., ColoringJob], tmp_path: Path
):
    """The lost attempt is reported with its number and reason; the next one gets a new process."""
    job = make_job(options=ColoringOptions(megapixels=0.5, steps=1))
    stored = tmp_path / job.source
    photo = stored.read_bytes()
    stored.unlink()
    gated = GatedPhoto(stored)
    await bench.put(job)
    async with at_work(service(coloring_provider="local", coloring_threads=1)):
        await gated.opened()
        os.kill(await reader(gated), signal.SIGKILL)
        await bench.until(lambda: bool(bench.retries(job)), timeout=DEADLINE)
        stored.unlink()
        stored.write_bytes(photo)
        await bench.until(lambda: "completed" in bench.statuses(job), timeout=DEADLINE)
        await bench.until_no_job_is_left()
    [retry] = bench.retries(job)
    assert (retry.attempt, retry.code) == (1, "worker_died")
    assert [fact.order[1] for fact in bench.of(job) if fact.retry is None] == [1, 2, 2]
    assert bench.dead == []
    assert Image.open(io.BytesIO((tmp_path / job.target).read_bytes())).format == "PNG"
