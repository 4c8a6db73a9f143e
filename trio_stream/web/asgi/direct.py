"""Routes for frequent requests, which bypass Quart's request and response because those cost more than the work itself.

They send the bytes of a file, or store a playhead. Such a route is a function from a request to a response and does not
depend on the framework. It is in the framework's URL map anyway, and can be called through it (`TRIO_STREAM_DIRECT=0`).
Then hooks of an application that is built around this one see its requests; in a direct call they do not.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial, wraps
from secrets import token_hex
from typing import Any, Self, cast
from urllib.parse import parse_qsl

from hypercorn.typing import HTTPScope
from quart import Blueprint, Quart, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from trio_stream.errors import ClientGone, NotTheOwner
from trio_stream.http.bodies import Part
from trio_stream.http.fields import Headers
from trio_stream.http.representation import FileResponse, Representation, respond
from trio_stream.server.asgi.http import LEAVING
from trio_stream.services import Services
from trio_stream.settings import Settings
from trio_stream.streaming.stream import Stream
from trio_stream.web.asgi import access
from trio_stream.web.asgi.checks import SAFE_METHODS
from trio_stream.web.asgi.exchange import Exchange, exchange
from trio_stream.web.asgi.owner import ForwardedResponse, forward_to_owner, owner_only
from trio_stream.web.asgi.problems import ProblemResponse, describe

METHODS = frozenset({"GET", "HEAD", "PUT"})

GENERATION_TIMEOUT = 90.0
"""Seconds that the owner may send nothing: it may have to read a large file first, and serve earlier requests."""

CACHED_ROUTES = 4096
"""Paths whose routes are cached: enough for the videos and players in use at one time."""

LONGEST_CACHED_PATH = 512
"""Characters of a cached path, so that strangers can fill only a few megabytes of memory, not hundreds."""


@dataclass(frozen=True, slots=True)
class DirectRequest:
    """A request: the path as the client spelt it, its header fields as `header_fields` returns them, and its body."""

    method: str
    raw_path: bytes
    query: bytes
    fields: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, scope: HTTPScope, exchange: Exchange, body: bytes = b"") -> Self:
        """The request of `scope`."""
        return cls(scope["method"], scope["raw_path"], scope["query_string"], exchange.fields, body)

    def flag(self, name: str) -> bool:
        """Whether the first value of `name` in the query is neither empty nor 0."""
        if not self.query:
            return False
        values = dict(reversed(parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)))
        return values.get(name, "0") not in {"0", ""}

    def respond(self, representation: Representation, *, download: bool = False) -> FileResponse:
        """The response with `representation`, or ranges of it. Raises `PreconditionFailed`, `RangeNotSatisfiable`."""
        return respond(
            self.method,
            self.fields,
            representation,
            now=int(time.time()),
            boundary=partial(token_hex, 16),
            download=download,
        )


@dataclass(frozen=True, slots=True)
class DirectResponse:
    """A response: the parts of a file that `stream` sends, or the response of the data's owner, or else `body`."""

    status: int
    headers: Headers
    stream: Stream | None = None
    parts: tuple[Part, ...] = ()
    forwarded: ForwardedResponse | None = None
    body: bytes = b""

    @classmethod
    def in_memory(cls, response: FileResponse) -> Self:
        """A response whose parts are all in memory."""
        body = b"".join(part for part in response.parts if isinstance(part, bytes))
        return cls(response.status, response.headers, body=body)

    @classmethod
    def of_problem(cls, problem: ProblemResponse) -> Self:
        """A problem document."""
        return cls(problem.status, problem.headers, body=problem.body)


type Route = Callable[[DirectRequest, Exchange], Awaitable[DirectResponse]]


class StreamedResponse(Response):
    """A direct response that passes through Quart."""

    def __init__(self, direct: DirectResponse) -> None:
        super().__init__(direct.body, status=direct.status)
        self.headers.clear()
        self.headers.extend(direct.headers)
        self.direct = direct


