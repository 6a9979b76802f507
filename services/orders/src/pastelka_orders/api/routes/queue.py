"""The place of an order's work in the queues."""

from fastapi import APIRouter, Request, Response

from pastelka_orders.api.authorization import VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, OrderNumber, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, declared
from pastelka_orders.errors import OrderNotFoundError
from pastelka_orders.queue_schemas import OrderQueueResponse, WaitingVersion
from pastelka_orders.repository import queue_places

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)


@router.get(
    "/{order_number}/queue",
    dependencies=[VIEWER],
    response_model=OrderQueueResponse,
    responses={**NOT_MODIFIED, **declared(404, 422, 503)},
)
async def get_order_queue(request: Request, services: Deps, order_number: OrderNumber) -> Response:
    """The versions of an order that wait for a worker, and how many wait before each."""
    found = await services.database.read(lambda c: queue_places.places(c, order_number))
    if found is None:
        raise OrderNotFoundError(order_number)
    waiting = [WaitingVersion.model_validate(row) for row in found]
    document = OrderQueueResponse(order_number=order_number, waiting=waiting)
    return etag_response(request, document.model_dump_json().encode())
