"""The OpenAPI document and its Swagger UI, without external resources."""

from functools import cache
from html import escape
from importlib import resources
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel

from pastelka_orders.api.authorization import VIEWER
from pastelka_orders.api.problems import declared
from pastelka_orders.schemas import Problem
from pastelka_orders.shopify.payloads import OrderPayload

OPENAPI = "/api/v1/openapi.json"
_PAGE = "/api/docs"

Part = Literal["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"]
_TYPES: dict[Part, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

# The gateway's content security policy forbids inline scripts.
_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: HTTP API</title>
<link rel="icon" href="{page}/favicon-32x32.png">
<link rel="stylesheet" href="{page}/swagger-ui.css">
<body>
<div id="api"></div>
<script src="{page}/swagger-ui-bundle.js"></script>
<script src="{page}/start.js"></script>
</body>
</html>
"""
_START = f'SwaggerUIBundle({{ url: "{OPENAPI}", dom_id: "#api", deepLinking: true, filter: true }});\n'
_FORM = "multipart/form-data"
_SCHEMAS: dict[str, type[BaseModel]] = {"Problem": Problem, "ShopifyOrder": OrderPayload}
"""Schemas that no route declares; they are referenced by name."""


def add_documents(app: FastAPI) -> None:
    """Add the routes; the document does not contain them."""

    @app.get(OPENAPI, include_in_schema=False, dependencies=[VIEWER])
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get(_PAGE, include_in_schema=False, dependencies=[VIEWER])
    async def docs() -> HTMLResponse:
        return HTMLResponse(_HTML.format(title=escape(app.title), page=_PAGE))

    @app.get(f"{_PAGE}/start.js", include_in_schema=False, dependencies=[VIEWER])
    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    @app.get(f"{_PAGE}/{{part}}", include_in_schema=False, dependencies=[VIEWER])
    async def docs_part(part: Part) -> Response:
        return Response(_content(part), media_type=_TYPES[part])


@cache
def _content(part: Part) -> bytes:
    """A file of Swagger UI, from the package fastapi-swagger."""
    return resources.files("fastapi_swagger.resources").joinpath(part).read_bytes()


def describe(app: FastAPI) -> None:
    """Complete the document of ``app``."""
    original = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(original())
        return original()

    app.openapi = described  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in _SCHEMAS.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {**schema.pop("$defs", {}), name: schema}
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _add_bounds(method, operation, schemas)


def _add_bounds(method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Add the errors of ``request_limits``; forms allow no additional fields."""
    statuses = [413, 422] if method != "post" else [413, 415, 422]
    form = operation.get("requestBody", {}).get("content", {}).get(_FORM)
    if form is not None:
        statuses.append(400)
        schemas[form["schema"]["$ref"].rpartition("/")[2]]["additionalProperties"] = False
    for status, entry in declared(*statuses).items():
        operation["responses"].setdefault(str(status), entry)
