"""Limits on connections: in total, and per address except for trusted networks.

An HTTP/2 stream counts like a connection of HTTP/1.1, so an address may have as many streams on all its connections
together. A proxy forwards the connections of all its clients from one address, and programs on this machine could do
worse anyway, so both are exempt.
"""

from collections import Counter
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

type Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class Admission:
    """Counts connections or streams by address.

    `total` and `per_address` are the limits. Addresses in `unlimited` are exempt from `per_address`.
    """

    def __init__(self, total: int, per_address: int, unlimited: tuple[Network, ...] = LOOPBACK) -> None:
        self.total = total
        self.per_address = per_address
        self.unlimited = unlimited
        self._count = 0
        self._by_address: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether the total is at its limit."""
        return self._count >= self.total

    def enter(self, address: str | None) -> bool:
        """Return whether one more from `address` is admitted. If so, it counts until `leave`."""
        if self.is_full:
            return False
        if (
            address is not None
            and self._by_address[address] >= self.per_address
            and not self._exempt(address)
        ):
            return False
        self._count += 1
        if address is not None:
            self._by_address[address] += 1
        return True

    def leave(self, address: str | None) -> None:
        """Stop counting one that was admitted."""
        self._count -= 1
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _exempt(self, address: str) -> bool:
        return in_networks(address, self.unlimited)


def in_networks(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether `address` is in one of `networks`. An IPv4-mapped IPv6 address counts as the IPv4 address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False  # not an IP address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
