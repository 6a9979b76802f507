"""The whole service in this process: jobs of a real broker, a fake Vectorizer.ai or the local provider."""

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from lxml import etree
from pydantic import SecretStr
from structlog.testing import capture_logs

from pastelka_common.contracts.messages import SvgJob
from pastelka_common.contracts.options import GroupBy, ShapeStacking, SvgOptions
from pastelka_common.servers import NatsServer
from pastelka_common.storage import thumbnail_path
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_common.testing.places import Place, storage_of
from pastelka_common.testing.waiting import until
from pastelka_common.testing.workbench import Run, Workbench, at_work
from pastelka_vectorize.entrypoint import main, run
from pastelka_vectorize.settings import VectorizeSettings

WHOLE_WAY = ["processing", "vectorizer_processing", "completed"]
_VERSIONS = itertools.count(1)

MakeJob = Callable[..., SvgJob]
Service = Callable[..., Run]


@pytest_asyncio.fixture(loop_scope="session")
async def bench(nats_server: NatsServer) -> AsyncIterator[Workbench]:
    async with Workbench.open(nats_server.url) as opened:
        yield opened


@pytest.fixture
def service(nats_server: NatsServer, fake: FakeVectorizer, tmp_path: Path) -> Service:
    """``at_work(service())``: with the fake Vectorizer.ai; ``changes`` are settings."""

    def with_settings(**changes) -> Run:
        settings = {
            "nats_url": nats_server.url,
            "storage_path": tmp_path,
            "host": "127.0.0.1",
            "port": 0,
            "shutdown_grace": 4,
            "vectorize_provider": "vectorizer",
            "vectorizer_api_key": fake.api_key,
            "vectorizer_api_secret": SecretStr(fake.api_secret),
            "vectorizer_base_url": fake.base_url,
            **changes,
        }
        return functools.partial(run, VectorizeSettings(**settings))

    return with_settings


@pytest.fixture
def make_job(tmp_path: Path, page: Path) -> MakeJob:
    """A job of a version of its own, whose page is stored."""

    def make(**changes) -> SvgJob:
        version = next(_VERSIONS)
        source = tmp_path / "42" / str(version) / "coloring" / "v1" / "image_1.png"
        source.parent.mkdir(parents=True)
        source.write_bytes(page.read_bytes())
        fields = {
            "version_id": version,
            "run": 1,
            "order_number": "1270",
            "image_id": 123,
            "source": f"42/{version}/coloring/v1/image_1.png",
            "target": f"42/{version}/svg/v1/image_1.svg",
            "options": SvgOptions(shape_stacking=ShapeStacking.CUTOUTS, group_by=GroupBy.NONE),
        }
        return SvgJob(**(fields | changes))

    return make


async def until_at_provider(fake: FakeVectorizer, count: int) -> None:
    """Wait until this many requests are at the provider."""
    async with asyncio.timeout(10), fake.changed:
        await fake.changed.wait_for(lambda: fake.in_progress == count)


async def test_a_page_becomes_an_svg_step_by_step(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, tmp_path: Path
):
    job = make_job(run=2)
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert bench.statuses(job) == WHOLE_WAY
    assert [fact.order for fact in bench.of(job)] == [(2, 1, 1), (2, 1, 2), (2, 1, 3)]
    assert [fact.path for fact in bench.of(job)] == [None, None, job.target]
    assert etree.parse(tmp_path / job.target).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    [request] = fake.requests
    assert request.fields["output.shape_stacking"] == "cutouts"
    assert request.fields["output.group_by"] == "none"
    assert request.image == (tmp_path / job.source).read_bytes()
    # A request has no id that could be polled.
    assert await bench.provider_job_id(job) is None
    assert bench.dead == []


async def test_a_folder_and_a_bucket_store_the_same_result(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, place: Place, tmp_path: Path
):
    job, storage = make_job(), storage_of(place)
    await storage.put_file(job.source, tmp_path / job.source)
    async with at_work(service(**place.settings)):
        await bench.put(job)
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert etree.fromstring(await storage.read(job.target)).tag == "{http://www.w3.org/2000/svg}svg"
    assert await storage.exists(thumbnail_path(job.target))
    [request] = fake.requests
    assert request.image == (tmp_path / job.source).read_bytes()


