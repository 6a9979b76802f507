"""The system's status, and its dead letters."""

from fastapi import APIRouter, Request, Response, status

from pastelka_orders import dead_letters
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute, client_info_of
from pastelka_orders.api.deps import Deps, Sequence
from pastelka_orders.api.field_limits import MAX_SEQUENCE
from pastelka_orders.api.problems import declared
from pastelka_orders.errors import DeadLetterNotFoundError
from pastelka_orders.handlers.requeue import take_back
from pastelka_orders.system_schemas import SystemResponse

router = APIRouter(tags=["system"], route_class=AuthorizedRoute)


@router.get("/system", dependencies=[VIEWER])
async def get_system(request: Request, response: Response, services: Deps) -> SystemResponse:
    """Services with their health, queues, outbox, the last hour, and what was given up on."""
    services.subscriptions.allow(response, secure=client_info_of(request).secure)
    return await services.system.state()


@router.post(
    "/dead-letters/{sequence}/requeue",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 409, 422, 503),
)
async def requeue_dead_letter(services: Deps, sequence: Sequence) -> None:
    """Ask again for what was given up on; a version begins a new run. The letter is then gone."""
    _check(sequence)
    await take_back(services.database, await services.broker.client(), sequence)
    services.system.forget()


@router.delete(
    "/dead-letters/{sequence}",
    dependencies=[OPERATOR],
    status_code=status.HTTP_204_NO_CONTENT,
    responses=declared(404, 422, 503),
)
async def dismiss_dead_letter(services: Deps, sequence: Sequence) -> None:
    """Take a dead letter away without asking again for anything."""
    _check(sequence)
    await dead_letters.remove(await services.broker.client(), sequence)
    services.system.forget()


def _check(sequence: int) -> None:
    if sequence > MAX_SEQUENCE:
        raise DeadLetterNotFoundError(sequence)
