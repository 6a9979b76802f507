"""From a photo to a page: statuses, states, resuming, giving up, cancelling."""

import asyncio
import io

import pytest
from PIL import Image
from structlog.testing import capture_logs

from pastelka_coloring.providers.runpod import WatchTimeouts
from pastelka_common.errors import PermanentError, SubmitUnknownError
from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_runpod import JobPlan, image_key

SUBMISSION = ["runpod_submitting", "id", "runpod_submitted"]


def steps(progress):
    return [word.partition(":")[0] for word in progress.calls]


async def test_statuses_come_in_the_order_of_the_plan(fake, color, progress):
    fake.plan(JobPlan(states=["IN_QUEUE", "IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]))

    page = await color()

    assert page == drawn_page()
    assert steps(progress) == [*SUBMISSION, "runpod_queued", "runpod_processing"]
    assert progress.job_id in fake.jobs.by_id


async def test_a_requeued_job_is_reported_as_queued_again(fake, color, progress):
    fake.plan(JobPlan(states=["IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS", "COMPLETED"]))

    await color()

    assert steps(progress)[3:] == ["runpod_processing", "runpod_queued", "runpod_processing"]


async def test_slow_queue_and_run_are_both_reported(fake, color, progress):
    fake.settings.queue_seconds = fake.settings.run_seconds = 3600
    coloring = asyncio.ensure_future(color(poll_interval=3600))  # the first polls come sooner
    await fake.until(lambda: fake.stats()["polls"] > 0)
    [job] = fake.jobs.by_id.values()
    polls, job.starts = job.polls, job.submitted
    await fake.until(lambda: job.polls > polls)
    job.ends = job.starts

    await coloring

    assert steps(progress) == [*SUBMISSION, "runpod_queued", "runpod_processing"]


async def test_a_known_job_is_polled_and_not_submitted_again(fake, color, progress):
    fake.plan(JobPlan(states=["IN_PROGRESS", "COMPLETED"]))
    job = fake.jobs.submit("cGhvdG8=")

    page = await color(job_id=job.id)

    assert page == drawn_page()
    assert progress.calls == ["runpod_processing"]
    assert fake.stats()["submits"] == 1


async def test_a_known_job_needs_no_photo(fake, color, tmp_path):
    job = fake.jobs.submit("cGhvdG8=")

    assert await color(tmp_path / "gone.jpg", job.id) == drawn_page()


@pytest.mark.parametrize("output", ["plain", "nested", "data_url", "nested_data_url"])
async def test_every_output_format_is_parsed(fake, color, output):
    fake.settings.output = output

    assert await color() == drawn_page()


@pytest.mark.parametrize(
    ("plan", "code", "words"),
    [
        (
            JobPlan(states=["IN_PROGRESS", "FAILED"], error="CUDA out of memory"),
            "provider_failed",
            "CUDA out",
        ),
        (
            JobPlan(states=["FAILED"], error='{"error_message": "no face", "error_traceback": "File x"}'),
            "provider_failed",
            "no face",
        ),
        (JobPlan(states=["FAILED"]), "provider_failed", "no reason"),
        (JobPlan(states=["IN_QUEUE", "CANCELLED"]), "provider_cancelled", "cancelled"),
        (JobPlan(states=["IN_PROGRESS", "TIMED_OUT"]), "provider_timed_out", "time limit"),
    ],
)
async def test_a_failed_job_is_a_permanent_error(fake, color, plan, code, words):
    fake.plan(plan)

    with pytest.raises(PermanentError) as caught:
        await color()

    assert caught.value.code == code
    assert words in caught.value.message
    assert fake.stats()["submits"] == 1


async def test_a_failure_reason_is_truncated_and_contains_no_key(fake, color):
    fake.plan(JobPlan(states=["FAILED"], error="key a-secret-key refused\n" + "x" * 5000))

    with pytest.raises(PermanentError) as caught:
        await color()

    assert len(caught.value.message) < 400
    assert "a-secret-key" not in str(caught.value)
    assert "key *** refused" in caught.value.message


async def test_an_unknown_state_is_tolerated_and_logged_once(fake, color, progress):
    fake.plan(JobPlan(states=["WARMING_UP", "WARMING_UP", "WARMING_UP", "COMPLETED"]))

    with capture_logs() as logs:
        page = await color()

    assert page == drawn_page()
    assert steps(progress) == SUBMISSION
    assert [log["state"] for log in logs if log["event"] == "runpod state unknown"] == ["WARMING_UP"]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (JobPlan(output={"error": "CUDA out of memory"}), "CUDA out of memory"),
        (JobPlan(output={"error": {"type": "ValueError", "message": "no face"}}), "no face"),
        (JobPlan(output={"errors": [{"detail": "first"}, {"detail": "second"}]}), "first"),
        (JobPlan(output=[{"progress": 1}, {"error": "in a list"}]), "in a list"),
        (JobPlan(output={"output": {"error": "nested"}}), "nested"),
        (JobPlan(output='{"error": "{\\"error_message\\": \\"JSON in JSON\\"}"}'), "JSON in JSON"),
        (JobPlan(output={"image": None, "error": "no image"}), "no image"),
        (JobPlan(output={"status": "failed"}, error="beside the output"), "beside the output"),
        (JobPlan(states=["FAILED"], output={"error": "in the output of a failed job"}), "of a failed job"),
        (JobPlan(states=["FAILED"], error={"code": 7}), '{"code": 7}'),
    ],
)
async def test_an_error_in_the_output_of_a_job_is_reported(fake, color, plan, words):
    fake.plan(plan)

    with pytest.raises(PermanentError) as caught:
        await color()

    assert caught.value.code == "provider_failed"
    assert words in caught.value.message


async def test_an_error_in_the_output_is_truncated_and_contains_no_key(fake, color):
    fake.plan(JobPlan(output={"error": "key a-secret-key refused\n" + "x" * 5000}))

    with pytest.raises(PermanentError) as caught:
        await color()

    assert len(caught.value.message) < 400
    assert "key *** refused" in caught.value.message


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        "text",
        {},
        {"image": None},
        {"image": ""},
        {"image": 7},
        {"output": {"picture": "x"}},
        {"image": "not base64!"},
        {"image": "žluťoučký"},
        {"image": "data:image/png,plain"},
        {"image": "aGVsbG8="},
    ],
)
async def test_an_output_without_a_page_is_a_permanent_error(fake, color, output):
    fake.plan(JobPlan(output=output))

    with pytest.raises(PermanentError) as caught:
        await color()

    assert caught.value.code == "provider_output_invalid"


