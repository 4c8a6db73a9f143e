"""Declarations of routes: what a route is for, its parameters, and what it returns, each with its type.

Invariant: a declaration is next to the function that implements it, and the description of the API (`openapi`) is
generated from declarations and the URL map, so no path and no type is written twice.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from msgspec import Struct
from quart import Response

from trio_stream.accounts.grants import Verb
from trio_stream.errors import (
    ForeignOrigin,
    NotTheOwner,
    StoreFull,
    StoreUnavailable,
    TrioStreamError,
    VideoNotFound,
)
from trio_stream.http.json_text import encode
from trio_stream.http.problems import MEDIA_TYPE as PROBLEM
from trio_stream.http.problems import Problem
from trio_stream.http.representation import IMMUTABLE, REVALIDATE
from trio_stream.web.api.wire.parts import Body, Query, VideoId
from trio_stream.web.asgi.access import requires

EXAMPLE = "http://localhost:8000"
"""The address of the server in the examples."""

JSON = "application/json"

type Tag = str
VIDEOS, WATCH_STATE, LIBRARY, STREAMS = "Videos", "Watch state", "Library", "Streams"
ACCESS, HEALTH, PAGES = "Access", "Health and metrics", "Pages"

type Raises = Mapping[type[TrioStreamError], str]
"""The errors of a route: classes of errors, which have the status, and what each means there."""

NO_VIDEO: Raises = {VideoNotFound: "There is no such video."}
NO_DATABASE: Raises = {StoreUnavailable: "The database cannot be used now; try again later."}
FOREIGN: Raises = {
    ForeignOrigin: "The request comes from a page of another site whose origin is not allowed."
}
NO_OWNER: Raises = {NotTheOwner: "The database or its writer is not available now; try again later."}
CHANGE_ERRORS: Raises = {
    **FOREIGN,
    **NO_OWNER,
    StoreFull: "The disk of the database is full.",
}
"""The errors of every route that changes data."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header field of a response."""

    description: str
    example: str | int


CACHED_IF_CURRENT = Header("A cache must revalidate its copy before each use.", REVALIDATE)
CACHED_FOREVER = Header("A copy never expires.", IMMUTABLE)
NOT_CACHED = {"Cache-Control": Header("The response must not be cached.", "no-store")}


@dataclass(frozen=True, slots=True)
class Returns:
    """A response: its bodies by media type (a tuple of types, empty for bytes), and its header fields."""

    description: str
    content: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, Header] = field(default_factory=dict)


def json_of(description: str, *kinds: type[Struct], status: int = 200) -> Returns:
    """A JSON response of one of these types."""
    return Returns(description, {JSON: kinds}, status, NOT_CACHED)


def problem_of(description: str, status: int) -> Returns:
    """A problem document without a class of errors."""
    return Returns(description, {PROBLEM: (Problem,)}, status)


def no_content(description: str) -> Returns:
    """A response without a body."""
    return Returns(description, status=204)


def events(description: str = "Events.") -> Returns:
    """A stream of server-sent events."""
    return Returns(description, {"text/event-stream": (str,)})


TOO_LARGE = Returns("The body of the request is too large.", status=413)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The declaration of a route. `returns` has the response on success first, then the others.

    `curl` is a command that tries it, with `{url}` for the address. `events` are the types of the data of events.
    `path` has the types of the variables in the path.
    """

    id: str
    tag: Tag
    summary: str
    verb: Verb | None
    """What a grant must allow; None: anybody may call it."""
    returns: tuple[Returns, ...]
    raises: tuple[Raises, ...] = ()
    description: str = ""
    curl: str = "curl {url}"
    query: type[Query] | None = None
    body: tuple[str, type[Body]] | None = None
    events: tuple[type[Struct], ...] = ()
    path: Mapping[str, Any] = field(default_factory=lambda: {"id": VideoId})
    conditional: str | None = None
    """A noun for the content, if it has an entity-tag: then the route supports conditions and ranges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteOperation:
    """The declaration of a route that sends bytes: of a video, whose file may change, or of immutable content."""

    id: str
    summary: str
    noun: str
    verb: Verb | None = Verb.WATCH
    content: Mapping[str, Any]
    example: str
    """The file that the example command writes."""
    caching: Header
    size: int
    unavailable: str
    """When no stream of it can start."""
    path: Mapping[str, Any] = field(default_factory=lambda: {"id": VideoId})
    description: str = ""
    refused: str | None = None
    """Why an existing video may not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """The declaration of a WebSocket: the types of its messages, its close codes, and an example conversation."""

    tag: Tag
    summary: str
    description: str
    verb: Verb | None
    path: Mapping[str, Any]
    queries: tuple[type[Query], ...]
    subprotocol: str
    from_server: tuple[type[Struct], ...]
    from_client: tuple[type[Struct], ...]
    closes: Mapping[int, str]
    raises: tuple[Raises, ...]
    conversation: tuple[tuple[str, str], ...]


type Declaration = Operation | ByteOperation | Socket


def declares[F: Callable[..., Any]](*declarations: Declaration) -> Callable[[F], F]:
    """Declare a route. A function with several paths has a declaration for each, in the same order.

    All of them require the same verb.
    """

    (verb,) = {declaration.verb for declaration in declarations}

    def mark(route: F) -> F:
        route.declared = declarations  # type: ignore[attr-defined] # mypy does not allow attributes of functions
        return requires(verb)(route)

    return mark


def declared(view: Callable[..., Any]) -> tuple[Declaration, ...]:
    """The declarations of a view of the URL map."""
    declarations: tuple[Declaration, ...] = getattr(getattr(view, "route", view), "declared", ())
    return declarations


type View[**P] = Callable[P, Awaitable[Struct | Response | None]]


def returns_json[**P](declaration: Operation) -> Callable[[View[P]], Callable[P, Awaitable[Response]]]:
    """Declare a view, and send what it returns: a struct as JSON, None as no body, a response unchanged."""
    status = declaration.returns[0].status

    def mark(view: View[P]) -> Callable[P, Awaitable[Response]]:
        @wraps(view)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Response:
            result = await view(*args, **kwargs)
            if isinstance(result, Response):
                return result
            if result is None:
                return Response(b"", status)
            return Response(encode(result), status, content_type=JSON)

        return declares(declaration)(wrapper)

    return mark
