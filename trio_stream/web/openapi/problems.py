"""All codes of problems: status and meaning from the classes of errors, and what to do about each."""

from trio_stream.errors import TrioStreamError
from trio_stream.http.ranges import MAX_RANGES
from trio_stream.web.openapi.schemas import Json

OTHER_PROBLEMS = {
    "not-found": (404, "There is no such path."),
    "method-not-allowed": (405, "The path does not support this method; `Allow` lists the supported ones."),
    "request-entity-too-large": (413, "The body of the request is too large."),
    "not-ready": (503, "A background service of the server has died and will restart; streams continue."),
}
"""Problems that have no class of errors, by code."""

MEANINGS = {
    "wrong-host": "The name in `Host` is not a name of this server. Every path returns this.",
    "not-open": "You are on another machine, and the server serves only its own.",
    "internal-error": "The server failed.",
    "precondition-failed": "The condition of `If-Match` or `If-Unmodified-Since` is not met.",
    "not-the-owner": "The process that owns the data of the library is not running; another one takes over.",
    "store-error": "The database failed.",
    "store-unusable": "The database cannot be used, for example because its disk is not mounted, or is read-only.",
    "store-conflict": "The change conflicts with the contents of the database.",
    "too-many-streams": "The server has reached its limit of streams.",
    "too-many-listeners": "The server has reached its limit of clients that listen to server-sent events.",
    "library-away": "The folder of videos is missing or cannot be read, for example because its disk is not mounted.",
    "too-many-files": "The server has reached its limit of open files and connections.",
}
"""Meanings for users of the API, where the docstring of the error is not written for them."""

UNSENT = frozenset(
    {
        *("wrong-setting", "data-in-use", "client-gone", "client-stalled"),
        *("store-error", "store-damaged"),
    }
)
"""Codes for the operator, which no client receives: there is no client, or it gets `internal-error` instead."""

REMEDIES = {
    "internal-error": "Look at the log of the server, and please report it if it is a bug.",
    "wrong-setting": "The server does not start; its error message names the setting.",
    "bad-request": "The detail says what is expected.",
    "file-not-found": "Take the current addresses from `/api/videos/{id}`.",
    "wrong-host": "The operator can add the name to `TRIO_STREAM_HOSTS`.",
    "foreign-origin": "The operator can add the origin to `TRIO_STREAM_CORS_ORIGINS`.",
    "not-open": "The operator can let everybody view with `TRIO_STREAM_ANONYMOUS=view`. The detail says more.",
    "not-allowed": "Do it on the machine that the server runs on.",
    "video-not-found": "Take names, or better the complete URLs, from `/api/videos`.",
    "stream-not-found": "The stream has already ended.",
    "range-not-satisfiable": f"`Content-Range` has the size. At most {MAX_RANGES} separate ranges are allowed.",
    "data-in-use": "Stop the other process, or set another `TRIO_STREAM_DATA` for this one.",
    "not-the-owner": "Try again after the seconds in `Retry-After`.",
    "request-entity-too-large": "Send less at once: an export may be split between any two entries.",
    "store-conflict": "Fetch the current state and decide again.",
    "store-damaged": "Restore a backup of the database, or move it away to start with an empty one.",
    "store-error": "The log of the server says what failed.",
    "store-full": "Free space on the disk of the database; streams continue.",
    "store-unavailable": "Try again after the seconds in `Retry-After`; streams continue.",
    "store-unusable": "Check the disk of the database and its permissions, as the detail says; streams continue.",
    "too-many-streams": "Try again after the seconds in `Retry-After`.",
    "too-many-listeners": "Close pages that you do not need, and try again after the seconds in `Retry-After`.",
    "library-away": "Check the disk of the videos. Once it is back, nothing is lost.",
    "too-many-files": "Try again after the seconds in `Retry-After`.",
    "source-changed": "Start over: your data is from a file that no longer exists. Over HTTP the body is cut off.",
    "source-unreadable": "The disk or the network of the library failed. Over HTTP the body is cut off.",
    "media-unreadable": "The detail says what is wrong. If another player plays the file, please report it.",
    "segment-too-large": "Play the file itself: the data between two keyframes exceeds the limit of a segment.",
    "media-worker-failed": "Try again after the seconds in `Retry-After`; the log says what failed.",
    "client-gone": "There is no client left to respond to.",
    "client-stalled": "Raise `TRIO_STREAM_SEND_TIMEOUT` if clients need longer.",
    "not-found": "All paths are listed above.",
    "not-ready": "Restart the server when it is convenient; its log says what happened.",
    "precondition-failed": "Fetch the current version, without the condition.",
}
"""What to do about a problem, by code, where there is something to say."""


def problems() -> list[Json]:
    """Every code that a client or the operator can encounter: its status, its meaning and what to do."""
    errors = sorted(
        dict.fromkeys(_with_subclasses(TrioStreamError)), key=lambda error: (error.status, error.code)
    )
    codes = [(error.code, error.status, _meaning(error)) for error in errors]
    codes += [(code, status, meaning) for code, (status, meaning) in OTHER_PROBLEMS.items()]
    return [
        {
            "code": code,
            "status": None if code in UNSENT else status,
            "meaning": meaning,
            "remedy": REMEDIES.get(code, ""),
        }
        for code, status, meaning in sorted(codes, key=lambda problem: problem[1])
    ]


def _with_subclasses(error: type[TrioStreamError]) -> list[type[TrioStreamError]]:
    subclasses = error.__subclasses__()
    return [error, *(descendant for child in subclasses for descendant in _with_subclasses(child))]


def _meaning(error: type[TrioStreamError]) -> str:
    return MEANINGS.get(error.code) or " ".join((error.__doc__ or "").split("\n\n")[0].split())
