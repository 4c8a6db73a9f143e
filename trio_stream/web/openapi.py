"""The description of everything this server answers, as OpenAPI 3.1. `/docs` is rendered from it.

OpenAPI has no WebSockets: theirs is a path without operations and with the extension `x-websocket`. Two more
extensions are for people: `x-codeSamples` has a command to try each operation with, `x-problems` all codes.
"""

from typing import Any

from trio_stream import __version__
from trio_stream.http.ranges import MAX_SPANS
from trio_stream.telemetry.prometheus import CONTENT_TYPE as PROMETHEUS
from trio_stream.web import sockets
from trio_stream.web.openapi_parts import (
    Json,
    body,
    header,
    json_answer,
    operation,
    parameter,
    problem_answer,
    ref,
    text,
    whole,
)
from trio_stream.web.schemas import NAME, problems, schemas

EXAMPLE = "http://localhost:8000"
"""Where the server of the examples runs."""

SAMPLE = "Films/Big Buck Bunny.mp4"

ABOUT = """\
A video streaming server: the videos of one folder, over HTTP with byte ranges and over WebSocket.

Whatever answers `GET` answers `HEAD` as well, without the body. Every error is a problem document (RFC 9457),
whose `code` never changes its meaning. Pages of other sites may use the API where the operator allows their
origin.

A name in a path keeps its slashes and is percent-encoded otherwise; `/api/videos` has the paths ready.\
"""

AGAIN: Json = {"Retry-After": {"description": "Seconds to wait.", "schema": whole("Seconds."), "example": 5}}

SOCKET = f"""\
Every client gets the bytes as binary messages, in order, then the close code {sockets.NORMAL}. A client that
asks for the subprotocol `{sockets.SUBPROTOCOL}` also gets JSON text messages, and may send some. Without it,
what the client sends is ignored.

A seek takes effect between two binary messages; a new `start` tells the bytes before it from those after it.
A client that sent {sockets.MOST_MISTAKES} messages without a meaning is let go.\
"""


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
            {"name": "Videos", "description": "What there is, and its bytes."},
            {"name": "Streams", "description": "Who is served now."},
            {"name": "Health and figures", "description": "For whoever watches over the server."},
            {"name": "Pages", "description": "For people with a browser, and this description."},
        ],
        "paths": _videos() | _websocket() | _streams() | _figures() | _pages(),
        "components": {"schemas": schemas()},
        "x-problems": problems(),
    }


def _name(about: str) -> Json:
    return parameter("name", "path", {"type": "string"}, about, example=SAMPLE)


def _videos() -> Json:
    listing = operation(
        "listVideos",
        "Videos",
        "All videos of the library",
        f"curl {EXAMPLE}/api/videos",
        {
            "200": json_answer("The library.", "Videos"),
            "500": problem_answer("The folder of videos cannot be read."),
            "503": problem_answer("It cannot be read now: too many files are open.", AGAIN),
        },
        description="Read anew each time. A video is told by its suffix; hidden files are left out.",
    )
    about = {
        "streamVideo": ("/api/stream/{name}", "The bytes of a video"),
        "streamVideoRange": ("/api/stream-range/{name}", "The same bytes under another path"),
    }
    return {"/api/videos": {"get": listing}} | {
        path: {
            "parameters": [_name("The name of a video, percent-encoded; its slashes may stay.")],
            "get": _stream(id_, summary, path, with_body=True),
            "head": _stream(f"{id_}Head", "The headers alone", path, with_body=False),
        }
        for id_, (path, summary) in about.items()
    }


def _stream(id_: str, summary: str, path: str, *, with_body: bool) -> Json:
    """GET or HEAD of a video (RFC 9110 sections 13 and 14)."""
    url = EXAMPLE + path.replace("{name}", SAMPLE.replace(" ", "%20"))
    tag, date = '"b15222265c88429fa4beca6c"', "Sun, 22 Nov 2026 13:17:00 GMT"
    etag = {
        "ETag": header("A strong entity-tag of the content.", tag),
        "Last-Modified": header("When the file last changed.", date),
        "Cache-Control": header("A copy may be kept, and has to be checked.", "no-cache"),
    }
    whole_video = {
        "Content-Length": header("Bytes of the body.", "11665961"),
        "Accept-Ranges": header("Ranges of bytes are served.", "bytes"),
        **etag,
    }
    of = {
        "Content-Range": header("Which bytes of how many, unless there are several.", "bytes 0-99/11665961")
    }
    size = {"Content-Range": header("How many bytes there are.", "bytes */11665961")}
    content = body("video/*")
    responses: Json = {
        "200": {"description": "The whole video.", "headers": whole_video, "content": content},
        "304": {"description": "You have it already.", "headers": etag},
        "404": problem_answer("There is no such video."),
        "412": problem_answer("The video is not the one you have.", etag),
        "503": problem_answer("Too many files are open; ask again later.", AGAIN),
    }
    conditions = [
        ("If-None-Match", "Nothing is sent (304) when the video still has one of these entity-tags.", tag),
        (
            "If-Modified-Since",
            "Without `If-None-Match`: nothing is sent (304) unless it changed since.",
            date,
        ),
        ("If-Match", "Nothing is sent (412) unless the video has one of these entity-tags.", tag),
        ("If-Unmodified-Since", "Without `If-Match`: nothing is sent (412) if it changed since.", date),
    ]
    if with_body:
        conditions = [
            ("Range", f"The bytes to send, up to {MAX_SPANS} separate ranges.", "bytes=0-99"),
            ("If-Range", "The whole video is sent instead of `Range` unless this validator still fits.", tag),
            *conditions,
        ]
        responses["206"] = {
            "description": "The ranges asked for; several of them as `multipart/byteranges`.",
            "headers": of | whole_video,
            "content": content | body("multipart/byteranges"),
        }
        responses["416"] = problem_answer("Nothing of the video lies in the ranges asked for.", size)
        responses["503"] = problem_answer(
            "All places are taken, or too many files are open; ask again later.", AGAIN
        )
    return operation(
        id_,
        "Videos",
        summary,
        f"curl -r 0-99 -o part.mp4 {url}" if with_body else f"curl -I {url}",
        dict(sorted(responses.items())),
        parameters=[
            parameter("download", "query", text("`1` or `0`."), "Ask browsers to save it."),
            *(
                parameter(name, "header", {"type": "string"}, about, example=example)
                for name, about, example in conditions
            ),
        ],
    )


