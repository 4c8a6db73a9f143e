"""Names of videos: relative POSIX paths, how they sort, and how URLs encode them (pure).

A name is text even if its bytes in the file system are not UTF-8. Such bytes are represented as lone surrogates
(PEP 383), which survive a round trip through a URL and JSON.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from urllib.parse import quote, unquote_to_bytes

LONGEST_NAME = 4096
"""Bytes; no supported system has longer paths."""

LONGEST_KEY = 1000
"""Bytes of a sort key; database indexes limit the length of keys."""

_DIGITS = re.compile(r"(\d+)")
_UNSPACED = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
"""Kana and ideographs: they are written without spaces between words, so each counts as a word."""
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_DOTS = re.compile(r"[._]+")

_UNFOLDED = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "ħ": "h",
        "\u0131": "i",
    }
)
"""Letters that Unicode does not decompose into a base letter and a mark."""


type KeyPart = tuple[int, int, str]

_END: KeyPart = (-1, 0, "")
"""The end of a stem sorts before any continuation: `film` before `film 2`."""


def natural_key(name: str) -> tuple[tuple[KeyPart, ...], ...]:
    """A sort key: folders stay together, `2` sorts before `10`, and case is ignored."""
    return tuple(_segment_key(segment) for segment in name.split("/"))


def _segment_key(segment: str) -> tuple[KeyPart, ...]:
    stem, dot, suffix = segment.rpartition(".")
    if not dot:
        stem, suffix = segment, ""
    return (*_parts(stem), _END, *_parts(suffix), _END, (1, 0, segment))


def _parts(text: str) -> Iterator[KeyPart]:
    for part in _DIGITS.split(text):
        if part:
            yield (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold())


def sort_key(name: str) -> bytes:
    """`natural_key` as bytes that compare in the same order, truncated to `LONGEST_KEY` bytes."""
    segments = (b"".join(_encode_part(part) for part in segment) + b"\0" for segment in natural_key(name))
    return b"".join(segments)[:LONGEST_KEY]


def _encode_part(part: KeyPart) -> bytes:
    """Encode one part with an end marker, so that a prefix of another part sorts before it."""
    kind, number, text = part
    if kind < 0:
        return b"\x01"
    encoded = text.encode("utf-8", "surrogatepass") + b"\0"
    if kind == 1:
        return b"\x03" + encoded
    digits = str(number).encode()
    return b"\x02" + len(digits).to_bytes(2) + digits + encoded


def folded(text: str) -> str:
    """The text in lower case and without diacritics, for search: `É` becomes `e`, `ﬁ` `fi`, `ß` `ss`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return bare.casefold().translate(_UNFOLDED)  # last, because `ǣ` is `æ` with a mark


def words(text: str) -> list[str]:
    """The folded words of a text: its runs of letters and digits, and each character of scripts without spaces.

    No word contains a surrogate.
    """
    return [
        word for word in _WORD.findall(folded(text.encode("utf-8", "replace").decode())) if word.isalnum()
    ]


def title_of(name: str) -> str:
    """The default title of a video: its file name without the suffix. If it has no spaces, dots and underscores
    become spaces.
    """
    stem = name.rpartition("/")[2].rpartition(".")[0]
    plain = stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return plain if " " in plain else _DOTS.sub(" ", plain).strip() or plain


def url_path(name: str) -> str:
    """The name, percent-encoded for the path of a URL (RFC 3986 section 3.3). Slashes are not encoded."""
    return quote(name.encode("utf-8", "surrogateescape"), safe="/-._~!$&'()*+,;=:@")


def name_from_url(raw: bytes) -> str:
    """The name that `url_path` encoded as `raw`; decoded exactly once."""
    return unquote_to_bytes(raw).decode("utf-8", "surrogateescape")


def printable(text: str) -> str:
    """The text for a terminal or a log: unprintable characters and bytes that are not UTF-8 become U+FFFD."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def is_plain(name: str) -> bool:
    """Whether `name` can be the name of a video: relative, without hidden, empty or dot segments, without NUL.

    A backslash is an ordinary character, because POSIX paths do not separate segments with it.
    """
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= LONGEST_NAME
        and "\0" not in name
        and not any(segment == "" or segment.startswith(".") for segment in name.split("/"))
    )


def place(name: str) -> str:
    """The key of a path: a hash, because paths may be longer than an index allows."""
    return blake2b(os.fsencode(name), digest_size=16).hexdigest()
