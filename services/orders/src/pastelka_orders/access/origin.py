"""Whether a page of our own asks. Pure.

A browser says in ``Origin`` whose page asks for a change, and in ``Sec-Fetch-Site`` how that page
relates to us (https://www.w3.org/TR/fetch-metadata/). What says neither is a program, or a browser so
old that ``SameSite=Lax`` has to do: it sends our cookie with no change that another site asks for.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pastelka_orders.access.client_info import ClientInfo
from pastelka_orders.access.settings import AccessSettings, split_list

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_OWN_SITE = {"same-origin", "none"}
_PORTS = {"http": "80", "https": "443"}


class OriginPolicy:
    """The site's own origin, and those that are allowed beside it."""

    def __init__(self, settings: AccessSettings) -> None:
        self._allowed = frozenset(one.lower() for one in split_list(settings.allowed_origins))

    def cross_site_origin(self, headers: Headers, client_info: ClientInfo) -> str | None:
        """The other site whose page asks, or ``None`` if it is ours, an allowed one, or a program."""
        origin = headers.get("origin")
        if origin is not None:
            return None if self._is_ours(origin.strip().lower(), client_info) else origin[:200]
        site = headers.get("sec-fetch-site")
        return None if site is None or site.strip().lower() in _OWN_SITE else f"another site ({site[:50]})"

    def _is_ours(self, origin: str, client_info: ClientInfo) -> bool:
        if origin in self._allowed:
            return True
        scheme, _, place = origin.partition("://")
        # Where TLS ends before the gateway, only the page knows of it; the other way round is a page
        # that somebody on the way may have written.
        if scheme not in _PORTS or (client_info.secure and scheme != "https"):
            return False
        return bool(place) and _plain(place, scheme) == _plain(client_info.host.lower(), scheme)


def _plain(place: str, scheme: str) -> str:
    """``host:port`` with the port that the scheme implies."""
    try:
        parts = urlsplit(f"//{place}")
        port = parts.port
    except ValueError:
        return ""
    return f"{parts.hostname}:{port or _PORTS[scheme]}" if parts.hostname and "@" not in place else ""
