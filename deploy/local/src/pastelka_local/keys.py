"""The stack's own secrets, generated once per data folder."""

import json
import secrets
from pathlib import Path

from pastelka_common.servers.base import write_private
from pastelka_local.settings import SettingsError

NATS_PASSWORD = "NATS_PASSWORD"  # noqa: S105 - a name
_HUB_KEYS = ("MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY")


def stack_secrets(data: Path) -> dict[str, str]:
    """The hub's two keys and the NATS password, stored in ``secrets.json``.

    Generates missing secrets, so that a data folder of an earlier version keeps working.
    """
    file = data / "secrets.json"
    kept = _read(file) if file.exists() else {}
    wanted = {name: kept.get(name) or secrets.token_urlsafe(48) for name in (*_HUB_KEYS, NATS_PASSWORD)}
    if wanted != kept:
        write_private(file, json.dumps(wanted))
    return wanted


def hub_keys(values: dict[str, str]) -> dict[str, str]:
    """The hub's two keys of ``values``."""
    return {name: values[name] for name in _HUB_KEYS}


def _read(file: Path) -> dict[str, str]:
    try:
        return {str(name): str(value) for name, value in json.loads(file.read_text()).items()}
    except (ValueError, AttributeError) as error:
        raise SettingsError(f"{file} is damaged ({error!r}); delete it to generate new keys") from error
