"""Classifies Vectorizer.ai's responses: an SVG, or a transient or permanent error.

Source: https://vectorizer.ai/api/errors; an error's body is ``{"error": {"status": 400, "code": 1006,
"message": "..."}}``. A response below 500 without such a body comes from a proxy or gateway, and is
transient.
"""

import json
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from pastelka_common.errors import JobError, PermanentError, SubmitUnknownError, TransientError

MAX_RETRY_AFTER = 3600.0
MAX_MESSAGE = 300

# Responses of a gateway that had forwarded the request; 520 and 524 are Cloudflare's.
_FORWARDED = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT, 520, 524)
_TRANSIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_HEAD = 4096
_BEFORE_MARKUP = b"\xef\xbb\xbf \t\r\n"


def svg_of(body: bytes) -> bytes:
    """The body of a 200, if it looks like a complete SVG document (sanitizing parses it).

    Raises ``PermanentError`` (``provider_output_invalid``): a broken result was charged, and a retry would be
    charged again.
    """
    head = body[:_HEAD].lstrip(_BEFORE_MARKUP)
    starts = head.startswith((b"<?xml", b"<!", b"<svg")) and b"<svg" in head
    if starts and body.rstrip().endswith(b"</svg>"):
        return body
    raise PermanentError(
        "provider_output_invalid", "Vectorizer.ai responded with 200, but without a complete SVG document."
    )


def error_of(status: int, headers: httpx.Headers, body: bytes) -> JobError:
    """The error for a status other than 200."""
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _TRANSIENT:
        return _refusal(status, body)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TransientError(
            "provider_rate_limited",
            "Vectorizer.ai is rate limiting requests (429); the request will be retried.",
            retry_after=retry_after(headers),
        )
    if status in _FORWARDED:
        return SubmitUnknownError(
            "provider_unavailable",
            f"Vectorizer.ai's gateway timed out ({status}); the request may have been charged.",
            retry_after=retry_after(headers),
        )
    return TransientError(
        "provider_unavailable",
        f"Vectorizer.ai is unavailable ({status}); the request will be retried.",
        retry_after=retry_after(headers),
    )


def _refusal(status: int, body: bytes) -> JobError:
    message = _message(body)
    if message is None:
        return TransientError(
            "provider_unavailable",
            f"The response {status} has no error of Vectorizer.ai; it may be a proxy's. "
            "The request will be retried. If this persists, check VECTORIZER_BASE_URL and HTTPS_PROXY.",
        )
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return PermanentError(
                "provider_unauthorized",
                f"Vectorizer.ai rejected the API key ({status}). "
                "Check VECTORIZER_API_KEY and VECTORIZER_API_SECRET.",
            )
        case HTTPStatus.PAYMENT_REQUIRED:
            return PermanentError(
                "provider_out_of_credit", "Vectorizer.ai: out of credit (402). Top up the account and retry."
            )
        case _:
            return PermanentError("provider_refused", f"Vectorizer.ai refused the page ({status}): {message}")


def _message(body: bytes) -> str | None:
    """The provider's message, on one line and truncated; ``None`` if the body is not its error."""
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return " ".join(str(message).split())[:MAX_MESSAGE] or "no reason given."


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds of ``Retry-After`` (RFC 9110, 10.2.3: seconds or a date), at most an hour."""
    value = headers.get("Retry-After", "").strip()
    seconds = _seconds(value)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value)
    return seconds if math.isfinite(seconds) else None


def _seconds_until(value: str) -> float | None:
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
