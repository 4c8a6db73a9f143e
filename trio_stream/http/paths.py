"""Normalisation of paths (RFC 3986 section 6.2.2): equivalent spellings become the same before routing and lookups.

Invariant: the normal form of a normal form is itself.
"""

import re

_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")  # pct-encoded = "%" HEXDIG HEXDIG
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normal_path(raw: bytes) -> bytes:
    """The normal form of a path, which begins with a slash, as a client spelt it.

    Characters that need no percent-encoding are decoded (section 6.2.2.2); the other encodings get capital digits
    (6.2.2.1). An encoded slash stays encoded: it does not separate segments. The segments `.` and `..` stay, and no
    name of a video contains them: clients remove them themselves (5.2.4), and a client that does not is malicious.
    """
    return _ENCODED.sub(_normalise, raw) if b"%" in raw else raw


def _normalise(match: re.Match[bytes]) -> bytes:
    octet = int(match[1], 16)
    return bytes([octet]) if octet in _UNRESERVED else b"%" + match[1].upper()
