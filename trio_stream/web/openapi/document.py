"""The OpenAPI 3.1 document, built from the declarations of the routes and their URLs. `/docs` is rendered from it.

OpenAPI does not cover WebSockets: they have a path without operations and with the extension `x-websocket`. Two more
extensions are for people: `x-codeSamples` has a command that tries each operation, `x-problems` lists all codes.
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
    me,
    metrics,
    playlists,
    presentation,
    sockets,
    streams,
    videos,
    watch_state,
)
from trio_stream.web.api.wire import operations as declarations
from trio_stream.web.api.wire.operations import ByteOperation, Declaration, Operation, Socket, declared
from trio_stream.web.openapi.operations import body_types, byte_operations, operation, path_parameters, socket
from trio_stream.web.openapi.problems import problems
from trio_stream.web.openapi.schemas import Json, components
from trio_stream.web.site import docs, health, player
from trio_stream.web.site.build import DIST

ABOUT = """\
A video streaming server: it serves the videos of one folder over HTTP, with byte ranges, and over WebSocket.

Every `GET` route also supports `HEAD`. Every error is a problem document (RFC 9457), whose `code` never changes its
meaning. Pages of other sites may use the API if the operator allows their origin.

The server serves only the machine that it runs on, unless its operator lets everybody view. `x-verb` of an operation
is what the sender of a request must be allowed to do: `GET /api/me` returns what you may do. Anybody may call an
operation without it. Otherwise the status is 403.

A name in a path keeps its slashes and is percent-encoded otherwise; `/api/videos` returns complete paths.

A video has an id, which stays the same when its file is renamed or moved, and a revision, which changes with its
bytes. Dates are ISO 8601 in UTC; positions and durations are in seconds; unknown values are `null`.

A body with unknown members or invalid values is refused. Unknown query parameters are ignored; if a parameter occurs
twice, the first one counts. A body is parsed as JSON, whatever its `Content-Type`. Later versions may return more
members: ignore those that you do not know.

Lists are split into pages if `limit` or `cursor` is given: `next` is the cursor of the next page, or `null` at the
end. Items that are added or removed between two pages do not affect the other items.\
"""

TAGS = {
    declarations.VIDEOS: "Videos, their details, and their bytes.",
    declarations.WATCH_STATE: "Playheads and the watch history.",
    declarations.LIBRARY: "Scans of the folder, and background jobs.",
    declarations.STREAMS: "The streams that are running.",
    declarations.ACCESS: "Who you are, and what you may do.",
    declarations.HEALTH: "Monitoring of the server.",
    declarations.PAGES: "Pages for browsers, and this description.",
}

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+?)_?>")
"""A variable part of a rule. Its name may end in `_` if it would hide a builtin of Python."""


def blueprints(site: player.Player) -> tuple[Blueprint, ...]:
    """The blueprints of the API and of the pages, with the player of `site`."""
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
        me.blueprint,
        health.blueprint,
        docs.blueprint(document),
        site.blueprint,
    )


def document() -> Json:
    """Build the document."""
    paths: Json = {}
    kinds: list[object] = [Problem]
    for path, method, declaration in _routes():
        item = paths.setdefault(path, {})
        match declaration:
            case Operation():
                item |= path_parameters(path, declaration.path) | {method: operation(path, declaration)}
            case ByteOperation():
                item |= path_parameters(path, declaration.path) | byte_operations(path, declaration)
            case Socket():
                item |= socket(path, declaration)
        kinds += body_types(declaration)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trio Stream",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {"schemas": components(kinds)},
        "x-problems": problems(),
    }


def _routes() -> Iterator[tuple[str, str, Declaration]]:
    """Each path with its method and its declaration. Raises `ValueError` if a path or declaration lacks the other."""
    app = Quart("trio_stream", static_folder=None)
    app.url_map.converters["video"] = streams.VideoConverter
    for blueprint in blueprints(player.Player(DIST)):
        app.register_blueprint(blueprint)
    rules: dict[str, list[Rule]] = {}
    for rule in app.url_map.iter_rules():
        rules.setdefault(rule.endpoint, []).append(rule)
    for endpoint, endpoint_rules in rules.items():
        for rule, declaration in zip(endpoint_rules, declared(app.view_functions[endpoint]), strict=True):
            (method,) = {"GET"} if rule.websocket else (rule.methods or set()) - {"HEAD", "OPTIONS"}
            yield _VARIABLE.sub(r"{\1}", rule.rule), method.lower(), declaration
