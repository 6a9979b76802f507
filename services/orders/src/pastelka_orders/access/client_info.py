"""How a request arrived: client address, proxies, requested host. Pure functions.

Forwarding headers are trusted only from the addresses of our gateways (``TRUSTED_PROXIES``): a gateway
appends the address of its client to ``X-Forwarded-For``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pastelka_orders.access.settings import AccessSettings, split_list

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_MAX_HOPS = 20
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Addresses, host and scheme of a request."""

    hops: tuple[str, ...]
    """Addresses, nearest first: the peer, then the client of each trusted gateway."""
    client: str
    """Address of the client: the nearest that is not one of our proxies."""
    host: str
    """Name and port that the client requested, as in ``Host``."""
    secure: bool
    """Whether the client spoke TLS."""
    forwarded: tuple[str, ...]
    """Every address in forwarding headers, trusted or not."""

    @property
    def remote_reason(self) -> str | None:
        """Why the request is not local (another machine or host name); ``None`` if it is."""
        for address in (*self.hops, *self.forwarded):
            if not is_loopback(address):
                return f"The address {address}"
        return None if is_loopback_name(self.host) else f"The name {self.host or '(none)'}"


class ProxyHeaders:
    """Extracts ``ClientInfo`` from a request."""

    def __init__(self, settings: AccessSettings) -> None:
        self._gateways = parse_networks(settings.trusted_proxies)
        self._proxies = parse_networks(settings.auth_trusted_proxies)

    def read(self, peer: str | None, scheme: str, headers: Headers) -> ClientInfo:
        """``ClientInfo`` of a request from ``peer`` (``None``: not TCP) over ``scheme``."""
        peer_address = peer or _UNKNOWN
        forwarded = _forwarded_for(headers)
        is_trusted = is_in_networks(peer_address, self._gateways)
        hops = (peer_address, *reversed(forwarded)) if is_trusted else (peer_address,)
        host, proto = headers.get("host", ""), scheme
        if is_trusted:
            host = headers.get("x-forwarded-host", host)
            proto = headers.get("x-forwarded-proto", proto)
        return ClientInfo(hops, self._client(hops), host.strip(), proto.strip().lower() == "https", forwarded)

    def is_from_auth_proxy(self, client_info: ClientInfo) -> bool:
        """Whether an authenticating proxy sent it, directly or through one gateway.

        A gateway forwards headers unchecked, so its own address proves nothing.
        """
        peer_address, *others = client_info.hops
        if is_in_networks(peer_address, self._proxies):
            return True
        return bool(others) and is_in_networks(others[0], self._proxies)

    def _client(self, hops: Sequence[str]) -> str:
        for hop in hops:
            if not is_in_networks(hop, self._gateways) and not is_in_networks(hop, self._proxies):
                return hop
        return hops[-1]


def _forwarded_for(headers: Headers) -> tuple[str, ...]:
    entries = [one.strip() for line in headers.getlist("x-forwarded-for") for one in line.split(",")]
    return tuple(_without_port(entry) for entry in entries[-_MAX_HOPS:])


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks of a comma-separated list."""
    return tuple(ip_network(one) for one in split_list(text))


def is_in_networks(address: str, of: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks; ``False`` for an invalid address."""
    found = parse_address(address)
    return found is not None and any(found in network for network in of)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    found = parse_address(address)
    return found is not None and found.is_loopback


def is_loopback_name(host: str) -> bool:
    """Whether a name (with or without a port) can only mean this machine.

    A foreign name that resolves to this machine is rejected: its pages would be same-origin.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)


@lru_cache(maxsize=4096)
def parse_address(address: str) -> Address | None:
    """Parse an address, unmapping IPv4-mapped IPv6; ``None`` if it is invalid."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