async def test_a_paid_svg_waits_for_an_unavailable_storage(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, place: Place, tmp_path: Path
):
    job, storage = make_job(), storage_of(place)
    await storage.put_file(job.source, tmp_path / job.source)
    fake.hold()
    async with at_work(service(**place.settings, job_attempts=1)):
        await bench.put(job)
        await until_at_provider(fake, 1)
        await place.leave()
        with capture_logs() as logs:
            fake.release()
            await until(lambda: [line for line in logs if line["event"] == "paid result not stored yet"], 60)
        await place.come_back()
        await bench.until_reported(job, "completed")
    assert await storage.exists(job.target)
    assert len(fake.requests) == 1
    assert bench.retries(job) == bench.dead == []


async def test_a_run_cancelled_before_its_delivery_is_never_started(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, tmp_path: Path
):
    cancelled, next_run = make_job(), make_job()
    await bench.cancel(cancelled)
    await bench.put(cancelled, next_run)
    async with at_work(service()):
        await bench.until_reported(next_run, "completed")
        await bench.until_no_job_is_left()
    assert bench.statuses(cancelled) == []
    assert not (tmp_path / cancelled.target).exists()
    assert len(fake.requests) == 1


async def test_cancelling_a_run_aborts_its_request(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, tmp_path: Path
):
    fake.fail("hang")
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "vectorizer_processing")
        await until_at_provider(fake, 1)
        await bench.cancel(job)
        await until_at_provider(fake, 0)
        await bench.until_no_job_is_left()
    assert fake.cut_off == 1
    assert bench.statuses(job) == WHOLE_WAY[:2]
    assert not (tmp_path / job.target).exists()
    assert bench.dead == []


async def test_a_stopping_worker_hands_its_job_to_another(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, tmp_path: Path
):
    fake.fail("hang")
    job = make_job()
    await bench.put(job)
    first = asyncio.ensure_future(service()(asyncio.Event()))
    await bench.until_reported(job, "vectorizer_processing")
    await until_at_provider(fake, 1)
    first.cancel()
    await asyncio.wait({first})

    async with at_work(service()):
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert bench.statuses(job) == [*WHOLE_WAY[:2], *WHOLE_WAY]
    assert [fact.attempt for fact in bench.of(job)] == [1, 1, 2, 2, 2]
    assert (tmp_path / job.target).is_file()


async def test_a_transient_failure_is_retried(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer
):
    fake.fail(503)
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
    assert bench.statuses(job) == [*WHOLE_WAY[:2], *WHOLE_WAY]
    assert [retry.code for retry in bench.retries(job)] == ["provider_unavailable"]
    assert not any(fact.possibly_paid_twice for fact in bench.of(job))
    assert bench.dead == []


@pytest.mark.parametrize("fault", ["drop", 502, 504])
async def test_a_lost_response_causes_one_more_request_and_is_reported(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, fault: str | int
):
    fake.fail(fault)
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until_reported(job, "completed")
    assert len(fake.requests) == 2
    assert bench.of(job)[-1].possibly_paid_twice is True


async def test_two_lost_responses_end_in_an_error_and_report_a_possible_double_payment(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer
):
    fake.fail("drop", "drop")
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
    last = bench.of(job)[-1]
    assert last.failure is not None
    assert last.failure.code == "submit_unknown"
    assert last.possibly_paid_twice is True
    assert len(fake.requests) == 2


async def test_a_storage_failure_after_payment_causes_no_second_request(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, tmp_path: Path
):
    job = make_job()
    (tmp_path / job.target).parent.parent.write_bytes(b"a file where a folder must be")
    async with at_work(service()):
        await bench.put(job)
        async with asyncio.timeout(20), fake.changed:
            await fake.changed.wait_for(lambda: fake.stats()["requests"] == 1 and fake.in_progress == 0)
        (tmp_path / job.target).parent.parent.unlink()
        await bench.until_reported(job, "completed")
    assert len(fake.requests) == 1
    assert not any(fact.possibly_paid_twice for fact in bench.of(job))


