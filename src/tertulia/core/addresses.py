"""Which addresses of the internet may be spoken to: public ones, and those the installation's owner allowed.

Decided on the numbers themselves, after every name, odd spelling and wrapping has been resolved.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
"""The public translation prefix: what counts is the IPv4 address inside. Networks without IPv4 need it."""
_UNICAST = IPv6Network("2000::/3")
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # a cloud's own wire server, public by its number alone
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48",
    )
)  # fmt: skip


def is_allowed(address: str, also: tuple[str, ...] = ()) -> bool:
    """Whether this numeric address may be spoken to; `also` are networks (CIDR) allowed in spite of everything."""
    try:
        plain = _unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return any(plain in network for network in _networks(also)) or _is_public(plain)


def may_be_plain(address: str, also: tuple[str, ...] = ()) -> bool:
    """Whether this numeric address may be spoken to unencrypted: the own machine, and networks allowed by name."""
    try:
        plain = _unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return plain.is_loopback or any(plain in network for network in _networks(also))


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if any(address in network for network in _NEVER):
        return False
    return address.is_global and (isinstance(address, IPv4Address) or address in _UNICAST)


@lru_cache(maxsize=16)
def _networks(also: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in also)
