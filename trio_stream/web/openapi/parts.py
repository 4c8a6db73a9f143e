"""Small pieces of JSON Schema and OpenAPI, so that the description of the API reads like one."""

from typing import Any

from trio_stream.http.problems import MEDIA_TYPE as PROBLEM
from trio_stream.library.records.pages import CURSOR as CURSOR_FORM
from trio_stream.library.records.pages import LONGEST_CURSOR

type Json = dict[str, Any]

EXAMPLE = "http://localhost:8000"
"""Where the server of the examples runs."""

SAMPLE = "Films/Big Buck Bunny.mp4"
SAMPLE_ID = "3f9c1b2e8d7a6054"
REVISION = "b15222265c88429fa4beca6c"
MADE = "5d41402abc4b2a76b9719d911017c592"
"""The digest of a file that was made."""


def ref(name: str) -> Json:
    """A reference to one of our schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(about: str, **more: Any) -> Json:
    """A string."""
    return {"type": "string", "description": about, **more}


def whole(about: str, **more: Any) -> Json:
    """A whole number; nothing here is ever negative."""
    return {"type": "integer", "minimum": 0, "description": about, **more}


def number(about: str, **more: Any) -> Json:
    """A number that need not be whole."""
    return {"type": "number", "minimum": 0, "description": about, **more}


def listing(about: str, items: Json, **more: Any) -> Json:
    """A list."""
    return {"type": "array", "description": about, "items": items, **more}


def flag(about: str) -> Json:
    """Yes or no."""
    return {"type": "boolean", "description": about}


def moment(about: str) -> Json:
    """A time."""
    return text(about, format="date-time")


def nullable(schema: Json) -> Json:
    """What `schema` says, or null."""
    if "$ref" in schema:
        about = {"description": schema["description"]} if "description" in schema else {}
        return {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}], **about}
    more = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | more


def object_of(about: str, properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    """An object whose members are always all there, but for those that are `optional`; and there are no others."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def with_more(schema: Json) -> Json:
    """An object that may have members besides those that are described."""
    return schema | {"additionalProperties": True}


def a_state(about: str, *states: str) -> Json:
    """One of these words."""
    return {"type": "string", "enum": [*states], "description": about}


def operation(id_: str, tag: str, summary: str, curl: str, responses: Json, **more: Any) -> Json:
    """An operation with a command to try it."""
    return {
        "operationId": id_,
        "tags": [tag],
        "summary": summary,
        **more,
        "responses": responses,
        "x-codeSamples": [{"lang": "Shell", "source": curl}],
    }


def parameter(name: str, where: str, schema: Json, about: str, **more: Any) -> Json:
    """A parameter; what is in the path is always required."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": about,
        "schema": schema,
        **more,
    }


def body(media_type: str, schema: Json | None = None) -> Json:
    """A body of this media type."""
    # Without a schema it is bytes, which JSON Schema has no word for.
    return {media_type: {} if schema is None else {"schema": schema}}


def json_answer(about: str, schema: str) -> Json:
    """An answer in JSON."""
    fresh = header("It is of now, and for who asks.", "no-store")
    return {
        "description": about,
        "headers": {"Cache-Control": fresh},
        "content": body("application/json", ref(schema)),
    }


def problem_answer(about: str, headers: Json | None = None) -> Json:
    """An answer that says what went wrong."""
    answer: Json = {"description": about, "content": body(PROBLEM, ref("Problem"))}
    return answer | ({"headers": headers} if headers else {})


def header(about: str, example: str) -> Json:
    """A header of an answer."""
    return {"description": about, "schema": {"type": "string"}, "example": example}


def json_body(about: str, schema: str) -> Json:
    """What a request has to bring."""
    return {"description": about, "required": True, "content": body("application/json", ref(schema))}


def events_answer(about: str = "Events.") -> Json:
    """An answer that goes on until somebody ends it."""
    return {"description": about, "content": body("text/event-stream", {"type": "string"})}


AGAIN: Json = {"Retry-After": {"description": "Seconds to wait.", "schema": whole("Seconds."), "example": 5}}

FOREIGN = problem_answer("The page is another site's, and its origin is not allowed.")

ID_FORM = "^[0-9a-f]{16}$"
"""Of a video or of a stream."""

ID = parameter("id", "path", {"type": "string", "pattern": ID_FORM}, "The id of a video.", example=SAMPLE_ID)

NAME = text(
    "Path below the folder of videos, with `/` between folders. Bytes that are no UTF-8 are lone surrogates.",
    examples=["Films/Big Buck Bunny.mp4"],
)
PATH = {"type": "string", "format": "uri-reference"}
OK = {"type": "string", "const": "ok", "description": "Always `ok`; everything else is a problem document."}
CURSOR: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_CURSOR,
    "pattern": f"^{CURSOR_FORM.pattern}$",
}
NEXT = nullable(CURSOR | {"description": "The cursor of the next page; null on the last one."})
