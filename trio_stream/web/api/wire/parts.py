"""What the shapes are made of: their base, numbers and texts that many of them have, and how what comes is checked.

Invariant: a type says all that is asked of a value, so its schema allows what the server takes and nothing else.
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
MADE = "5d41402abc4b2a76b9719d911017c592"
"""The digest of a file that was made."""

ID_FORM = r"^[0-9a-f]{16}\Z"
"""Of a video or of a stream."""


def says(description: str, *examples: object, **more: Any) -> Meta:
    """What a member is, with examples and with bounds of its value as `Meta` has them."""
    return Meta(description=description, examples=[*examples] or None, **more)


def form(name: str, **more: Any) -> Meta:
    """The format of a text, as JSON Schema calls it."""
    return Meta(extra_json_schema={"format": name}, **more)


class Shape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object; all its members are always there, and there are no others."""


class Body(Shape, frozen=True, kw_only=True):
    """What a request brings; what may be left out is `UNSET` then."""

    wanted: ClassVar[str]
    """A sentence for who brings something else."""

    schema: ClassVar[Mapping[str, Any]] = {}
    """What its schema says besides."""


class Query(Struct, frozen=True, kw_only=True):
    """The parameters of a query; others are ignored."""


type Whole = Annotated[int, Meta(ge=0)]
type Number = Annotated[float, Meta(ge=0)]
type Moment = Annotated[str, form("date-time")]
type Url = Annotated[str, form("uri-reference")]
type Fraction = Annotated[str, Meta(pattern=r"^[0-9]+/[0-9]+\Z")]
type Ok = Annotated[Literal["ok"], says("Always `ok`; everything else is a problem document.")]
type Name = Annotated[
    str,
    says(
        "Path below the folder of videos, with `/` between folders. Bytes that are no UTF-8 are lone surrogates.",
        SAMPLE,
    ),
]
type Language = Annotated[
    Annotated[str, Meta(examples=["pt-BR"])] | None, says("A BCP 47 tag; null where the file says none.")
]
type VideoId = Annotated[str, says("The id of a video, which stays with it.", SAMPLE_ID, pattern=ID_FORM)]
type Cursor = Annotated[str, Meta(min_length=1, max_length=LONGEST_CURSOR, pattern=rf"^{CURSOR.pattern}\Z")]
type Next = Annotated[Cursor | None, says("The cursor of the next page; null on the last one.")]


def given[T](value: T | UnsetType) -> T | None:
    """The value, or None for what was left out."""
    return None if value is UNSET else value


async def body_as[T: Body](kind: type[T]) -> T:
    """The body of Quart's request. Raises `BadRequest`."""
    return read_body(kind, await request.get_data(as_text=False))


def read_body[T: Body](kind: type[T], body: str | bytes) -> T:
    """What a body says. Raises `BadRequest` when it is no JSON or no `kind`."""
    try:
        value = json_text.decode(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body has to be JSON") from None
    return checked_as(kind, value, kind.wanted)


def checked_as[T](kind: type[T], value: object, wanted: str) -> T:
    """A value out of JSON as a `kind`. Raises `BadRequest`, which begins with what is `wanted`."""
    try:
        return msgspec.convert(value, kind)
    except ValidationError as error:
        raise BadRequest(f"{wanted}: {_in_words(error)}") from None
    except UnicodeEncodeError:  # a word of a few has a lone surrogate
        raise BadRequest(wanted) from None


def read_query[T: Query](kind: type[T], query: Mapping[str, str]) -> T:
    """The parameters of a query; numbers are spelt as in JSON. Raises `BadRequest`, which says what may be said."""
    known = _parameters(kind)
    found: dict[str, Any] = {}
    for name, parameter in known.items():
        if (text := query.get(name)) is not None:
            number = parameter.spelling is not None and parameter.spelling.fullmatch(text)
            found[name] = json_text.decode(text) if number else text
    try:
        return msgspec.convert(found, kind)
    except ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`")
        raise BadRequest(f"{_in_words(error)}: {known[name].about}") from None
    except UnicodeEncodeError:  # a word of a few has a lone surrogate
        raise BadRequest("; ".join(each.about for each in known.values())) from None


_INTEGER = re.compile("0|[1-9][0-9]{0,17}")
_FLOAT = re.compile(r"(0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class _Parameter:
    """How it is spelt, if it is a number, and what may be said."""

    spelling: re.Pattern[str] | None
    about: str


@cache
def _parameters(kind: type[Query]) -> Mapping[str, _Parameter]:
    """What may be asked for, by name."""
    info = cast("msgspec.inspect.StructType", msgspec.inspect.type_info(kind))
    return {each.encode_name: _parameter(each.type) for each in info.fields}


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
                about = f"{about} It is {least} to {most}."
            case msgspec.inspect.FloatType():
                spelling = _FLOAT
            case msgspec.inspect.LiteralType(values=words):
                about = f"{about} It is {' or '.join(map(str, words))}."
    return _Parameter(spelling, about)


_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)
_ITEM = re.compile(r"(?:entries|(\w+)s)\[(\d+)\]")


def _in_words(error: ValidationError) -> str:
    """What msgspec says, with the place as people count: `plays of entry 3`."""
    found = _PLACE.match(str(error))
    if found is None or not found["where"]:
        return str(error)
    steps = _ITEM.sub(lambda item: f"{item[1] or 'entry'} {item[2]}", found["where"]).split(".")
    return f"{found['what']} at {' of '.join(reversed(steps))}"
