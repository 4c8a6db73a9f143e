"""The declaration of a route in terms of OpenAPI: parameters, the body of a request, and all responses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from trio_stream.accounts.grants import Verb
from trio_stream.errors import TrioStreamError
from trio_stream.http.ranges import MAX_RANGES
from trio_stream.web.api.wire.operations import (
    EXAMPLE,
    JSON,
    ByteOperation,
    Header,
    Operation,
    Raises,
    Returns,
    Socket,
    problem_of,
)
from trio_stream.web.openapi.schemas import Json, parameter, query_parameters, schema_of

TAG, DATE = '"b15222265c88429fa4beca6c"', "Sun, 22 Nov 2026 13:17:00 GMT"
ETAG = {"ETag": Header("A strong entity-tag of the content.", TAG)}
RETRY_AFTER = {"Retry-After": Header("Seconds to wait before the next attempt.", 5)}


def body_types(declaration: Operation | ByteOperation | Socket) -> Iterator[Any]:
    """The types of bodies, events and messages."""
    match declaration:
        case Operation(returns=returns, body=body, events=events):
            for response in returns:
                yield from (
                    kind for kinds in response.content.values() for kind in kinds if kind not in (str, dict)
                )
            yield from (body[1],) if body is not None else ()
            yield from events
        case ByteOperation(content=content):
            yield from (kind for kinds in content.values() for kind in kinds)
        case Socket(from_server=from_server, from_client=from_client):
            yield from (*from_server, *from_client)


def path_parameters(path: str, kinds: Mapping[str, Any]) -> Json:
    """The parameters in a path, which all its operations share."""
    parameters = [
        parameter(name, "path", schema_of(kind), required=True)
        for name, kind in kinds.items()
        if f"{{{name}}}" in path
    ]
    return {"parameters": parameters} if parameters else {}


def operation(path: str, declaration: Operation) -> Json:
    """An operation that returns JSON, events or a page."""
    query = query_parameters(declaration.query) if declaration.query is not None else []
    responses = _problems(*declaration.raises) | {
        str(response.status): _response(response) for response in declaration.returns
    }
    if declaration.conditional is not None:
        query += _conditions(declaration.conditional, with_body=True)
        responses |= _conditional(declaration.conditional, declaration.returns[0])
    result = _operation(declaration.id, declaration.tag, declaration.summary, declaration.description)
    result |= _access(declaration)
    result["parameters"] = query
    if declaration.body is not None:
        description, kind = declaration.body
        content = {JSON: {"schema": schema_of(kind)}}
        result["requestBody"] = {"description": description, "required": True, "content": content}
    responses = _with_refusal(responses, declaration.verb)
    return result | _responses(responses, declaration.curl.replace("{url}", _example(path, declaration.path)))


def byte_operations(path: str, declaration: ByteOperation) -> Json:
    """GET and HEAD of bytes (RFC 9110 sections 13 and 14)."""
    download = parameter(
        "download",
        "query",
        {
            "type": "string",
            "description": f"`1` to let browsers save the {declaration.noun} instead of showing it, or `0`.",
        },
        required=False,
    )
    url, noun = _example(path, declaration.path), declaration.noun
    operations = {}
    for method, responses in (("get", _with_body(declaration)), ("head", _head(declaration))):
        is_get = method == "get"
        operation = _operation(
            declaration.id if is_get else f"{declaration.id}Head",
            "Videos",
            declaration.summary if is_get else "Get only the headers",
            declaration.description if is_get else "",
        ) | _access(declaration)
        operation["parameters"] = [download, *_conditions(noun, with_body=is_get)]
        curl = f"curl -r 0-99 -o {declaration.example} {url}" if is_get else f"curl -I {url}"
        operations[method] = operation | _responses(_with_refusal(responses, declaration.verb), curl)
    return operations


def socket(path: str, declaration: Socket) -> Json:
    """A WebSocket, which OpenAPI does not cover."""
    queries = [item for query in declaration.queries for item in query_parameters(query)]
    return {
        "summary": declaration.summary,
        "description": declaration.description,
        **_access(declaration),
        "parameters": path_parameters(path, declaration.path)["parameters"] + queries,
        "x-websocket": {
            "tag": declaration.tag,
            "subprotocol": declaration.subprotocol,
            "fromServer": [schema_of(kind) for kind in declaration.from_server],
            "fromClient": [schema_of(kind) for kind in declaration.from_client],
            "closeCodes": [{"code": code, "description": text} for code, text in declaration.closes.items()],
            "handshake": _with_refusal(
                {"101": {"description": "The WebSocket is open."}} | _problems(*declaration.raises),
                declaration.verb,
            ),
            "conversation": [{"from": sender, "text": text} for sender, text in declaration.conversation],
        },
    }


def _operation(id_: str, tag: str, summary: str, description: str) -> Json:
    result: Json = {"operationId": id_, "tags": [tag], "summary": summary}
    return result | ({"description": description} if description else {})


def _with_refusal(responses: Json, verb: Verb | None) -> Json:
    """The responses of a route that requires a verb, with the one to somebody who may not call it."""
    if verb is None:
        return responses
    reasons = [responses["403"]["description"]] if "403" in responses else []
    return responses | {"403": _problem(" ".join((*reasons, f"You may not `{verb}` here.")), {})}


def _access(declaration: Operation | ByteOperation | Socket) -> Json:
    """The verb that a route requires."""
    return {} if declaration.verb is None else {"x-verb": declaration.verb}


def _responses(responses: Json, curl: str) -> Json:
    return {
        "responses": dict(sorted(responses.items())),
        "x-codeSamples": [{"lang": "Shell", "source": curl}],
    }


def _example(path: str, kinds: Mapping[str, Any]) -> str:
    """An example of the address."""
    for name, kind in kinds.items():
        path = path.replace(f"{{{name}}}", quote(schema_of(kind)["examples"][0]))
    return EXAMPLE + path


def _response(response: Returns) -> Json:
    result: Json = {"description": response.description}
    if response.headers:
        result["headers"] = {name: _header(header) for name, header in response.headers.items()}
    if response.content:
        result["content"] = _content(response.content)
    return result


def _content(content: Mapping[str, Iterable[Any]]) -> Json:
    """Bodies by media type. A body without a type is bytes, which JSON Schema cannot describe."""
    bodies: Json = {}
    for media_type, kinds in content.items():
        schemas = [schema_of(kind) for kind in kinds]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        bodies[media_type] = {"schema": schema} if schemas else {}
    return bodies


def _header(header: Header) -> Json:
    number = {"type": "integer", "minimum": 0, "description": "Seconds."}
    schema = number if isinstance(header.example, int) else {"type": "string"}
    return {"description": header.description, "schema": schema, "example": header.example}


def _problem(description: str, headers: Mapping[str, Header]) -> Json:
    return _response(replace(problem_of(description, 0), headers=headers))


def _problems(*raises: Raises) -> Json:
    """The responses to errors, by status; with `Retry-After` if it helps to try again."""
    return {
        str(error.status): _problem(description, _retry_header(error))
        for errors in raises
        for error, description in errors.items()
    }


def _retry_header(error: type[TrioStreamError]) -> Mapping[str, Header]:
    return {} if error.retry_after is None else RETRY_AFTER


def _conditions(noun: str, *, with_body: bool) -> list[Json]:
    """The request fields for resources that have an entity-tag (RFC 9110 sections 13 and 14)."""
    ranges = [
        ("Range", f"The bytes to send: up to {MAX_RANGES} separate ranges.", "bytes=0-99"),
        (
            "If-Range",
            f"Send the whole {noun} instead of the ranges, if this validator no longer matches.",
            TAG,
        ),
    ]
    conditions = [
        ("If-None-Match", f"Return 304 if the {noun} still has one of these entity-tags.", TAG),
        (
            "If-Modified-Since",
            f"Without `If-None-Match`: return 304 if the {noun} has not changed since.",
            DATE,
        ),
        ("If-Match", f"Return 412 unless the {noun} has one of these entity-tags.", TAG),
        ("If-Unmodified-Since", f"Without `If-Match`: return 412 if the {noun} has changed since.", DATE),
    ]
    return [
        parameter(
            name,
            "header",
            {"type": "string", "description": description, "examples": [example]},
            required=False,
        )
        for name, description, example in (ranges if with_body else []) + conditions
    ]


def _conditional(noun: str, complete: Returns) -> Json:
    """The responses to conditional requests, except 200, of a page or file in memory."""
    headers = {**complete.headers, **ETAG}
    content = {**complete.content, "multipart/byteranges": ()}
    return _ranges(noun, Returns("", content, headers=headers), 31415) | {
        "304": _response(Returns("Your copy is current.", headers=headers)),
        "412": _problem(f"The {noun} does not match the condition.", ETAG),
    }


def _ranges(noun: str, part: Returns, size: int) -> Json:
    """The responses to requests with ranges: 206 and 416."""
    description = "The requested ranges; several ranges as `multipart/byteranges`."
    total = {"Content-Range": Header("The size in bytes.", f"bytes */{size}")}
    return {
        "206": _response(Returns(description, part.content, headers=part.headers)),
        "416": _problem(f"No requested range overlaps the {noun}, or there are too many ranges.", total),
    }


def _head(declaration: ByteOperation) -> Json:
    """The responses to HEAD of bytes."""
    noun = declaration.noun
    current = {**ETAG, "Last-Modified": Header("When the file last changed.", DATE)}
    cacheable = {**current, "Cache-Control": declaration.caching}
    responses = {
        "200": _response(
            Returns(f"The whole {noun}.", declaration.content, headers=_body_headers(declaration, cacheable))
        ),
        "304": _response(Returns("Your copy is current.", headers=cacheable)),
        "404": _problem(f"There is no such {noun}.", {}),
        "412": _problem(f"The {noun} does not match the condition.", current),
        "503": _problem(
            "Too many files are open, or the videos cannot be read; try again later.", RETRY_AFTER
        ),
    }
    return responses | ({"422": _problem(declaration.refused, {})} if declaration.refused is not None else {})


def _body_headers(declaration: ByteOperation, others: Mapping[str, Header]) -> Mapping[str, Header]:
    return {
        "Content-Length": Header("The size of the body in bytes.", f"{declaration.size}"),
        "Accept-Ranges": Header("Byte ranges are supported.", "bytes"),
        **others,
    }


def _with_body(declaration: ByteOperation) -> Json:
    """The responses to GET of bytes."""
    cacheable = {
        **ETAG,
        "Last-Modified": Header("When the file last changed.", DATE),
        "Cache-Control": declaration.caching,
    }
    content_range = Header(
        "The range and the size, unless there are several ranges.", f"bytes 0-99/{declaration.size}"
    )
    content = {**declaration.content, "multipart/byteranges": ()}
    part = Returns(
        "", content, headers={"Content-Range": content_range, **_body_headers(declaration, cacheable)}
    )
    unavailable = {"503": _problem(declaration.unavailable, RETRY_AFTER)}
    return _head(declaration) | _ranges(declaration.noun, part, declaration.size) | unavailable
