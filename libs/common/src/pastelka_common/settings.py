"""Settings that all services read from the environment."""

import re
import sys
from collections.abc import Iterator
from typing import Self
from urllib.parse import unquote

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from pastelka_common.messaging.names import PREFIX_PATTERN

EXIT_BAD_SETTINGS = 2
_MIN_SECRET_LENGTH = 6
"""Shorter secrets would redact ordinary words."""
_PASSWORD = re.compile(r"//[^/@\s]*?:([^/@\s]+)@")


class ServiceSettings(BaseSettings):
    """Settings that all services share; each service adds its own in a subclass."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    # Not in ``repr``: a URL may contain user and password.
    nats_url: str = Field(default="nats://localhost:4222", repr=False)
    nats_prefix: str = Field(default="", pattern=PREFIX_PATTERN, description="Of streams and subjects")
    stream_replicas: int = Field(default=1, ge=1, le=5)
    host: str = "0.0.0.0"  # noqa: S104 - a container listens on all its addresses
    port: int = Field(default=8000, ge=0, le=65535)
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    otel_exporter_otlp_endpoint: str | None = Field(default=None, repr=False)
    shutdown_grace: float = Field(default=25.0, gt=0, description="Seconds from SIGTERM to the end")

    @classmethod
    def load(cls) -> Self:
        """Read the environment. On invalid settings, prints the errors and exits with 2."""
        try:
            return cls()
        except ValidationError as error:
            errors = _error_lines(error)
        except SettingsError as error:
            # Malformed JSON of a complex field; the message names the field, never its value.
            errors = [f"settings: {error}"]
        for line in errors:
            sys.stderr.write(line + "\n")
        raise SystemExit(EXIT_BAD_SETTINGS)

    def secrets(self) -> frozenset[str]:
        """Values to redact: secrets, and passwords in URLs."""
        return frozenset(found for found in _secrets(self) if len(found) >= _MIN_SECRET_LENGTH)


class WorkerSettings(ServiceSettings):
    """Settings of the services that generate files with a provider."""

    job_max_attempts: int = Field(default=12, ge=1, le=100, description="Attempts that may fail")
    job_max_silent_deliveries: int = Field(default=5, ge=1, le=100, description="Deliveries without a report")
    breaker_failure_threshold: int = Field(
        default=5, ge=1, le=1000, description="In a row, until the breaker opens"
    )
    breaker_reset_timeout: float = Field(
        default=15.0, gt=0, le=3600, description="Seconds until the first probe"
    )
    breaker_max_reset_timeout: float = Field(
        default=300.0, gt=0, le=3600, description="Seconds between probes"
    )


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for _, field in value:
            yield from _secrets(field)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, SecretStr):
        secret = value.get_secret_value()
        yield from _passwords(secret) if "://" in secret else (secret,)
    elif isinstance(value, str):
        yield from _passwords(value)


def _passwords(address: str) -> Iterator[str]:
    for password in _PASSWORD.findall(address):
        yield password
        yield unquote(password)


def _error_lines(error: ValidationError) -> list[str]:
    """One line per invalid setting, without its value: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in problem["loc"]).upper() or "settings"
        wrong = "is missing" if problem["type"] == "missing" else problem["msg"]
        lines.append(f"{name}: {wrong}")
    return lines
