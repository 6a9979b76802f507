"""Tracing and metrics of HTTP requests to other systems.

Names and attributes follow OpenTelemetry's semantic conventions for HTTP clients.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Histogram

from pastelka_common.telemetry import tracer

SECONDS = Histogram(
    "http_client_request_duration_seconds",
    "Duration of HTTP requests to other systems",
    ["http_request_method", "server_address", "url_template", "http_response_status_code", "error_type"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)

_FIRST_ERROR = 400


@dataclass(slots=True)
class InstrumentedRequest:
    """A request in progress; the caller sets the response's ``status``."""

    status: int | None = None


@contextmanager
def instrumented_request(method: str, url: str, template: str) -> Iterator[InstrumentedRequest]:
    """Measure and trace one request.

    ``template`` names the operation without ids (``status/{id}``): the number of series stays small. The
    recorded URL has no credentials and no query.
    """
    address = urlsplit(url).hostname or ""
    call, failed = InstrumentedRequest(), ""
    attributes = {"http.request.method": method, "server.address": address, "url.template": template}
    started = time.perf_counter()
    with tracer.start_as_current_span(
        f"{method} {template}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        # Exception texts may contain URLs with credentials.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield call
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            if call.status is not None:
                span.set_attribute("http.response.status_code", call.status)
                if not failed and call.status >= _FIRST_ERROR:
                    failed = str(call.status)
            if failed:
                span.set_attribute("error.type", failed)
                span.set_status(Status(StatusCode.ERROR))
            SECONDS.labels(method, address, template, call.status or "", failed).observe(
                time.perf_counter() - started
            )
