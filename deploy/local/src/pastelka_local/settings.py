"""Settings of the local stack, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pastelka_common.servers.ports import is_free

_DEFAULT_PORT, _DEFAULT_STATIC_PORT = 8080, 8081
_HIGHEST_PORT = 65535
_TRIED_PORTS = 200
_MOST_REPLICAS = 32
_FORBIDDEN_IN_PATHS = "\"'%;#\\$,\n"


class SettingsError(Exception):
    """A setting is malformed or cannot be used; the message names it and a valid value."""


@dataclass(frozen=True)
class Settings:
    """The stack's own settings; ``environment`` holds everything passed on to the services."""

    data: Path
    port: int | None = None
    static_port: int | None = None
    replicas: Mapping[str, int] = field(default_factory=dict)
    own_bucket: bool = False
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def run(self) -> Path:
        """Folder of the files that describe the running stack."""
        return self.data / "run"

    @property
    def log(self) -> Path:
        """Folder of the processes' logs."""
        return self.data / "log"

    def given(self, name: str) -> str | None:
        """A variable's value, or ``None`` if it is unset or empty."""
        return self.environment.get(name) or None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environment``. Raises :class:`SettingsError`."""
    environment = dict(os.environ if environment is None else environment)
    data = Path(environment.get("PASTELKA_DATA_DIR") or ".pastelka").expanduser().absolute()
    if found := next((character for character in str(data) if character in _FORBIDDEN_IN_PATHS), None):
        raise SettingsError(f"PASTELKA_DATA_DIR is {str(data)!r}; the path may not have {found!r} in it")
    return Settings(
        data=data,
        port=_port(environment, "PASTELKA_PORT"),
        static_port=_port(environment, "PASTELKA_STATIC_PORT"),
        replicas={kind: _replicas(environment, kind) for kind in ("coloring", "vectorize", "notifier")},
        own_bucket=_own_bucket(environment),
        environment=environment,
    )


def require_same_storage(settings: Settings) -> None:
    """Raise :class:`SettingsError` if the files of earlier starts are in another kind of storage.

    Files do not move between storages, and the reconciler would report them as missing.
    """
    if settings.given("STORAGE_URL"):
        return
    if settings.own_bucket and _holds_files(settings.data / "storage" / "images"):
        raise SettingsError(
            f"the files in {settings.data} are in a folder, not in a bucket; start it without STORAGE=s3,"
            " or name another PASTELKA_DATA_DIR"
        )
    if not settings.own_bucket and _holds_files(settings.data / "s3" / "objects"):
        raise SettingsError(
            f"the files in {settings.data} are in a bucket; start it with STORAGE=s3,"
            " or name another PASTELKA_DATA_DIR"
        )


def _holds_files(folder: Path) -> bool:
    """Whether there is a file below ``folder``, hidden ones (versitygw's own) excepted."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return any(not any(part.startswith(".") for part in path.parts) for path in found)


def choose_public_ports(settings: Settings) -> tuple[int, int, list[str]]:
    """The gateway's port, the file server's port, and a note about the choice.

    A configured port must be free; an unconfigured one falls back to the next free port. Raises
    :class:`SettingsError`.
    """
    notes: list[str] = []
    port = _public_port("PASTELKA_PORT", settings.port, _DEFAULT_PORT, (settings.static_port,), notes)
    static = _public_port("PASTELKA_STATIC_PORT", settings.static_port, _DEFAULT_STATIC_PORT, (port,), notes)
    if port == static:
        raise SettingsError(
            f"PASTELKA_PORT and PASTELKA_STATIC_PORT are both {port}; give two different ports"
        )
    return port, static, notes


def _public_port(
    name: str, wanted: int | None, default: int, taken: tuple[int | None, ...], notes: list[str]
) -> int:
    if wanted is not None:
        if not is_free(wanted):
            raise SettingsError(f"port {wanted} is taken by another program; set {name} to a free one")
        return wanted
    candidates = range(default, default + _TRIED_PORTS)
    chosen = next((port for port in candidates if port not in taken and is_free(port)), None)
    if chosen is None:
        raise SettingsError(f"no port from {default} on is free; set {name} to one that is")
    if chosen != default:
        notes.append(f"port {default} is taken, so {chosen} is used; {name} sets another")
    return chosen


def _own_bucket(environment: Mapping[str, str]) -> bool:
    """Whether the stack runs its own S3-compatible server for the files."""
    wanted = environment.get("PASTELKA_STORAGE") or "folder"
    if wanted not in {"folder", "s3"}:
        raise SettingsError(f"PASTELKA_STORAGE is {wanted!r}; folder or s3 is needed")
    if wanted == "s3" and environment.get("STORAGE_URL"):
        raise SettingsError("PASTELKA_STORAGE is s3 and STORAGE_URL names another bucket; give one of them")
    return wanted == "s3"


def _port(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _HIGHEST_PORT:
        raise SettingsError(f"{name} is {text!r}; a port from 1 to {_HIGHEST_PORT} is needed")
    return int(text)


def _replicas(environment: Mapping[str, str], kind: str) -> int:
    name = f"{kind.upper()}_REPLICAS"
    text = environment.get(name) or "1"
    if not text.isascii() or not text.isdigit() or int(text) > _MOST_REPLICAS:
        raise SettingsError(f"{name} is {text!r}; a number from 0 to {_MOST_REPLICAS} is needed")
    return int(text)
