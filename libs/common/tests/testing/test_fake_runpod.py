"""The fake RunPod keeps what it promises to tests, the bench and people who start it by hand."""

import asyncio
import base64
import io
import sys

import aiohttp
import pytest
from PIL import Image

from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings, JobPlan, image_key
from pastelka_common.testing.fake_runpod_jobs import Jobs

KEY = {"Authorization": "Bearer fake-runpod-key"}
PHOTO = b"a photo"
BODY = {"input": {"image": base64.b64encode(PHOTO).decode(), "megapixels": 1.0, "steps": 4}}


@pytest.fixture
async def fake():
    async with FakeRunpod() as server:
        yield server


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(headers=KEY) as session:
        yield session


async def submit(http, fake):
    async with http.post(f"{fake.base_url}/ep/run", json=BODY) as response:
        return response.status, (await response.json()).get("id")


async def status(http, fake, job_id):
    async with http.get(f"{fake.base_url}/ep/status/{job_id}") as response:
        return response.status, await response.json()


async def control(http, fake, **changes):
    async with http.post(f"{fake.root_url}/_control", json=changes) as response:
        return response.status, await response.json()


async def stats(http, fake):
    async with http.get(f"{fake.root_url}/_stats") as response:
        return await response.json()


async def test_a_job_goes_from_queue_to_page(http, fake):
    fake.settings.queue_seconds = 1000
    _, job_id = await submit(http, fake)
    assert (await status(http, fake, job_id))[1] == {"id": job_id, "status": "IN_QUEUE"}

    fake.jobs.by_id[job_id].starts = 0
    assert (await status(http, fake, job_id))[1]["status"] == "IN_PROGRESS"

    fake.jobs.by_id[job_id].ends = 0
    reply = (await status(http, fake, job_id))[1]
    assert reply["status"] == "COMPLETED"
    assert base64.b64decode(reply["output"]["image"]) == drawn_page()


def test_the_page_is_an_image_of_plausible_size():
    with Image.open(io.BytesIO(drawn_page())) as page:
        page.load()
        assert (page.format, page.size) == ("PNG", (1000, 1000))
    assert 50_000 < len(drawn_page()) < 130_000


async def test_a_wrong_key_is_refused(fake):
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fake.base_url}/ep/run", json=BODY) as response,
    ):
        assert response.status == 401
    assert fake.stats()["submits"] == 0


@pytest.mark.parametrize("body", [b"", b"[]", b'{"input": {}}', b'{"input": {"image": 3}}'])
async def test_a_malformed_submission_is_refused(http, fake, body):
    async with http.post(f"{fake.base_url}/ep/run", data=body) as response:
        assert response.status == 400


async def test_a_request_above_ten_megabytes_is_refused(http, fake):
    async with http.post(f"{fake.base_url}/ep/run", data=io.BytesIO(b"x" * 10_000_001)) as response:
        assert response.status == 413


async def test_requests_are_counted_by_photo(http, fake):
    _, job_id = await submit(http, fake)
    await submit(http, fake)
    await status(http, fake, job_id)
    async with http.post(f"{fake.base_url}/ep/cancel/{job_id}") as response:
        assert (await response.json())["status"] == "COMPLETED"

    told = await stats(http, fake)

    key = image_key(PHOTO)
    assert told["submits_by_image"] == {key: 2}
    assert (told["polls_by_image"][key], told["cancels_by_image"][key]) == (1, 1)
    assert (told["submits"], told["polls"], told["cancels"]) == (2, 1, 1)


async def test_failures_are_set_over_http_and_returned_in_order(http, fake):
    await control(http, fake, fail={"submit": [429, {"status": 503, "retry_after": "2"}]})

    assert [(await submit(http, fake))[0] for _ in range(3)] == [429, 503, 200]
    assert (await stats(http, fake))["faults"] == 2


async def test_random_failures_are_reproducible_by_seed(http, fake):
    async def run():
        chance = {"submit": {"probability": 0.5, "faults": [500, 503], "seed": 3}}
        await control(http, fake, reset=True, chance=chance)
        return [(await submit(http, fake))[0] for _ in range(20)]

    first = await run()

    assert first == await run()
    assert {200, 500, 503} == set(first)


async def test_a_dropped_request_has_no_effect_and_a_lost_response_has_one(http, fake):
    fake.fail("submit", "drop", "lost")
    for submits in (0, 1):
        with pytest.raises(aiohttp.ClientConnectionError):
            await submit(http, fake)
        assert fake.stats()["submits"] == submits


