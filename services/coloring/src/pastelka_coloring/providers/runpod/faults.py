"""Faults of HTTP requests, as transient or permanent errors.

If a submission fails, the question is whether RunPod may have accepted the job without returning an id. Only
then is the error a ``SubmitUnknownError``: a second submission may be charged twice.
"""

import email.utils
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
import httpx

from pastelka_common.errors import JobError, PermanentError, SubmitUnknownError, TransientError
from pastelka_common.response_body import ResponseBodyError, ResponseTruncatedError

SUBMIT_UNKNOWN = "submit_unknown"
_ACCESS_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_TRANSIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
# Responses of a gateway that had forwarded the request: 520 and 524 are Cloudflare's, in front of
# api.runpod.ai.
_FORWARDED = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT, 520, 524)
# aiohttp's errors; httpx-aiohttp 0.2 turns every lost connection into httpx.ConnectTimeout.
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class ConnectionFaultError(Exception):
    """No complete response. ``sent``: whether RunPod may have received the request."""

    def __init__(self, cause: Exception) -> None:
        is_body = isinstance(cause, ResponseBodyError)
        original = cause if is_body else cause.__cause__ or cause
        super().__init__(str(cause) if is_body else type(original).__name__)
        self.sent = not isinstance(original, _NEVER_CONNECTED)
        self.is_truncated = isinstance(cause, ResponseTruncatedError)


def retry_after(headers: httpx.Headers) -> float | None:
    """``Retry-After`` (RFC 9110, 10.2.3) in seconds from now, as seconds or an HTTP date; else ``None``."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def submit_fault(fault: httpx.Response | ConnectionFaultError) -> JobError:
    """The error for a failed submission."""
    if isinstance(fault, ConnectionFaultError):
        return _submit_unknown(str(fault)) if fault.sent else _unreachable(fault)
    if fault.status_code in _FORWARDED:
        return _submit_unknown(f"HTTP {fault.status_code}")
    if fault.status_code == HTTPStatus.NOT_FOUND:
        return PermanentError(
            "provider_endpoint_unknown",
            "RunPod does not know the endpoint; check RUNPOD_ENDPOINT_ID and RUNPOD_BASE_URL.",
        )
    return _response_fault(fault)


def missing_job_id() -> JobError:
    """RunPod accepted the job, but its id cannot be read."""
    return _submit_unknown("response without a job id")


class JobUnknownError(TransientError):
    """RunPod does not know the job (HTTP 404): it expired, or a gateway responded."""


def job_fault(fault: httpx.Response | ConnectionFaultError) -> TransientError:
    """The error for a failed status or cancel request.

    Never permanent: the job continues at RunPod regardless, so the caller retries.
    """
    if isinstance(fault, ConnectionFaultError):
        return _unreachable(fault)
    if fault.status_code == HTTPStatus.NOT_FOUND:
        return JobUnknownError(
            "provider_job_gone",
            "RunPod no longer knows the job (it keeps results for 30 minutes); retry to submit it again.",
        )
    error = _response_fault(fault)
    return error if isinstance(error, TransientError) else TransientError(error.code, error.message)


def malformed_status() -> TransientError:
    """The error for a status response that is not RunPod's JSON, as from a gateway."""
    return TransientError("provider_unavailable", "RunPod's response is not a job's status.")


def _submit_unknown(why: str) -> SubmitUnknownError:
    return SubmitUnknownError(
        SUBMIT_UNKNOWN, f"RunPod may have accepted the job, but returned no id ({why})."
    )


def _unreachable(fault: ConnectionFaultError) -> TransientError:
    if fault.is_truncated:
        return TransientError("provider_answer_truncated", f"RunPod's response was truncated: {fault}.")
    return TransientError("provider_unreachable", f"RunPod cannot be reached ({fault}).")


def _response_fault(response: httpx.Response) -> JobError:
    code = response.status_code
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return TransientError(
            "provider_busy",
            "RunPod is rate limiting requests (HTTP 429).",
            retry_after=retry_after(response.headers),
        )
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _TRANSIENT:
        return TransientError(
            "provider_unavailable",
            f"RunPod is unavailable (HTTP {code}).",
            retry_after=retry_after(response.headers),
        )
    if code in _ACCESS_DENIED:
        return PermanentError(
            "provider_unauthorized",
            f"RunPod rejected the key (HTTP {code}); RUNPOD_API_KEY must have access to the endpoint.",
        )
    return PermanentError("provider_refused", f"RunPod refused the request (HTTP {code}).")
