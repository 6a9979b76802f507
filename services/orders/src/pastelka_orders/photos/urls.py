"""Which URLs may be fetched at all: checked for the first one and for every redirect."""

import re
from collections.abc import Iterable

from yarl import URL

from pastelka_common.errors import PermanentError

_LONGEST_URL = 8192
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_DEFAULT_PORTS = {80, 443}


class AllowedHosts:
    """Hosts that may be fetched from although they are not public: ``name`` or ``name:port``.

    Without a port the usual two are meant; an IPv6 address stands in brackets.
    """

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)

    def __contains__(self, url: URL) -> bool:
        host = url.host_subcomponent
        is_named = host in self._hosts and url.port in _DEFAULT_PORTS
        return is_named or f"{host}:{url.port}" in self._hosts


def checked_url(text: str, allowed: AllowedHosts, *, base: URL | None = None) -> URL:
    """``text`` (relative to ``base``) as a URL that may be fetched.

    Raises ``PermanentError`` (``photo_url_refused``). What the host's name resolves to is checked when
    connecting, not here.
    """
    try:
        url = _parsed(text, base)
        port = url.port
    except ValueError as error:
        raise _refused("is not a valid URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise _refused("is no http or https URL with a host")
    if url.raw_user is not None or url.raw_password is not None:
        raise _refused("contains a user name or password")
    if port not in _DEFAULT_PORTS and url not in allowed:
        raise _refused(f"uses port {port} instead of 80 or 443")
    return url


def _parsed(text: str, base: URL | None) -> URL:
    if len(text) > _LONGEST_URL:
        raise ValueError("too long")
    # A signed URL is signed letter by letter: what is already encoded stays as it is.
    url = URL(text.strip(), encoded=bool(_VISIBLE_ASCII.fullmatch(text)))
    return url if base is None else base.join(url)


def _refused(why: str) -> PermanentError:
    return PermanentError(
        "photo_url_refused", f"The photo's address {why}; a public http or https address is needed."
    )