async def test_a_hanging_request_continues_when_released(http, fake):
    fake.fail("submit", "hang")
    waiting = asyncio.ensure_future(submit(http, fake))
    await fake.until(lambda: fake.faults.given == 1)
    assert not waiting.done()

    await control(http, fake, release=True)

    assert (await asyncio.wait_for(waiting, 5))[0] == 200


async def test_plans_settings_and_forgotten_jobs_are_set_over_http(http, fake):
    await control(http, fake, settings={"run_seconds": 9}, plans=[{"states": ["FAILED"], "error": "no"}])
    _, planned = await submit(http, fake)
    _, timed = await submit(http, fake)

    assert (await status(http, fake, planned))[1]["error"] == "no"
    assert (await status(http, fake, timed))[1]["status"] == "IN_PROGRESS"
    await control(http, fake, forget=[timed])
    assert (await status(http, fake, timed))[0] == 404
    assert (await stats(http, fake))["submits"] == 2


@pytest.mark.parametrize(
    "change",
    [{"fail": {"sumbit": [500]}}, {"settings": {"run_seconds": -1}}, {"fail": {"submit": ["explode"]}}],
)
async def test_a_malformed_control_request_is_rejected_with_a_reason(http, fake, change):
    code, body = await control(http, fake, **change)

    assert code == 400
    assert next(iter(next(iter(change.values())))) in body["error"]


def test_concurrent_jobs_are_limited_to_the_workers():
    now = 100.0
    jobs = Jobs(FakeRunpodSettings(run_seconds=10, workers=2), clock=lambda: now)

    starts = [jobs.submit("cGhvdG8=").starts for _ in range(5)]

    assert starts == [100, 100, 110, 110, 120]
    assert jobs.in_progress_max == 5
    now = 115.0
    assert [jobs.state(job) for job in jobs.by_id.values()] == ["COMPLETED"] * 2 + ["IN_PROGRESS"] * 2 + [
        "IN_QUEUE"
    ]
    assert jobs.in_progress() == 3


async def test_edge_pages_differ_by_photo(http):
    pages = []
    async with FakeRunpod(FakeRunpodSettings(page="edges")) as fake:
        for shade in (10, 200):
            photo = Image.new("L", (64, 64), 255)
            photo.paste(shade, (8, 8, 40, 20 + shade // 10))
            buffer = io.BytesIO()
            photo.save(buffer, "PNG")
            body = {"input": {"image": base64.b64encode(buffer.getvalue()).decode()}}
            async with http.post(f"{fake.base_url}/ep/run", json=body) as response:
                job_id = (await response.json())["id"]
            pages.append((await status(http, fake, job_id))[1]["output"]["image"])

    assert pages[0] != pages[1]
    assert Image.open(io.BytesIO(base64.b64decode(pages[0]))).size == (64, 64)


async def test_the_fake_runs_as_a_program_and_ends_on_a_signal(http):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pastelka_common.testing.fake_runpod",
        "--run-seconds",
        "5",
        stdout=asyncio.subprocess.PIPE,
    )
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    url = line.split()[0].removeprefix("RUNPOD_BASE_URL=")
    async with http.post(f"{url}/ep/run", json=BODY) as response:
        assert response.status == 200
    process.terminate()

    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_malformed_setting_ends_the_fake_with_2():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pastelka_common.testing.fake_runpod",
        "--workers",
        "0",
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert b"workers" in said


async def test_planned_jobs_advance_step_by_step(fake, http):
    fake.plan(JobPlan(states=["IN_QUEUE"]), JobPlan(states=["IN_QUEUE"]), JobPlan(states=["FAILED"]))
    jobs = [(await submit(http, fake))[1] for _ in range(3)]

    async def states():
        return [(await status(http, fake, job))[1]["status"] for job in jobs]

    assert await states() == ["IN_QUEUE", "IN_QUEUE", "FAILED"]
    fake.advance("IN_PROGRESS")
    assert await states() == ["IN_PROGRESS", "IN_PROGRESS", "FAILED"]
    fake.advance("COMPLETED")
    assert await states() == ["COMPLETED", "COMPLETED", "FAILED"]
    fake.advance("IN_QUEUE")
    assert await states() == ["COMPLETED", "COMPLETED", "FAILED"]


async def test_the_number_of_pending_faults_is_reported(fake, http):
    fake.fail("status", 500, 500)
    assert fake.faults.due("status") == 2
    await status(http, fake, (await submit(http, fake))[1])
    assert fake.faults.due("status") == 1
