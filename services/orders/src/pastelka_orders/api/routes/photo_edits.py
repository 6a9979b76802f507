"""The edit of a photo: parameters beside the original."""

from fastapi import APIRouter, Request, Response

from pastelka_orders.api import field_limits
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import (
    Deps,
    Id,
    IfMatch,
    OrderNumber,
    Services,
    etag_matches,
    etag_of,
    etag_response,
)
from pastelka_orders.api.problems import NOT_MODIFIED, Responses, declared
from pastelka_orders.domain.photo_edit import PhotoEdit
from pastelka_orders.errors import ImageNotFoundError
from pastelka_orders.handlers.photo_edits import PhotoEditor
from pastelka_orders.photo_edit_schemas import PhotoEditModel, PhotoEditPatch, PhotoEditState
from pastelka_orders.repository import photo_edits
from pastelka_orders.repository.photo_edits import PhotoRecord

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)

_READING: Responses = {**NOT_MODIFIED, **declared(404, 422, 503)}


@router.get(
    "/{order_number}/images/{image_id}/edit",
    dependencies=[VIEWER],
    response_model=PhotoEditState,
    responses=_READING,
)
async def get_photo_edit(
    request: Request, services: Deps, order_number: OrderNumber, image_id: Id
) -> Response:
    """The edit of a photo and its original, with the `ETag` for `If-Match`."""
    _check(image_id)
    photo = await services.database.read(lambda c: photo_edits.find(c, order_number, image_id))
    if photo is None:
        raise ImageNotFoundError(image_id)
    return etag_response(request, _body(services, photo))


@router.patch(
    "/{order_number}/images/{image_id}/edit",
    dependencies=[OPERATOR],
    response_model=PhotoEditState,
    responses=declared(404, 409, 412, 422, 503),
)
async def edit_photo(
    request: Request,
    services: Deps,
    order_number: OrderNumber,
    image_id: Id,
    patch: PhotoEditPatch,
    if_match: IfMatch = None,
) -> Response:
    """Turn, straighten, crop or lighten a photo; absent parameters stay. The original is kept.

    Pages are generated from the edited photo from then on; 409 `image_approved` while a page is approved.
    """
    _check(image_id)
    values = patch.model_dump(include=patch.model_fields_set)

    def is_expected(photo: PhotoRecord) -> bool:
        return if_match is None or etag_matches(if_match, etag_of(_body(services, photo)))

    editor = PhotoEditor(services.database, services.storage, services.intake)
    photo = await editor.change(order_number, image_id, values, is_expected)
    return etag_response(request, _body(services, photo))


def _body(services: Services, photo: PhotoRecord) -> bytes:
    edit = PhotoEdit.of(photo.photo_edit)
    state = PhotoEditState(
        id=photo.id,
        original_url=None if photo.path is None else services.files + photo.path,
        width=photo.width,
        height=photo.height,
        edit=PhotoEditModel.model_validate(edit.document),
    )
    return state.model_dump_json().encode()


def _check(image_id: int) -> None:
    if image_id > field_limits.MAX_ID:
        raise ImageNotFoundError(image_id)
