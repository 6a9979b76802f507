"""Images and versions: generate, list, choose, retry, cancel. Both kinds have the same routes."""

import json
from collections.abc import Awaitable

from fastapi import APIRouter, Request, Response, status
from pydantic import TypeAdapter

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.api import links
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, Id, document_response
from pastelka_orders.api.field_limits import MAX_ID
from pastelka_orders.api.problems import NOT_MODIFIED, declared
from pastelka_orders.errors import ImageNotFoundError, VersionNotFoundError
from pastelka_orders.handlers import generate, versions
from pastelka_orders.handlers.coloring_options import require_supported
from pastelka_orders.repository.views import Views
from pastelka_orders.schemas import ColoringVersionResponse, SelectedResponse, SvgVersionResponse

router = APIRouter(tags=["versions"], route_class=AuthorizedRoute)

_COLORINGS: TypeAdapter[object] = TypeAdapter(list[ColoringVersionResponse])
_SVGS: TypeAdapter[object] = TypeAdapter(list[SvgVersionResponse])
_ACCEPTED = status.HTTP_202_ACCEPTED
_MAKING = declared(404, 409, 422, 503)
_READING = {**NOT_MODIFIED, **declared(404, 422, 503)}


@router.post(
    "/images/{image_id}/generate-coloring",
    dependencies=[OPERATOR],
    response_model=ColoringVersionResponse,
    status_code=_ACCEPTED,
    responses={**links.of_version(202, "coloring"), **_MAKING},
)
async def generate_image_coloring(
    request: Request, services: Deps, image_id: Id, options: ColoringOptions | None = None
) -> Response:
    """Request a coloring of one image; returns an active one with the same options instead."""
    _check_image(image_id)
    wanted = options or ColoringOptions()
    require_supported(services.settings.coloring_provider, wanted.model_fields_set)
    ids = await services.write(lambda c: generate.coloring_of_image(c, image_id, wanted))
    return await _version(request, services, "coloring", ids[0], _ACCEPTED)


@router.post(
    "/images/{image_id}/generate-svg",
    dependencies=[OPERATOR],
    response_model=SvgVersionResponse,
    status_code=_ACCEPTED,
    responses={**links.of_version(202, "svg"), **_MAKING},
)
async def generate_image_svg(
    request: Request, services: Deps, image_id: Id, options: SvgOptions | None = None
) -> Response:
    """Request an SVG of the chosen coloring; returns an active one with the same options instead."""
    _check_image(image_id)
    wanted = options or SvgOptions()
    ids = await services.write(lambda c: generate.svg_of_image(c, image_id, wanted))
    return await _version(request, services, "svg", ids[0], _ACCEPTED)


@router.get(
    "/images/{image_id}/coloring-versions",
    dependencies=[VIEWER],
    response_model=list[ColoringVersionResponse],
    responses={**links.of_versions(200, "coloring"), **_READING},
)
async def list_coloring_versions(request: Request, services: Deps, image_id: Id) -> Response:
    """All colorings of one image, oldest first."""
    _check_image(image_id)
    document = await services.view(lambda v: v.coloring_versions(image_id))
    if document is None:
        raise ImageNotFoundError(image_id)
    return document_response(request, _COLORINGS, document)


@router.get(
    "/images/{image_id}/svg-versions",
    dependencies=[VIEWER],
    response_model=list[SvgVersionResponse],
    responses={**links.of_versions(200, "svg"), **_READING},
)
async def list_svg_versions(request: Request, services: Deps, image_id: Id) -> Response:
    """All SVGs of one image, oldest first."""
    _check_image(image_id)
    document = await services.view(lambda v: v.svg_versions(image_id))
    if document is None:
        raise ImageNotFoundError(image_id)
    return document_response(request, _SVGS, document)


