"""What a request has to be before any route looks at it: not too large, readable, and of the right kind."""

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
    """The body that a route takes: ``most`` bytes; of ``any`` kind means that the route judges it itself."""

    kind: Kind
    most: int


@dataclass(frozen=True)
class BodyLimits:
    """The bodies of all routes: ``usual`` is that of routes that are not named by method and path."""

    usual: BodyLimit
    by_route: Mapping[tuple[str, str], BodyLimit] = field(default_factory=dict)

    def of(self, scope: Scope) -> BodyLimit:
        """What the route of this request takes."""
        return self.by_route.get((scope["method"], scope["path"]), self.usual)


class RequestRejectedError(Exception):
    """A request that no route gets to see."""

    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail


class BodyTooLargeError(HTTPException):
    """A body that turns out to be too large while it is read."""

    def __init__(self, most: int, came: str) -> None:
        super().__init__(413, f"The body may have {most} bytes here; {came}.")


class RequestLimitsMiddleware:
    """ASGI middleware: refuses what is too large, unreadable or of the wrong kind, and says what is right."""

    def __init__(self, app: ASGIApp, bodies: BodyLimits) -> None:
        self._app = app
        self._bodies = bodies

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
        body = self._bodies.of(scope)
        length = int(headers.get("content-length", "0"))
        if length > body.most:
            raise BodyTooLargeError(body.most, f"{length} were announced")
        counted = _counted(receive, body.most)
        has_body = length or "transfer-encoding" in headers
        if body.kind == "any" or scope["method"] != "POST" or not has_body:
            return counted
        _check_kind(headers.get("content-type"), body.kind)
        return _json(counted) if body.kind == "json" else counted


def _check_address(scope: Scope) -> None:
    """Path and query are UTF-8, and no parameter is given twice: nobody could say which one counts.

    Takes time in proportion to their length: it is asked before anybody is known.
    """
    path, query = scope.get("raw_path") or b"", scope["query_string"]
    if (given := query.count(b"&") + 1) > QUERY_PARAMETERS:
        detail = f"The address may have {QUERY_PARAMETERS} parameters; it has {given}."
        raise RequestRejectedError(400, "too_many_parameters", "Too many parameters", detail)
    for name, raw in (("path", unquote_to_bytes(path)), ("query", unquote_to_bytes(query))):
        if not _is_utf8(raw):
            message = f"The {name} is not UTF-8 when its %-escapes are decoded."
            raise InvalidError(name, "not_utf8", message)
    names = Counter(key for key, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    twice = sorted(name for name, times in names.items() if times > 1)
    if twice:
        message = f"Given {names[twice[0]]} times; a parameter may be given once."
        raise InvalidError(twice[0], "given_twice", message)


def _check_headers(headers: Headers) -> None:
    """Refuse what Python's parsers of these headers take quadratic time for."""
    # Before Python 3.11.10 and 3.12.6 http.cookies takes quadratic time for them (CVE-2024-7592).
    if sum(value.count("\\") for value in headers.getlist("cookie")) > COOKIE_ESCAPES:
        detail = (
            f"The cookies may have {COOKIE_ESCAPES} backslashes; they have more. Delete this site's cookies."
        )
        raise RequestRejectedError(400, "bad_request", "Bad Request", detail)
    if len(headers.get("content-type", "")) > CONTENT_TYPE_BYTES:
        detail = f"Content-Type may have {CONTENT_TYPE_BYTES} bytes."
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
        raise _wrong_kind(f"The body has to be {expected}; its Content-Type is {given[:100]}.")
    charset = (header.get_content_charset() or "utf-8").lower()
    if charset not in {"utf-8", "utf8"}:
        raise _wrong_kind(f"The body has to be in UTF-8; its Content-Type says {charset[:40]}.")
    if kind == "form" and not header.get_boundary():
        raise RequestRejectedError(
            400,
            "bad_request",
            "Bad Request",
            "Content-Type has no boundary; without it the parts are not found.",
        )


def _wrong_kind(detail: str) -> RequestRejectedError:
    return RequestRejectedError(415, "unsupported_media_type", "Unsupported Media Type", detail)


def _counted(receive: Receive, most: int) -> Receive:
    """``receive`` that raises ``BodyTooLargeError`` at the first byte too many."""
    total = 0

    async def received() -> Message:
        nonlocal total
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            if total > most:
                raise BodyTooLargeError(most, f"{total} came so far")
        return message

    return received


def _json(receive: Receive) -> Receive:
    """``receive`` of a JSON body, all of it at once and checked, when the route asks for it."""
    asked = False

    async def received() -> Message:
        nonlocal asked
        if asked:
            return await receive()
        asked = True
        return await _read_json(receive)

    return received


async def _read_json(receive: Receive) -> Message:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":  # the caller is gone
            return message
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if body:
        _check_json(bytes(body))
    return {"type": "http.request", "body": bytes(body), "more_body": False}


def _check_json(body: bytes) -> None:
    """Stricter than Python's parser: no NaN, no half surrogates, and not as deep as one likes."""
    try:
        from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        message = f"The body is not JSON: {error}."
        raise InvalidError("body", "json_invalid", message) from None


def _refusal(error: RequestRejectedError | BodyTooLargeError) -> ASGIApp:
    # The rest of a body that nobody wants is not waited for.
    close = {"Connection": "close"}
    if isinstance(error, RequestRejectedError):
        return problem(error.status, error.code, error.title, error.detail, headers=close)
    return problem(413, "content_too_large", "Content Too Large", error.detail, headers=close)


class HeadAsGetMiddleware:
    """ASGI middleware: HEAD is answered as GET is, without the content."""

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
