"""The names of this server. Requests under any other name are refused (RFC 9110 section 7.2; DNS rebinding).

A malicious site can let its own name resolve to the address of a server in the local network. Its pages then have the
same origin as that server. They cannot change the name, though, which is in each request.

Invariant: a name that a stranger can register is accepted only if the operator has configured it.
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address

UNREGISTRABLE = (".localhost", ".local", ".home.arpa", ".internal")
"""Suffixes of names that cannot be registered (RFC 6761, RFC 6762, RFC 8375, and ICANN's decision on `internal`)."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?", re.ASCII)


def is_own(host: str, names: Collection[str]) -> bool:
    """Whether the field value `host` names this server.

    Addresses do, and names without a dot, and those that cannot be registered. Others must be in `names`, in lower
    case: `films.example`, or `.films.example` for all names below it, or `*` for any.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1].lower().rstrip(".")
    if "*" in names or name in names or "." not in name or name.startswith("["):
        return True
    return (
        name.endswith(UNREGISTRABLE)
        or _is_address(name)
        or any(own.startswith(".") and name.endswith(own) for own in names)
    )


def normalise_host(text: str) -> str:
    """A configured name as `is_own` expects it. Raises ValueError with a sentence for the operator."""
    name = text.lower().rstrip(".")
    if name != "*" and not re.fullmatch(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*", name, re.ASCII):
        raise ValueError(
            f"{text!r} is not a host name; one looks like films.example, without a scheme or a port, "
            "or .films.example for all names below it"
        )
    return name


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except ValueError:
        return False
    return True
