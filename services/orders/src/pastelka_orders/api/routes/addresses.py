"""Presigned bucket URLs of stored files, for the gateway."""

from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response, status

from pastelka_common.storage import UnsafePathError
from pastelka_orders.api.authorization import VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps

_SERVED_AT = "/static/images/"
_LIFETIME = timedelta(minutes=15)
_CACHE_CONTROL = "max-age=300, stale-if-error=300"
"""The gateway caches a URL for 5 min, 10 min while the API is down: less than its lifetime."""

router = APIRouter(prefix="/files", route_class=AuthorizedRoute, include_in_schema=False)


@router.get("/address", status_code=status.HTTP_204_NO_CONTENT, dependencies=[VIEWER])
async def file_address(request: Request, services: Deps) -> Response:
    """Presign the file whose public path is in the header ``X-File``; for ``auth_request`` only.

    The response header ``X-File-Address`` is path and query of the bucket's URL. 404 for a path that no file
    can have. The route is not below ``/api/``, so the gateway does not expose it.
    """
    wanted = request.headers.get("X-File", "").encode("latin-1").decode("utf-8", "replace")
    try:
        url = await services.storage.presign(wanted.removeprefix(_SERVED_AT), lifetime=_LIFETIME)
    except UnsafePathError:
        url = None
    if url is None or not wanted.startswith(_SERVED_AT):
        return Response(status_code=status.HTTP_404_NOT_FOUND)
    parts = urlsplit(url)
    return Response(
        status_code=status.HTTP_204_NO_CONTENT,
        headers={"X-File-Address": f"{parts.path}?{parts.query}", "Cache-Control": _CACHE_CONTROL},
    )
