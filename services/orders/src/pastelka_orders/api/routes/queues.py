"""The queues of jobs: whether they are paused, pause and resume."""

from fastapi import APIRouter, Request, Response

from pastelka_common.contracts.statuses import StatusType
from pastelka_orders.api.authorization import OPERATOR, VIEWER, AuthorizedRoute, CurrentPrincipal
from pastelka_orders.api.deps import Deps, Services, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, declared
from pastelka_orders.handlers import queue_pauses as handlers
from pastelka_orders.queue_schemas import PausableQueue, QueuesResponse
from pastelka_orders.repository import queue_pauses

router = APIRouter(prefix="/queues", tags=["system"], route_class=AuthorizedRoute)


@router.get(
    "",
    dependencies=[VIEWER],
    response_model=QueuesResponse,
    responses={**NOT_MODIFIED, **declared(503)},
)
async def list_queues(request: Request, services: Deps) -> Response:
    """The queues of coloring and vectorizing, and since when they are paused."""
    return etag_response(request, (await _queues(services)).model_dump_json().encode())


@router.post("/{kind}/pause", dependencies=[OPERATOR], responses=declared(422, 503))
async def pause_queue(services: Deps, principal: CurrentPrincipal, kind: StatusType) -> QueuesResponse:
    """Give workers no more jobs of this kind; jobs in progress go on. Idempotent."""
    nc = await services.broker.client()
    await handlers.pause(services.database, nc, kind, principal.name)
    services.system.clear_cache()
    return await _queues(services)


@router.post("/{kind}/resume", dependencies=[OPERATOR], responses=declared(422, 503))
async def resume_queue(services: Deps, kind: StatusType) -> QueuesResponse:
    """Give workers jobs of this kind again. Idempotent."""
    await handlers.resume(services.database, await services.broker.client(), kind)
    services.system.clear_cache()
    return await _queues(services)


async def _queues(services: Services) -> QueuesResponse:
    stored = await services.database.read(queue_pauses.pauses)
    return QueuesResponse(
        queues=[
            PausableQueue(
                kind=kind,
                paused_at=stored[kind].paused_at if kind in stored else None,
                paused_by=stored[kind].paused_by if kind in stored else None,
            )
            for kind in handlers.CONSUMERS
        ]
    )
