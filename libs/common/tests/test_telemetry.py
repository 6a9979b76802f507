"""The trace goes into the headers of a message and comes out of them."""

import io
import json
import subprocess
import sys

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from pastelka_common import telemetry
from pastelka_common.contracts.messages import OrderChanged
from pastelka_common.messaging.publish import MSG_ID, outgoing
from pastelka_common.telemetry import context_of, current_headers, log_to_stderr, trace_id_of

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
_TRACER = TracerProvider().get_tracer("test")


def test_without_a_trace_there_are_no_headers():
    assert current_headers() == {}
    assert trace_id_of(None) is None
    assert trace_id_of({}) is None
    assert trace_id_of({"traceparent": "nonsense"}) is None


def test_a_message_carries_the_current_trace_and_its_id():
    with _TRACER.start_as_current_span("click", context=context_of(HEADERS)) as span:
        message = outgoing(OrderChanged(order_number="1270"), msg_id="outbox.9")
    parts = message.headers["traceparent"].split("-")
    assert parts[1:3] == [TRACE_ID, f"{span.get_span_context().span_id:016x}"]
    assert trace_id_of(message.headers) == TRACE_ID
    assert message.headers[MSG_ID] == "outbox.9"
    assert json.loads(message.payload) == {
        "schema_version": 1,
        "event": "order_changed",
        "order_number": "1270",
    }


def test_a_message_id_can_be_given():
    event = OrderChanged(order_number="1270")
    assert MSG_ID not in outgoing(event).headers
    assert outgoing(event, msg_id="outbox.9").headers[MSG_ID] == "outbox.9"


def test_log_lines_are_json_with_service_and_trace():
    script = """
import logging, structlog
from opentelemetry import trace
from pastelka_common import telemetry
telemetry.set_up("coloring", level="INFO")
with telemetry.tracer.start_as_current_span("job"):
    structlog.get_logger("x").info("stored", version=7)
    structlog.get_logger("x").debug("not shown")
    logging.getLogger("other").warning("plain")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    ours, plain = (json.loads(line) for line in done.stderr.splitlines())
    assert (ours["service"], ours["event"], ours["version"], ours["level"]) == (
        "coloring",
        "stored",
        7,
        "info",
    )
    assert len(ours["trace_id"]) == 32
    assert (plain["event"], plain["trace_id"]) == ("plain", ours["trace_id"])
    assert done.stdout == ""


def test_secrets_are_redacted_in_log_lines():
    silenced = telemetry.QuietExporter({"p@ss/word", 'qu"ote'})
    said = silenced(None, "info", 'p@ss/word p%40ss/word qu\\"ote qu"ote password')
    assert said == "*** *** *** *** password"
    assert telemetry.QuietExporter(())(None, "info", "as it is") == "as it is"


def test_logging_follows_a_replaced_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs a command in its own process may replace standard error, and close the replacement."""
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stderr", replaced)
    log_to_stderr()
    structlog.get_logger().info("first")
    assert "first" in replaced.getvalue()
    replaced.close()
    monkeypatch.setattr(sys, "stderr", later := io.StringIO())
    structlog.get_logger().info("second")
    assert "second" in later.getvalue()