async def test_a_truncated_page_is_rejected(fake, color, encoded):
    fake.plan(JobPlan(output={"image": encoded(drawn_page()[:-2000])}))

    with pytest.raises(PermanentError, match="provider_output_invalid"):
        await color()


async def test_a_page_with_too_many_pixels_is_rejected(fake, color, encoded):
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    fake.plan(JobPlan(output={"image": encoded(buffer.getvalue())}))

    with pytest.raises(PermanentError, match="provider_output_invalid"):
        await color()


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB")])
async def test_another_format_becomes_png(fake, color, saved, kind, mode):
    broken_lines = saved(kind, mode)
    fake.plan(JobPlan(output={"image": broken_lines}))

    page = await color()

    with Image.open(io.BytesIO(page)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (640, 480))


async def test_a_job_timeout_cancels_the_job_at_runpod(fake, color, progress):
    fake.settings.run_seconds = 3600

    with pytest.raises(PermanentError) as caught:
        await color(timeouts=WatchTimeouts(run=0.3))

    assert caught.value.code == "timeout"
    assert fake.jobs.by_id[progress.job_id].cancelled
    assert fake.stats()["cancels"] == 1


async def test_a_page_completed_during_the_cancellation_is_used(fake, color):
    fake.plan(JobPlan(states=["IN_PROGRESS"]))
    fake.fail("cancel", "hang")
    coloring = asyncio.ensure_future(color(timeouts=WatchTimeouts(run=0.1)))
    await fake.until(lambda: fake.faults.given == 1)
    fake.advance("COMPLETED")

    fake.release()

    assert await coloring == drawn_page()


