"""Detection of cross-site requests (CSRF). Pure.

A browser sends the requesting page's origin in ``Origin`` and its relation to us in ``Sec-Fetch-Site``
(https://www.w3.org/TR/fetch-metadata/). A request with neither is from a program or an old browser, where
``SameSite=Lax`` keeps our cookie off cross-site changes.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pastelka_orders.access.client_info import ClientInfo
from pastelka_orders.access.settings import AccessSettings, split_list

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_OWN_SITE = {"same-origin", "none"}
_PORTS = {"http": "80", "https": "443"}


class OriginPolicy:
    """The site's own origin and ``ALLOWED_ORIGINS``."""

    def __init__(self, settings: AccessSettings) -> None:
        self._allowed = frozenset(one.lower() for one in split_list(settings.allowed_origins))

    def cross_site_origin(self, headers: Headers, client_info: ClientInfo) -> str | None:
        """Origin of a cross-site request; ``None`` if same-site, allowed, or from a program."""
        origin = headers.get("origin")
        if origin is not None:
            return None if self._is_ours(origin.strip().lower(), client_info) else origin[:200]
        site = headers.get("sec-fetch-site")
        return None if site is None or site.strip().lower() in _OWN_SITE else f"another site ({site[:50]})"

    def _is_ours(self, origin: str, client_info: ClientInfo) -> bool:
        if origin in self._allowed:
            return True
        scheme, _, place = origin.partition("://")
        # If TLS terminates before the gateway, only the page's origin shows it. The reverse, a plain HTTP
        # page on a TLS site, may come from an attacker on the network.
        if scheme not in _PORTS or (client_info.secure and scheme != "https"):
            return False
        return bool(place) and _with_port(place, scheme) == _with_port(client_info.host.lower(), scheme)


def _with_port(place: str, scheme: str) -> str:
    """``host:port``, with the scheme's default port if there is none."""
    try:
        parts = urlsplit(f"//{place}")
        port = parts.port
    except ValueError:
        return ""
    return f"{parts.hostname}:{port or _PORTS[scheme]}" if parts.hostname and "@" not in place else ""
