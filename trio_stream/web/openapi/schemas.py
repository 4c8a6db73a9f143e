"""The shapes that cross the wire, as JSON Schema 2020-12, and what each problem means."""

from trio_stream.errors import TrioStreamError
from trio_stream.http.ranges import MAX_RANGES
from trio_stream.streaming.stream import Ending
from trio_stream.telemetry.history import LENGTH
from trio_stream.web.api.feeds import LONGEST_TIME
from trio_stream.web.api.sockets import LARGEST_MESSAGE
from trio_stream.web.api.videos import DETAILED, LONGEST_LIST
from trio_stream.web.openapi import videos
from trio_stream.web.openapi.parts import (
    NAME,
    OK,
    Json,
    listing,
    nullable,
    number,
    object_of,
    ref,
    text,
    whole,
    with_more,
)
from trio_stream.web.openapi.videos import urls, video


def _tagged(kind: str, about: str, properties: Json | None = None) -> Json:
    return object_of(about, {"type": {"type": "string", "const": kind}, **(properties or {})})


def _from_client(kind: str, about: str, properties: Json | None = None) -> Json:
    """A message of a client; what else is in it is ignored."""
    return with_more(_tagged(kind, about, properties))


STATUS = {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."}
CODE = text(
    "A stable word for programs; all of them are listed under Problems.", examples=["video-not-found"]
)
DETAIL = text("A sentence for people.")


def schemas() -> Json:
    """All of them, by name."""
    return _http() | videos.schemas() | _messages()


def _http() -> Json:
    return {
        "Problem": with_more(  # RFC 9457 section 3.2: a client ignores members that it does not know
            object_of(
                "What went wrong (RFC 9457), as `application/problem+json`.",
                {
                    "type": text("Where this is explained.", format="uri-reference"),
                    "title": text("The name of the HTTP status.", examples=["Not Found"]),
                    "status": STATUS,
                    "detail": DETAIL,
                    "code": CODE,
                },
            )
        ),
        "Health": object_of(
            "The server answers.",
            {"name": text("Always `Trio Stream`."), "version": text("Its version."), "status": OK},
        ),
        "Ready": object_of("The server and all its background services work.", {"status": OK}),
        "Videos": object_of(
            "The library.",
            {
                "videos": listing("The names, in natural order.", NAME, maxItems=LONGEST_LIST),
                "items": listing(f"The first {DETAILED} of them in detail.", ref("Video"), maxItems=DETAILED),
                "next": nullable(
                    text(
                        f"The cursor of the page that goes on where there are more than {LONGEST_LIST:,} names."
                    )
                ),
                "status": OK,
            },
        ),
        "Video": object_of(
            "One video, as it is in the folder.",
            video()
            | {
                "urls": object_of(
                    "Where to get it, ready to use: percent-encoded, relative to the server.", urls()
                )
            },
        ),
        "Streams": object_of(
            "What is streaming now.",
            {"streams": listing("The oldest first.", ref("Stream")), "status": OK},
        ),
        "Stream": object_of(
            "One running stream.",
            {
                "id": text("Names it for `DELETE /api/streams/{id}`.", examples=["8e83768fea6f800f"]),
                "owner": text("The address of the client."),
                "name": NAME,
                "transport": {
                    "type": "string",
                    "enum": ["http", "websocket"],
                    "description": "How it is sent.",
                },
                "start": whole("First byte that was asked for."),
                "stop": whole("First byte after those that were asked for."),
                "bytes_sent": whole("Bytes sent so far."),
                "chunks_sent": whole("Pieces they were sent in."),
                "age": number("Seconds since it began."),
                "buffered": whole("Bytes read but not yet sent."),
                "peak_buffer": whole("The most there ever were of those."),
            },
        ),
        "Metrics": _metrics(),
    } | _live()


def _metrics() -> Json:
    endings = {str(ending): whole(f"Streams that ended as {ending}.") for ending in Ending}
    return object_of(
        "Figures since the server started. `mb` is a million bytes, `mbps` a million bits per second.",
        {
            "uptime_seconds": number("Seconds since the server started."),
            "bytes_sent": whole("Bytes of video sent."),
            "mb_sent": number("The same in millions of bytes."),
            "chunks_sent": whole("Pieces they were sent in."),
            "throughput_mbps": number("Millions of bits sent per second, over the last ten seconds."),
            "active_streams": whole("Streams running now."),
            "max_streams": whole("Streams that may run at once."),
            "streams_started": whole("Streams started."),
            "streams_refused": whole("Streams refused because all places were taken."),
            "streams_ended": object_of("Streams ended, by how.", endings),
            "windows_warm": whole("Windows of files that were in memory already."),
            "windows_cold": whole("Windows of files that were fetched from the disk."),
            "disk_threads_waiting": whole("Threads waiting for a disk now."),
            "open_files": whole("Files open for streaming now."),
            "mapped_mb": number("Address space mapped for streaming, in millions of bytes."),
            "memory_mb": number("Resident memory, in millions of bytes."),
            "cpu_percent": number("Processor time in percent of one core, over the last second."),
            "descriptors": whole("Open file descriptors."),
            "tasks": whole("Trio tasks."),
            "status": OK,
        },
    )


def _live() -> Json:
    """The data of the events of `/api/live`."""
    members = {
        "cpu": number("Processor time in percent of one core."),
        "memory": whole("Resident memory in bytes."),
        "bytes_per_second": whole("Bytes of video sent a second, since the sample before."),
        "streams": whole("Streams running."),
    }
    time = whole("When, in milliseconds since 1970.")
    kept = {name: listing("For each sample, the oldest first.", each) for name, each in members.items()}
    times = listing("When each sample was taken, the oldest first.", time, maxItems=LENGTH - 1)
    return {
        "LiveHistory": object_of(
            "The data of a `history` event: the samples of the last ten minutes but for the newest, a list for each "
            "of their members. All lists are as long as `times`.",
            {"times": times} | kept,
        ),
        "LiveSample": object_of("What the process did in one second.", {"time": time} | members),
        "LiveNow": object_of(
            "The data of a `now` event.",
            {
                "sample": ref("LiveSample"),
                "uptime_seconds": number("Seconds since the server started."),
                "bytes_sent": whole("Bytes of video sent since then."),
                "max_streams": whole("Streams that may run at once."),
                "streams": listing("What is streaming now, the oldest first.", ref("Stream")),
            },
        ),
    }


def _messages() -> Json:
    """The JSON text messages of the WebSocket protocol."""
    return {
        "StartMessage": _tagged(
            "start",
            "The binary messages from here on are the bytes from `offset`.",
            {
                "offset": whole("The first byte that follows."),
                "end": whole("The first byte that will not be sent any more."),
                "size": whole("Bytes of the whole video."),
                "content_type": text("Its media type."),
                "etag": text("Its entity-tag, the one HTTP has too."),
                "chunk_size": whole("Bytes a binary message has at most.", examples=[LARGEST_MESSAGE]),
            },
        ),
        "EndMessage": _tagged(
            "end", "All bytes went; the close code 1000 follows.", {"offset": whole("Where they ended.")}
        ),
        "ErrorMessage": _tagged(
            "error",
            "A message of yours had no meaning, or the stream failed; then a close code follows.",
            {"status": STATUS, "code": CODE, "detail": DETAIL},
        ),
        "SeekMessage": _from_client(
            "seek",
            "Go on from another byte. A new `start` divides the bytes before from those after it.",
            {"offset": whole("A byte within the part that was asked for.")},
        ),
        "FragmentsStartMessage": _tagged(
            "start",
            "With `format=fmp4`: an init segment follows, then the segments from here on.",
            {
                "segment": whole("The number of the segment that follows."),
                "segments": whole("How many there are."),
                "time": number("Seconds at which it begins."),
                "duration": number("Seconds of the film."),
                "mime": text("What a source buffer is asked for."),
                "size": whole("Bytes of the file it is made of."),
                "content_type": text("The media type of the file."),
                "etag": text("The entity-tag of the file, the one HTTP has too."),
                "chunk_size": whole("Bytes a binary message has at most.", examples=[LARGEST_MESSAGE]),
            },
        ),
        "FragmentsEndMessage": _tagged(
            "end",
            "With `format=fmp4`: all segments went; the close code 1000 follows.",
            {"segment": whole("How many there are.")},
        ),
        "FragmentsSeekMessage": _from_client(
            "seek",
            "With `format=fmp4`: go on from another time, with a new `start`.",
            {"time": number("Seconds from the beginning.", exclusiveMaximum=LONGEST_TIME)},
        ),
        "PauseMessage": _from_client("pause", "Send nothing more for now."),
        "ResumeMessage": _from_client("resume", "Go on."),
    }


NOT_OURS = {
    "not-found": (404, "There is nothing under this path."),
    "method-not-allowed": (405, "The path is right, the method is not; `Allow` lists those that are."),
    "request-entity-too-large": (413, "The body of the request is larger than what is taken there."),
    "not-ready": (503, "A background service of the server has died, and will begin again; streams go on."),
}
"""What goes wrong in HTTP rather than in our domain, by code."""

MEANINGS = {
    "wrong-host": "The name in `Host` is none of this server's; no path returns anything else then.",
    "internal-error": "The server failed.",
    "precondition-failed": "`If-Match` or `If-Unmodified-Since` asked for what has changed.",
    "not-the-owner": "The process that owns the library's data is not there just now; another one takes over.",
    "store-error": "The database failed.",
    "store-unusable": "The database cannot be used, as when its disk is away or read only.",
    "store-conflict": "The change contradicts what is in the database.",
    "too-many-streams": "All streams this server may send at once are in use.",
    "too-many-listeners": "As many clients follow server-sent events as may at once.",
    "library-away": "The folder of videos is not there or cannot be read, as when its disk is away.",
    "too-many-files": "As many files and connections are open as this server may have.",
}
"""Where the words of the code are not for those who use the API."""

UNSENT = frozenset(
    {
        *("wrong-setting", "data-in-use", "client-gone", "client-stalled"),
        *("store-error", "store-damaged"),
    }
)
"""Codes for the operator: none of these has a client left, or yet, to be told."""

REMEDIES = {
    "internal-error": "Look into the log of the server; please report it if the log blames the server.",
    "wrong-setting": "The server says which one when it is started, and does not start.",
    "bad-request": "The detail says what would have a meaning.",
    "file-not-found": "Take the addresses from `/api/videos/{id}`, which has those of now.",
    "wrong-host": "Let the operator add the name to `TRIO_STREAM_HOSTS`.",
    "foreign-origin": "Let the operator add the origin to `TRIO_STREAM_CORS_ORIGINS`.",
    "video-not-found": "Take names, or better the ready-made URLs, from `/api/videos`.",
    "stream-not-found": "It has ended already, which is as good.",
    "range-not-satisfiable": f"`Content-Range` has the size. At most {MAX_RANGES} separate ranges are served.",
    "data-in-use": "Stop the other one, or give this one a `TRIO_STREAM_DATA` of its own.",
    "not-the-owner": "Ask again after as many seconds as `Retry-After` says.",
    "request-entity-too-large": "Send less at once: an export may be cut between any two entries.",
    "store-conflict": "Fetch what is there, and look again at what you want.",
    "store-damaged": "Restore a copy of the database, or move it away to begin with an empty one.",
    "store-error": "The log of the server says what failed.",
    "store-full": "Make room on the disk of the database; streams go on meanwhile.",
    "store-unavailable": "Ask again after as many seconds as `Retry-After` says; streams go on meanwhile.",
    "store-unusable": "See to the disk of the database and the rights there, as the detail says; streams go on.",
    "too-many-streams": "Ask again after as many seconds as `Retry-After` says.",
    "too-many-listeners": "Close pages that nobody looks at; ask again after as many seconds as `Retry-After` says.",
    "library-away": "Look at the disk of the videos; once it is back, all is as it was.",
    "too-many-files": "Ask again after as many seconds as `Retry-After` says.",
    "source-changed": "Start over: what you have is of a file that is gone. Over HTTP the body breaks off.",
    "source-unreadable": "The disk or the network behind the library failed. Over HTTP the body breaks off.",
    "media-unreadable": "Play the file elsewhere: if it plays, please report it; the detail says what is wrong.",
    "segment-too-large": "Play the file itself: from one keyframe to the next there is more than is sent at once.",
    "media-worker-failed": "Nothing is wrong with the file: ask again; the log says what failed.",
    "client-gone": "There is nobody left to answer.",
    "client-stalled": "Raise `TRIO_STREAM_SEND_TIMEOUT` if clients need longer.",
    "not-found": "All paths there are stand above.",
    "not-ready": "Restart the server when it is convenient; its log says what happened.",
    "precondition-failed": "Fetch it anew, without the condition.",
}
"""What to do about it, where that is worth saying, by code."""


def problems() -> list[Json]:
    """Every code a client, or the operator, can meet: its status, its meaning and what to do."""
    errors = sorted(dict.fromkeys(_family(TrioStreamError)), key=lambda each: (each.status, each.code))
    found = [(each.code, each.status, _meaning(each)) for each in errors]
    found += [(code, status, meaning) for code, (status, meaning) in NOT_OURS.items()]
    return [
        {
            "code": code,
            "status": None if code in UNSENT else status,
            "meaning": meaning,
            "remedy": REMEDIES.get(code, ""),
        }
        for code, status, meaning in sorted(found, key=lambda each: each[1])
    ]


def _family(error: type[TrioStreamError]) -> list[type[TrioStreamError]]:
    return [error, *(each for child in error.__subclasses__() for each in _family(child))]


def _meaning(error: type[TrioStreamError]) -> str:
    return MEANINGS.get(error.code) or " ".join((error.__doc__ or "").split("\n\n")[0].split())
