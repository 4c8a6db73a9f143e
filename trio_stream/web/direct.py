"""Routes that answer with the bytes of a file: without Quart's request and response, which cost more than the bytes.

Such a route is a function from what was asked to what is answered, and knows nothing of the framework. It is in
the framework's URL map all the same, and can be called through it (`TRIO_STREAM_DIRECT=0`): there, hooks of an
application that was built around this one see its requests, which directly they do not.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import parse_qsl

from hypercorn.typing import HTTPScope
from quart import Blueprint, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from trio_stream.http.bodies import Part
from trio_stream.http.cors import response_headers
from trio_stream.streaming.stream import Stream
from trio_stream.web.exchange import Exchange, combined, exchange
from trio_stream.web.problems import Headers, describe

if TYPE_CHECKING:
    from trio_stream.app import TrioStream

METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A GET or HEAD: the path as the client spelt it, and its header fields as `combined` gives them."""

    method: str
    raw_path: bytes
    query: bytes
    fields: Mapping[str, str]

    @classmethod
    def of(cls, scope: HTTPScope) -> Self:
        """What the request of `scope` asks."""
        return cls(scope["method"], scope["raw_path"], scope["query_string"], combined(scope))

    def flag(self, name: str) -> bool:
        """Whether the query has `name` with a value other than nothing and 0."""
        if not self.query:
            return False
        return dict(parse_qsl(self.query.decode("latin-1"))).get(name, "0") != "0"


@dataclass(frozen=True, slots=True)
class Answered:
    """A response: the parts of a file that `stream` sends, or else `body`."""

    status: int
    headers: Headers
    stream: Stream | None = None
    parts: tuple[Part, ...] = ()
    body: bytes = b""


type Route = Callable[[Asked, Exchange], Awaitable[Answered]]


class StreamedResponse(Response):
    """An answer on its way through Quart."""

    def __init__(self, answered: Answered) -> None:
        super().__init__(answered.body, status=answered.status)
        self.headers.clear()
        self.headers.extend(answered.headers)
        self.answered = answered


def byte_route(blueprint: Blueprint, *rules: str) -> Callable[[Route], Route]:
    """Register a function for GET and HEAD of `rules`, directly and through the framework."""

    def register(route: Route) -> Route:
        async def view(**_: Any) -> Response:
            return StreamedResponse(await route(Asked.of(cast("HTTPScope", request.scope)), exchange()))

        view.route = route  # type: ignore[attr-defined]
        for rule in rules:
            blueprint.add_url_rule(rule, route.__name__, view)
        return route

    return register


class DirectRoutes:
    """The byte routes of an application, by its URL map."""

    def __init__(self, app: "TrioStream") -> None:
        self._on = app.settings.direct
        self._origins = app.settings.cors_origins
        self._views = app.view_functions
        self._urls = app.url_map.bind("localhost")
        self._match = lru_cache(maxsize=1024)(self._match_anew)

    def find(self, scope: HTTPScope) -> Route | None:
        """The byte route that answers, if it is one that does; who mounts the application elsewhere has none."""
        if not self._on or scope["method"] not in METHODS or scope["root_path"] or scope["path"][:1] != "/":
            return None
        return self._match(scope["path"], scope["method"])

    def _match_anew(self, path: str, method: str) -> Route | None:
        try:
            endpoint, _ = self._urls.match(path, method)
        except (HTTPException, RequestRedirect):
            return None
        return cast("Route | None", getattr(self._views[endpoint], "route", None))

    async def answer(self, route: Route, scope: HTTPScope, exchange: Exchange) -> Answered:
        """What `route` answers, or what is wrong, with the headers that every response has."""
        asked = Asked.of(scope)
        try:
            answered = await route(asked, exchange)
        except Exception as error:  # noqa: BLE001 - a client is told of any
            problem = describe(error)
            answered = Answered(problem.status, problem.headers, body=problem.body)
        if self._origins:
            shared = response_headers(asked.fields.get("origin"), self._origins)
            answered = replace(answered, headers=(*answered.headers, *shared))
        return answered
