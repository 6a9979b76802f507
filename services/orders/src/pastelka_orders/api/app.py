"""The HTTP API as an ASGI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Literal

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pastelka_common import telemetry
from pastelka_common.health import run_checks
from pastelka_common.storage import open_storage
from pastelka_orders.access.authenticator import Authenticator
from pastelka_orders.access.client_info import ProxyHeaders
from pastelka_orders.access.origin import OriginPolicy
from pastelka_orders.access.passwords import Passwords
from pastelka_orders.access.sign_in import SignIn
from pastelka_orders.api import field_limits, problems
from pastelka_orders.api.authorization import OPERATIONS, AuthorizedRoute, check_permissions, describe_schemes
from pastelka_orders.api.deps import Access, Services
from pastelka_orders.api.documents import add_documents, describe
from pastelka_orders.api.request_limits import (
    BodyLimit,
    BodyLimits,
    HeadAsGetMiddleware,
    RequestLimitsMiddleware,
)
from pastelka_orders.api.routes import (
    addresses,
    approvals,
    books,
    bulk,
    exports,
    history,
    line_items,
    orders,
    photos,
    presets,
    queue,
    queues,
    session,
    shop,
    system,
    versions,
)
from pastelka_orders.api.subscriptions import Subscriptions
from pastelka_orders.api.telemetry import TelemetryMiddleware
from pastelka_orders.book.process import BookComposer
from pastelka_orders.broker import Broker
from pastelka_orders.database import Database, open_database
from pastelka_orders.exports import ExportSlots
from pastelka_orders.handlers.system import System
from pastelka_orders.photos.intake import PhotoIntake, remove_temp_folders
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.settings import OrdersSettings
from pastelka_orders.shopify import webhook

DESCRIPTION = "Turns the photos of a shop order into printable coloring pages and vector line art."


def create_app(settings: OrdersSettings) -> FastAPI:
    """Create the application; its lifespan opens and closes the connections."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = _services(settings)
        app.state.services = services
        await remove_temp_folders()
        try:
            if settings.auth_mode == "password":
                await services.access.sign_in.prepare()
            yield
        finally:
            await services.intake.aclose()
            await services.broker.aclose()
            await services.database.aclose()
            await asyncio.to_thread(telemetry.flush)

    app = FastAPI(
        title="Pastelka",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        # Our own routes serve them, with a permission like every other.
        openapi_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        form_limits={
            "max_files": settings.order_max_photos,
            "max_fields": field_limits.FORM_FIELDS,
            "max_part_size": field_limits.FORM_FIELD_BYTES,
        },
        # ``TelemetryMiddleware`` does this at a fraction of the cost of spans for every operation.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.router.route_class = AuthorizedRoute
    app.router.routes.extend(_routes().routes)
    problems.install(app)
    describe(app)
    app.add_middleware(RequestLimitsMiddleware, _body_limits(settings))
    app.add_middleware(HeadAsGetMiddleware)
    app.add_middleware(TelemetryMiddleware)
    add_documents(app)
    _add_health(app)
    describe_schemes(app)
    check_permissions(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


@cache
def _routes() -> APIRouter:
    """The routes, which depend on no settings; built once per process, since that takes 0.1 s."""
    found = APIRouter(generate_unique_id_function=_operation_id)
    found.include_router(addresses.router)
    for router in (
        session.router,
        shop.router,
        orders.router,
        history.router,
        queue.router,
        bulk.router,
        exports.router,
        books.router,
        line_items.router,
        photos.router,
        photos.images_router,
        books.joined_router,
        versions.router,
        approvals.router,
        presets.router,
        queues.router,
        system.router,
    ):
        found.include_router(router, prefix="/api/v1")
    return found


def _body_limits(settings: OrdersSettings) -> BodyLimits:
    return BodyLimits(
        BodyLimit("json", settings.json_max_bytes),
        {
            ("POST", "/api/v1/orders"): BodyLimit("form", settings.upload_max_bytes),
            ("POST", "/api/v1/webhooks/shopify"): BodyLimit("any", webhook.MAX_BYTES),
        },
        # The route itself refuses a file that is larger than a photo may be.
        {("POST", "photos"): BodyLimit("any", settings.upload_max_bytes)}
        | {("PUT", "photo"): BodyLimit("any", settings.upload_max_bytes)},
    )


def _services(settings: OrdersSettings) -> Services:
    photo_limits = PhotoLimits(
        max_bytes=settings.photo_max_bytes,
        max_pixels=settings.photo_max_pixels,
        max_photos=settings.order_max_photos,
    )
    database = open_database(settings, pool_size=settings.database_pool_size)
    broker = Broker(settings.nats_url, settings.nats_prefix)
    return Services(
        settings,
        database,
        open_storage(settings),
        PhotoIntake(photo_limits),
        Subscriptions(settings),
        broker,
        System(database, broker),
        BookComposer(),
        ExportSlots(settings.export_concurrency),
        _access(settings, database),
    )


def _access(settings: OrdersSettings, database: Database) -> Access:
    proxy_headers = ProxyHeaders(settings)
    return Access(
        proxy_headers,
        OriginPolicy(settings),
        Authenticator(settings, database, proxy_headers),
        SignIn(settings, database, Passwords()),
    )


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False, dependencies=[OPERATIONS])
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False, dependencies=[OPERATIONS])
    async def readyz(request: Request, exclude: Literal["broker"] | None = None) -> JSONResponse:
        services: Services = request.app.state.services
        dependencies = {"database": services.database.check, "broker": services.broker.check}
        checks = await run_checks({name: dependencies[name] for name in dependencies if name != exclude})
        ready = all(result == "ok" for result in checks.values())
        return JSONResponse({"ready": ready, "checks": checks}, status_code=200 if ready else 503)

    @app.get("/metrics", include_in_schema=False, dependencies=[OPERATIONS])
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
