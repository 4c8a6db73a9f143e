"""The client's address behind proxies (RFC 7239 section 7.1 says why only the tail of the list can be trusted).

Invariant: no client can choose its own address. Only the entries of the field that trusted proxies wrote
count.
"""

from collections.abc import Callable

LONGEST_LIST = 32
"""Addresses in a list; no deployment has that many proxies."""


def client_address(peer: str, forwarded_for: str, is_trusted: Callable[[str], bool]) -> str:
    """The address of the client whose request came from `peer` with this `X-Forwarded-For`, all its lines joined.

    Each proxy appends the address that it got the request from. Read from the end, the first address that is not a
    trusted proxy is the client. An entry that cannot be an address ends the search.
    """
    address = peer
    for entry in reversed(forwarded_for.split(",")[-LONGEST_LIST:]):
        claimed = entry.strip().strip("[]")
        if not is_trusted(address) or not _is_plausible(claimed):
            break
        address = claimed
    return address


def _is_plausible(address: str) -> bool:
    return 0 < len(address) <= 45 and set(address.lower()) <= set("0123456789abcdef:.")
