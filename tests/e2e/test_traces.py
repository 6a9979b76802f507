"""One trace covers the path from the click to the push, with links across batches."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_local.testing.stack import photo, post_order
from tests.e2e.trace_collector import Collected, TraceCollector
from tests.system import System, running_system

pytestmark = pytest.mark.server

_CLICK = "0af7651916cd43dd8448eb211c80319c"
_BROWSER_SPAN = "b7ad6b7169203331"
_IMAGES = 2

# Services and spans in the trace of a coloring with its SVG.
_PATH = {
    ("orders-api", "POST /orders", "server"),
    ("orders-worker", "publish jobs.coloring", "producer"),
    ("coloring", "process coloring", "consumer"),
    ("coloring", "POST run", "client"),
    ("coloring", "GET status/{id}", "client"),
    ("orders-worker", "commit status.coloring", "consumer"),
    ("orders-worker", "publish jobs.svg", "producer"),
    ("vectorize", "process vectorize", "consumer"),
    ("vectorize", "POST vectorize", "client"),
    ("orders-worker", "commit status.svg", "consumer"),
    ("orders-worker", "publish events.order", "producer"),
    ("notifier", "push", "consumer"),
    ("notifier", "POST publish", "client"),
}


@dataclass
class TracedSystem:
    """A system whose traces are collected."""

    system: System
    collector: TraceCollector


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TracedSystem]:
    """All services, exporting to one collector."""
    folder = tmp_path_factory.mktemp("traced")
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.4, run_seconds=0.4))
    async with TraceCollector() as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        async with running_system(folder, runpod, FakeVectorizer(duration=0.2), env=env) as system:
            yield TracedSystem(system, collector)


async def test_one_trace_leads_through_every_part(traced: TracedSystem) -> None:
    system, collector = traced.system, traced.collector
    headers = {"traceparent": f"00-{_CLICK}-{_BROWSER_SPAN}-01"}
    async with aiohttp.ClientSession(headers=headers) as http:
        await post_order(
            http, system.stack.api_url, [photo(n) for n in range(100, 100 + _IMAGES)], process="svg"
        )
    await collector.until(lambda _: _is_whole(collector.of(_CLICK)), deadline=60)
    trace = collector.of(_CLICK)
    assert {(s.service, s.name, s.kind) for s in trace} >= _PATH
    assert not [s for s in trace if s.is_error]

    ids = {span.span_id: span for span in trace}
    assert _orphans(trace) == []
    push = next(s for s in trace if s.name == "POST publish")
    assert _ancestors(push, ids)[-1] == "POST /orders"


async def test_the_batch_and_its_messages_are_linked_both_ways(traced: TracedSystem) -> None:
    collector = traced.collector
    by_id = {(s.trace_id, s.span_id): s for s in collector.spans}
    for batch, each in (
        ("publish outbox", "publish jobs.coloring"),
        ("commit facts", "commit status.coloring"),
    ):
        for one in (s for s in collector.of(_CLICK) if s.name == each):
            (whole,) = [by_id[link] for link in one.links]
            assert whole.name == batch
            assert whole.trace_id != _CLICK
            assert (_CLICK, one.parent_id) in whole.links


async def test_spans_hold_no_secrets_and_no_personal_data(traced: TracedSystem) -> None:
    attributes = str([(s.name, s.attributes) for s in traced.collector.spans])
    for secret in ("secret-test", "vk-test", traced.system.runpod.settings.api_key, "Bearer"):
        assert secret not in attributes


def _is_whole(trace: list[Collected]) -> bool:
    """Whether both SVGs are committed, all jobs have ended, all events are pushed, and no span is missing."""
    committed = [s.attributes["pastelka.status"] for s in trace if s.name == "commit status.svg"]
    count = Counter(s.name for s in trace)
    jobs_ended = count["process coloring"] == count["process vectorize"] == _IMAGES
    pushed = count["publish events.order"] == count["push"]
    # The services export each on its own: a parent can arrive after its children.
    no_span_missing = not _orphans(trace) and {(s.service, s.name, s.kind) for s in trace} >= _PATH
    return committed.count("completed") == _IMAGES and jobs_ended and pushed and no_span_missing


def _orphans(trace: list[Collected]) -> list[Collected]:
    """Spans whose parent is neither in the trace nor the browser's."""
    known = {span.span_id for span in trace} | {_BROWSER_SPAN}
    return [span for span in trace if span.parent_id not in known]


def _ancestors(span: Collected, ids: dict[str, Collected]) -> list[str]:
    names = [span.name]
    while span.parent_id in ids:
        span = ids[span.parent_id]
        names.append(span.name)
    return names
