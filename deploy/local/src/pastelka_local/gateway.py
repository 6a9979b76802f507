"""Variables of the gateway's templates, derived from the stack's environment."""

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from pastelka_common.servers import ServerError
from pastelka_common.servers.base import deploy_folder
from pastelka_common.servers.nginx_templates import (
    caller_header,
    defaults,
    files_in_bucket,
    proxies_in_front,
    rate_exempt,
)
from pastelka_local.settings import Settings, SettingsError

_LIMITS = ("RATE_", "HUB_STREAMS")
_EXEMPT = "RATE_EXEMPT"
_FEWEST = {"RATE_COSTLY": 12, "RATE_LOGIN": 1, "HUB_STREAMS": 1}
"""Minimum values at which the ``Retry-After`` of a rejected client is still sufficient; others: 60."""
_MOST = 1_000_000
_THIS_MACHINE = "127.0.0.0/8,::1"
_PROXIES = "127.0.0.1,::1"


def gateway_settings(settings: Settings, bucket: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables of ``deploy/nginx`` that the environment sets.

    ``bucket`` holds the variables of the stack's own bucket, which replace the environment's. Raises
    :class:`SettingsError`.
    """
    return {
        **_limits(settings),
        **_proxies(settings),
        **_headers(settings),
        **_static(settings),
        **_files(settings.environment if bucket is None else bucket),
    }


def _files(environment: Mapping[str, str]) -> dict[str, str]:
    """Location of the files, from the same variables that the services read."""
    if not environment.get("STORAGE_URL"):
        return {}
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = environment.get("AWS_ENDPOINT_URL") or f"https://s3.{region}.amazonaws.com"
    derived = _checked("AWS_ENDPOINT_URL", partial(files_in_bucket, endpoint))
    return {name: environment.get(name) or value for name, value in derived.items()}


def _limits(settings: Settings) -> dict[str, str]:
    names = [
        name for name in defaults(deploy_folder() / "nginx") if name.startswith(_LIMITS) and name != _EXEMPT
    ]
    given = {name: value for name in names if (value := settings.given(name)) is not None}
    for name, value in given.items():
        fewest = _FEWEST.get(name, 1 if name.endswith("_BURST") else 60)
        if not value.isascii() or not value.isdigit() or not fewest <= int(value) <= _MOST:
            raise SettingsError(f"{name} is {value!r}; a number from {fewest} to {_MOST} is needed")
    exempt = settings.environment.get(_EXEMPT, _THIS_MACHINE)
    return {**given, **_checked(_EXEMPT, partial(rate_exempt, _listed(exempt)))}


def _proxies(settings: Settings) -> dict[str, str]:
    """Proxy lists, equal to those of the API."""
    front = _listed(settings.environment.get("TRUSTED_PROXIES", _PROXIES))
    naming = _listed(settings.environment.get("AUTH_TRUSTED_PROXIES", ""))
    return _checked("TRUSTED_PROXIES and AUTH_TRUSTED_PROXIES", partial(proxies_in_front, front, naming))


def _headers(settings: Settings) -> dict[str, str]:
    found = dict[str, str]()
    for name in ("USER", "GROUPS"):
        if header := settings.given(f"AUTH_PROXY_{name}_HEADER"):
            found |= _checked("gateway", partial(caller_header, name, header))
    return found


def _static(settings: Settings) -> dict[str, str]:
    """Origin of the dashboard's images, if it is not the file server's own port."""
    given = settings.given("STATIC_URL")
    if given is None:
        return {}
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.netloc or set(parts.netloc) & set("\"';, \\$"):
        raise SettingsError(
            f"STATIC_URL is {given!r}; a URL such as https://files.example.com/static is needed"
        )
    return {"STATIC_ORIGIN": f"{parts.scheme}://{parts.netloc}", "LOOPBACK_ORIGIN": ""}


def _checked(name: str, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    try:
        return make()
    except ServerError as error:
        raise SettingsError(f"{name}: {error}") from None


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
