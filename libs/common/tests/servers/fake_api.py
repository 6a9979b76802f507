"""The orders API's place behind the gateway, taken by a small HTTP server."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from pastelka_common.testing.wire import Wire

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CHECK = "/api/v1/session/check"
HOLDS = "max-age=5, stale-while-revalidate=5, stale-if-error=300"
"""What the API says of a caller it knows."""


@asynccontextmanager
async def serving(handler: Handler, *, port: int = 0) -> AsyncIterator[str]:
    """Origin of an HTTP server that answers everything by ``handler``, in random pieces."""
    application = web.Application(client_max_size=1 << 30, middlewares=[Wire().middleware])
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class FakeApi:
    """Accepts a caller with one of ``known`` (a session cookie's value, an ``Authorization``, a user's name).

    ``None`` among them accepts every caller. ``asked`` records all requests.
    """

    known: set[str | None] = field(default_factory=lambda: {None})
    holds: str = HOLDS
    forbids: bool = False
    """Whether it answers 403, as the API without a lock does to other machines."""
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(request)
        if request.path == CHECK:
            return self._check(request)
        return web.json_response({"path": request.raw_path, "headers": dict(request.headers)})

    @property
    def checks(self) -> list[web.Request]:
        """The requests that check access to a file."""
        return [request for request in self.asked if request.path == CHECK]

    def _check(self, request: web.Request) -> web.StreamResponse:
        if self.forbids:
            return web.Response(status=403)
        # The last of several cookies of one name, as the API reads them.
        sessions = re.findall(r"pastelka_session=([^;]*)", request.headers.get("Cookie", ""))
        named = (request.headers.get(name) for name in ("Authorization", "X-Auth-Request-User"))
        if self.known & {None, *sessions[-1:]} or any(name in self.known for name in named if name):
            return web.Response(status=204, headers={"Cache-Control": self.holds})
        return web.Response(status=401, headers={"Cache-Control": "no-store"})
