"""Renders the templates of ``deploy/nginx``, with defaults and derived values."""

import re
import ssl
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pastelka_common.servers.base import ServerError

_ENDING = ".template"
_PORTS = {"http": 80, "https": 443}
_NO_ORIGIN = "http(s)://host or http(s)://host:port is needed"


def fill(templates: Path, target: Path, variables: dict[str, str]) -> None:
    """Render every template of the folder ``templates`` into ``target``.

    ``variables`` override those of ``defaults.env``. Raises :class:`ServerError`.
    """
    values = {**defaults(templates), **variables}
    for template in sorted(templates.glob(f"*{_ENDING}")):
        try:
            content = render(template.read_text(), values)
        except ServerError as error:
            raise ServerError(f"{template.name}: {error}") from None
        (target / template.name.removesuffix(_ENDING)).write_text(content)


def defaults(templates: Path) -> dict[str, str]:
    """The variables of ``defaults.env``."""
    lines = (templates / "defaults.env").read_text().splitlines()
    settings = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in settings}


def render(template: str, variables: dict[str, str]) -> str:
    """``template`` with each ``${NAME}`` replaced, like ``envsubst``; nginx's own ``$name`` stay.

    Raises :class:`ServerError` for a name without a value, and for a value that would break out of its
    quotes.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            raise ServerError(f"the template needs ${{{name}}}, which has no value")
        if re.search(r'["\\\n$]', variables[name]):
            raise ServerError(f"{name} is {variables[name]!r}; it must not contain quotes, backslashes or $")
        return variables[name]

    return re.sub(r"\$\{([A-Z_]+)\}", value, template)


def proxies_in_front(addresses: Sequence[str], naming_callers: Sequence[str] = ()) -> dict[str, str]:
    """Variables for trusted proxies.

    ``naming_callers`` are also trusted for the caller's name. Raises :class:`ServerError`.
    """
    naming = [_network(address) for address in naming_callers]
    networks = list(dict.fromkeys([*(_network(address) for address in addresses), *naming]))
    return {
        "REAL_IP_FROM": " ".join(f"set_real_ip_from {network};" for network in networks),
        "TRUSTED_PEERS": " ".join(f"{network} 1;" for network in networks),
        "AUTH_PEERS": " ".join(f"{network} 1;" for network in naming),
    }


def rate_exempt(addresses: Sequence[str]) -> dict[str, str]:
    """The variable for clients that are not rate-limited. Raises :class:`ServerError`."""
    return {"RATE_EXEMPT": " ".join(f"{_network(address)} 0;" for address in addresses)}


def caller_header(name: str, header: str) -> dict[str, str]:
    """Variables for the header that ``AUTH_PROXY_<name>_HEADER`` names. Raises :class:`ServerError`."""
    setting = f"AUTH_PROXY_{name}_HEADER"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", header):
        raise ServerError(f"{setting} is {header!r}; the name of an HTTP header is needed")
    variable = f"http_{header.lower().replace('-', '_')}"
    return {setting: header, f"AUTH_PROXY_{name}_VARIABLE": variable}


def files_in_bucket(endpoint: str) -> dict[str, str]:
    """Variables for files in a bucket at ``endpoint`` (``http(s)://host[:port]``).

    The certificate is verified with this machine's CA bundle. Raises :class:`ServerError`.
    """
    scheme, host, port = _origin(endpoint)
    usual = _PORTS[scheme]
    bundle = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    checking = f"proxy_ssl_verify on; proxy_ssl_verify_depth 4; proxy_ssl_trusted_certificate {bundle};"
    return {
        "FILES_IN": "bucket",
        "BUCKET_SCHEME": scheme,
        "BUCKET_HOST": host if port in {None, usual} else f"{host}:{port}",
        "BUCKET_SERVER": f"{host}:{port or usual}",
        "BUCKET_NAME": host,
        "BUCKET_TLS": checking if scheme == "https" else "",
    }


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ServerError(_NO_ORIGIN) from None
    if (
        parts.scheme not in _PORTS
        or not re.fullmatch(r"[A-Za-z0-9.-]+", parts.hostname or "")
        or parts.username
    ):
        raise ServerError(_NO_ORIGIN)
    return parts.scheme, parts.hostname or "", port


def _network(address: str) -> str:
    try:
        return str(ip_network(address.strip(), strict=False))
    except ValueError:
        raise ServerError(
            f"{address!r} is not an address or network, such as 10.0.0.7 or 10.0.0.0/8"
        ) from None
