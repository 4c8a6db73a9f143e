"""Small pieces of JSON Schema and OpenAPI, so that the description of the API reads like one."""

from typing import Any

from trio_stream.http.problems import MEDIA_TYPE as PROBLEM

type Json = dict[str, Any]


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


def object_of(about: str, properties: Json) -> Json:
    """An object whose members are always all there."""
    return {"type": "object", "description": about, "properties": properties, "required": [*properties]}


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
    return {"description": about, "content": body("application/json", ref(schema))}


def problem_answer(about: str, headers: Json | None = None) -> Json:
    """An answer that says what went wrong."""
    answer: Json = {"description": about, "content": body(PROBLEM, ref("Problem"))}
    return answer | ({"headers": headers} if headers else {})


def header(about: str, example: str) -> Json:
    """A header of an answer."""
    return {"description": about, "schema": {"type": "string"}, "example": example}
