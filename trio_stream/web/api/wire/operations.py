"""What is declared beside a route: what it is for, what it asks, and what it returns, each by its type.

Invariant: a declaration stands at the function that does what it says, and the description of the API (`openapi`) is
made of declarations and of the map of URLs, so no path and no shape is written down twice.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from msgspec import Struct
from quart import Response

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

EXAMPLE = "http://localhost:8000"
"""Where the server of the examples runs."""

JSON = "application/json"

type Tag = str
VIDEOS, WATCH_STATE, LIBRARY, STREAMS = "Videos", "Watch state", "Library", "Streams"
HEALTH, PAGES = "Health and figures", "Pages"

type Raises = Mapping[type[TrioStreamError], str]
"""What goes wrong by a class of errors, which has the status, and what that means there."""

UNKNOWN: Raises = {VideoNotFound: "There is no such video."}
BUSY: Raises = {StoreUnavailable: "The database cannot be used now; ask again later."}
FOREIGN: Raises = {ForeignOrigin: "The page is another site's, and its origin is not allowed."}
UNREACHED: Raises = {NotTheOwner: "The process that writes, or its database, is not there now; ask again."}
CHANGES: Raises = {
    **FOREIGN,
    **UNREACHED,
    StoreFull: "There is no room left for the database.",
}
"""Of whatever changes something."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header field of a response."""

    about: str
    example: str | int
    whole: bool = False


KEPT_AND_CHECKED = Header("A copy may be kept, and has to be checked.", REVALIDATE)
KEPT_FOR_EVER = Header("A copy is good for ever.", IMMUTABLE)
FRESH = {"Cache-Control": Header("It is of now, and for who asks.", "no-store")}


@dataclass(frozen=True, slots=True)
class Returns:
    """A response: its bodies by media type (a type, several, or None for bytes), and its header fields."""

    about: str
    content: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, Header] = field(default_factory=dict)


def json_of(about: str, *kinds: type[Struct], status: int = 200) -> Returns:
    """JSON of one of these kinds."""
    return Returns(about, {JSON: kinds}, status, FRESH)


def problem_of(about: str, status: int) -> Returns:
    """A problem of no class of errors."""
    return Returns(about, {PROBLEM: (Problem,)}, status)


def nothing(about: str) -> Returns:
    """That it is done, and no more."""
    return Returns(about, status=204)


def events(about: str = "Events.") -> Returns:
    """What goes on until somebody ends it."""
    return Returns(about, {"text/event-stream": (str,)})


TOO_LARGE = Returns("The body is larger than what is taken here.", status=413)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a route is for. `returns` has what it returns if all goes well, then what else.

    `curl` is a command to try it, with `{url}` for the address. `events` are the types of the data of events. `places`
    has what a name in the path stands for.
    """

    id: str
    tag: Tag
    summary: str
    returns: tuple[Returns, ...]
    raises: tuple[Raises, ...] = ()
    description: str = ""
    curl: str = "curl {url}"
    query: type[Query] | None = None
    body: tuple[str, type[Body]] | None = None
    events: tuple[type[Struct], ...] = ()
    places: Mapping[str, Any] = field(default_factory=lambda: {"id": VideoId})
    conditional: str | None = None
    """What has an entity-tag there, so that conditions and ranges mean something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """What a route is for that sends bytes: of a video, whose file may change, or of what never does."""

    id: str
    summary: str
    noun: str
    content: Mapping[str, Any]
    example: str
    """The file a command to try it writes."""
    caching: Header
    size: int
    full: str
    """When no stream of it can begin."""
    places: Mapping[str, Any] = field(default_factory=lambda: {"id": VideoId})
    description: str = ""
    refused: str | None = None
    """Why there may be none of a video that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """What a WebSocket is for: its messages by their types, the codes it closes with, and a conversation."""

    tag: Tag
    summary: str
    description: str
    places: Mapping[str, Any]
    queries: tuple[type[Query], ...]
    subprotocol: str
    from_server: tuple[type[Struct], ...]
    from_client: tuple[type[Struct], ...]
    closes: Mapping[int, str]
    raises: tuple[Raises, ...]
    conversation: tuple[tuple[str, str], ...]


type Declaration = Operation | Sends | Socket


def declares[F: Callable[..., Any]](*about: Declaration) -> Callable[[F], F]:
    """Say what a route is for; of a function with several paths, for each of them in turn."""

    def mark(route: F) -> F:
        route.declared = about  # type: ignore[attr-defined] # functions have no attributes of their own
        return route

    return mark


def declared(view: Callable[..., Any]) -> tuple[Declaration, ...]:
    """What is declared of a view of the URL map."""
    found: tuple[Declaration, ...] = getattr(getattr(view, "route", view), "declared", ())
    return found


type View[**P] = Callable[P, Awaitable[Struct | Response | None]]


def returns_json[**P](about: Operation) -> Callable[[View[P]], Callable[P, Awaitable[Response]]]:
    """Say what a view is for, and send what it returns: a shape as JSON, None as no body, a response as it is."""
    status = about.returns[0].status

    def mark(view: View[P]) -> Callable[P, Awaitable[Response]]:
        @wraps(view)
        async def returned(*args: P.args, **kwargs: P.kwargs) -> Response:
            found = await view(*args, **kwargs)
            if isinstance(found, Response):
                return found
            if found is None:
                return Response(b"", status)
            return Response(encode(found), status, content_type=JSON)

        return declares(about)(returned)

    return mark
