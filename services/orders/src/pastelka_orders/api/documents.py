"""The OpenAPI document and a page that shows it, with nothing loaded from elsewhere."""

from functools import cache
from html import escape
from importlib import resources
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from pastelka_orders.api.authorization import VIEWER

OPENAPI = "/api/v1/openapi.json"
_PAGE = "/api/docs"

Part = Literal["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"]
_TYPES: dict[Part, str] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

# The gateway's policy allows scripts from here only, so none is written into the page.
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


def add_documents(app: FastAPI) -> None:
    """Add the routes; none of them is in the document itself."""

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
    """A file of Swagger UI, which the package fastapi-swagger brings."""
    return resources.files("fastapi_swagger.resources").joinpath(part).read_bytes()
