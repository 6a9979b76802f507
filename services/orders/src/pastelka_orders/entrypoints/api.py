"""``python -m pastelka_orders.entrypoints.api``: the HTTP API."""

import uvicorn

from pastelka_common import telemetry
from pastelka_orders.api.app import create_app
from pastelka_orders.api.protocol import BoundedHttp
from pastelka_orders.settings import OrdersSettings

KEEP_ALIVE = 75
"""Seconds for which an idle connection is kept: longer than the gateway keeps it, which otherwise
sends a request on a connection that is closed in the same moment, and may not repeat a POST."""


def main() -> None:
    """Serve until SIGTERM."""
    settings = OrdersSettings.load()
    telemetry.set_up(
        "orders-api", level=settings.log_level, otlp_endpoint=settings.otel_exporter_otlp_endpoint
    )
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=BoundedHttp,
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=True,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.shutdown_grace),
        server_header=False,
    )


if __name__ == "__main__":
    main()
