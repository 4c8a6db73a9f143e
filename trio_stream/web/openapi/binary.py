"""The description of what answers with bytes: over HTTP, with ranges and preconditions, and over WebSocket."""

from dataclasses import dataclass

from trio_stream.http.ranges import MAX_RANGES
from trio_stream.http.representation import ASK_FIRST, FOR_EVER
from trio_stream.library.background.derived import SUFFIXES
from trio_stream.web.api import sockets
from trio_stream.web.api.feeds import LONGEST_OFFSET, LONGEST_TIME
from trio_stream.web.openapi.parts import (
    AGAIN,
    EXAMPLE,
    FOREIGN,
    ID,
    MADE,
    REVISION,
    SAMPLE,
    Json,
    body,
    header,
    operation,
    parameter,
    problem_answer,
    ref,
    text,
)

SOCKET = f"""\
Every client gets the bytes as binary messages, in order, then the close code {sockets.NORMAL}. A client that
asks for the subprotocol `{sockets.SUBPROTOCOL}` also gets JSON text messages, and may send some. Without it,
what the client sends is ignored.

A seek takes effect between two binary messages; a new `start` tells the bytes before it from those after it.
A client that sent {sockets.MOST_MISTAKES} messages without a meaning is let go.\
"""


_NAME = parameter(
    "name",
    "path",
    {"type": "string"},
    "The name of a video, percent-encoded; its slashes may stay.",
    example=SAMPLE,
)


@dataclass(frozen=True, slots=True)
class Thing:
    """What the bytes are: of a video, whose file may change, or of a file that was made, which never does."""

    noun: str
    content: Json
    example: str
    caching: Json
    size: int
    full: str
    """When no stream of it can begin."""
    name: str = SAMPLE.replace(" ", "%20")
    """What stands for `{name}` in an example."""
    refused: str | None = None
    """Why there may be none of a video that there is."""


_VIDEO = Thing(
    noun="video",
    content=body("video/*"),
    example="part.mp4",
    caching=header("A copy may be kept, and has to be checked.", ASK_FIRST),
    size=11665961,
    full="All places are taken, or too many files are open; ask again later.",
)
_FILE = Thing(
    noun="file",
    content={kind: {} for kind in SUFFIXES.values()},
    example="poster.jpg",
    caching=header("A copy is good for ever.", FOR_EVER),
    size=31415,
    full="Too many files are open, or the videos are away; ask again later.",
    name=f"poster-{MADE}.jpg",
)


def video_bytes() -> Json:
    """The routes that send videos."""
    about = {
        "streamVideo": ("/api/stream/{name}", "The bytes of a video", _NAME),
        "streamVideoRange": ("/api/stream-range/{name}", "The same bytes under another path", _NAME),
        "videoFile": ("/api/videos/{id}/file", "The same bytes by the id of the video", ID),
    }
    return {
        path: {
            "parameters": [which],
            "get": bytes_operation(id_, summary, path, _VIDEO, with_body=True),
            "head": bytes_operation(f"{id_}Head", "The headers alone", path, _VIDEO, with_body=False),
        }
        for id_, (path, summary, which) in about.items()
    }


def made_files() -> Json:
    """The route of what was made of a video."""
    path = "/api/videos/{id}/r/{revision}/{name}"
    name = parameter(
        "name",
        "path",
        {"type": "string"},
        "Its kind, and a digest of its bytes.",
        example=f"poster-{MADE}.jpg",
    )
    revision = parameter(
        "revision", "path", {"type": "string"}, "The revision of the video it was made of.", example=REVISION
    )
    about = (
        "Posters, sheets of preview tiles with their WebVTT track, and subtitles. Take the addresses from the video: "
        "each stands for these bytes and no others, and answers 404 once the video has other bytes. These files take "
        "no place of a stream."
    )
    return {
        path: {
            "parameters": [ID, revision, name],
            "get": bytes_operation("madeFile", "A file that was made of a video", path, _FILE, with_body=True)
            | {"description": about},
            "head": bytes_operation("madeFileHead", "The headers alone", path, _FILE, with_body=False),
        }
    }


TAG, DATE = '"b15222265c88429fa4beca6c"', "Sun, 22 Nov 2026 13:17:00 GMT"


def conditions(noun: str, *, with_body: bool) -> list[Json]:
    """The header fields that mean something to whatever has an entity-tag (RFC 9110 sections 13 and 14)."""
    found = [
        ("If-None-Match", f"Nothing is sent (304) when the {noun} still has one of these entity-tags.", TAG),
        (
            "If-Modified-Since",
            "Without `If-None-Match`: nothing is sent (304) unless it changed since.",
            DATE,
        ),
        ("If-Match", f"Nothing is sent (412) unless the {noun} has one of these entity-tags.", TAG),
        ("If-Unmodified-Since", "Without `If-Match`: nothing is sent (412) if it changed since.", DATE),
    ]
    if with_body:
        found = [
            ("Range", f"The bytes to send, up to {MAX_RANGES} separate ranges.", "bytes=0-99"),
            (
                "If-Range",
                f"The whole {noun} is sent instead of `Range` unless this validator still fits.",
                TAG,
            ),
            *found,
        ]
    return [
        parameter(name, "header", {"type": "string"}, about, example=example)
        for name, about, example in found
    ]