async def test_calls_to_an_overloaded_provider_are_paused(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer
):
    fake.fail(*[429] * 4)
    jobs = [make_job() for _ in range(5)]
    async with at_work(
        service(breaker_failure_threshold=2, breaker_reset_timeout=0.5, vectorize_concurrency=2)
    ):
        await bench.put(*jobs)
        await bench.until(
            lambda: all("completed" in bench.statuses(job) for job in jobs),
            timeout=60,
        )
    assert len(fake.requests) == 9
    failed = [retry for job in jobs for retry in bench.retries(job) if retry.code != "provider_paused"]
    assert [retry.code for retry in failed] == ["provider_rate_limited"] * 4
    assert bench.dead == []


async def test_a_permanent_failure_ends_in_error_with_a_dead_letter(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer
):
    fake.fail(402)
    job = make_job()
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
        await bench.until_no_job_is_left()
    assert bench.statuses(job) == [*WHOLE_WAY[:2], "error"]
    last = bench.of(job)[-1]
    assert last.failure is not None
    assert last.failure.code == "provider_out_of_credit"
    [letter] = bench.dead
    assert letter.failure == last.failure
    assert SvgJob.model_validate_json(letter.original_payload) == job


@pytest.mark.parametrize(
    ("source", "code"),
    [("../../etc/passwd", "unsafe_path"), ("/etc/passwd", "unsafe_path"), ("42/none.png", "page_missing")],
)
async def test_a_missing_page_or_unsafe_path_is_an_error(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, source: str, code: str
):
    job = make_job(source=source)
    async with at_work(service()):
        await bench.put(job)
        await bench.until(lambda: len(bench.dead) == 1)
    assert bench.statuses(job) == ["processing", "error"]
    assert bench.dead[0].failure.code == code
    assert fake.requests == []


async def test_the_local_provider_reports_no_provider_statuses(
    bench: Workbench, service: Service, make_job: MakeJob, fake: FakeVectorizer, tmp_path: Path
):
    job = make_job(options=SvgOptions())
    async with at_work(service(vectorize_provider="local")):
        await bench.put(job)
        await bench.until_reported(job, "completed")
        await bench.until_no_job_is_left()
    assert bench.statuses(job) == ["processing", "completed"]
    assert etree.parse(tmp_path / job.target).getroot().get("viewBox") is not None
    assert fake.requests == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "VECTORIZER_API_KEY and VECTORIZER_API_SECRET"),
        ({"VECTORIZER_API_SECRET": "s3cr3t"}, "VECTORIZER_API_KEY"),
        ({"VECTORIZER_API_KEY": "vk-test"}, "VECTORIZER_API_SECRET"),
    ],
)
def test_missing_provider_credentials_are_named_and_end_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys, given: dict[str, str], missing: str
):
    for name in ("VECTORIZER_API_KEY", "VECTORIZER_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"VECTORIZE_PROVIDER": "vectorizer"} | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"VECTORIZE_PROVIDER=vectorizer needs {missing}\n" in said
    assert "s3cr3t" not in said


def test_an_unknown_provider_is_an_invalid_setting(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("VECTORIZE_PROVIDER", "scissors")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("VECTORIZE_PROVIDER: ")


def test_the_default_limits_depend_on_the_provider():
    local = VectorizeSettings(vectorize_provider="local")
    assert (local.concurrency, local.max_in_flight) == (1, 64)
    account = {"vectorizer_api_key": "vk", "vectorizer_api_secret": SecretStr("s")}
    hosted = VectorizeSettings(vectorize_provider="vectorizer", **account)
    assert (hosted.concurrency, hosted.max_in_flight) == (16, 64)
    assert VectorizeSettings(vectorize_provider="local", vectorize_concurrency=3).concurrency == 3
