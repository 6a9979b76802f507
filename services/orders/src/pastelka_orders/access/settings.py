"""Settings of authentication; by default, every local request is allowed everything."""

import re
from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from pastelka_common.settings import ServiceSettings

AuthMode = Literal["open", "password", "proxy"]

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]

_ORIGIN = re.compile(r"https?://[^/?#@\s]+")


class AccessSettings(ServiceSettings):
    """``AUTH_*`` and related variables of the environment. Lists are comma-separated."""

    auth_mode: AuthMode = "open"
    auth_proxy_user_header: HeaderName = "X-Auth-Request-User"
    auth_proxy_groups_header: HeaderName = "X-Auth-Request-Groups"
    auth_proxy_operators: str = ""
    auth_proxy_viewers: str = ""
    auth_trusted_proxies: str = ""
    trusted_proxies: str = "127.0.0.1,::1"
    allowed_origins: str = ""
    session_idle_minutes: Annotated[int, Field(ge=5, le=7 * 24 * 60)] = 12 * 60
    session_max_hours: Annotated[int, Field(ge=1, le=90 * 24)] = 7 * 24
    sign_in_tries_per_name: Annotated[int, Field(ge=1, le=1000)] = 10
    sign_in_tries_per_address: Annotated[int, Field(ge=1, le=10_000)] = 50

    @field_validator("auth_trusted_proxies", "trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for one in split_list(text):
            try:
                ip_network(one)
            except ValueError:
                raise ValueError(
                    "must be addresses or networks, such as 127.0.0.1, 10.1.0.0/16 or fd00::/8"
                ) from None
        return text

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for one in split_list(text):
            if not _ORIGIN.fullmatch(one) or not urlsplit(one).hostname:
                raise ValueError("must be origins without a path, such as https://studio.example.com")
        return text


def split_list(text: str) -> tuple[str, ...]:
    """Entries of a comma-separated list."""
    return tuple(one.strip() for one in text.split(",") if one.strip())
