"""How the server and its media worker talk: frames of a JSON head and raw bytes, both of bounded length (pure).

    frame = length of the head, length of the body (two unsigned 32-bit numbers, big-endian), head, body

Whatever comes out of the worker may be made up by the media it read. So a length is looked at before anything of
that length is taken into memory, and a head that is not one JSON object is an error, never an exception of another
kind.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

HEAD_LIMIT = 4 << 20
"""Bytes of JSON in one frame: a probe of a long film takes about 200 KB."""

BODY_LIMIT = 64 << 20
"""Bytes of one blob."""

_LENGTHS = struct.Struct(">II")


class Garbled(ValueError):
    """What came is no frame, or a larger one than may be."""


type Frame = tuple[dict[str, Any], bytes]


def frame(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """One frame. Raises `Garbled` for what the other side would not take."""
    try:
        encoded = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise Garbled(f"no JSON: {error}") from None
    if len(encoded) > HEAD_LIMIT or len(body) > BODY_LIMIT:
        raise Garbled(f"a frame of {len(encoded)} and {len(body)} bytes is too long")
    return _LENGTHS.pack(len(encoded), len(body)) + encoded + body


class Decoder:
    """Bytes in, frames out. Holds at most one unfinished frame."""

    def __init__(self, head_limit: int = HEAD_LIMIT, body_limit: int = BODY_LIMIT) -> None:
        self._head_limit = head_limit
        self._body_limit = body_limit
        self._held = bytearray()

    def __bool__(self) -> bool:
        """Whether part of a frame is held: an end of the stream now has cut it off."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Take what was received; answers the frames that are whole now. Raises `Garbled`, and is useless then."""
        self._held += data
        frames = []
        while (found := self._next()) is not None:
            frames.append(found)
        return frames

    def _next(self) -> Frame | None:
        if len(self._held) < _LENGTHS.size:
            return None
        head_length, body_length = _LENGTHS.unpack_from(self._held)
        if head_length > self._head_limit or body_length > self._body_limit:
            raise Garbled(f"a frame claims {head_length} and {body_length} bytes")
        body_at = _LENGTHS.size + head_length
        if len(self._held) < body_at + body_length:
            return None
        head = _object(bytes(self._held[_LENGTHS.size : body_at]))
        body = bytes(self._held[body_at : body_at + body_length])
        del self._held[: body_at + body_length]
        return head, body


def _object(text: bytes) -> dict[str, Any]:
    try:
        head = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"a head is no JSON: {type(error).__name__}") from None
    if not isinstance(head, dict):
        raise Garbled("a head is no object")
    return head


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
