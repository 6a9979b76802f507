"""Alive, ready, measured: what a service's own port answers."""

import asyncio

import aiohttp
from prometheus_client import Counter

from pastelka_common import health
from pastelka_common.health import health_server, run_checks

COUNTED = Counter("pastelka_test_things", "Things counted by a test")


async def _fine() -> None:
    return None


async def _broken() -> None:
    raise ConnectionError("no route")


async def _hangs() -> None:
    await asyncio.Event().wait()


async def _get(port: int, path: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, response.content_type, await response.text()


async def test_a_healthy_service_is_alive_and_ready():
    async with health_server("127.0.0.1", 0, {"broker": _fine}) as port:
        assert (await _get(port, "/healthz"))[::2] == (200, '{"status": "ok"}')
        assert (await _get(port, "/readyz"))[::2] == (200, '{"ready": true, "checks": {"broker": "ok"}}')


async def test_an_unready_service_reports_the_failing_check():
    async with health_server("127.0.0.1", 0, {"broker": _fine, "database": _broken}) as port:
        assert (await _get(port, "/healthz"))[0] == 200
        status, _, text = await _get(port, "/readyz")
        assert status == 503
        assert '"database": "ConnectionError: no route"' in text
        assert '"broker": "ok"' in text


async def test_a_hanging_check_fails_with_a_timeout(monkeypatch):
    monkeypatch.setattr(health, "_CHECK_TIMEOUT", 0.05)
    results = await run_checks({"slow": _hangs, "broker": _fine})
    assert results["broker"] == "ok"
    assert results["slow"].startswith("TimeoutError")


async def test_metrics_are_prometheus_text():
    COUNTED.inc(3)
    async with health_server("127.0.0.1", 0, {}) as port:
        status, content_type, text = await _get(port, "/metrics")
        assert (status, content_type) == (200, "text/plain")
        assert "pastelka_test_things_total 3.0" in text
        assert (await _get(port, "/other"))[0] == 404


async def test_the_health_port_is_released_on_shutdown():
    async with health_server("127.0.0.1", 0, {}) as port:
        pass
    async with health_server("127.0.0.1", port, {}) as again:
        assert again == port
