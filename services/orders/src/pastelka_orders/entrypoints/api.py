"""``python -m pastelka_orders.entrypoints.api``: the HTTP API."""

import sys

import uvicorn

from pastelka_common import telemetry
from pastelka_common.settings import EXIT_BAD_SETTINGS
from pastelka_orders.access.startup import startup_errors
from pastelka_orders.api.app import create_app
from pastelka_orders.api.protocol import LimitedHttpProtocol
from pastelka_orders.settings import OrdersSettings

KEEP_ALIVE = 75
"""Idle timeout of connections in seconds, longer than the gateway's: otherwise the gateway could send a POST,
which it must not repeat, on a connection that is just being closed."""


def main() -> None:
    """Serve until SIGTERM. Exits with 2 if remote machines would be served without authentication."""
    settings = OrdersSettings.load()
    if refused := startup_errors(settings):
        sys.stderr.write("".join(f"{line}\n" for line in refused))
        raise SystemExit(EXIT_BAD_SETTINGS)
    telemetry.set_up(
        "orders-api",
        level=settings.log_level,
        otlp_endpoint=settings.otel_exporter_otlp_endpoint,
        secrets=settings.secrets(),
    )
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=LimitedHttpProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        # ``access.client_info`` parses them, and needs the peer's real address.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.shutdown_grace),
        server_header=False,
    )


if __name__ == "__main__":
    main()
