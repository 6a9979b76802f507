"""By which way a request came: from whom, over whom, to which name. Pure.

What a header says of that is believed only from where a gateway of ours may be (``TRUSTED_PROXIES``):
it adds the address it was called from at the end of ``X-Forwarded-For``.
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

_MOST_HOPS = 20
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """One request's way to us."""

    hops: tuple[str, ...]
    """Addresses, nearest first: who connected, then who called each gateway, as far as it is believed."""
    client: str
    """Address of who asked: the nearest that is no proxy of ours."""
    host: str
    """The name and port that the client called, as in ``Host``."""
    secure: bool
    """Whether the client spoke TLS."""
    named: tuple[str, ...]
    """Every address that any header names, believed or not."""

    @property
    def elsewhere(self) -> str | None:
        """What shows that it came from another machine or for another name, if anything does."""
        for address in (*self.hops, *self.named):
            if not is_loopback(address):
                return f"The address {address}"
        return None if is_loopback_name(self.host) else f"The name {self.host or '(none)'}"


class ProxyHeaders:
    """Reads the way of each request."""

    def __init__(self, settings: AccessSettings) -> None:
        self._gateways = parse_networks(settings.trusted_proxies)
        self._proxies = parse_networks(settings.auth_trusted_proxies)

    def read(self, peer: str | None, scheme: str, headers: Headers) -> ClientInfo:
        """The way of a request from ``peer`` (``None``: not by TCP) over ``scheme``."""
        near = peer or _UNKNOWN
        named = _forwarded_for(headers)
        believed = is_in_networks(near, self._gateways)
        hops = (near, *reversed(named)) if believed else (near,)
        host, proto = headers.get("host", ""), scheme
        if believed:
            host = headers.get("x-forwarded-host", host)
            proto = headers.get("x-forwarded-proto", proto)
        return ClientInfo(hops, self._client(hops), host.strip(), proto.strip().lower() == "https", named)

    def is_from_auth_proxy(self, client_info: ClientInfo) -> bool:
        """Whether it came from a proxy that says who asks, at most with the gateway in between.

        A gateway passes on what it is sent; it vouches for nothing by being our gateway.
        """
        near, *others = client_info.hops
        if is_in_networks(near, self._proxies):
            return True
        return bool(others) and is_in_networks(others[0], self._proxies)

    def _client(self, hops: Sequence[str]) -> str:
        for hop in hops:
            if not is_in_networks(hop, self._gateways) and not is_in_networks(hop, self._proxies):
                return hop
        return hops[-1]


def _forwarded_for(headers: Headers) -> tuple[str, ...]:
    entries = [one.strip() for line in headers.getlist("x-forwarded-for") for one in line.split(",")]
    return tuple(_without_port(entry) for entry in entries[-_MOST_HOPS:])


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks of a list that is separated by commas."""
    return tuple(ip_network(one) for one in split_list(text))


def is_in_networks(address: str, of: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks; what is no address is in none."""
    found = parse_address(address)
    return found is not None and any(found in network for network in of)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    found = parse_address(address)
    return found is not None and found.is_loopback


def is_loopback_name(host: str) -> bool:
    """Whether a name (with or without a port) can only mean this machine.

    A name of somebody else's that leads here is theirs: its pages would count as ours.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)


@lru_cache(maxsize=4096)
def parse_address(address: str) -> Address | None:
    """The address, an IPv4 one that is dressed as IPv6 undressed; ``None`` for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