async def test_the_timeout_of_a_resumed_job_counts_from_its_start_at_runpod(fake, color, progress):
    fake.settings.run_seconds = 3600
    job = fake.jobs.submit("cGhvdG8=")
    job.submitted -= 500  # in the queue for 500 s, which is not work

    coloring = asyncio.ensure_future(color(job_id=job.id, timeouts=WatchTimeouts(run=400)))
    await fake.until(lambda: job.polls > 3)
    assert not coloring.done()
    job.starts -= 1000  # now with a worker for 500 s

    with pytest.raises(PermanentError, match="timeout"):
        async with asyncio.timeout(5):
            await coloring
    assert job.cancelled


async def test_a_timeout_while_reporting_does_not_cancel_the_job(fake, make_provider, request_for, progress):
    fake.settings.run_seconds = 3600
    job = fake.jobs.submit("cGhvdG8=")

    async def storing_fails(_):
        raise TimeoutError("the store does not answer")

    progress.status = storing_fails
    with pytest.raises(TimeoutError, match="the store"):
        await make_provider().color(request_for(job_id=job.id), progress)
    assert fake.stats()["cancels"] == 0


async def test_a_cancelled_submission_stores_the_job_id_first(fake, color, progress):
    fake.fail("submit", "hang")
    coloring = asyncio.ensure_future(color())
    await fake.until(lambda: fake.faults.given == 1)

    coloring.cancel()
    await asyncio.wait({coloring}, timeout=0.1)
    coloring.cancel()  # a shutdown may cancel twice
    await asyncio.wait({coloring}, timeout=0.1)
    assert not coloring.done()
    fake.release()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(coloring, 5)
    assert steps(progress) == ["runpod_submitting", "id"]
    assert progress.job_id in fake.jobs.by_id


async def test_a_cancelled_submission_that_fails_raises_cancelled_error(fake, color, impatient):
    fake.fail("submit", "hang")
    causes = []

    async def coloring_of_a_photo():
        try:
            await color(client=impatient)
        except asyncio.CancelledError as error:
            causes.append(error.__cause__)
            raise

    coloring = asyncio.ensure_future(coloring_of_a_photo())
    await fake.until(lambda: fake.faults.given == 1)
    coloring.cancel()
    await asyncio.wait({coloring}, timeout=0.1)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(coloring, 5)
    assert [type(cause) for cause in causes] == [SubmitUnknownError]


async def test_cancelling_the_poll_does_not_cancel_the_job(fake, color):
    fake.settings.run_seconds = 3600
    coloring = asyncio.ensure_future(color())
    await fake.until(lambda: fake.stats()["polls"] > 2)

    coloring.cancel()

    with pytest.raises(asyncio.CancelledError):
        await coloring
    assert fake.stats()["cancels"] == 0


async def test_cancelling_a_job_ends_its_poll_with_provider_cancelled(fake, color, make_provider, progress):
    fake.settings.run_seconds = 3600
    coloring = asyncio.ensure_future(color())
    await fake.until(lambda: fake.stats()["polls"] > 0)

    await make_provider().cancel(progress.job_id)

    with pytest.raises(PermanentError, match="provider_cancelled"):
        await asyncio.wait_for(coloring, 5)


async def test_cancelling_an_unknown_or_ended_job_succeeds(fake, make_provider):
    ended = fake.jobs.submit("cGhvdG8=")
    provider = make_provider()

    await provider.cancel("no-such-job")
    await provider.cancel(ended.id)
    fake.fail("cancel", 400)
    await provider.cancel(ended.id)

    assert fake.jobs.state(ended) == "COMPLETED"


async def test_the_photo_is_sent_with_its_options(fake, color, progress, save, drawing):
    photo = save(drawing())

    await color(photo)

    job = fake.jobs.by_id[progress.job_id]
    assert fake.jobs.photo(job) == photo.read_bytes()
    assert job.options == {"megapixels": 1.5, "steps": 4}
    assert fake.stats()["submits_by_image"] == {image_key(photo.read_bytes()): 1}
