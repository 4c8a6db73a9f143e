"""The description of everything this server answers, as OpenAPI 3.1. `/docs` is rendered from it.

OpenAPI has no WebSockets: theirs is a path without operations and with the extension `x-websocket`. Two more
extensions are for people: `x-codeSamples` has a command to try each operation with, `x-problems` all codes.
"""

from trio_stream import __version__
from trio_stream.services import LISTENERS
from trio_stream.telemetry.prometheus import CONTENT_TYPE as PROMETHEUS
from trio_stream.web.openapi.binary import conditional_answers, conditions, made_files, video_bytes, websocket
from trio_stream.web.openapi.library import library, watching
from trio_stream.web.openapi.parts import (
    AGAIN,
    EXAMPLE,
    FOREIGN,
    ID_FORM,
    SAMPLE_ID,
    Json,
    body,
    events_answer,
    header,
    json_answer,
    operation,
    parameter,
    problem_answer,
    ref,
)
from trio_stream.web.openapi.schemas import problems, schemas
from trio_stream.web.openapi.segments import packaged

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

IMMUTABLE = "public, max-age=31536000, immutable"
SCRIPT = "index-DpJZya73.js"

_ANY = parameter(
    "id",
    "path",
    {"type": "string"},
    "The id of a video; the page itself says if there is none.",
    example=SAMPLE_ID,
)


def document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trio Stream",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "Videos", "description": "What there is, what is known of it, and its bytes."},
            {"name": "Watch state", "description": "Where you stopped, and what you have seen."},
            {
                "name": "Library",
                "description": "How the videos are looked at, and what is being made of them.",
            },
            {"name": "Streams", "description": "Who is served now."},
            {"name": "Health and figures", "description": "For whoever watches over the server."},
            {"name": "Pages", "description": "For people with a browser, and this description."},
        ],
        "paths": library()
        | video_bytes()
        | made_files()
        | packaged()
        | websocket()
        | _streams()
        | watching()
        | _figures()
        | _pages(),
        "components": {"schemas": schemas()},
        "x-problems": problems(),
    }


def _streams() -> Json:
    return {
        "/api/streams": {
            "get": operation(
                "listStreams",
                "Streams",
                "What is streaming now",
                f"curl {EXAMPLE}/api/streams",
                {"200": json_answer("All running streams.", "Streams")},
            )
        },
        "/api/streams/{id}": {
            "delete": operation(
                "endStream",
                "Streams",
                "End a stream at once",
                f"curl -X DELETE {EXAMPLE}/api/streams/8e83768fea6f800f",
                {
                    "204": {"description": "It has ended."},
                    "403": FOREIGN,
                    "404": problem_answer("No such stream is running."),
                },
                parameters=[
                    parameter("id", "path", {"type": "string", "pattern": ID_FORM}, "The id of the stream.")
                ],
            )
        },
    }


def _figures() -> Json:
    def get(id_: str, path: str, summary: str, responses: Json) -> Json:
        return {
            path: {"get": operation(id_, "Health and figures", summary, f"curl {EXAMPLE}{path}", responses)}
        }

    text_format = {"description": "Prometheus text.", "content": body(PROMETHEUS, {"type": "string"})}
    dead = problem_answer(
        "Background services, which the detail names, have died; or the videos cannot be read."
    )
    return (
        get("metrics", "/api/metrics", "Figures as JSON", {"200": json_answer("Figures.", "Metrics")})
        | get("metricsText", "/metrics", "Figures for Prometheus", {"200": text_format})
        | get("healthz", "/healthz", "Does the server answer?", {"200": json_answer("It does.", "Health")})
        | get(
            "readyz",
            "/readyz",
            "Does all of it work?",
            {"200": json_answer("It does.", "Ready"), "503": dead},
        )
        | {"/api/live": {"get": _live()}}
    )


def _live() -> Json:
    return operation(
        "live",
        "Health and figures",
        "What the server does, as it happens",
        f"curl -N {EXAMPLE}/api/live",
        {
            "200": events_answer(),
            "503": problem_answer("Too many listen to events already; ask again later.", AGAIN),
        },
        description="Server-sent events, until you leave or the server stops. First comes `history`, whose data is "
        "`LiveHistory` as JSON, and right after it and then each second `now`, whose data is `LiveNow`: its sample is "
        "the next one after those you have. Who is slow misses some; their times tell.\n\n"
        "All of it is about the process that answers; a server with several workers has several. "
        f"{LISTENERS} clients of a process may listen to events at once.",
    )


def _pages() -> Json:
    def get(
        id_: str, path: str, summary: str, responses: Json, curl: str = "", parameters: tuple[Json, ...] = ()
    ) -> Json:
        curl = curl or f"curl {EXAMPLE}{path}"
        taken = [*parameters, *conditions("file", with_body=True)]
        whole = responses["200"]
        responses |= conditional_answers("file", whole.get("content", {}), whole.get("headers", {}))
        found = dict(sorted(responses.items()))
        return {path: {"get": operation(id_, "Pages", summary, curl, found, parameters=taken)}}

    def html(about: str) -> Json:
        return {"description": about, "content": body("text/html", {"type": "string"})}

    page = html("The page.")
    home = html("The page for browsers, who name `text/html` in `Accept`; health for everyone else.")
    home["content"] |= body("application/json", ref("Health"))
    unbuilt = html("The player is not built; the page says how to do that.")
    shown = {"200": page, "503": unbuilt}
    file = parameter("file", "path", {"type": "string"}, "The name of the file.", example="page.css")
    unknown = problem_answer("There is no such file.")
    asset = {"description": "The file.", "headers": {"Cache-Control": header("For good.", IMMUTABLE)}}
    hashed = parameter(
        "file", "path", {"type": "string"}, "Its name, with a hash of what is in it.", example=SCRIPT
    )
    description = {
        "description": "This description.",
        "content": body("application/json", {"type": "object"}),
    }
    return (
        get("home", "/", "The library", {"200": home})
        | get(
            "watchPage",
            "/watch/{id}",
            "One video",
            shown,
            f"curl {EXAMPLE}/watch/{SAMPLE_ID}",
            parameters=(_ANY,),
        )
        | get(
            "socketPage",
            "/socket/{id}",
            "One video, by WebSocket",
            shown,
            f"curl {EXAMPLE}/socket/{SAMPLE_ID}",
            parameters=(_ANY,),
        )
        | get("livePage", "/live", "What goes on in the server", shown)
        | get(
            "playerAsset",
            "/assets/{file}",
            "What these pages load",
            {"200": asset, "404": unknown},
            f"curl --compressed {EXAMPLE}/assets/{SCRIPT}",
            parameters=(hashed,),
        )
        | get("docs", "/docs", "This documentation", {"200": html("The page.")})
        | get("openapi", "/openapi.json", "This description", {"200": description})
        | get(
            "asset",
            "/static/{file}",
            "What the documentation needs to look good",
            {"200": {"description": "The file."}, "404": unknown},
            f"curl {EXAMPLE}/static/page.css",
            parameters=(file,),
        )
    )
