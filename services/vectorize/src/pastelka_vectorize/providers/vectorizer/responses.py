"""What Vectorizer.ai's answers mean: an SVG, or an error that says whether to try again.

Source: https://vectorizer.ai/api/errors; an error's body is
``{"error": {"status": 400, "code": 1006, "message": "..."}}``. An answer below 500 without such a body is
not the API's own: one from a proxy or a gateway ends no version.
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

# Answers of a gateway that had passed the request on; 520 and 524 are Cloudflare's.
_PASSED_ON = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT, 520, 524)
_TRY_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_HEAD = 4096
_BEFORE_MARKUP = b"\xef\xbb\xbf \t\r\n"


def svg_of(body: bytes) -> bytes:
    """The body of a 200, if it looks like a whole SVG document (cleaning it parses it).

    Raises ``PermanentError`` (``provider_output_invalid``): a broken result was paid for, and the
    same page would be paid for again.
    """
    head = body[:_HEAD].lstrip(_BEFORE_MARKUP)
    starts = head.startswith((b"<?xml", b"<!", b"<svg")) and b"<svg" in head
    if starts and body.rstrip().endswith(b"</svg>"):
        return body
    raise PermanentError(
        "provider_output_invalid", "Vectorizer.ai answered 200, but not with a whole SVG document."
    )


def error_of(status: int, headers: httpx.Headers, body: bytes) -> JobError:
    """The error that an answer other than 200 stands for."""
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _TRY_AGAIN:
        return _refusal(status, body)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TransientError(
            "provider_rate_limited",
            "Vectorizer.ai: too many requests (429). It will be tried again.",
            retry_after=retry_after(headers),
        )
    if status in _PASSED_ON:
        return SubmitUnknownError(
            "provider_unavailable",
            f"Vectorizer.ai's gateway gave up waiting ({status}); the request may have been charged.",
            retry_after=retry_after(headers),
        )
    return TransientError(
        "provider_unavailable",
        f"Vectorizer.ai is not available ({status}). It will be tried again.",
        retry_after=retry_after(headers),
    )


def _refusal(status: int, body: bytes) -> JobError:
    said = _message(body)
    if said is None:
        return TransientError(
            "provider_unavailable",
            f"An answer {status} came without an error of Vectorizer.ai; it may be a proxy's. "
            "It will be tried again. If it stays, check VECTORIZER_BASE_URL and HTTPS_PROXY.",
        )
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return PermanentError(
                "provider_unauthorized",
                f"Vectorizer.ai refused the API key ({status}). "
                "Check VECTORIZER_API_KEY and VECTORIZER_API_SECRET.",
            )
        case HTTPStatus.PAYMENT_REQUIRED:
            return PermanentError(
                "provider_out_of_credit", "Vectorizer.ai: out of credit (402). Top it up and try again."
            )
        case _:
            return PermanentError("provider_refused", f"Vectorizer.ai refused the page ({status}): {said}")


def _message(body: bytes) -> str | None:
    """The provider's own sentence, on one line and not too long; ``None`` if the body is not its error."""
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return " ".join(str(message).split())[:MAX_MESSAGE] or "it gave no reason."


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait, as ``Retry-After`` says (RFC 9110, 10.2.3: seconds or a date); at most an hour."""
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
