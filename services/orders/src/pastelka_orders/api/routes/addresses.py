"""Where the gateway finds a stored file, if the files are in a bucket."""

from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response, status

from pastelka_common.storage import UnsafePathError
from pastelka_orders.api.authorization import VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps

_SERVED_AT = "/static/images/"
_LIFETIME = timedelta(minutes=15)
_KEPT = "max-age=300, stale-if-error=300"
"""The gateway keeps an address for five minutes, ten while we are away: less than it holds."""

router = APIRouter(prefix="/files", route_class=AuthorizedRoute, include_in_schema=False)


@router.get("/address", status_code=status.HTTP_204_NO_CONTENT, dependencies=[VIEWER])
async def file_address(request: Request, services: Deps) -> Response:
    """Sign the file that the header ``X-File`` names by its public path; for ``auth_request`` only.

    The header ``X-File-Address`` of the answer is what to ask the bucket for: path and query.
    404 where there can be no such file. It is not below ``/api/``, so nobody gets here from outside.
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
        headers={"X-File-Address": f"{parts.path}?{parts.query}", "Cache-Control": _KEPT},
    )
