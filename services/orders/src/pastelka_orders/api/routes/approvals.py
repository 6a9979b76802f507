"""Approving the page of an image, lifting that, and sending the page back."""

from fastapi import APIRouter, Request, Response

from pastelka_orders.api.authorization import OPERATOR, AuthorizedRoute, CurrentPrincipal
from pastelka_orders.api.deps import Deps, Id, Services, document_response
from pastelka_orders.api.field_limits import MAX_ID
from pastelka_orders.api.problems import Responses, declared
from pastelka_orders.errors import ImageNotFoundError
from pastelka_orders.handlers import approvals
from pastelka_orders.review_schemas import ApproveRequest, ReworkRequest
from pastelka_orders.schemas import ImageResponse

router = APIRouter(prefix="/images", tags=["versions"], route_class=AuthorizedRoute)

_CHANGING: Responses = declared(404, 409, 422, 503)


@router.post(
    "/{image_id}/approve", dependencies=[OPERATOR], response_model=ImageResponse, responses=_CHANGING
)
async def approve_image(
    request: Request,
    services: Deps,
    principal: CurrentPrincipal,
    image_id: Id,
    wanted: ApproveRequest | None = None,
) -> Response:
    """Approve a coloring, by default the chosen one; the choice is frozen until the approval is lifted.

    409 `image_approved` if another coloring of the image is approved: of two callers the first decides.
    """
    _check(image_id)
    version_id = wanted.coloring_version_id if wanted else None
    number = await services.write(lambda c: approvals.approve(c, image_id, principal.name, version_id))
    return await _image(request, services, number, image_id)


@router.delete(
    "/{image_id}/approve",
    dependencies=[OPERATOR],
    response_model=ImageResponse,
    responses=declared(404, 422, 503),
)
async def lift_approval(request: Request, services: Deps, image_id: Id) -> Response:
    """Lift the approval of an image, if there is one; the choice stays, and can be changed again."""
    _check(image_id)
    number = await services.write(lambda c: approvals.lift(c, image_id))
    return await _image(request, services, number, image_id)


@router.post("/{image_id}/rework", dependencies=[OPERATOR], response_model=ImageResponse, responses=_CHANGING)
async def send_back_image(request: Request, services: Deps, image_id: Id, wanted: ReworkRequest) -> Response:
    """Send the chosen page back: it is a candidate again; the reason stays until the next choice."""
    _check(image_id)
    version_id = wanted.coloring_version_id
    number = await services.write(lambda c: approvals.send_back(c, image_id, wanted.reason, version_id))
    return await _image(request, services, number, image_id)


async def _image(request: Request, services: Services, order_number: str, image_id: int) -> Response:
    document = await services.view(lambda v: v.image(order_number, image_id))
    if document is None:
        raise ImageNotFoundError(image_id)
    return document_response(request, ImageResponse, document)


def _check(image_id: int) -> None:
    if image_id > MAX_ID:
        raise ImageNotFoundError(image_id)
