"""The description of everything this server answers, as OpenAPI 3.1: what is declared beside the routes, by their URLs.
`/docs` is rendered from it.

OpenAPI has no WebSockets: theirs is a path without operations and with the extension `x-websocket`. Two more
extensions are for people: `x-codeSamples` has a command to try each operation with, `x-problems` all codes.
"""

import re
from collections.abc import Iterator

from quart import Blueprint, Quart
from werkzeug.routing import Rule

from trio_stream import __version__
from trio_stream.http.problems import Problem
from trio_stream.web.api import (
    derived,
    library,
    live,
    metrics,
    playlists,
    presentation,
    sockets,
    streams,
    videos,
    watch_state,
)
from trio_stream.web.api.wire import operations as declarations
from trio_stream.web.api.wire.operations import Declaration, Operation, Sends, Socket, declared
from trio_stream.web.openapi.operations import kinds_of, operation, places, sends, socket
from trio_stream.web.openapi.problems import problems
from trio_stream.web.openapi.schemas import Json, components
from trio_stream.web.site import docs, health, player
from trio_stream.web.site.build import DIST

ABOUT = """\
A video streaming server: the videos of one folder, over HTTP with byte ranges and over WebSocket.

Whatever answers `GET` answers `HEAD` as well, without the body. Every error is a problem document (RFC 9457),
whose `code` never changes its meaning. Pages of other sites may use the API where the operator allows their
origin.

A name in a path keeps its slashes and is percent-encoded otherwise; `/api/videos` has the paths ready.

A video has an id, which stays with it when its file is renamed or moved, and a revision, which changes with its
bytes. Moments are ISO 8601 in UTC; positions and durations are seconds; what is not known is `null`.

A member of a body that is not described is refused, and so is what a value may not be. A parameter of a query that is
not described is ignored; of one that is there twice, the first counts. A body is read as JSON whatever its
`Content-Type` says. A later version may have more members in what it returns: ignore those that you do not know.

A list comes in pages where `limit` or `cursor` is asked for: `next` is the cursor of the next page, or `null` at the
end. What comes or goes between two pages disturbs no other item.\
"""

TAGS = {
    declarations.VIDEOS: "What there is, what is known of it, and its bytes.",
    declarations.WATCH_STATE: "Where you stopped, and what you have seen.",
    declarations.LIBRARY: "How the videos are looked at, and what is being made of them.",
    declarations.STREAMS: "Who is served now.",
    declarations.HEALTH: "For whoever watches over the server.",
    declarations.PAGES: "For people with a browser, and this description.",
}

_PLACE = re.compile(r"<(?:\w+:)?(\w+?)_?>")
"""A variable part of a rule, whose name may end in `_` where it would hide one of Python's."""


def blueprints(site: player.Player) -> tuple[Blueprint, ...]:
    """All parts of the API, and the pages with the player of `site`."""
    return (
        videos.blueprint,
        library.blueprint,
        streams.blueprint,
        sockets.blueprint,
        derived.blueprint,
        playlists.blueprint,
        presentation.blueprint,
        watch_state.blueprint,
        metrics.blueprint,
        live.blueprint(),
        health.blueprint,
        docs.blueprint(document),
        site.blueprint,
    )


def document() -> Json:
    """The whole description."""
    paths: Json = {}
    kinds: list[object] = [Problem]
    for path, method, about in _routes():
        here = paths.setdefault(path, {})
        match about:
            case Operation():
                here |= places(path, about.places) | {method: operation(path, about)}
            case Sends():
                here |= places(path, about.places) | sends(path, about)
            case Socket():
                here |= socket(path, about)
        kinds += kinds_of(about)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trio Stream",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {"schemas": components(kinds)},
        "x-problems": problems(),
    }


def _routes() -> Iterator[tuple[str, str, Declaration]]:
    """Each path with its method and what is declared of it. Raises `ValueError` where one is without the other."""
    app = Quart("trio_stream", static_folder=None)
    app.url_map.converters["video"] = streams.VideoConverter
    for blueprint in blueprints(player.Player(DIST)):
        app.register_blueprint(blueprint)
    rules: dict[str, list[Rule]] = {}
    for rule in app.url_map.iter_rules():
        rules.setdefault(rule.endpoint, []).append(rule)
    for endpoint, some in rules.items():
        for rule, about in zip(some, declared(app.view_functions[endpoint]), strict=True):
            (method,) = {"GET"} if rule.websocket else (rule.methods or set()) - {"HEAD", "OPTIONS"}
            yield _PLACE.sub(r"{\1}", rule.rule), method.lower(), about
