"""Settings classes of the services, and placeholder values for Secrets."""

from collections.abc import Mapping
from typing import Any

from pastelka_coloring.settings import ColoringSettings
from pastelka_common.settings import ServiceSettings
from pastelka_notifier.settings import NotifierSettings
from pastelka_orders.settings import OrdersSettings
from pastelka_vectorize.settings import VectorizeSettings

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "orders-api": OrdersSettings,
    "orders-worker": OrdersSettings,
    "coloring": ColoringSettings,
    "vectorize": VectorizeSettings,
    "notifier": NotifierSettings,
}

_SECRETS = {
    "DATABASE_URL": "postgresql+asyncpg://pastelka:secret@host:5432/pastelka",
    "NATS_URL": "nats://user:secret@host:4222",
}


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """A container's variables; values from Secrets are placeholders."""
    return {one["name"]: one.get("value", _SECRETS.get(one["name"], "s" * 48)) for one in container["env"]}


def from_secrets(container: Mapping[str, Any]) -> set[str]:
    """Names of the variables that come from Secrets."""
    return {one["name"] for one in container.get("env", []) if "secretKeyRef" in one.get("valueFrom", {})}
