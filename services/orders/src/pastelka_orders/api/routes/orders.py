"""Orders: list, detail, timeline, creation by hand, deletion, generation for a whole order."""

from typing import Annotated, get_args

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile, status
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError
from starlette.datastructures import FormData

from pastelka_common.contracts.options import ColoringOptions, SvgOptions
from pastelka_orders.api import field_limits, links
from pastelka_orders.api.authorization import (
    OPERATOR,
    VIEWER,
    AuthorizedRoute,
    CurrentPrincipal,
    client_info_of,
)
from pastelka_orders.api.deps import Deps, Id, OrderNumber, document_response, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, declared
from pastelka_orders.book_schemas import optional_line, optional_lines
from pastelka_orders.errors import ImageNotFoundError, OrderNotFoundError
from pastelka_orders.handlers import generate, orders
from pastelka_orders.handlers.coloring_options import require_supported
from pastelka_orders.handlers.orders import MANUAL_TITLE, ManualOrder, Process
from pastelka_orders.history_schemas import TimelineEntry, TimelineResponse
from pastelka_orders.models.orders import OrderStage, OrderStatus
from pastelka_orders.photo_edit_schemas import RefusedPhoto
from pastelka_orders.repository.orders import NewLineItem
from pastelka_orders.review_schemas import OrderPatch, StageCountsResponse
from pastelka_orders.schemas import (
    ColoringVersionResponse,
    CreatedOrderResponse,
    ImageResponse,
    OrderListResponse,
    OrderResponse,
    SvgVersionResponse,
)

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)

_COLORINGS: TypeAdapter[object] = TypeAdapter(list[ColoringVersionResponse])
_SVGS: TypeAdapter[object] = TypeAdapter(list[SvgVersionResponse])
_BOOK_FIELDS = ("title", "quantity", "dedication", "layout")
_FIELDS = ("photos", "customer_name", "note", "process", "coloring_options", *_BOOK_FIELDS)
_NEVER_EMPTY = {
    "process": ("literal_error", f"Input should be one of {', '.join(get_args(Process))}."),
    "quantity": ("int_parsing", f"Input should be a number from 1 to {field_limits.MAX_COPIES}."),
}


@router.get(
    "",
    dependencies=[VIEWER],
    response_model=OrderListResponse,
    responses={**NOT_MODIFIED, **declared(422, 503)},
)
async def list_orders(
    request: Request,
    services: Deps,
    cursor: Annotated[
        Annotated[str, Field(max_length=field_limits.CURSOR_LENGTH, json_schema_extra={"format": "cursor"})]
        | None,
        Query(description="`next_cursor` of the previous page"),
    ] = None,
    limit: Annotated[int, Query(ge=field_limits.MIN_PAGE, le=field_limits.MAX_PAGE)] = field_limits.PAGE_SIZE,
    q: Annotated[
        str | None,
        Query(max_length=field_limits.SEARCH_LENGTH, description="Prefixes of words of number and customer"),
    ] = None,
    status: Annotated[OrderStatus | None, Query()] = None,
    stage: Annotated[OrderStage | None, Query(description="Not together with `status`")] = None,
) -> Response:
    """Orders, newest first, in pages."""
    if status is not None and stage is not None:
        message = "Give a stage or a status, not both."
        raise RequestValidationError([{"loc": ("query", "stage"), "type": "excluded", "msg": message}])
    page = await services.view(
        lambda v: v.orders(limit=limit, cursor=cursor, q=q, status=status, stage=stage)
    )
    response = document_response(request, OrderListResponse, page)
    services.subscriptions.allow(response, secure=client_info_of(request).secure)
    return response


