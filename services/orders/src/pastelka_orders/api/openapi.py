"""``python -m pastelka_orders.api.openapi FILE``: writes the OpenAPI document.

The document is checked in as ``services/orders/openapi.json``; a test fails when it drifts.
"""

import json
import sys
from pathlib import Path

from pydantic import SecretStr

from pastelka_orders.api.app import create_app
from pastelka_orders.settings import OrdersSettings


def document() -> str:
    """The document as it is checked in."""
    # No connection is opened: the settings only have to be complete.
    url = SecretStr("postgresql+asyncpg://localhost/none")
    app = create_app(OrdersSettings(database_url=url))
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
