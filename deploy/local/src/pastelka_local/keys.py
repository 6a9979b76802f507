"""The stack's own secrets, drawn once for each data folder."""

import json
import os
import secrets
from pathlib import Path

from pastelka_local.settings import SettingsError

_NAMES = ("MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY")


def hub_keys(data: Path) -> dict[str, str]:
    """The hub's two keys, kept in ``secrets.json`` (readable by its owner only)."""
    file = data / "secrets.json"
    if not file.exists():
        _write(file, {name: secrets.token_urlsafe(48) for name in _NAMES})
    try:
        kept = json.loads(file.read_text())
        return {name: str(kept[name]) for name in _NAMES}
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{file} is damaged ({error!r}); delete it, and new keys are drawn") from error


def _write(file: Path, values: dict[str, str]) -> None:
    making = file.with_suffix(".making")
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        json.dump(values, target)
    making.replace(file)
