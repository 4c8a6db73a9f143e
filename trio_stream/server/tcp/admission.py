"""Who may connect: so many connections in all and so many from one address, but for networks that are trusted.

A stream of HTTP/2 is what a connection is without it, so an address may have as many of them on all its connections. A
proxy brings everybody's connections from one address, and whoever is on this machine already could do worse.
"""

from collections import Counter
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

type Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class Admission:
    """The connections or streams there are, by address.

    `total` and `per_address` bound them, `unlimited` names who is exempt from the latter.
    """

    def __init__(self, total: int, per_address: int, unlimited: tuple[Network, ...] = LOOPBACK) -> None:
        self.total = total
        self.per_address = per_address
        self.unlimited = unlimited
        self._count = 0
        self._by_address: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether there are as many as there may be in all."""
        return self._count >= self.total

    def enter(self, address: str | None) -> bool:
        """Whether one more from `address` may come in; then it is counted until `leave`."""
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
        """One that came in has ended."""
        self._count -= 1
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _exempt(self, address: str) -> bool:
        return in_networks(address, self.unlimited)


def in_networks(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether `address` lies in one of `networks`; an IPv4 address wrapped in an IPv6 one is itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False  # no IP socket
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
