"""Spellings of one path (RFC 3986 section 6.2.2): what is equivalent is made the same before anything is looked up.

Invariant: the normal form of a normal form is itself.
"""

import re

_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")  # pct-encoded = "%" HEXDIG HEXDIG
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normal_path(raw: bytes) -> bytes:
    """The normal form of a path, which begins with a slash, as a client spelt it.

    What need not be percent-encoded is not (section 6.2.2.2), and what has to be is with capitals (6.2.2.1). An encoded
    slash stays what it is: it divides nothing. The segments `.` and `..` stay, and no video has them in its name:
    clients take them out themselves (5.2.4), and who does not is up to no good.
    """
    return _ENCODED.sub(_respell, raw) if b"%" in raw else raw


def _respell(found: re.Match[bytes]) -> bytes:
    octet = int(found[1], 16)
    return bytes([octet]) if octet in _UNRESERVED else b"%" + found[1].upper()
