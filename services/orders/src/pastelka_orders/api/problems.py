"""Errors as RFC 9457 problem documents, rendered in this one place."""

import errno
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from pastelka_orders.database import is_passing
from pastelka_orders.errors import OrdersError
from pastelka_orders.photos import PhotosRefusedError
from pastelka_orders.schemas import Problem

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)

Responses = dict[int | str, dict[str, Any]]


def declared(*statuses: int) -> Responses:
    """OpenAPI entries of the problems a route may answer."""
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
    """One problem document."""
    content = {
        "type": f"urn:pastelka:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **({"errors": list(errors)} if errors else {}),
        **extra,
    }
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


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
    return problem(error.status, error.code, "The photos were refused", error.reason, errors=errors)


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    errors = [
        {
            "field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]),
            "code": one["type"],
            "message": one["msg"],
        }
        for one in error.errors()
    ]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
    return problem(422, "invalid_request", "The request is not valid", detail, errors=errors)


async def _http(_request: Request, error: HTTPException) -> JSONResponse:
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, code, phrase, str(error.detail), headers=headers)


async def _database(_request: Request, error: Exception) -> JSONResponse:
    log.warning("database unavailable", error=str(error))
    return problem(
        503,
        "database_unavailable",
        "The database does not answer",
        "Nothing was changed; try again in a moment.",
        headers={"Retry-After": "2"},
    )


async def _database_fault(request: Request, error: DBAPIError) -> JSONResponse:
    """A database that is starting up or shutting down says so in its own words."""
    return await (_database(request, error) if is_passing(error) else _unexpected(request, error))


async def _storage(request: Request, error: OSError) -> JSONResponse:
    if error.errno not in _NO_ROOM:
        return await _unexpected(request, error)
    log.error("the storage takes no files", error=error.strerror)
    return problem(
        503,
        "storage_full",
        "The storage takes no more files",
        "Nothing was changed; somebody has to make room before it can be tried again.",
    )


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", exc_info=error)
    return problem(
        500, "internal_error", "An unexpected error", "Nothing was changed; the service's log tells more."
    )


def install(app: FastAPI) -> None:
    """Render every error of ``app`` as a problem document."""
    handlers: dict[Any, Any] = {
        OrdersError: _business,
        PhotosRefusedError: _photos,
        RequestValidationError: _invalid,
        HTTPException: _http,
        OperationalError: _database,
        InterfaceError: _database,
        PoolTimeoutError: _database,
        ConnectionError: _database,
        DBAPIError: _database_fault,
        OSError: _storage,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    _describe(app)


def _describe(app: FastAPI) -> None:
    """Add the schema that the declared problems refer to: no route has it as its own answer."""
    original = app.openapi

    def described() -> dict[str, Any]:
        document = original()
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        definitions = schema.pop("$defs", {})
        document.setdefault("components", {}).setdefault("schemas", {}).update(
            {**definitions, "Problem": schema}
        )
        return document

    app.openapi = described  # type: ignore[method-assign]
