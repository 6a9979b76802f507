"""Services answer how they are when they are asked."""

import asyncio

from nats.aio.client import Client

from pastelka_common.breaker import Breaker
from pastelka_common.errors import TransientError
from pastelka_common.messaging import service_health
from pastelka_common.messaging.service_health import SUBJECT, collect_health, serve_health
from pastelka_common.testing.waiting import soon


async def well() -> None:
    """A dependency that answers."""


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_every_running_service_responds_at_once(nc: Client):
    async with serve_health(nc, "one", {"broker": well}), serve_health(nc, "other", {"hub": well}):
        found = await soon(collect_health(nc, ["one", "other"], wait=3600), 60)
    assert [(health.name, health.healthy, health.checks) for health in found] == [
        ("one", True, {"broker": "ok"}),
        ("other", True, {"hub": "ok"}),
    ]


async def test_the_health_of_a_service_includes_its_breaker(nc: Client):
    breaker = Breaker("runpod", failure_threshold=1, reset_timeout=60)
    breaker.record_failure(TransientError("busy", "Busy."))
    async with serve_health(nc, "one", {}, breaker.health), serve_health(nc, "other", {}):
        one, other = await collect_health(nc, ["one", "other"], wait=60)
    assert one.breaker is not None
    assert (one.breaker.state, one.breaker.reason) == ("open", "Busy.")
    assert one.healthy
    assert other.breaker is None


async def test_a_stopped_service_does_not_respond(nc: Client):
    async with serve_health(nc, "one", {}):
        pass
    assert await collect_health(nc, ["one"], wait=0.2) == []


async def test_a_hanging_check_is_reported_in_time(nc: Client):
    async with serve_health(nc, "one", {"hub": hangs}):
        (health,) = await collect_health(nc, ["one"], wait=60)
    assert service_health._CHECK_SECONDS < service_health._WAIT_SECONDS
    assert not health.healthy
    assert health.checks == {"hub": "TimeoutError: no response in 0.8 s"}


async def test_a_malformed_health_reply_is_ignored(nc: Client):
    async def strange(msg):
        await msg.respond(b"{}")

    subscription = await nc.subscribe(SUBJECT, cb=strange)
    async with serve_health(nc, "one", {}):
        found = await collect_health(nc, ["one"], wait=60)
    await subscription.unsubscribe()
    assert [health.name for health in found] == ["one"]
