"""The system's status, and its dead letters."""

from fastapi import APIRouter, Request, Response, status

from pastelka_orders import dead_letters
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute, client_info_of
from pastelka_orders.api.deps import Deps, Sequence
from pastelka_orders.api.field_limits import MAX_SEQUENCE
from pastelka_orders.api.problems import declared
from pastelka_orders.errors import DeadLetterNotFoundError
from pastelka_orders.handlers.requeue import requeue_letter
from pastelka_orders.system_schemas import SystemResponse

router = APIRouter(tags=["system"], route_class=AuthorizedRoute)


@router.get("/system", dependencies=[VIEWER])
async def get_system(request: Request, response: Response, services: Deps) -> SystemResponse:
    """Health of services, queues, outbox, statistics of the last hour, dead letters."""
    services.subscriptions.allow(response, secure=client_info_of(request).secure)
    return await services.system.state()


@router.post(
    "/dead-letters/{sequence}/requeue",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 409, 422, 503),
)
async def requeue_dead_letter(services: Deps, sequence: Sequence) -> None:
    """Enqueue the job of a dead letter again, and delete the letter; a version begins a new run."""
    _check(sequence)
    await requeue_letter(services.database, await services.broker.client(), sequence)
    services.system.clear_cache()


@router.delete(
    "/dead-letters/{sequence}",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 422, 503),
)
async def dismiss_dead_letter(services: Deps, sequence: Sequence) -> None:
    """Delete a dead letter without enqueueing its job."""
    _check(sequence)
    await dead_letters.remove(await services.broker.client(), sequence)
    services.system.clear_cache()


def _check(sequence: int) -> None:
    if sequence > MAX_SEQUENCE:
        raise DeadLetterNotFoundError(sequence)
