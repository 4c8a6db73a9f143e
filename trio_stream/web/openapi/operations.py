"""What is declared beside a route, as OpenAPI has it: parameters, the body of a request, and all responses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from trio_stream.errors import TrioStreamError
from trio_stream.http.ranges import MAX_RANGES
from trio_stream.web.api.wire.operations import (
    EXAMPLE,
    JSON,
    Header,
    Operation,
    Raises,
    Returns,
    Sends,
    Socket,
    problem_of,
)
from trio_stream.web.openapi.schemas import Json, parameter, query_parameters, schema_of

TAG, DATE = '"b15222265c88429fa4beca6c"', "Sun, 22 Nov 2026 13:17:00 GMT"
ETAG = {"ETag": Header("A strong entity-tag of the content.", TAG)}
AGAIN = {"Retry-After": Header("Seconds to wait.", 5)}


def kinds_of(about: Operation | Sends | Socket) -> Iterator[Any]:
    """The types of what is in bodies, events and messages."""
    match about:
        case Operation(returns=returns, body=body, events=events):
            for each in returns:
                yield from (
                    kind for kinds in each.content.values() for kind in kinds if kind not in (str, dict)
                )
            yield from (body[1],) if body is not None else ()
            yield from events
        case Sends(content=content):
            yield from (kind for kinds in content.values() for kind in kinds)
        case Socket(from_server=from_server, from_client=from_client):
            yield from (*from_server, *from_client)


def places(path: str, kinds: Mapping[str, Any]) -> Json:
    """What stands in a path, as that has it for all its operations."""
    found = [
        parameter(name, "path", schema_of(kind), required=True)
        for name, kind in kinds.items()
        if f"{{{name}}}" in path
    ]
    return {"parameters": found} if found else {}


def operation(path: str, about: Operation) -> Json:
    """An operation that returns JSON, events or a page."""
    query = query_parameters(about.query) if about.query is not None else []
    responses = _problems(*about.raises) | {str(each.status): _returns(each) for each in about.returns}
    if about.conditional is not None:
        query += _conditions(about.conditional, with_body=True)
        responses |= _conditional(about.conditional, about.returns[0])
    found = _operation(about.id, about.tag, about.summary, about.description)
    found["parameters"] = query
    if about.body is not None:
        says, kind = about.body
        content = {JSON: {"schema": schema_of(kind)}}
        found["requestBody"] = {"description": says, "required": True, "content": content}
    return found | _responses(responses, about.curl.replace("{url}", _example(path, about.places)))


def sends(path: str, about: Sends) -> Json:
    """GET and HEAD of bytes (RFC 9110 sections 13 and 14)."""
    download = parameter(
        "download",
        "query",
        {"type": "string", "description": "Ask browsers to save it: `1` or `0`."},
        required=False,
    )
    url, noun = _example(path, about.places), about.noun
    found = {}
    for method, responses in (("get", _with_body(about)), ("head", _head(about))):
        get = method == "get"
        each = _operation(
            about.id if get else f"{about.id}Head",
            "Videos",
            about.summary if get else "The headers alone",
            about.description if get else "",
        )
        each["parameters"] = [download, *_conditions(noun, with_body=get)]
        curl = f"curl -r 0-99 -o {about.example} {url}" if get else f"curl -I {url}"
        found[method] = each | _responses(responses, curl)
    return found


def socket(path: str, about: Socket) -> Json:
    """A WebSocket, which OpenAPI has no words for."""
    queries = [each for query in about.queries for each in query_parameters(query)]
    return {
        "summary": about.summary,
        "description": about.description,
        "parameters": places(path, about.places)["parameters"] + queries,
        "x-websocket": {
            "tag": about.tag,
            "subprotocol": about.subprotocol,
            "fromServer": [schema_of(kind) for kind in about.from_server],
            "fromClient": [schema_of(kind) for kind in about.from_client],
            "closeCodes": [{"code": code, "description": why} for code, why in about.closes.items()],
            "handshake": {"101": {"description": "It begins."}} | _problems(*about.raises),
            "conversation": [{"from": who, "text": text} for who, text in about.conversation],
        },
    }


def _operation(id_: str, tag: str, summary: str, description: str) -> Json:
    found: Json = {"operationId": id_, "tags": [tag], "summary": summary}
    return found | ({"description": description} if description else {})


def _responses(responses: Json, curl: str) -> Json:
    return {
        "responses": dict(sorted(responses.items())),
        "x-codeSamples": [{"lang": "Shell", "source": curl}],
    }


def _example(path: str, found: Mapping[str, Any]) -> str:
    """The address of an example."""
    for name, kind in found.items():
        path = path.replace(f"{{{name}}}", quote(schema_of(kind)["examples"][0]))
    return EXAMPLE + path


def _returns(about: Returns) -> Json:
    found: Json = {"description": about.about}
    if about.headers:
        found["headers"] = {name: _header(each) for name, each in about.headers.items()}
    if about.content:
        found["content"] = _content(about.content)
    return found


def _content(content: Mapping[str, Iterable[Any]]) -> Json:
    """Bodies by media type; one of no type is bytes, which JSON Schema has no word for."""
    found: Json = {}
    for media_type, kinds in content.items():
        schemas = [schema_of(kind) for kind in kinds]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        found[media_type] = {"schema": schema} if schemas else {}
    return found


def _header(about: Header) -> Json:
    number = {"type": "integer", "minimum": 0, "description": "Seconds."}
    schema = number if isinstance(about.example, int) else {"type": "string"}
    return {"description": about.about, "schema": schema, "example": about.example}


def _problem(about: str, headers: Mapping[str, Header]) -> Json:
    return _returns(replace(problem_of(about, 0), headers=headers))


def _problems(*raises: Raises) -> Json:
    """What goes wrong, by status; where it may be another matter later, with a header that says when."""
    return {
        str(error.status): _problem(about, _again(error)) for some in raises for error, about in some.items()
    }


def _again(error: type[TrioStreamError]) -> Mapping[str, Header]:
    return {} if error.retry_after is None else AGAIN


def _conditions(noun: str, *, with_body: bool) -> list[Json]:
    """The header fields that mean something to whatever has an entity-tag (RFC 9110 sections 13 and 14)."""
    ranges = [
        ("Range", f"The bytes to send, up to {MAX_RANGES} separate ranges.", "bytes=0-99"),
        ("If-Range", f"The whole {noun} is sent instead of `Range` unless this validator still fits.", TAG),
    ]
    found = [
        ("If-None-Match", f"Nothing is sent (304) when the {noun} still has one of these entity-tags.", TAG),
        (
            "If-Modified-Since",
            "Without `If-None-Match`: nothing is sent (304) unless it changed since.",
            DATE,
        ),
        ("If-Match", f"Nothing is sent (412) unless the {noun} has one of these entity-tags.", TAG),
        ("If-Unmodified-Since", "Without `If-Match`: nothing is sent (412) if it changed since.", DATE),
    ]
    return [
        parameter(
            name, "header", {"type": "string", "description": about, "examples": [example]}, required=False
        )
        for name, about, example in (ranges if with_body else []) + found
    ]


def _conditional(noun: str, whole: Returns) -> Json:
    """The responses to these, besides 200: of a page or file in memory."""
    headers = {**whole.headers, **ETAG}
    content = {**whole.content, "multipart/byteranges": ()}
    return _ranges(noun, Returns("", content, headers=headers), 31415) | {
        "304": _returns(Returns("You have it already.", headers=headers)),
        "412": _problem(f"The {noun} is not the one you have.", ETAG),
    }


def _ranges(noun: str, part: Returns, size: int) -> Json:
    """Some of the bytes, and none of them."""
    about = "The ranges asked for; several of them as `multipart/byteranges`."
    whole = {"Content-Range": Header("How many bytes there are.", f"bytes */{size}")}
    return {
        "206": _returns(Returns(about, part.content, headers=part.headers)),
        "416": _problem(f"Nothing of the {noun} lies in the ranges asked for.", whole),
    }


def _head(about: Sends) -> Json:
    """The responses to HEAD of bytes."""
    noun = about.noun
    current = {**ETAG, "Last-Modified": Header("When the file last changed.", DATE)}
    kept = {**current, "Cache-Control": about.caching}
    found = {
        "200": _returns(Returns(f"The whole {noun}.", about.content, headers=_whole(about, kept))),
        "304": _returns(Returns("You have it already.", headers=kept)),
        "404": _problem(f"There is no such {noun}.", {}),
        "412": _problem(f"The {noun} is not the one you have.", current),
        "503": _problem("Too many files are open, or the videos are away; ask again later.", AGAIN),
    }
    return found | ({"422": _problem(about.refused, {})} if about.refused is not None else {})


def _whole(about: Sends, kept: Mapping[str, Header]) -> Mapping[str, Header]:
    return {
        "Content-Length": Header("Bytes of the body.", f"{about.size}"),
        "Accept-Ranges": Header("Ranges of bytes are served.", "bytes"),
        **kept,
    }


def _with_body(about: Sends) -> Json:
    """The responses to GET of bytes."""
    kept = {
        **ETAG,
        "Last-Modified": Header("When the file last changed.", DATE),
        "Cache-Control": about.caching,
    }
    which = Header("Which bytes of how many, unless there are several.", f"bytes 0-99/{about.size}")
    content = {**about.content, "multipart/byteranges": ()}
    part = Returns("", content, headers={"Content-Range": which, **_whole(about, kept)})
    return _head(about) | _ranges(about.noun, part, about.size) | {"503": _problem(about.full, AGAIN)}
