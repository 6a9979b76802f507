"""Photos of an order one by one: added, replaced, moved, deleted; and orders whose photos follow.

A photo is the body of its request. A client whose connection broke sends it again with the same
`Idempotency-Key`; it is stored once.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status
from starlette.requests import ClientDisconnect

from pastelka_common.storage import public_url
from pastelka_orders.api import field_limits, links
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import (
    Deps,
    Id,
    IfMatch,
    OrderNumber,
    Services,
    document_response,
    etag_matches,
    etag_of,
    etag_response,
)
from pastelka_orders.api.problems import NOT_MODIFIED, Responses, declared
from pastelka_orders.api.routes.line_items import line_item_of
from pastelka_orders.api.routes.orders import coloring_options_of
from pastelka_orders.errors import ImageNotFoundError, LineItemNotFoundError, OrderNotFoundError
from pastelka_orders.handlers import orders, photo_set
from pastelka_orders.handlers.coloring_options import require_supported
from pastelka_orders.handlers.orders import ManualOrder, Process
from pastelka_orders.handlers.photo_uploads import NewPhoto, PhotoUploads, StoredImage
from pastelka_orders.photo_schemas import ManualOrderRequest, PhotoPlacePatch, PhotoState
from pastelka_orders.photo_set_errors import UploadInterruptedError
from pastelka_orders.repository import images
from pastelka_orders.repository.images import LockedImage
from pastelka_orders.schemas import ImageResponse, OrderResponse

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)
images_router = APIRouter(prefix="/images", tags=["orders"], route_class=AuthorizedRoute)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=field_limits.IDEMPOTENCY_KEY_LENGTH,
        pattern=r"^[!-~]+$",
        description="Chosen by the client; a repeated request with it changes nothing again",
    ),
]
FileName = Annotated[
    str | None, Query(max_length=field_limits.FILE_NAME_LENGTH, description="The file's name, for errors")
]
_PHOTO: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The photo, of any media type: the content says what it is",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_CHANGING: Responses = declared(404, 409, 412, 422, 503)


@router.post(
    "/manual",
    dependencies=[OPERATOR],
    response_model=OrderResponse,
    status_code=status.HTTP_201_CREATED,
    responses={
        200: {"description": "Created before with this key", "model": OrderResponse},
        **declared(422, 503),
    },
)
async def create_empty_order(
    request: Request,
    services: Deps,
    wanted: ManualOrderRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Create a manual order without photos; they follow one by one."""
    body = wanted or ManualOrderRequest()
    order = ManualOrder(line_item_of(body), body.customer_name, body.note)
    number, is_new = await services.write(lambda c: orders.create_empty(c, order, idempotency_key))
    document = await services.view(lambda v: v.order(number))
    if document is None:
        raise OrderNotFoundError(number)
    response = document_response(request, OrderResponse, document)
    return _created(response, f"/api/v1/orders/{number}", is_new=is_new)


@router.post(
    "/{order_number}/line-items/{item_id}/photos",
    dependencies=[OPERATOR],
    response_model=ImageResponse,
    status_code=status.HTTP_201_CREATED,
    responses={
        **links.of_image(201),
        200: {"description": "Stored before with this key", "model": ImageResponse},
        **declared(400, 404, 409, 422, 503),
    },
    openapi_extra=_PHOTO,
)
async def add_photo(
    request: Request,
    services: Deps,
    order_number: OrderNumber,
    item_id: Id,
    idempotency_key: IdempotencyKey = None,
    name: FileName = None,
    position: Annotated[
        int | None,
        Query(
            ge=1,
            le=field_limits.MAX_PHOTO_POSITION,
            description="Its place if that is free, for photos that are sent at once; else the last",
        ),
    ] = None,
    process: Annotated[Process, Query(description="Processing to start automatically")] = "none",
    coloring_options: Annotated[
        str | None,
        Query(
            max_length=field_limits.OPTIONS_LENGTH,
            description="Options of the page as JSON, like a body of `generate-coloring`",
            json_schema_extra={"format": "coloring-options"},
        ),
    ] = None,
) -> Response:
    """Add a photo to a line item; 422 if the file is not a usable photo."""
    options = coloring_options_of(coloring_options, "query")
    require_supported(services.settings.coloring_provider, options.model_fields_set)
    if item_id > field_limits.MAX_ID:
        raise LineItemNotFoundError(item_id)
    wanted = NewPhoto(order_number, item_id, position, process, options)
    async with services.intake.received(_chunks(request), name=name, key=idempotency_key) as received:
        stored = await _uploads(services).add(wanted, received)
    return await _image(request, services, stored)


