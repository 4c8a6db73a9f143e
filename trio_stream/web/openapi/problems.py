"""Every code that a problem can have: its status and its words from the classes of errors, and what to do about it."""

from trio_stream.errors import TrioStreamError
from trio_stream.http.ranges import MAX_RANGES
from trio_stream.web.openapi.schemas import Json

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
