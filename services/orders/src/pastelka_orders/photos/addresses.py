"""Which network addresses a stranger's URL may lead to, enforced where the socket is made.

A check before the request would be a check of another lookup: names are resolved again when connecting,
redirects lead elsewhere, and the system reads ``2130706433`` or ``127.1`` as an address, too. So the check
sits at the one place that every connection passes with its final address.
"""

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import AddrInfoType

# Not said by ``is_global`` of every supported Python, or public by number but not by nature.
_NEVER_V4 = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # IETF protocol assignments; one cloud's metadata service is 192.0.0.192
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "168.63.129.16/32",  # Azure's platform address inside every virtual machine
    )
)
_GLOBAL_UNICAST_V6 = ip_network("2000::/3")
_NEVER_V6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: an IPv4 address of anybody's choice inside
        "3fff::/20",  # documentation, RFC 9637
    )
)
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is meant


class RefusedAddressError(OSError):
    """A connection was about to go to an address that is not public.

    The text is the same for all addresses: it must not tell a stranger what a name resolves to in here.
    """

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "the address is not public")


def is_public(address: str) -> bool:
    """Whether ``address`` (in strict notation) belongs to the public internet; anything else is not."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def public_socket(info: AddrInfoType) -> socket.socket:
    """A socket for connecting to ``info``. Raises :class:`RefusedAddressError` before there is one."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise RefusedAddressError
    return socket.socket(family=family, type=kind, proto=protocol)


def _is_public_v4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or any(address in network for network in _NEVER_V4)
    return address.is_global and not is_special


def _is_public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    is_special = any(address in network for network in _NEVER_V6)
    return address in _GLOBAL_UNICAST_V6 and address.is_global and not is_special
