"""Setup of tracing and logging for all services."""

import json
import logging
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import structlog
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import Link, SpanKind
from opentelemetry.util.types import AttributeValue

_MAX_LINKS = 128
"""OpenTelemetry's default limit of links per span; more would be dropped."""

tracer = trace.get_tracer("pastelka")


def set_up(
    service: str,
    *,
    level: str = "INFO",
    otlp_endpoint: str | None = None,
    secrets: Collection[str] = (),
) -> None:
    """Start tracing and logging of this process. ``secrets`` are redacted from every line.

    Every message and log line has a trace id. Spans are recorded and exported only if ``otlp_endpoint``
    (``OTEL_EXPORTER_OTLP_ENDPOINT``) is set.
    """
    sampler = ParentBased(ALWAYS_ON) if otlp_endpoint else ALWAYS_OFF
    provider = TracerProvider(sampler=sampler, resource=Resource.create({SERVICE_NAME: service}))
    if otlp_endpoint:
        # Imported on demand: it takes a third of a second.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _set_up_logs(service, level, QuietExporter(secrets))


def flush(seconds: float = 5.0) -> None:
    """Export pending spans; blocks for at most ``seconds``.

    A process that ends by a signal, as uvicorn does, would lose them.
    """
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(int(1000 * seconds))


def current_headers() -> dict[str, str]:
    """The current trace context (``traceparent``) as message headers."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def context_of(headers: Mapping[str, str] | None) -> Context:
    """The trace context in a message's headers."""
    return propagate.extract(headers or {})


def trace_id_of(headers: Mapping[str, str] | None) -> str | None:
    """Hexadecimal trace id of a message's ``traceparent``, if it has one."""
    span = trace.get_current_span(context_of(headers)).get_span_context()
    return f"{span.trace_id:032x}" if span.is_valid else None


@dataclass(frozen=True, slots=True)
class TraceHeaders:
    """The span of one message of a batch."""

    name: str
    attributes: Mapping[str, AttributeValue]


class Carrier(Protocol):
    """A message with trace headers."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers."""


M = TypeVar("M", bound=Carrier)


@contextmanager
def batch_span(
    name: str, kind: SpanKind, messages: Sequence[M], describe: Callable[[M], TraceHeaders]
) -> Iterator[list[dict[str, str]]]:
    """One span for processing a batch, and one for each message in the message's own trace.

    The spans are linked both ways. Yields the trace headers for each message's further processing; if nothing
    is recorded, these are its own, and ``describe`` is not called.
    """
    contexts = [context_of(message.headers) for message in messages] if _is_recorded() else []
    if not contexts:
        yield [_trace_headers(message.headers) for message in messages]
        return
    links = [Link(trace.get_current_span(context).get_span_context()) for context in contexts[:_MAX_LINKS]]
    size = {"messaging.batch.message_count": len(messages)}
    with (
        tracer.start_as_current_span(name, context=Context(), links=links, attributes=size) as whole,
        ExitStack() as ended,
    ):
        link = [Link(whole.get_span_context())]
        child = []
        for message, context in zip(messages, contexts, strict=True):
            own = describe(message)
            span = tracer.start_span(
                own.name, context=context, kind=kind, links=link, attributes=dict(own.attributes)
            )
            ended.callback(span.end)
            headers: dict[str, str] = {}
            propagate.inject(headers, trace.set_span_in_context(span))
            child.append(headers)
        yield child


def _is_recorded() -> bool:
    provider = trace.get_tracer_provider()
    return isinstance(provider, TracerProvider) and provider.sampler is not ALWAYS_OFF


def _trace_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in {"traceparent", "tracestate"}}


class QuietExporter:
    """The last structlog processor: redacts secrets in a log line, whatever their source.

    Our own messages contain none; libraries and providers may quote their input.
    """

    def __init__(self, secrets: Collection[str]) -> None:
        # Plain, JSON-escaped and percent-encoded.
        forms = {form for secret in secrets for form in _forms(secret)}
        self._pattern = (
            re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None
        )

    def __call__(self, _logger: Any, _method: str, line: Any) -> Any:
        """Redact a line."""
        return line if self._pattern is None else self._pattern.sub("***", line)


def _forms(secret: str) -> tuple[str, ...]:
    return secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe="")


def _set_up_logs(service: str, level: str, silenced: QuietExporter) -> None:
    terminal = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer, silenced],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_stderr_logger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, silenced]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=processors, foreign_pre_chain=shared))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # A line per polling request would drown other messages.
    for noisy in ("httpx", "httpcore", "uvicorn.access", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def log_to_stderr() -> None:
    """Write the log of a command to standard error, since standard output is for its result."""
    structlog.configure(logger_factory=_stderr_logger)


def _stderr_logger(*_names: Any) -> structlog.PrintLogger:
    # Resolved per logger: a caller that runs a command in-process may replace sys.stderr and close it later.
    return structlog.PrintLogger(sys.stderr)


def _add_trace_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
    return event
