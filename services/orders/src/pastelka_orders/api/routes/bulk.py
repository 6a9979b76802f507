"""Everything in an order at once, and the cost of doing that for several orders."""

from fastapi import APIRouter, status

from pastelka_orders.api.authorization import OPERATOR, AuthorizedRoute, CurrentPrincipal
from pastelka_orders.api.deps import Deps, OrderNumber
from pastelka_orders.api.problems import declared
from pastelka_orders.bulk_schemas import (
    ApprovedResponse,
    EstimateRequest,
    EstimateResponse,
    RetriedResponse,
)
from pastelka_orders.handlers import approvals
from pastelka_orders.handlers.estimates import estimate
from pastelka_orders.handlers.retry_failed import retry_failed

router = APIRouter(prefix="/orders", tags=["orders"], route_class=AuthorizedRoute)


@router.post("/estimate", dependencies=[OPERATOR], responses=declared(422, 503))
async def estimate_orders(services: Deps, wanted: EstimateRequest) -> EstimateResponse:
    """How many pages and SVGs an action for several orders would start, and their cost; starts nothing."""
    started = await services.database.read(
        lambda c: estimate(
            c, wanted.order_numbers, wanted.action, wanted.coloring_options, wanted.svg_options
        )
    )
    settings = services.settings
    return EstimateResponse(
        pages=started.pages,
        svgs=started.svgs,
        cost=settings.prices.cost(started.pages, started.svgs),
        currency=settings.currency,
    )


@router.post("/{order_number}/approve", dependencies=[OPERATOR], responses=declared(404, 409, 422, 503))
async def approve_order(
    services: Deps, principal: CurrentPrincipal, order_number: OrderNumber
) -> ApprovedResponse:
    """Approve every chosen page of an order that is completed and not approved."""
    approved = await services.write(lambda c: approvals.approve_order(c, order_number, principal.name))
    return ApprovedResponse(approved=approved)


@router.post(
    "/{order_number}/retry-failed",
    dependencies=[OPERATOR],
    status_code=status.HTTP_202_ACCEPTED,
    responses=declared(404, 409, 422, 503),
)
async def retry_failed_versions(services: Deps, order_number: OrderNumber) -> RetriedResponse:
    """Retry the failed pages of photos that have no page, and the failed SVGs of pages that have none."""
    provider = services.settings.coloring_provider
    retried = await services.write(lambda c: retry_failed(c, order_number, provider))
    return RetriedResponse(pages=len(retried.colorings), svgs=len(retried.svgs))