@router.post(
    "",
    dependencies=[OPERATOR],
    response_model=CreatedOrderResponse,
    status_code=status.HTTP_201_CREATED,
    responses={**links.of_order(201), **declared(422, 503)},
)
async def create_order(
    request: Request,
    services: Deps,
    photos: Annotated[
        list[UploadFile],
        File(description="The photos, in the order of the pages", json_schema_extra={"minItems": 1}),
    ],
    customer_name: Annotated[str | None, Form(max_length=field_limits.CUSTOMER_NAME_LENGTH)] = None,
    note: Annotated[str | None, Form(max_length=field_limits.NOTE_LENGTH)] = None,
    process: Annotated[Process, Form(description="Processing to start automatically")] = "none",
    coloring_options: Annotated[
        str | None,
        Form(
            max_length=field_limits.OPTIONS_LENGTH,
            description="Options of the pages as JSON, like a body of `generate-coloring`",
            json_schema_extra={"format": "coloring-options"},
        ),
    ] = None,
    title: Annotated[
        str | None, Form(max_length=field_limits.TITLE_LENGTH, description="Of the book; has a default")
    ] = None,
    quantity: Annotated[int, Form(ge=1, le=field_limits.MAX_COPIES, description="Copies of the book")] = 1,
    dedication: Annotated[str | None, Form(max_length=field_limits.DEDICATION_LENGTH)] = None,
    layout: Annotated[str | None, Form(max_length=field_limits.LAYOUT_LENGTH)] = None,
) -> Response:
    """Create a manual order from uploaded photos: one line item, which is one book.

    Files that are not photos are skipped and listed in `refused_photos`; 422 if none is a photo.
    """
    _check_fields(await request.form())
    options = coloring_options_of(coloring_options, "body")
    require_supported(services.settings.coloring_provider, options.model_fields_set)
    book = NewLineItem(
        optional_line(title) or MANUAL_TITLE, quantity, optional_lines(dedication), optional_line(layout)
    )
    wanted = ManualOrder(book, optional_line(customer_name), optional_lines(note), process, options)
    async with services.intake.staged(photos) as staged:
        number = await orders.create(services.database, services.storage, wanted, staged.photos)
    created = CreatedOrderResponse.model_validate_json(await _document(services, number))
    created.refused_photos = [
        RefusedPhoto(position=one.position or 0, name=one.name, code=one.code, detail=one.reason)
        for one in staged.refused
    ]
    response = etag_response(request, created.model_dump_json().encode())
    response.status_code = status.HTTP_201_CREATED
    response.headers["Location"] = f"/api/v1/orders/{number}"
    return response


@router.get(
    "/stages",
    dependencies=[VIEWER],
    response_model=StageCountsResponse,
    responses={**NOT_MODIFIED, **declared(422, 503)},
)
async def count_stages(request: Request, services: Deps) -> Response:
    """How many orders have which stage."""
    return document_response(request, StageCountsResponse, await services.view(lambda v: v.stage_counts()))


