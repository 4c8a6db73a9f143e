"""Names of videos: relative POSIX paths, as people sort them and as URLs spell them (pure).

A name is text even where the file system holds bytes that are no UTF-8: those are carried as lone surrogates
(PEP 383), which survive the way through a URL and JSON and back.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote_to_bytes

LONGEST_NAME = 4096
"""Bytes; no path on any system we run on is longer."""

_DIGITS = re.compile(r"(\d+)")


type Piece = tuple[int, int, str]

_END: Piece = (-1, 0, "")
"""What ends a stem comes before whatever goes on: `film` before `film 2`."""


def natural_key(name: str) -> tuple[tuple[Piece, ...], ...]:
    """A sort key: folders together, `2` before `10`, capital letters where people look for them."""
    return tuple(_segment_key(segment) for segment in name.split("/"))


def _segment_key(segment: str) -> tuple[Piece, ...]:
    stem, dot, suffix = segment.rpartition(".")
    if not dot:
        stem, suffix = segment, ""
    return (*_pieces(stem), _END, *_pieces(suffix), _END, (1, 0, segment))


def _pieces(text: str) -> Iterator[Piece]:
    for piece in _DIGITS.split(text):
        if piece:
            yield (0, int(piece), piece) if piece.isdecimal() else (1, 0, piece.casefold())


def url_path(name: str) -> str:
    """The name percent-encoded for the path of a URL (RFC 3986 section 3.3), slashes kept."""
    return quote(name.encode("utf-8", "surrogateescape"), safe="/-._~!$&'()*+,;=:@")


def name_from_url(raw: bytes) -> str:
    """The name that `url_path` spelt as `raw`; decoded exactly once."""
    return unquote_to_bytes(raw).decode("utf-8", "surrogateescape")


def is_plain(name: str) -> bool:
    """Whether `name` can be a video of the library: relative, no hidden, empty or dot segments, no NUL or backslash."""
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= LONGEST_NAME
        and "\0" not in name
        and "\\" not in name
        and not any(segment == "" or segment.startswith(".") for segment in name.split("/"))
    )
