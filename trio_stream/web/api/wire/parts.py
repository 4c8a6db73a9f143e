"""The building blocks of the types: base classes, common member types, and validation of input.

Invariant: a type contains all constraints of its values, so its schema allows exactly what the server accepts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError
from quart import request

from trio_stream.errors import BadRequest
from trio_stream.http import json_text
from trio_stream.library.records.pages import CURSOR, LONGEST_CURSOR

SAMPLE = "Films/Big Buck Bunny.mp4"
SAMPLE_ID = "3f9c1b2e8d7a6054"
REVISION = "b15222265c88429fa4beca6c"
DIGEST = "5d41402abc4b2a76b9719d911017c592"
"""The digest of a derived file."""

ID_FORM = r"^[0-9a-f]{16}\Z"
"""The pattern of ids of videos and of streams."""


def says(description: str, *examples: object, **more: Any) -> Meta:
    """The description of a member, with examples, and with constraints as in `Meta`."""
    return Meta(description=description, examples=[*examples] or None, **more)


def string_format(name: str, **more: Any) -> Meta:
    """The format of a string, as named in JSON Schema."""
    return Meta(extra_json_schema={"format": name}, **more)


class Shape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object with all its members and no others."""


class Body(Shape, frozen=True, kw_only=True):
    """The body of a request. Optional members that are left out are `UNSET`."""

    expected: ClassVar[str]
    """The error message for an invalid body."""

    schema: ClassVar[Mapping[str, Any]] = {}
    """Additions to its schema."""


class Query(Struct, frozen=True, kw_only=True):
    """The parameters of a query; others are ignored."""


type Whole = Annotated[int, Meta(ge=0)]
type Number = Annotated[float, Meta(ge=0)]
type DateTime = Annotated[str, string_format("date-time")]
type Url = Annotated[str, string_format("uri-reference")]
type Fraction = Annotated[str, Meta(pattern=r"^[0-9]+/[0-9]+\Z")]
type Ok = Annotated[Literal["ok"], says("Always `ok`; errors are problem documents.")]
type Name = Annotated[
    str,
    says(
        "Path below the folder of videos, with `/` between folders. Bytes that are not UTF-8 are lone surrogates.",
        SAMPLE,
    ),
]
type Language = Annotated[
    Annotated[str, Meta(examples=["pt-BR"])] | None, says("A BCP 47 tag; null if the file has none.")
]
type VideoId = Annotated[str, says("The id of a video, which never changes.", SAMPLE_ID, pattern=ID_FORM)]
type Cursor = Annotated[str, Meta(min_length=1, max_length=LONGEST_CURSOR, pattern=rf"^{CURSOR.pattern}\Z")]
type Next = Annotated[Cursor | None, says("The cursor of the next page; null on the last one.")]


def or_none[T](value: T | UnsetType) -> T | None:
    """The value, or None if it was left out."""
    return None if value is UNSET else value


async def body_as[T: Body](kind: type[T]) -> T:
    """The body of Quart's request. Raises `BadRequest`."""
    return read_body(kind, await request.get_data(as_text=False))


def read_body[T: Body](kind: type[T], body: str | bytes) -> T:
    """Parse and validate a body. Raises `BadRequest` if it is not JSON or not a `kind`."""
    try:
        value = json_text.decode(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON") from None
    return convert_json(kind, value, kind.expected)


def convert_json[T](kind: type[T], value: object, expected: str) -> T:
    """Convert a value from JSON to a `kind`. Raises `BadRequest`, whose message begins with `expected`."""
    try:
        return msgspec.convert(value, kind)
    except ValidationError as error:
        raise BadRequest(f"{expected}: {_message_of(error)}") from None
    except UnicodeEncodeError:  # the value of an enumeration contains a lone surrogate
        raise BadRequest(expected) from None


def read_query[T: Query](kind: type[T], query: Mapping[str, str]) -> T:
    """Parse and validate a query; numbers are spelt as in JSON. Raises `BadRequest`, which says what is allowed."""
    parameters = _parameters(kind)
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if (text := query.get(name)) is not None:
            is_number = parameter.spelling is not None and parameter.spelling.fullmatch(text)
            values[name] = json_text.decode(text) if is_number else text
    try:
        return msgspec.convert(values, kind)
    except ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`")
        raise BadRequest(f"{_message_of(error)}: {parameters[name].about}") from None
    except UnicodeEncodeError:  # the value of an enumeration contains a lone surrogate
        raise BadRequest("; ".join(parameter.about for parameter in parameters.values())) from None


_INTEGER = re.compile("0|[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"(0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class _Parameter:
    """The spelling of a numeric parameter, and a description of what is allowed."""

    spelling: re.Pattern[str] | None
    about: str


@cache
def _parameters(kind: type[Query]) -> Mapping[str, _Parameter]:
    """The parameters of a query, by name."""
    info = cast("msgspec.inspect.StructType", msgspec.inspect.type_info(kind))
    return {field.encode_name: _parameter(field.type) for field in info.fields}


def _parameter(kind: msgspec.inspect.Type) -> _Parameter:
    spelling, about = None, ""
    if isinstance(kind, msgspec.inspect.Metadata):
        about = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    for option in options:
        match option.type if isinstance(option, msgspec.inspect.Metadata) else option:
            case msgspec.inspect.IntType(ge=least, le=most):
                spelling = _INTEGER
                about = f"{about} It must be {least} to {most}."
            case msgspec.inspect.FloatType():
                spelling = _FLOAT
            case msgspec.inspect.LiteralType(values=values):
                about = f"{about} It must be {' or '.join(map(str, values))}."
    return _Parameter(spelling, about)


_LOCATION = re.compile(r"^(?P<message>.*?)(?: - at `\$\.?(?P<location>.*)`)?$", re.DOTALL)
_ITEM = re.compile(r"(?:entries|(\w+)s)\[(\d+)\]")


def _message_of(error: ValidationError) -> str:
    """The message of msgspec, with a readable location: `plays of entry 3`."""
    match = _LOCATION.match(str(error))
    if match is None or not match["location"]:
        return str(error)
    steps = _ITEM.sub(lambda item: f"{item[1] or 'entry'} {item[2]}", match["location"]).split(".")
    return f"{match['message']} at {' of '.join(reversed(steps))}"