@router.get(
    "/{order_number}",
    dependencies=[VIEWER],
    response_model=OrderResponse,
    responses={**links.of_order(200), **NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_order(request: Request, services: Deps, order_number: OrderNumber) -> Response:
    """One order with its line items, images and versions."""
    response = await _order(request, services, order_number)
    services.subscriptions.allow(response, secure=client_info_of(request).secure)
    return response


@router.patch(
    "/{order_number}",
    dependencies=[OPERATOR],
    response_model=OrderResponse,
    responses=declared(404, 422, 503),
)
async def change_order(
    request: Request, services: Deps, order_number: OrderNumber, patch: OrderPatch
) -> Response:
    """Put an order on hold, mark it as printed or shipped, or what needed attention as seen."""
    notes = patch.model_dump(include=patch.model_fields_set)
    await services.write(lambda c: orders.change(c, order_number, notes))
    return await _order(request, services, order_number)


@router.delete(
    "/{order_number}",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 422, 503),
)
async def delete_order(services: Deps, principal: CurrentPrincipal, order_number: OrderNumber) -> None:
    """Delete an order with its files; active work is cancelled."""
    await orders.delete(services.database, services.storage, order_number, asked_by=principal.name)


@router.get(
    "/{order_number}/images/{image_id}",
    dependencies=[VIEWER],
    response_model=ImageResponse,
    responses={**links.of_image(200), **NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_image(request: Request, services: Deps, order_number: OrderNumber, image_id: Id) -> Response:
    """One image with all its versions: what a browser fetches on `image_status`."""
    if image_id > field_limits.MAX_ID:
        raise ImageNotFoundError(image_id)
    document = await services.view(lambda v: v.image(order_number, image_id))
    if document is None:
        raise ImageNotFoundError(image_id)
    return document_response(request, ImageResponse, document)


@router.get(
    "/{order_number}/timeline",
    dependencies=[VIEWER],
    response_model=TimelineResponse,
    responses={**NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_timeline(request: Request, services: Deps, order_number: OrderNumber) -> Response:
    """Every status change of every version, with how long each status lasted."""
    rows = await services.view(lambda v: v.timeline(order_number))
    if rows is None:
        raise OrderNotFoundError(order_number)
    entries = [TimelineEntry.model_validate(row) for row in rows]
    return etag_response(
        request, TimelineResponse(order_number=order_number, entries=entries).model_dump_json().encode()
    )


@router.post(
    "/{order_number}/generate-coloring",
    dependencies=[OPERATOR],
    response_model=list[ColoringVersionResponse],
    status_code=status.HTTP_202_ACCEPTED,
    responses=declared(404, 409, 422, 503),
)
async def generate_order_coloring(
    request: Request, services: Deps, order_number: OrderNumber, options: ColoringOptions | None = None
) -> Response:
    """Request a coloring of every image that has none with these options."""
    wanted = options or ColoringOptions()
    require_supported(services.settings.coloring_provider, wanted.model_fields_set)
    ids = await services.write(lambda c: generate.colorings_of_order(c, order_number, wanted))
    return _accepted(document_response(request, _COLORINGS, await services.view(lambda v: v.colorings(ids))))


@router.post(
    "/{order_number}/generate-svg",
    dependencies=[OPERATOR],
    response_model=list[SvgVersionResponse],
    status_code=status.HTTP_202_ACCEPTED,
    responses=declared(404, 409, 422, 503),
)
async def generate_order_svg(
    request: Request, services: Deps, order_number: OrderNumber, options: SvgOptions | None = None
) -> Response:
    """Request an SVG of every image whose coloring has none with these options."""
    wanted = options or SvgOptions()
    ids = await services.write(lambda c: generate.svgs_of_order(c, order_number, wanted))
    return _accepted(document_response(request, _SVGS, await services.view(lambda v: v.svgs(ids))))


async def _order(request: Request, services: Deps, order_number: str) -> Response:
    return document_response(request, OrderResponse, await _document(services, order_number))


async def _document(services: Deps, order_number: str) -> str:
    document = await services.view(lambda v: v.order(order_number))
    if document is None:
        raise OrderNotFoundError(order_number)
    return document


def _accepted(response: Response) -> Response:
    response.status_code = status.HTTP_202_ACCEPTED
    return response


def _check_fields(form: FormData) -> None:
    """Reject unknown form fields, and repeated ones other than photos."""
    for name, (code, message) in _NEVER_EMPTY.items():
        if form.get(name) == "":  # which the framework treats as absent
            raise RequestValidationError([{"loc": ("body", name), "type": code, "msg": message}])
    names = [name for name, _ in form.multi_items()]
    for name in sorted(set(names)):
        if name not in _FIELDS:
            message = f"Unknown field; known are {', '.join(_FIELDS)}."
            raise RequestValidationError([{"loc": ("body", name), "type": "extra_forbidden", "msg": message}])
        if name != "photos" and names.count(name) > 1:
            message = f"Given {names.count(name)} times; it may occur once."
            raise RequestValidationError([{"loc": ("body", name), "type": "given_twice", "msg": message}])


def coloring_options_of(value: str | None, place: str) -> ColoringOptions:
    """Options of the pages as JSON, from the ``place`` of a request. Raises ``RequestValidationError``."""
    try:
        return ColoringOptions.model_validate_json(value or "{}")
    except ValidationError as error:
        found = [{**one, "loc": (place, "coloring_options", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from None
