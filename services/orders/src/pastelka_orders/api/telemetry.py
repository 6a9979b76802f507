"""Duration and trace of every request."""

import time

from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pastelka_common.telemetry import context_of, tracer

REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Duration of HTTP requests",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


class TelemetryMiddleware:
    """ASGI middleware: a span in the caller's trace, and the duration by route and status.

    Reads (GET, HEAD) get no span: they cause no further work.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            if scope["method"] in {"GET", "HEAD"}:
                await self._app(scope, receive, sent)
            else:
                await self._traced(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "")
            REQUESTS.labels(scope["method"], route, status).observe(time.perf_counter() - started)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        attributes = {"http.request.method": method, "url.path": scope["path"]}
        with tracer.start_as_current_span(
            method, context=context_of(headers), kind=SpanKind.SERVER, attributes=attributes
        ) as span:

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:  # noqa: PLR2004 - the class of server errors
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, send_traced)
            route = getattr(scope.get("route"), "path", None)
            if route is not None:
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