@images_router.get(
    "/{image_id}/photo",
    dependencies=[VIEWER],
    response_model=PhotoState,
    responses={**NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_photo(request: Request, services: Deps, image_id: Id) -> Response:
    """Place and version of a photo, with the `ETag` for `If-Match`."""
    _check(image_id)
    image = await services.database.read(lambda c: images.find(c, image_id))
    if image is None:
        raise ImageNotFoundError(image_id)
    return etag_response(request, _body(services, image))


@images_router.put(
    "/{image_id}/photo",
    dependencies=[OPERATOR],
    response_model=ImageResponse,
    responses={**_CHANGING, **declared(400)},
    openapi_extra=_PHOTO,
)
async def replace_photo(
    request: Request,
    services: Deps,
    image_id: Id,
    idempotency_key: IdempotencyKey = None,
    name: FileName = None,
    if_match: IfMatch = None,
) -> Response:
    """Replace the photo of an image.

    Versions of the photo before stay, but none is chosen, and active ones end in `error` with the code
    `photo_replaced`. 409 `image_approved` if its page is approved; 412 also if another request replaced it
    meanwhile.
    """
    _check(image_id)
    async with services.intake.received(_chunks(request), name=name, key=idempotency_key) as received:
        stored = await _uploads(services).replace(
            image_id, received, lambda image: _is_expected(services, if_match, image)
        )
    response = await _image(request, services, stored)
    response.status_code = status.HTTP_200_OK
    return response


@images_router.patch(
    "/{image_id}/photo", dependencies=[OPERATOR], response_model=PhotoState, responses=_CHANGING
)
async def move_photo(
    request: Request, services: Deps, image_id: Id, place: PhotoPlacePatch, if_match: IfMatch = None
) -> Response:
    """Move a photo within its line item, or to another one of the same order; the others make room."""
    _check(image_id)
    await services.write(
        lambda c: photo_set.move(
            c,
            image_id,
            place.line_item_id,
            place.position,
            lambda image: _is_expected(services, if_match, image),
        )
    )
    return await get_photo(request, services, image_id)


@images_router.delete(
    "/{image_id}/photo",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=_CHANGING,
)
async def delete_photo(services: Deps, image_id: Id, if_match: IfMatch = None) -> None:
    """Delete an image with its versions and files; active work is cancelled.

    409 `image_approved` if its page is approved.
    """
    _check(image_id)
    await photo_set.delete(
        services.database,
        services.storage,
        image_id,
        lambda image: _is_expected(services, if_match, image),
    )


def _uploads(services: Services) -> PhotoUploads:
    return PhotoUploads(services.database, services.storage, services.intake)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise UploadInterruptedError from None


async def _image(request: Request, services: Services, stored: StoredImage) -> Response:
    document = await services.view(lambda v: v.image(stored.order_number, stored.image_id))
    if document is None:
        raise ImageNotFoundError(stored.image_id)
    path = f"/api/v1/orders/{stored.order_number}/images/{stored.image_id}"
    return _created(document_response(request, ImageResponse, document), path, is_new=stored.is_new)


def _created(response: Response, path: str, *, is_new: bool) -> Response:
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    response.headers["Location"] = path
    return response


def _is_expected(services: Services, if_match: str | None, image: LockedImage) -> bool:
    return if_match is None or etag_matches(if_match, etag_of(_body(services, image)))


def _body(services: Services, image: LockedImage) -> bytes:
    state = PhotoState(
        image_id=image.id,
        order_number=image.order_number,
        line_item_id=image.line_item_id,
        position=image.position,
        version=image.photo_version,
        url=public_url(services.settings.static_url, image.path),
        width=image.width,
        height=image.height,
        downloaded_at=image.downloaded_at,
    )
    return state.model_dump_json().encode()


def _check(image_id: int) -> None:
    if image_id > field_limits.MAX_ID:
        raise ImageNotFoundError(image_id)
