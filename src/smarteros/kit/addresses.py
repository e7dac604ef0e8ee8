"""Which IP addresses are on the open internet, and a guard over where our own requests may lead."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet, also when it is an IPv4 address inside an IPv6 one."""
    ip = _read(address)
    if ip is None or _leads_elsewhere(ip):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def is_ones_own(address: str) -> bool:
    """Whether an IP address is this machine's or an ordinary one of a private network.

    Link-local ones are not: there cloud providers tell a machine its own credentials.
    """
    ip = _read(address)
    if ip is None or _leads_elsewhere(ip):
        return False
    return ip.is_private and not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _leads_elsewhere(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address stands for another one, by a gateway we do not know."""
    return isinstance(ip, ipaddress.IPv6Address) and bool(ip in _NAT64 or ip.sixtofour or ip.teredo)


@dataclass(frozen=True)
class AddressGuard:
    """Where requests may lead that have their address from settings and secrets.

    ``private_hosts`` are the host names (or addresses) that may have a private address, in small letters. None:
    every host may, except that link-local and other special addresses are never asked.
    """

    private_hosts: frozenset[str] | None = None

    def admits(self, host: str, address: str) -> bool:
        """Tell whether a request for ``host`` may go to the address its name has turned out to have."""
        if is_public(address):
            return True
        if self.private_hosts is None:
            return is_ones_own(address)
        return host.lower().rstrip(".") in self.private_hosts