@router.post("/images/{image_id}/select-coloring/{version_id}", dependencies=[OPERATOR], responses=_MAKING)
async def select_coloring(services: Deps, image_id: Id, version_id: Id) -> SelectedResponse:
    """Choose a coloring; clears a chosen SVG of another page."""
    await _select(services, "coloring", image_id, version_id)
    return SelectedResponse(message=f"Selected coloring version {version_id}")


@router.post("/images/{image_id}/select-svg/{version_id}", dependencies=[OPERATOR], responses=_MAKING)
async def select_svg(services: Deps, image_id: Id, version_id: Id) -> SelectedResponse:
    """Choose an SVG, and with it the coloring that it was generated from."""
    await _select(services, "svg", image_id, version_id)
    return SelectedResponse(message=f"Selected SVG version {version_id}")


@router.post(
    "/coloring-versions/{version_id}/retry",
    dependencies=[OPERATOR],
    response_model=ColoringVersionResponse,
    status_code=_ACCEPTED,
    responses=_MAKING,
)
async def retry_coloring(request: Request, services: Deps, version_id: Id) -> Response:
    """Retry a failed coloring in a new run."""
    _check_version("coloring", version_id)
    provider = services.settings.coloring_provider
    await services.write(lambda c: versions.retry(c, "coloring", version_id, provider))
    return await _version(request, services, "coloring", version_id, _ACCEPTED)


@router.post(
    "/svg-versions/{version_id}/retry",
    dependencies=[OPERATOR],
    response_model=SvgVersionResponse,
    status_code=_ACCEPTED,
    responses=_MAKING,
)
async def retry_svg(request: Request, services: Deps, version_id: Id) -> Response:
    """Retry a failed SVG in a new run."""
    _check_version("svg", version_id)
    await services.write(lambda c: versions.retry(c, "svg", version_id))
    return await _version(request, services, "svg", version_id, _ACCEPTED)


@router.post(
    "/coloring-versions/{version_id}/cancel",
    dependencies=[OPERATOR],
    response_model=ColoringVersionResponse,
    responses=_MAKING,
)
async def cancel_coloring(request: Request, services: Deps, version_id: Id) -> Response:
    """Cancel an active coloring, also at the provider; it ends in `error` with code `cancelled`."""
    _check_version("coloring", version_id)
    await services.write(lambda c: versions.cancel(c, "coloring", version_id))
    return await _version(request, services, "coloring", version_id, status.HTTP_200_OK)


@router.post(
    "/svg-versions/{version_id}/cancel",
    dependencies=[OPERATOR],
    response_model=SvgVersionResponse,
    responses=_MAKING,
)
async def cancel_svg(request: Request, services: Deps, version_id: Id) -> Response:
    """Cancel an active SVG; it ends in `error` with code `cancelled`."""
    _check_version("svg", version_id)
    await services.write(lambda c: versions.cancel(c, "svg", version_id))
    return await _version(request, services, "svg", version_id, status.HTTP_200_OK)


async def _version(
    request: Request, services: Deps, kind: StatusType, version_id: int, code: int
) -> Response:
    """Respond with the current version and status ``code``."""

    def find(view: Views) -> Awaitable[str]:
        return view.colorings([version_id]) if kind == "coloring" else view.svgs([version_id])

    found = json.loads(await services.view(find))
    if not found:
        raise VersionNotFoundError(kind, version_id)
    model = ColoringVersionResponse if kind == "coloring" else SvgVersionResponse
    response = document_response(request, model, json.dumps(found[0]))
    response.status_code = code
    return response


async def _select(services: Deps, kind: StatusType, image_id: int, version_id: int) -> None:
    _check_image(image_id)
    _check_version(kind, version_id)
    await services.write(lambda c: versions.select(c, kind, image_id, version_id))


def _check_image(image_id: int) -> None:
    if image_id > MAX_ID:
        raise ImageNotFoundError(image_id)


def _check_version(kind: StatusType, version_id: int) -> None:
    if version_id > MAX_ID:
        raise VersionNotFoundError(kind, version_id)
