"""The protocol between the server and its media worker: frames of a JSON head and raw bytes, both limited (pure).

    frame = length of the head, length of the body (two unsigned 32-bit numbers, big-endian), head, body

A crafted file may have taken over the worker, so nothing it sends is trusted. A length is checked before that much is
read into memory, and a head that is not one JSON object raises `Garbled` and nothing else.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

HEAD_LIMIT = 4 << 20
"""Bytes of JSON in one frame: the media info of a long video takes about 200 KB."""

BODY_LIMIT = 64 << 20
"""Bytes of one blob."""

_LENGTHS = struct.Struct(">II")


class Garbled(ValueError):
    """The bytes are not a frame, or the frame is too large."""


type Frame = tuple[dict[str, Any], bytes]


def frame(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Serialise one frame. Raises `Garbled` for one that the other side would refuse."""
    try:
        encoded = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise Garbled(f"not JSON: {error}") from None
    if len(encoded) > HEAD_LIMIT or len(body) > BODY_LIMIT:
        raise Garbled(f"a frame of {len(encoded)} and {len(body)} bytes is too long")
    return _LENGTHS.pack(len(encoded), len(body)) + encoded + body


class Decoder:
    """Splits received bytes into frames. Holds at most one incomplete frame."""

    def __init__(self, head_limit: int = HEAD_LIMIT, body_limit: int = BODY_LIMIT) -> None:
        self._head_limit = head_limit
        self._body_limit = body_limit
        self._buffer = bytearray()

    def __bool__(self) -> bool:
        """Whether part of a frame is held, so that the end of the stream would truncate it."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take received bytes and return the frames that are complete now. Unusable after raising `Garbled`."""
        self._buffer += data
        frames = []
        while (complete := self._next()) is not None:
            frames.append(complete)
        return frames

    def _next(self) -> Frame | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        head_length, body_length = _LENGTHS.unpack_from(self._buffer)
        if head_length > self._head_limit or body_length > self._body_limit:
            raise Garbled(f"a frame claims {head_length} and {body_length} bytes")
        body_at = _LENGTHS.size + head_length
        if len(self._buffer) < body_at + body_length:
            return None
        head = _parse_head(bytes(self._buffer[_LENGTHS.size : body_at]))
        body = bytes(self._buffer[body_at : body_at + body_length])
        del self._buffer[: body_at + body_length]
        return head, body


def _parse_head(text: bytes) -> dict[str, Any]:
    try:
        head = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"a head is not JSON: {type(error).__name__}") from None
    if not isinstance(head, dict):
        raise Garbled("a head is not an object")
    return head


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