async def _through_quart(route: Route, body: bytes = b"") -> Response:
    """The response of a route to the request that Quart handles."""
    current = exchange()
    direct_request = DirectRequest.of(cast("HTTPScope", request.scope), current, body)
    return StreamedResponse(await route(direct_request, current))


def byte_route(blueprint: Blueprint, *rules: str) -> Callable[[Route], Route]:
    """Register a function for GET and HEAD of `rules`, directly and through the framework."""

    def register(route: Route) -> Route:
        async def view(**_: Any) -> Response:
            return await _through_quart(route)

        view.route = route  # type: ignore[attr-defined] # for `_match_uncached`
        for rule in rules:
            blueprint.add_url_rule(rule, route.__name__, view)
        return route

    return register


def owner_route(blueprint: Blueprint, method: str, rule: str) -> Callable[[Route], Route]:
    """Register a function that changes data: the owner calls it directly, other processes forward the request."""

    def register(route: Route) -> Route:
        @owner_only
        async def view(**_: Any) -> Response:
            return await _through_quart(route, cast("bytes", await request.get_data()))

        view.route = route  # type: ignore[attr-defined] # for `_match_uncached`
        blueprint.add_url_rule(rule, route.__name__, view, methods=[method])
        return route

    return register


def owner_fallback(route: Route) -> Route:
    """Forward the request to the owner of the data if the route raises `NotTheOwner`."""

    @wraps(route)
    async def wrapper(request: DirectRequest, exchange: Exchange) -> DirectResponse:
        try:
            return await route(request, exchange)
        except NotTheOwner:
            if exchange.services.owner.mine or exchange.is_local:  # forwarding it again could loop
                raise
        query = f"?{request.query.decode('latin-1')}" if request.query else ""
        forward = partial(
            forward_to_owner,
            exchange.services,
            request.method,
            request.raw_path.decode("latin-1") + query,
            request.fields,
            grant=exchange.grant,
            read_timeout=GENERATION_TIMEOUT,
        )
        forwarded = await exchange.run_while_connected(forward)
        return DirectResponse(forwarded.status, forwarded.headers, forwarded=forwarded)

    return wrapper


class DirectRoutes:
    """The direct routes of an application, by its URL map."""

    def __init__(self, app: Quart, settings: Settings) -> None:
        self._enabled = settings.direct
        self._views = app.view_functions
        self._urls = app.url_map.bind("localhost")
        self._match = lru_cache(maxsize=CACHED_ROUTES)(self._match_uncached)

    def find(self, scope: HTTPScope, services: Services) -> Route | None:
        """The direct route for the request, if there is one. An application mounted below another path has none.

        A request that changes data is direct only in the owner, and only if no other task must listen for a disconnect.
        """
        if (
            not self._enabled
            or scope["method"] not in METHODS
            or scope["root_path"]
            or scope["path"][:1] != "/"
        ):
            return None
        if scope["method"] not in SAFE_METHODS and not (
            LEAVING in scope["extensions"] and services.owner.mine
        ):
            return None
        path = scope["path"]
        match = self._match if len(path) <= LONGEST_CACHED_PATH else self._match_uncached
        return match(path, scope["method"])

    def _match_uncached(self, path: str, method: str) -> Route | None:
        try:
            endpoint, _ = self._urls.match(path, method)
        except (HTTPException, RequestRedirect):
            return None
        return cast("Route | None", getattr(self._views[endpoint], "route", None))

    async def respond(self, route: Route, scope: HTTPScope, exchange: Exchange) -> DirectResponse:
        """The response of `route`, or a problem document. Raises `ClientGone`."""
        try:
            access.check(exchange, access.verb_of(route))
            body = b"" if scope["method"] in SAFE_METHODS else await exchange.read_body()
            return await route(DirectRequest.of(scope, exchange, body), exchange)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - any error is reported to the client
            return DirectResponse.of_problem(describe(error))
