"""Allowed URLs and network addresses of photos, and direct links of sharing services.

URLs are checked at the first request and at every redirect. Addresses are checked when the socket is created:
names are resolved again when connecting (DNS rebinding), and the system also accepts ``2130706433`` or
``127.1`` as an address.
"""

import errno
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import AddrInfoType
from yarl import URL

from pastelka_common.errors import PermanentError

# Not covered by ``is_global`` of every supported Python, or formally public but reserved.
_BLOCKED_V4 = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF protocol assignments; one cloud's metadata service is 192.0.0.192
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "168.63.129.16/32",  # Azure's platform address inside every virtual machine
    )
)
_GLOBAL_UNICAST_V6 = ip_network("2000::/3")
_BLOCKED_V6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: embeds an arbitrary IPv4 address
        "3fff::/20",  # documentation, RFC 9637
    )
)
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address
_DRIVE_DOWNLOAD = "drive.usercontent.google.com"
_SERVICES = {
    "photos.app.goo.gl": "Google Photos",
    "photos.google.com": "Google Photos",
    "drive.google.com": "Google Drive",
    "docs.google.com": "Google Drive",
    _DRIVE_DOWNLOAD: "Google Drive",
    "dropbox.com": "Dropbox",
    "dropboxusercontent.com": "Dropbox",
    "icloud.com": "iCloud",
    "1drv.ms": "OneDrive",
    "onedrive.live.com": "OneDrive",
    "sharepoint.com": "OneDrive",
    "we.tl": "WeTransfer",
    "wetransfer.com": "WeTransfer",
    "facebook.com": "Facebook",
    "fb.me": "Facebook",
    "instagram.com": "Instagram",
    "rajce.idnes.cz": "Rajče",
    "zonerama.com": "Zonerama",
    "uschovna.cz": "Úschovna",
}
"""Names by domain; a subdomain belongs to its domain's service."""
_MAX_URL_LENGTH = 8192
_VISIBLE_ASCII = re.compile(r"[!-~]+")


class UrlRules:
    """Allowed targets: ``ports`` of any public host, and ``allowed_hosts``, public or not.

    An allowed host is ``name`` (on ``ports``) or ``name:port``; an IPv6 address stands in brackets.
    """

    def __init__(self, *, allowed_hosts: Iterable[str] = (), ports: Iterable[int] = (80, 443)) -> None:
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._ports = frozenset(ports)

    def is_allowed_host(self, url: URL) -> bool:
        """Whether the URL's host is allowed without a public address."""
        host = (url.host_subcomponent or "").lower()  # an encoded URL keeps upper case
        is_named = host in self._allowed_hosts and url.port in self._ports
        return is_named or f"{host}:{url.port}" in self._allowed_hosts

    def checked(self, text: str, *, base: URL | None = None) -> URL:
        """Parse and check ``text`` (relative to ``base``).

        Raises ``PermanentError`` (``photo_url_refused``). The host's address is checked when connecting, not
        here.
        """
        try:
            url = _parsed(text, base)
            host, port = url.host, url.port  # these may also raise
        except ValueError as error:
            raise _refused("is not a valid URL") from error
        if url.scheme not in {"http", "https"} or not host:
            raise _refused("is not an http or https URL with a host")
        if url.raw_user is not None or url.raw_password is not None:
            raise _refused("contains a user name or password")
        if port not in self._ports and not self.is_allowed_host(url):
            raise _refused(f"uses port {port} instead of 80 or 443")
        return url


def _parsed(text: str, base: URL | None) -> URL:
    if len(text) > _MAX_URL_LENGTH:
        raise ValueError("too long")
    # A signature covers the exact URL: existing percent-encoding stays unchanged.
    url = URL(text.strip(), encoded=bool(_VISIBLE_ASCII.fullmatch(text)))
    return url if base is None else base.join(url)


def _refused(why: str) -> PermanentError:
    return PermanentError("photo_url_refused", f"The photo's URL {why}; use a public http or https URL.")


class RefusedAddressError(OSError):
    """A connection to a non-public address was refused.

    The message is the same for all addresses: it must not reveal internal DNS.
    """

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "the address is not public")


def is_public(address: str) -> bool:
    """Whether ``address`` (in strict notation) belongs to the public internet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def public_socket(info: AddrInfoType) -> socket.socket:
    """Create a socket for ``info``. Raises :class:`RefusedAddressError` if it is not public."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise RefusedAddressError
    return socket.socket(family=family, type=kind, proto=protocol)


def _is_public_v4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or any(address in network for network in _BLOCKED_V4)
    return address.is_global and not is_special


def _is_public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    is_special = any(address in network for network in _BLOCKED_V6)
    return address in _GLOBAL_UNICAST_V6 and address.is_global and not is_special


def direct_link(url: URL) -> URL:
    """The direct URL of a share link of Google Drive or Dropbox; any other ``url`` unchanged.

    Forms: ``drive.google.com/file/d/ID/view``, ``/open?id=ID`` and ``/uc?id=ID``; ``dropbox.com/s/...`` and
    ``/scl/fi/...``. Drive shows a virus-scan page before a large file unless ``confirm`` is sent.
    """
    match service_of([url]), url.host:
        case "Google Drive", str() as host if host != _DRIVE_DOWNLOAD:
            return _drive_download(url)
        case "Dropbox", str() as host if host.removeprefix("www.") == "dropbox.com":
            is_file = url.path.startswith(("/s/", "/scl/fi/"))
            return url.without_query_params("raw").update_query(dl="1") if is_file else url
    return url


def _drive_download(url: URL) -> URL:
    file_id = url.query.get("id")
    match [part for part in url.parts if part != "/"]:
        case ["file", "d", found, *_] | ["u", _, "file", "d", found, *_]:
            file_id = found
        case [*_, "open" | "uc"] if file_id:
            pass
        case _:
            return url
    kept = {"resourcekey": url.query["resourcekey"]} if "resourcekey" in url.query else {}
    query = {"id": file_id or "", "export": "download", "confirm": "t", **kept}
    return URL.build(scheme=url.scheme, host=_DRIVE_DOWNLOAD, path="/download", query=query)


def service_of(urls: Iterable[URL]) -> str | None:
    """The sharing service of the first of ``urls`` that belongs to one."""
    for url in urls:
        labels = (url.host or "").lower().rstrip(".").split(".")
        for start in range(len(labels)):
            if name := _SERVICES.get(".".join(labels[start:])):
                return name
    return None


def advice(service: str) -> str:
    """A sentence for the operator: cause, and what to request from the customer."""
    return (
        f"the link leads to a page of {service}, not to the photo. Ask the customer for the photo file, "
        "or to share it with everyone who has the link"
    )
