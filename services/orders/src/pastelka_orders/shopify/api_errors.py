"""Classifies errors of the Admin API as transient or permanent.

https://shopify.dev/docs/api/admin-graphql/latest#status-and-error-codes
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from pydantic import ValidationError

from pastelka_common.errors import JobError, PermanentError, TransientError
from pastelka_common.response_body import ResponseBodyError, ResponseTooLargeError, ResponseTruncatedError

_FIRST_SERVER_ERROR = 500
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, 430}
_DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

log = structlog.get_logger(__name__)


def require_ok(status: int, wait: float | None) -> None:
    """Raise ``TransientError`` or ``PermanentError`` unless the status is 200."""
    if status == HTTPStatus.OK:
        return
    if status in _TRANSIENT or status >= _FIRST_SERVER_ERROR:
        raise TransientError("shop_unavailable", f"The shop responded with {status}.", retry_after=wait)
    if status in _DENIED:
        message = f"The shop denies access ({status}); SHOPIFY_ACCESS_TOKEN must be a valid Admin API token."
        raise PermanentError("shop_access_refused", message)
    message = f"The shop responded with {status}; check SHOPIFY_STORE_URL and SHOPIFY_API_VERSION."
    raise PermanentError("shop_not_found", message)


def body_error(error: ResponseBodyError) -> JobError:
    """The error for a response with an incomplete or invalid body."""
    message = f"The shop's response cannot be read: {error}."
    if isinstance(error, ResponseTooLargeError):
        return PermanentError("shop_answer_too_large", message)
    is_truncated = isinstance(error, ResponseTruncatedError)
    return TransientError("shop_answer_truncated" if is_truncated else "shop_unavailable", message)


def malformed(what: str, error: ValidationError) -> PermanentError:
    """The error for a response that violates the API's schema; names fields, never values."""
    fields = sorted({".".join(map(str, one["loc"])) or "all of it" for one in error.errors()})
    return PermanentError(
        "shop_answer_unreadable", f"{what} is malformed; invalid fields: {', '.join(fields[:5])}."
    )


@dataclass(frozen=True)
class GraphQLErrors:
    """``errors`` and ``data`` of a response."""

    codes: frozenset[str]
    messages: tuple[str, ...]
    data: dict[str, Any] | None

    @classmethod
    def of(cls, response: dict[str, Any]) -> "GraphQLErrors":
        """Parse a response. ``errors`` may be a string, as for a closed shop."""
        errors = response.get("errors") or []
        listed = errors if isinstance(errors, list) else [errors]
        found: list[dict[str, Any]] = [
            one if isinstance(one, dict) else {"message": str(one)} for one in listed
        ]
        codes = {str((one.get("extensions") or {}).get("code") or "") for one in found}
        messages = tuple(str(one.get("message") or "")[:200] for one in found)
        data = response.get("data")
        return cls(frozenset(codes), messages, data if isinstance(data, dict) else None)

    @property
    def is_throttled(self) -> bool:
        """Whether the rate limit was exceeded."""
        return "THROTTLED" in self.codes or "Throttled" in self.messages

    def require_data(self) -> dict[str, Any]:
        """The data. Fields that the token may not read are missing, which is logged."""
        has_something = self.data is not None and any(value is not None for value in self.data.values())
        if self.data is not None and (not self.messages or (has_something and self._is_only_denied)):
            if self.messages:
                log.warning("shopify fields withheld", reasons=self.messages[:3])
            return self.data
        reasons = "; ".join(self.messages[:3]) or "no data"
        if "INTERNAL_SERVER_ERROR" in self.codes:
            raise TransientError("shop_unavailable", f"The shop failed to respond: {reasons}")
        if self._is_only_denied:
            message = f"The token may not read orders (scope read_orders): {reasons}"
            raise PermanentError("shop_access_refused", message)
        raise PermanentError("shop_question_refused", f"The shop rejected the query: {reasons}")

    @property
    def _is_only_denied(self) -> bool:
        return bool(self.codes) and self.codes <= {"ACCESS_DENIED"}
