"""Routes that are called all the time: without Quart's request and response, which cost more than what they do.

They answer with the bytes of a file, or write down where somebody is in one. Such a route is a function from what was
asked to what is answered, and knows nothing of the framework. It is in the framework's URL map all the same, and can
be called through it (`TRIO_STREAM_DIRECT=0`): there, hooks of an application that was built around this one see its
requests, which directly they do not.
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
from trio_stream.web.asgi.checks import SAFE_METHODS
from trio_stream.web.asgi.exchange import Exchange, exchange
from trio_stream.web.asgi.owner import Passed, ask_the_owner, by_the_owner
from trio_stream.web.asgi.problems import ProblemResponse, describe

METHODS = frozenset({"GET", "HEAD", "PUT"})

MAKING_PATIENCE = 90.0
"""Seconds the owner may be silent: it may have to read a large file first, and others to be served before."""

ROUTES = 4096
"""Paths whose routes are remembered: of the videos and players there are at one time."""

LONGEST_PATH = 512
"""Characters of a path that is remembered, so that strangers can fill a few megabytes and not hundreds."""


@dataclass(frozen=True, slots=True)
class DirectRequest:
    """A request: the path as the client spelt it, its header fields as `combined` gives them, and its body."""

    method: str
    raw_path: bytes
    query: bytes
    fields: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, scope: HTTPScope, exchange: Exchange, body: bytes = b"") -> Self:
        """What the request of `scope` asks."""
        return cls(scope["method"], scope["raw_path"], scope["query_string"], exchange.fields, body)

    def flag(self, name: str) -> bool:
        """Whether the query has `name`, the first time, with a value other than nothing and 0."""
        if not self.query:
            return False
        found = dict(reversed(parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)))
        return found.get(name, "0") not in {"0", ""}

    def respond(self, representation: Representation, *, download: bool = False) -> FileResponse:
        """What is sent of `representation` now. Raises `PreconditionFailed` and `RangeNotSatisfiable`."""
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
    """A response: the parts of a file that `stream` sends, or what the owner of the data answers, or else `body`."""

    status: int
    headers: Headers
    stream: Stream | None = None
    parts: tuple[Part, ...] = ()
    passed: Passed | None = None
    body: bytes = b""

    @classmethod
    def at_hand(cls, answer: FileResponse) -> Self:
        """An answer whose parts are all in memory."""
        body = b"".join(part for part in answer.parts if isinstance(part, bytes))
        return cls(answer.status, answer.headers, body=body)

    @classmethod
    def of_problem(cls, problem: ProblemResponse) -> Self:
        """A problem document."""
        return cls(problem.status, problem.headers, body=problem.body)


type Route = Callable[[DirectRequest, Exchange], Awaitable[DirectResponse]]


class StreamedResponse(Response):
    """An answer on its way through Quart."""

    def __init__(self, direct: DirectResponse) -> None:
        super().__init__(direct.body, status=direct.status)
        self.headers.clear()
        self.headers.extend(direct.headers)
        self.direct = direct


async def _through_quart(route: Route, body: bytes = b"") -> Response:
    """What a route returns to the request that Quart handles."""
    held = exchange()
    return StreamedResponse(await route(DirectRequest.of(cast("HTTPScope", request.scope), held, body), held))


def byte_route(blueprint: Blueprint, *rules: str) -> Callable[[Route], Route]:
    """Register a function for GET and HEAD of `rules`, directly and through the framework."""

    def register(route: Route) -> Route:
        async def view(**_: Any) -> Response:
            return await _through_quart(route)

        view.route = route  # type: ignore[attr-defined] # where `_match_anew` looks
        for rule in rules:
            blueprint.add_url_rule(rule, route.__name__, view)
        return route

    return register


def owner_route(blueprint: Blueprint, method: str, rule: str) -> Callable[[Route], Route]:
    """Register a function for a method that changes something: direct in the owner of the data, else through it."""

    def register(route: Route) -> Route:
        @by_the_owner
        async def view(**_: Any) -> Response:
            return await _through_quart(route, cast("bytes", await request.get_data()))

        view.route = route  # type: ignore[attr-defined] # where `_match_anew` looks
        blueprint.add_url_rule(rule, route.__name__, view, methods=[method])
        return route

    return register


def or_by_the_owner(route: Route) -> Route:
    """Let the owner of the data answer where the route finds that only it can."""

    @wraps(route)
    async def wherever(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
        try:
            return await route(asked, exchange)
        except NotTheOwner:
            if exchange.services.owner.mine or exchange.is_local:  # it would be asked again, and again
                raise
        path = asked.raw_path.decode("latin-1") + (f"?{asked.query.decode('latin-1')}" if asked.query else "")
        ask = partial(
            ask_the_owner, exchange.services, asked.method, path, asked.fields, patience=MAKING_PATIENCE
        )
        passed = await exchange.attend(ask)
        return DirectResponse(passed.status, passed.headers, passed=passed)

    return wherever


class DirectRoutes:
    """The direct routes of an application, by its URL map."""

    def __init__(self, app: Quart, settings: Settings) -> None:
        self._on = settings.direct
        self._views = app.view_functions
        self._urls = app.url_map.bind("localhost")
        self._match = lru_cache(maxsize=ROUTES)(self._match_anew)

    def find(self, scope: HTTPScope, services: Services) -> Route | None:
        """The direct route that answers, if it is one that does; who mounts the application elsewhere has none.

        A change is made directly where the connection sends its body and nothing else needs to listen to it.
        """
        if not self._on or scope["method"] not in METHODS or scope["root_path"] or scope["path"][:1] != "/":
            return None
        if scope["method"] not in SAFE_METHODS and not (
            LEAVING in scope["extensions"] and services.owner.mine
        ):
            return None
        path = scope["path"]
        match = self._match if len(path) <= LONGEST_PATH else self._match_anew
        return match(path, scope["method"])

    def _match_anew(self, path: str, method: str) -> Route | None:
        try:
            endpoint, _ = self._urls.match(path, method)
        except (HTTPException, RequestRedirect):
            return None
        return cast("Route | None", getattr(self._views[endpoint], "route", None))

    async def respond(self, route: Route, scope: HTTPScope, exchange: Exchange) -> DirectResponse:
        """What `route` returns, or a problem document. Raises `ClientGone`."""
        try:
            body = b"" if scope["method"] in SAFE_METHODS else await exchange.take_body()
            return await route(DirectRequest.of(scope, exchange, body), exchange)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - a client is told of any
            return DirectResponse.of_problem(describe(error))
