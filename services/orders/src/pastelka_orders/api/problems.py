"""Errors as RFC 9457 problem documents, rendered in this one place."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from asyncpg import PostgresError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from pastelka_common.storage import StorageUnavailableError
from pastelka_orders.database_errors import CommitUnconfirmedError, DatabaseUnavailableError, is_transient
from pastelka_orders.errors import NO_ROOM, OrdersError
from pastelka_orders.photos.errors import PhotoRefusedError, PhotosRefusedError

# Python 3.11 has the older name.
_PHRASES = {413: "Content Too Large"}
# Message of the form parser, which does not read the rest.
_TOO_MANY_FILES = "Too many files"
_UNCHANGED = "Nothing was changed; try again in a moment."

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)


class InvalidError(HTTPException):
    """One error of a request, found before its route runs."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, message)
        self.errors = [{"field": field, "code": code, "message": message}]


Responses = dict[int | str, dict[str, Any]]

NOT_MODIFIED: Responses = {304: {"description": "The caller's `ETag` is current"}}
"""OpenAPI entry of a route that answers ``If-None-Match``."""


def declared(*statuses: int) -> Responses:
    """OpenAPI entries of the problems a route may return."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in statuses
    }


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[dict[str, Any]] = (),
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """One problem document as a response."""
    content = {
        **document(status, code, title, detail),
        **({"errors": list(errors)} if errors else {}),
        **extra,
    }
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def document(status: int, code: str, title: str, detail: str) -> dict[str, Any]:
    """The members that every problem document has."""
    return {
        "type": f"urn:pastelka:{code}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
    }


async def _business(_request: Request, error: OrdersError) -> JSONResponse:
    return problem(
        error.status, error.code, error.title, error.detail, headers=dict(error.headers), **error.ids
    )


async def _photos(_request: Request, error: PhotosRefusedError) -> JSONResponse:
    errors = [
        {
            "field": f"photos[{refused.position}]",
            "code": refused.code,
            "message": f"{refused.name}: {refused.reason}",
        }
        for refused in error.refusals
    ]
    return problem(error.status, error.code, "Photos rejected", error.reason, errors=errors)


async def _photo(_request: Request, error: PhotoRefusedError) -> JSONResponse:
    return problem(error.status, error.code, "Photo rejected", f"{error.name}: {error.reason}")


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    fields = [".".join(map(str, one["loc"][1:])) or str(one["loc"][0]) for one in error.errors()]
    return invalid(
        [
            {"field": field, "code": one["type"], "message": one["msg"]}
            for field, one in zip(fields, error.errors(), strict=True)
        ]
    )


def invalid(errors: Sequence[dict[str, str]]) -> JSONResponse:
    """422: ``errors`` are ``field``, ``code`` and ``message`` of what is wrong."""
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
    return problem(422, "invalid_request", "Invalid request", detail, errors=errors)


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    if isinstance(error, InvalidError):
        return invalid(error.errors)
    phrase = _PHRASES.get(error.status_code) or HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _other_methods(request, code, phrase)
    if error.status_code == HTTPStatus.BAD_REQUEST and str(error.detail).startswith(_TOO_MANY_FILES):
        limit = request.app.state.services.settings.order_max_photos
        reason = f"More than {limit} photos; the limit per upload is {limit}."
        return await _photos(request, PhotosRefusedError(reason, code="photos_too_many"))
    return problem(error.status_code, code, phrase, str(error.detail), headers=headers)


def _other_methods(request: Request, code: str, phrase: str) -> JSONResponse:
    """405 with all methods of the path: the framework names those of one of its routes only."""
    paths = request.app.openapi()["paths"]
    # A literal path comes first: in POST orders/fetch-from-shopify there is no order number.
    templates = [request.url.path] if request.url.path in paths else paths
    found = next((one for one in templates if compile_path(one)[0].match(request.url.path)), None)
    allowed = [method.upper() for method in paths.get(found, {"get": {}})]
    names = ", ".join([*allowed, "HEAD"] if "GET" in allowed else allowed)
    detail = f"Method {request.method} not allowed; use {names}."
    return problem(405, code, phrase, detail, headers={"Allow": names})


async def _database(_request: Request, error: Exception) -> JSONResponse:
    log.warning("database unavailable", error=str(error))
    if isinstance(error, CommitUnconfirmedError):
        detail = "The database did not confirm the change. It may have been made: check before you try again."
        return problem(503, error.code, "Change not confirmed", detail, headers={"Retry-After": "2"})
    title = "Database unavailable"
    return problem(503, "database_unavailable", title, _UNCHANGED, headers={"Retry-After": "2"})


async def _database_fault(request: Request, error: DBAPIError | PostgresError) -> JSONResponse:
    """Map a starting or stopping database to 503, other errors to 500."""
    return await (_database(request, error) if is_transient(error) else _unexpected(request, error))


async def _storage(request: Request, error: OSError) -> JSONResponse:
    if error.errno not in NO_ROOM:
        return await _unexpected(request, error)
    log.error("storage write failed", error=error.strerror)
    detail = "Nothing was changed; free space in the storage, then try again."
    return problem(503, "storage_full", "Storage full", detail)


async def _storage_unavailable(_request: Request, error: StorageUnavailableError) -> JSONResponse:
    log.error("storage unavailable", error=error.strerror)
    title = "Storage unavailable"
    return problem(503, "storage_unavailable", title, _UNCHANGED, headers={"Retry-After": "5"})


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", exc_info=error)
    return problem(500, "internal_error", "Internal error", "Nothing was changed; see the service's log.")


def install(app: FastAPI) -> None:
    """Render every error of ``app`` as a problem document."""
    handlers: dict[Any, Any] = {
        OrdersError: _business,
        PhotosRefusedError: _photos,
        PhotoRefusedError: _photo,
        RequestValidationError: _invalid,
        HTTPException: _http,
        DatabaseUnavailableError: _database,
        PoolTimeoutError: _database,
        ConnectionError: _database,
        DBAPIError: _database_fault,
        PostgresError: _database_fault,
        StorageUnavailableError: _storage_unavailable,
        OSError: _storage,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
