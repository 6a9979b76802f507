"""Checks before routing: size, encoding and media type of a request."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message as Header
from typing import Literal
from urllib.parse import parse_qsl, unquote_to_bytes

from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pastelka_orders.api.field_limits import CONTENT_TYPE_BYTES, COOKIE_ESCAPES, QUERY_PARAMETERS
from pastelka_orders.api.problems import InvalidError, invalid, problem

Kind = Literal["json", "form", "any"]

_MEDIA_TYPES: Mapping[Kind, str] = {"json": "application/json", "form": "multipart/form-data"}


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Body that a route accepts; kind ``any``: the route checks the media type itself."""

    kind: Kind
    max_bytes: int


@dataclass(frozen=True)
class BodyLimits:
    """Limits by method and path, or last part of the path; ``default`` for all other routes."""

    default: BodyLimit
    by_route: Mapping[tuple[str, str], BodyLimit] = field(default_factory=dict)
    by_last_part: Mapping[tuple[str, str], BodyLimit] = field(default_factory=dict)

    def of(self, scope: Scope) -> BodyLimit:
        """Limit of the request's route."""
        method, path = scope["method"], scope["path"]
        last = path.rpartition("/")[2]
        return self.by_route.get((method, path)) or self.by_last_part.get((method, last)) or self.default


class RequestRejectedError(Exception):
    """A request rejected before routing."""

    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail


class BodyTooLargeError(HTTPException):
    """A body that exceeds the limit, as announced or while it is read."""

    def __init__(self, max_bytes: int, size: str) -> None:
        super().__init__(413, f"Request body too large: {size} bytes, limit {max_bytes}.")


class RequestLimitsMiddleware:
    """ASGI middleware: rejects requests that are too large, malformed or of the wrong media type."""

    def __init__(self, app: ASGIApp, body_limits: BodyLimits) -> None:
        self._app = app
        self._body_limits = body_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            receive = self._checked(scope, receive)
        except (RequestRejectedError, BodyTooLargeError) as error:
            await _refusal(error)(scope, receive, send)
            return
        except InvalidError as error:
            await invalid(error.errors)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _checked(self, scope: Scope, receive: Receive) -> Receive:
        _check_address(scope)
        headers = Headers(scope=scope)
        _check_headers(headers)
        body = self._body_limits.of(scope)
        length = int(headers.get("content-length", "0"))
        if length > body.max_bytes:
            raise BodyTooLargeError(body.max_bytes, str(length))
        counted = _counted(receive, body.max_bytes)
        has_body = length or "transfer-encoding" in headers
        if body.kind == "any" or scope["method"] != "POST" or not has_body:
            return counted
        _check_kind(headers.get("content-type"), body.kind)
        return _json(counted) if body.kind == "json" else counted


def _check_address(scope: Scope) -> None:
    """Check that path and query are UTF-8 and no parameter is repeated.

    Runs before authentication, so its time is linear in their length.
    """
    path, query = scope.get("raw_path") or b"", scope["query_string"]
    if (given := query.count(b"&") + 1) > QUERY_PARAMETERS:
        detail = f"Too many query parameters: {given}, limit {QUERY_PARAMETERS}."
        raise RequestRejectedError(400, "too_many_parameters", "Too many parameters", detail)
    for name, raw in (("path", unquote_to_bytes(path)), ("query", unquote_to_bytes(query))):
        if not _is_utf8(raw):
            message = f"The percent-decoded {name} is not UTF-8."
            raise InvalidError(name, "not_utf8", message)
    names = Counter(key for key, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    repeated = sorted(name for name, times in names.items() if times > 1)
    if repeated:
        message = f"Given {names[repeated[0]]} times; a parameter may occur once."
        raise InvalidError(repeated[0], "given_twice", message)


def _check_headers(headers: Headers) -> None:
    """Reject headers that Python's parsers need quadratic time for."""
    # Before Python 3.11.10 and 3.12.6, http.cookies needs quadratic time (CVE-2024-7592).
    if sum(value.count("\\") for value in headers.getlist("cookie")) > COOKIE_ESCAPES:
        detail = f"The cookies have more than {COOKIE_ESCAPES} backslashes. Delete this site's cookies."
        raise RequestRejectedError(400, "bad_request", "Bad Request", detail)
    if len(headers.get("content-type", "")) > CONTENT_TYPE_BYTES:
        detail = f"Content-Type exceeds {CONTENT_TYPE_BYTES} bytes."
        raise RequestRejectedError(400, "bad_request", "Bad Request", detail)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_kind(content_type: str | None, kind: Kind) -> None:
    expected = _MEDIA_TYPES[kind]
    header = Header()
    header["content-type"] = content_type or ""
    given = header.get_content_type() if content_type else "none"
    if given != expected and not (kind == "json" and given.endswith("+json")):
        raise _wrong_kind(f"The body must be {expected}; its Content-Type is {given[:100]}.")
    charset = (header.get_content_charset() or "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise _wrong_kind(f"The body must be UTF-8; its Content-Type says {charset[:40]}.")
    if kind == "form" and not header.get_boundary():
        raise RequestRejectedError(
            400,
            "bad_request",
            "Bad Request",
            "Content-Type has no boundary parameter.",
        )


def _wrong_kind(detail: str) -> RequestRejectedError:
    return RequestRejectedError(415, "unsupported_media_type", "Unsupported Media Type", detail)


def _counted(receive: Receive, max_bytes: int) -> Receive:
    """``receive`` that raises ``BodyTooLargeError`` at the first byte over the limit."""
    total = 0

    async def received() -> Message:
        nonlocal total
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            if total > max_bytes:
                raise BodyTooLargeError(max_bytes, f"at least {total}")
        return message

    return received


def _json(receive: Receive) -> Receive:
    """``receive`` that reads and checks the whole JSON body on the first call."""
    is_delivered = False

    async def received() -> Message:
        nonlocal is_delivered
        if is_delivered:
            return await receive()
        is_delivered = True
        return await _read_json(receive)

    return received


async def _read_json(receive: Receive) -> Message:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # the client has disconnected
            return message
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if body:
        _check_json(bytes(body))
    return {"type": "http.request", "body": bytes(body), "more_body": False}


def _check_json(body: bytes) -> None:
    """Stricter than Python's parser: no NaN, no lone surrogates, bounded depth."""
    try:
        from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        message = f"The body is not JSON: {error}."
        raise InvalidError("body", "json_invalid", message) from None


def _refusal(error: RequestRejectedError | BodyTooLargeError) -> ASGIApp:
    # The server does not wait for the rest of a rejected body.
    close = {"Connection": "close"}
    if isinstance(error, RequestRejectedError):
        return problem(error.status, error.code, error.title, error.detail, headers=close)
    return problem(413, "content_too_large", "Content Too Large", error.detail, headers=close)


class HeadAsGetMiddleware:
    """ASGI middleware: answers HEAD like GET, without the content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_content(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, without_content)
