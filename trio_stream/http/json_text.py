"""JSON, read and written (pure): what is written can hold the name of any file, and what is read is one value or none.

The bytes of a name that are no UTF-8 are lone surrogates in it (PEP 383). JSON has escapes for these and UTF-8 has no
form, so msgspec writes none of them: a value that holds one is written by `json`, which escapes all that is not ASCII.
"""

import json
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    """A value of msgspec's types as JSON."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return encode_ascii(value)


def encode_ascii(value: object) -> bytes:
    """The same with all that is not ASCII escaped: for texts whose readers may take U+2028 for the end of a line."""
    return json.dumps(msgspec.to_builtins(value)).encode()


def decode(text: str | bytes) -> Any:
    """The value of a JSON text. Raises `ValueError`, `RecursionError`.

    A number is an `int` where it is whole, however it is spelt: JSON has a single kind of number (RFC 8259 section 6,
    JSON Schema 2020-12 section 4.2.3). A name of a member that has no UTF-8 form, which msgspec does not look at,
    becomes one that nothing here has.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")  # as `json.loads` does
    return _DECODER.decode(text)


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if all(map(str.isascii, found)):
        return found
    return {name.encode(errors="replace").decode(): value for name, value in pairs}


# Made once: that takes longer than to use it.
_DECODER = json.JSONDecoder(parse_float=_number, object_pairs_hook=_members)
