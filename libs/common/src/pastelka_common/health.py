"""``/healthz``, ``/readyz`` and ``/metrics`` of a service that has no other HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[None]]
"""Returns if a dependency is available, else raises."""

_CHECK_TIMEOUT = 3.0


async def run_checks(checks: Mapping[str, Check], *, timeout: float = _CHECK_TIMEOUT) -> dict[str, str]:
    """Result of each check by name: ``ok``, or the error (such as no response in ``timeout`` seconds)."""
    results = await asyncio.gather(*(_run_check(check, timeout) for check in checks.values()))
    return dict(zip(checks, results, strict=True))


async def _run_check(check: Check, timeout: float) -> str:
    try:
        await asyncio.wait_for(check(), timeout)
    except TimeoutError as error:
        return f"TimeoutError: {error}" if str(error) else f"TimeoutError: no response in {timeout:g} s"
    except Exception as error:  # noqa: BLE001 - any error is the check's result
        return f"{type(error).__name__}: {error}"
    return "ok"


@asynccontextmanager
async def health_server(host: str, port: int, checks: Mapping[str, Check]) -> AsyncIterator[int]:
    """Serve health and metrics while the body runs; yields the port (``port`` 0: a free one)."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        results = await run_checks(checks)
        ready = all(result == "ok" for result in results.values())
        return web.json_response({"ready": ready, "checks": results}, status=200 if ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
