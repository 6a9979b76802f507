"""What goes wrong between us and RunPod: what is said, what is ridden out, what is never done twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from pastelka_coloring.providers.runpod import WatchTimeouts
from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.testing.fake_page import drawn_page
from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings, JobPlan
from pastelka_common.testing.fake_runpod_jobs import FaultAnswer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (400, "provider_refused"),
        (401, "provider_unauthorized"),
        (403, "provider_unauthorized"),
        (404, "provider_endpoint_unknown"),
        (413, "provider_refused"),
        (422, "provider_refused"),
        (302, "provider_refused"),
    ],
)
async def test_a_rejected_submission_is_a_permanent_error(fake, color, fault, code):
    fake.fail("submit", fault)

    with pytest.raises(PermanentError) as caught:
        await color()

    assert caught.value.code == code
    assert fake.stats()["submits"] == 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (408, "provider_unavailable"),
        (429, "provider_busy"),
        (500, "provider_unavailable"),
        (503, "provider_unavailable"),
        (522, "provider_unavailable"),
        (502, "submit_unknown"),
        (504, "submit_unknown"),
        (524, "submit_unknown"),
        ("drop", "submit_unknown"),
        ("lost", "submit_unknown"),
        ("garbage", "submit_unknown"),
    ],
)
async def test_a_transient_submission_error_tells_whether_a_retry_is_safe(fake, color, progress, fault, code):
    fake.fail("submit", fault)

    with pytest.raises(TransientError) as caught:
        await color()

    assert caught.value.code == code
    assert progress.calls == ["runpod_submitting"]
    assert fake.stats()["submits"] == (1 if fault == "lost" else 0)


async def test_a_submission_with_a_truncated_response_is_unknown(fake, color):
    fake.wire.misbehave("truncated")

    with pytest.raises(TransientError, match="ended early") as caught:
        await color()

    assert caught.value.code == "submit_unknown"
    assert fake.stats()["submits"] == 1


async def test_a_truncated_error_response_keeps_its_status(fake, color):
    fake.fail("submit", 401)
    fake.wire.misbehave("truncated")

    with pytest.raises(PermanentError) as caught:
        await color()

    assert caught.value.code == "provider_unauthorized"


async def test_polling_tolerates_truncated_slow_and_encoded_responses(fake, color):
    fake.plan(JobPlan(states=["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]))
    fake.wire.misbehave(
        "length", "truncated", "long_headers", frozenset({"truncated", "gzip"}), "gzip", "slow"
    )

    assert await color()

    assert fake.stats()["submits"] == 1


async def test_a_truncated_poll_response_is_reported_as_such(fake, make_provider, color, progress):
    await color()
    api = make_provider()._api
    fake.wire.misbehave("truncated")

    with pytest.raises(TransientError, match=r"truncated.*ended early") as caught:
        await api.status(progress.job_id)

    assert caught.value.code == "provider_answer_truncated"


async def test_a_submission_without_a_response_is_unknown(fake, color, impatient):
    fake.fail("submit", "hang")

    with pytest.raises(TransientError) as caught:
        await color(client=impatient)

    assert caught.value.code == "submit_unknown"


async def test_a_submission_to_a_closed_port_is_safe_to_repeat(color):
    async with FakeRunpod() as gone:
        pass

    with pytest.raises(TransientError) as caught:
        await color(base_url=gone.base_url)

    assert caught.value.code == "provider_unreachable"


async def test_a_submission_to_an_unknown_host_is_safe_to_repeat(color):
    with pytest.raises(TransientError) as caught:
        await color(base_url="http://nowhere.invalid/v2")

    assert caught.value.code == "provider_unreachable"


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (lambda: "7", 7, 7),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(hours=1)), 3000, 3600),
        (lambda: format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0, 0),
    ],
    ids=["seconds", "in an hour", "an hour ago"],
)
async def test_retry_after_of_a_submit_is_passed_on(fake, color, value, least, most):
    fake.fail("submit", FaultAnswer(status=429, retry_after=value()))

    with pytest.raises(TransientError) as caught:
        await color()

    assert least <= caught.value.retry_after <= most


@pytest.mark.parametrize("value", ["soon", "-3", "1.5"])
async def test_an_invalid_retry_after_is_ignored(fake, color, value):
    fake.fail("submit", FaultAnswer(status=503, retry_after=value))

    with pytest.raises(TransientError) as caught:
        await color()

    assert caught.value.retry_after is None


async def test_wrong_key_and_endpoint(color):
    with pytest.raises(PermanentError) as caught:
        await color(api_key=SecretStr("another-secret"))
    assert caught.value.code == "provider_unauthorized"
    assert "another-secret" not in str(caught.value)

    with pytest.raises(PermanentError) as caught:
        await color(endpoint_id="other/../ep1")
    assert caught.value.code == "provider_endpoint_unknown"


@pytest.mark.parametrize(
    "fault", [302, 400, 401, 403, 404, 405, 409, 408, 429, 500, 502, 503, 504, 524, "drop", "garbage"]
)
async def test_polling_tolerates_transient_errors(fake, color, fault):
    fake.plan(JobPlan(states=["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]))
    fake.fail("status", fault)

    assert await color() == drawn_page()
    assert fake.faults.given == 1
    assert fake.stats()["submits"] == 1


async def test_a_page_with_a_lost_response_is_polled_again(fake, color):
    fake.fail("status", "lost")

    assert await color() == drawn_page()
    assert (fake.stats()["submits"], fake.stats()["polls"]) == (1, 2)


async def test_polling_tolerates_a_missing_response(fake, color, impatient):
    job = fake.jobs.submit("cGhvdG8=")
    fake.fail("status", "hang")

    assert await color(job_id=job.id, client=impatient) == drawn_page()
    assert (fake.stats()["submits"], fake.faults.given) == (1, 1)


async def test_an_outage_longer_than_the_timeout_loses_no_page(fake, color, progress):
    """What the job became during the silence is not known; its result is kept for 30 minutes."""
    fake.plan(JobPlan(states=["IN_PROGRESS", "COMPLETED"]))
    fake.fail("status", "drop", 503, 401)

    assert await color(timeouts=WatchTimeouts(run=0.0)) == drawn_page()

    assert fake.faults.given == 3
    assert (fake.stats()["submits"], fake.stats()["cancels"]) == (1, 0)


async def test_an_outage_longer_than_the_result_retention_ends_the_job(fake, color):
    fake.fail("status", *[401] * 1000)

    with pytest.raises(PermanentError, match="reported nothing about the job") as caught:
        await color(timeouts=WatchTimeouts(run=0.5, result=0.5))

    assert caught.value.code == "provider_unauthorized"


async def test_a_failed_cancellation_does_not_hide_the_timeout(fake, color, progress):
    fake.settings.run_seconds = 3600
    fake.fail("cancel", *[500] * 10)

    with pytest.raises(PermanentError, match="timeout"):
        await color(timeouts=WatchTimeouts(run=0.3))

    assert fake.faults.given == 3


async def test_three_consecutive_404_do_not_lose_the_page(fake, color):
    fake.fail("status", 404, 404, 404)

    assert await color(timeouts=WatchTimeouts()) == drawn_page()


async def test_404_is_accepted_only_after_several_responses(fake, color):
    fake.fail("status", *[404] * 3)

    assert await color(timeouts=WatchTimeouts(unknown=0.0)) == drawn_page()


async def test_an_expired_job_is_not_submitted_again(fake, color, progress):
    with pytest.raises(PermanentError) as caught:
        await color(job_id="expired-long-ago", timeouts=WatchTimeouts(unknown=0.5))

    assert caught.value.code == "provider_job_gone"
    assert progress.calls == []
    assert (fake.stats()["submits"], fake.stats()["polls"] >= 5) == (0, True)


@pytest.mark.parametrize("fault", [302, 400, 401, 403, 404, 409, 410])
async def test_a_cancellation_is_retried_after_one_error_response(fake, make_provider, fault):
    fake.settings.run_seconds = 3600
    job = fake.jobs.submit("cGhvdG8=")
    fake.fail("cancel", fault)

    await make_provider().cancel(job.id)

    assert job.cancelled


async def test_a_failing_cancellation_is_retried_and_then_raises(fake, make_provider):
    fake.settings.run_seconds = 3600
    job = fake.jobs.submit("cGhvdG8=")
    fake.fail("cancel", 500, "drop", 503)
    provider = make_provider()

    with pytest.raises(TransientError, match="provider_unavailable"):
        await provider.cancel(job.id)
    await provider.cancel(job.id)

    assert fake.stats()["cancels"] == 1


async def test_an_endless_poll_response_is_aborted(fake, color, small_answers):
    with pytest.raises(PermanentError, match="reported nothing about the job"):
        async with asyncio.timeout(10):
            await color(limits=small_answers, timeouts=WatchTimeouts(run=0.3, result=0.2))


async def test_a_server_that_accepts_only_post_is_polled_by_post(make_provider, request_for, progress):
    """The local server of RunPod's SDK, whose routes lie right below its address."""
    async with FakeRunpod(FakeRunpodSettings(api_key="a-secret-key", status_method="POST")) as local:
        local.plan(*[JobPlan(states=["IN_QUEUE", "IN_PROGRESS", "COMPLETED"])] * 2)
        provider = make_provider(base_url=f"{local.base_url}/any", endpoint_id=".")

        assert await provider.color(request_for(), progress) == drawn_page()
        assert await provider.color(request_for(), progress) == drawn_page()

        assert local.asked_in_vain == 1  # remembered


async def test_repr_does_not_contain_the_key(make_provider):
    provider = make_provider()

    assert "a-secret-key" not in repr(vars(provider))
