"""The names a server has, so that no other name leads a browser to it (RFC 9110 section 7.2; DNS rebinding).

A page of a stranger can have its own name resolved to the address of a server in the house, and is of the same origin
then. What it cannot change is the name: that is in each request.

Invariant: a name that a stranger can register is taken only where the operator has named it.
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address

UNREGISTRABLE = (".localhost", ".local", ".home.arpa", ".internal")
"""Ends of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, and ICANN's decision on `internal`)."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?", re.ASCII)


def is_own(host: str, names: Collection[str]) -> bool:
    """Whether the field value `host` names this server.

    Addresses do, and names without a dot, and those that nobody can register. Others have to be in `names`, in lower
    case: `films.example`, or `.films.example` for all names below it, or `*` for any.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower().rstrip(".")
    if "*" in names or name in names or "." not in name or name.startswith("["):
        return True
    return (
        name.endswith(UNREGISTRABLE)
        or _is_address(name)
        or any(each.startswith(".") and name.endswith(each) for each in names)
    )


def normalise_host(text: str) -> str:
    """A configured name as `is_own` takes it. Raises ValueError with a sentence for the operator."""
    name = text.lower().rstrip(".")
    if name != "*" and not re.fullmatch(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*", name, re.ASCII):
        raise ValueError(
            f"{text!r} is no name of a server; it looks like films.example, without a scheme and a port, "
            "or .films.example for all names below it"
        )
    return name


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except ValueError:
        return False
    return True
