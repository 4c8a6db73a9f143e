"""Whose request it is, behind proxies (RFC 7239 section 7.1 on why only the tail of the list can be believed).

Invariant: no client can choose what it is called; what stands in the field is believed only as far as trusted
proxies wrote it.
"""

from collections.abc import Callable

LONGEST_LIST = 32
"""Addresses in a list; nobody has so many proxies."""


def client_address(peer: str, forwarded_for: str, is_trusted: Callable[[str], bool]) -> str:
    """The address of the client whose request `peer` brought, with its `X-Forwarded-For`, all lines of it as one.

    Each proxy appends the address it was asked from: read from the end, the first that is no proxy of ours is the
    client. What cannot be an address ends the reading.
    """
    address = peer
    for entry in reversed(forwarded_for.split(",")[-LONGEST_LIST:]):
        claimed = entry.strip().strip("[]")
        if not is_trusted(address) or not _plausible(claimed):
            break
        address = claimed
    return address


def _plausible(address: str) -> bool:
    return 0 < len(address) <= 45 and set(address.lower()) <= set("0123456789abcdef:.")
