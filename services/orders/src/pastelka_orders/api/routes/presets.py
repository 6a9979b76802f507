"""Presets of coloring options."""

from fastapi import APIRouter, Request, Response

from pastelka_common.contracts.options import COLORING_OPTIONS
from pastelka_orders.api.authorization import VIEWER, AuthorizedRoute
from pastelka_orders.api.deps import Deps, etag_response
from pastelka_orders.api.problems import NOT_MODIFIED, declared
from pastelka_orders.domain.coloring_options import presets_of
from pastelka_orders.repository import page_times
from pastelka_orders.schemas import ColoringOptionsResponse, PresetResponse, PresetsResponse

router = APIRouter(tags=["versions"], route_class=AuthorizedRoute)


@router.get(
    "/presets",
    dependencies=[VIEWER],
    response_model=PresetsResponse,
    responses={**NOT_MODIFIED, **declared(503)},
)
async def list_presets(request: Request, services: Deps) -> Response:
    """The presets with their options, and the options that the active provider supports."""
    provider = services.settings.coloring_provider
    seconds = await services.database.read(
        lambda c: page_times.median_seconds(c, is_remote=provider != "local")
    )
    items = [
        PresetResponse(
            name=preset.name,
            options=ColoringOptionsResponse.model_validate(preset.options.model_dump()),
            seconds=seconds.get(preset.options),
            cost=services.settings.coloring_price,
        )
        for preset in presets_of(provider)
    ]
    document = PresetsResponse(
        provider=provider,
        options=list(COLORING_OPTIONS[provider]),
        items=items,
        svg_cost=services.settings.svg_price,
        currency=services.settings.currency,
    )
    return etag_response(request, document.model_dump_json().encode())
