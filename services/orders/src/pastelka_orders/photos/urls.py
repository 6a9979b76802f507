"""Which URLs may be fetched at all: checked for the first one and for every redirect."""

import re
from collections.abc import Iterable

from yarl import URL

from pastelka_common.errors import PermanentError

_LONGEST_URL = 8192
_VISIBLE_ASCII = re.compile(r"[!-~]+")


class UrlRules:
    """What may be fetched: ``ports`` of any public host, and ``allowed_hosts``, public or not.

    An allowed host is ``name`` (on ``ports``) or ``name:port``; an IPv6 address stands in brackets.
    """

    def __init__(self, *, allowed_hosts: Iterable[str] = (), ports: Iterable[int] = (80, 443)) -> None:
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._ports = frozenset(ports)

    def is_allowed_host(self, url: URL) -> bool:
        """Whether the URL's host needs no public address."""
        host = (url.host_subcomponent or "").lower()  # an encoded URL keeps its capitals
        is_named = host in self._allowed_hosts and url.port in self._ports
        return is_named or f"{host}:{url.port}" in self._allowed_hosts

    def checked(self, text: str, *, base: URL | None = None) -> URL:
        """``text`` (relative to ``base``) as a URL that may be fetched.

        Raises ``PermanentError`` (``photo_url_refused``). What the host's name resolves to is checked when
        connecting, not here.
        """
        try:
            url = _parsed(text, base)
            host, port = url.host, url.port  # these, too, may find that they cannot be read
        except ValueError as error:
            raise _refused("is not a valid URL") from error
        if url.scheme not in {"http", "https"} or not host:
            raise _refused("is no http or https URL with a host")
        if url.raw_user is not None or url.raw_password is not None:
            raise _refused("contains a user name or password")
        if port not in self._ports and not self.is_allowed_host(url):
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