def _websocket() -> Json:
    offset = {"type": "integer", "minimum": 0}
    closes = (
        (sockets.NORMAL, "All bytes went."),
        (sockets.GOING_AWAY, "The stream was ended from the server's side; the reason says why."),
        (sockets.INTERNAL_ERROR, "The file changed or could not be read; the reason says which."),
        (sockets.TRY_AGAIN_LATER, "All places are taken; come back later."),
    )
    return {
        "/api/ws/stream/{name}": {
            "summary": "The bytes of a video over WebSocket",
            "description": SOCKET,
            "parameters": [
                _name("The name of a video, percent-encoded; its slashes may stay."),
                parameter("start", "query", offset, "First byte to send.", example=0),
                parameter("end", "query", offset, "First byte not to send; the size if left out."),
            ],
            "x-websocket": {
                "tag": "Videos",
                "subprotocol": sockets.SUBPROTOCOL,
                "fromServer": [ref("StartMessage"), ref("EndMessage"), ref("ErrorMessage")],
                "fromClient": [ref("SeekMessage"), ref("PauseMessage"), ref("ResumeMessage")],
                "closeCodes": [{"code": code, "description": about} for code, about in closes],
                "handshake": {
                    "101": {"description": "It begins."},
                    "400": problem_answer("`start` or `end` are no numbers of bytes, or backwards."),
                    "403": problem_answer("The page is another site's, and its origin is not allowed."),
                    "404": problem_answer("There is no such video."),
                    "416": problem_answer("`start` lies behind the end of the video."),
                    "503": problem_answer("Too many files are open; ask again later.", AGAIN),
                },
                "conversation": [
                    {"from": "server", "text": '{"type": "start", "offset": 0, "end": 11665961, …}'},
                    {"from": "server", "text": "binary: the first bytes, then more of them"},
                    {"from": "client", "text": '{"type": "seek", "offset": 8000000}'},
                    {"from": "server", "text": '{"type": "start", "offset": 8000000, "end": 11665961, …}'},
                    {"from": "server", "text": "binary: bytes 8,000,000 and on, up to the end"},
                    {"from": "server", "text": '{"type": "end", "offset": 11665961}'},
                    {"from": "server", "text": "close 1000"},
                ],
            },
        }
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
                    "403": problem_answer("The page is another site's, and its origin is not allowed."),
                    "404": problem_answer("No such stream is running."),
                },
                parameters=[parameter("id", "path", {"type": "string"}, "The id of the stream.")],
            )
        },
    }


def _figures() -> Json:
    def get(id_: str, path: str, summary: str, responses: Json) -> Json:
        return {
            path: {"get": operation(id_, "Health and figures", summary, f"curl {EXAMPLE}{path}", responses)}
        }

    text_format = {"description": "Prometheus text.", "content": body(PROMETHEUS, {"type": "string"})}
    dead = problem_answer("Some of its background services have died; the detail names them.")
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
    )


def _pages() -> Json:
    def get(id_: str, path: str, summary: str, responses: Json, curl: str = "", **more: Any) -> Json:
        curl = curl or f"curl {EXAMPLE}{path}"
        return {path: {"get": operation(id_, "Pages", summary, curl, responses, **more)}}

    def html(about: str) -> Json:
        return {"description": about, "content": body("text/html", {"type": "string"})}

    home = html("The page for browsers, who name `text/html` in `Accept`; health for everyone else.")
    home["content"] |= body("application/json", ref("Health"))
    unread = html("The folder of videos cannot be read; the page says so.")
    chosen = parameter("v", "query", NAME, "The video to begin with.", example=SAMPLE)
    busy = problem_answer("The folder cannot be read now: too many files are open.", AGAIN)
    file = parameter("file", "path", {"type": "string"}, "The name of the file.", example="page.css")
    same = {"description": "You have it already (`If-None-Match`)."}
    unknown = problem_answer("There is no such file.")
    description = {
        "description": "This description.",
        "content": body("application/json", {"type": "object"}),
    }
    return (
        get(
            "home",
            "/",
            "The player and the library",
            {"200": home, "500": unread, "503": busy},
            parameters=[chosen],
        )
        | get("docs", "/docs", "This documentation", {"200": html("The page."), "304": same})
        | get("openapi", "/openapi.json", "This description", {"200": description, "304": same})
        | get(
            "asset",
            "/static/{file}",
            "What the pages need to look good",
            {"200": {"description": "The file."}, "304": same, "404": unknown},
            f"curl {EXAMPLE}/static/page.css",
            parameters=[file],
        )
    )