def conditional_answers(noun: str, content: Json, headers: Json) -> Json:
    """What is answered to these, besides 200: by a page or file in memory, with the `headers` of 200."""
    current = {"ETag": header("A strong entity-tag of the content.", TAG)}
    return {
        "206": {
            "description": "The ranges asked for; several of them as `multipart/byteranges`.",
            "headers": headers | current,
            "content": content | body("multipart/byteranges"),
        },
        "304": {"description": "You have it already.", "headers": headers | current},
        "412": problem_answer(f"The {noun} is not the one you have.", current),
        "416": problem_answer(
            f"Nothing of the {noun} lies in the ranges asked for.",
            {"Content-Range": header("How many bytes there are.", "bytes */31415")},
        ),
    }


def bytes_operation(id_: str, summary: str, path: str, thing: Thing, *, with_body: bool) -> Json:
    """GET or HEAD of a file (RFC 9110 sections 13 and 14)."""
    url = EXAMPLE + path
    for place, value in (
        ("name", thing.name),
        ("id", ID["example"]),
        ("revision", REVISION),
        ("rendition", "v1"),
    ):
        url = url.replace(f"{{{place}}}", value)
    noun = thing.noun
    current = {
        "ETag": header("A strong entity-tag of the content.", TAG),
        "Last-Modified": header("When the file last changed.", DATE),
    }
    etag = current | {"Cache-Control": thing.caching}
    whole_file = {
        "Content-Length": header("Bytes of the body.", f"{thing.size}"),
        "Accept-Ranges": header("Ranges of bytes are served.", "bytes"),
        **etag,
    }
    of = {
        "Content-Range": header(
            "Which bytes of how many, unless there are several.", f"bytes 0-99/{thing.size}"
        )
    }
    size = {"Content-Range": header("How many bytes there are.", f"bytes */{thing.size}")}
    responses: Json = {
        "200": {"description": f"The whole {noun}.", "headers": whole_file, "content": thing.content},
        "304": {"description": "You have it already.", "headers": etag},
        "404": problem_answer(f"There is no such {noun}."),
        "412": problem_answer(f"The {noun} is not the one you have.", current),
        "503": problem_answer("Too many files are open, or the videos are away; ask again later.", AGAIN),
    }
    if thing.refused is not None:
        responses["422"] = problem_answer(thing.refused)
    if with_body:
        responses["206"] = {
            "description": "The ranges asked for; several of them as `multipart/byteranges`.",
            "headers": of | whole_file,
            "content": thing.content | body("multipart/byteranges"),
        }
        responses["416"] = problem_answer(f"Nothing of the {noun} lies in the ranges asked for.", size)
        responses["503"] = problem_answer(thing.full, AGAIN)
    return operation(
        id_,
        "Videos",
        summary,
        f"curl -r 0-99 -o {thing.example} {url}" if with_body else f"curl -I {url}",
        dict(sorted(responses.items())),
        parameters=[
            parameter("download", "query", text("`1` or `0`."), "Ask browsers to save it."),
            *conditions(noun, with_body=with_body),
        ],
    )


def websocket() -> Json:
    """The bytes of a video over WebSocket."""
    offset = {"type": "integer", "minimum": 0, "maximum": LONGEST_OFFSET}
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
                _NAME,
                parameter("start", "query", offset, "First byte to send.", example=0),
                parameter("end", "query", offset, "First byte not to send; the size if left out."),
                parameter(
                    "format",
                    "query",
                    {"const": "fmp4"},
                    "Send the film as fragmented MP4, the pictures and one sound: what a page can append as it comes. "
                    "Places in it are times; `start` and `end` mean nothing then.",
                ),
                parameter(
                    "time",
                    "query",
                    {"type": "number", "minimum": 0, "exclusiveMaximum": LONGEST_TIME},
                    "With `format`: seconds to begin at.",
                ),
                parameter(
                    "audio",
                    "query",
                    {"type": "string"},
                    "With `format`: the rendition of sound, as in the playlist.",
                ),
            ],
            "x-websocket": {
                "tag": "Videos",
                "subprotocol": sockets.SUBPROTOCOL,
                "fromServer": [
                    *(ref("StartMessage"), ref("EndMessage"), ref("ErrorMessage")),
                    *(ref("FragmentsStartMessage"), ref("FragmentsEndMessage")),
                ],
                "fromClient": [
                    *(ref("SeekMessage"), ref("PauseMessage"), ref("ResumeMessage")),
                    ref("FragmentsSeekMessage"),
                ],
                "closeCodes": [{"code": code, "description": about} for code, about in closes],
                "handshake": {
                    "101": {"description": "It begins."},
                    "400": problem_answer("`start`, `end`, `time`, `format` or `audio` has no meaning."),
                    "403": FOREIGN,
                    "404": problem_answer("There is no such video."),
                    "416": problem_answer("`start` or `time` lies behind the end of the video."),
                    "422": problem_answer("It cannot be sent in segments; the detail says why."),
                    "503": problem_answer(
                        "Too many files are open, or the videos are away; ask again later.", AGAIN
                    ),
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
