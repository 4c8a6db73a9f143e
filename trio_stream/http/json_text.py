"""JSON encoding and decoding (pure). Any file name can be encoded.

Bytes of a name that are not UTF-8 are lone surrogates in it (PEP 383). JSON can escape these but UTF-8 cannot encode
them, so msgspec refuses them. A value that contains one is encoded by `json`, which escapes all non-ASCII characters.
"""

import json
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    """Encode a value of msgspec's types as JSON."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return encode_ascii(value)


def encode_ascii(value: object) -> bytes:
    """The same with all non-ASCII characters escaped, for readers that may treat U+2028 as the end of a line."""
    return json.dumps(msgspec.to_builtins(value)).encode()


def decode(text: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError`, `RecursionError`.

    A whole number becomes an `int` in any spelling: JSON has a single kind of number (RFC 8259 section 6, JSON Schema
    2020-12 section 4.2.3). The name of a member that cannot be encoded as UTF-8, which msgspec does not check, is
    replaced by one that no type here has.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")  # as `json.loads` does
    return _DECODER.decode(text)


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if all(map(str.isascii, members)):
        return members
    return {name.encode(errors="replace").decode(): value for name, value in pairs}


# Created once, because creating it takes longer than using it.
_DECODER = json.JSONDecoder(parse_float=_number, object_pairs_hook=_members)
