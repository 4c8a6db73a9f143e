"""All errors of this package.

Each error carries what the web layer needs to respond to a client (`status`, a stable `code`) and never builds a
response itself. Exceptions of other libraries are translated into one of these once, where they enter the package.
"""

from traceback import clear_frames
from typing import ClassVar


class TrioStreamError(Exception):
    """The base class of all errors that this package raises.

    `status` is the HTTP status, `code` a stable word for programs, `str(error)` a sentence for people. A client may
    try again after `retry_after` seconds; None if that does not help.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    retry_after: ClassVar[int | None] = None


class SettingsError(TrioStreamError):
    """A setting has an invalid value. The message names the setting, the value and what would be valid."""

    code = "wrong-setting"


class DataInUse(SettingsError):
    """Another server, or a command, is using the data folder."""

    code = "data-in-use"


class CannotListen(TrioStreamError):
    """The server cannot listen at an address, or cannot use a certificate. The message names it."""

    code = "cannot-listen"


class BadRequest(TrioStreamError):
    """The request is invalid."""

    status = 400
    code = "bad-request"


class ForeignOrigin(TrioStreamError):
    """A page of another site requested something that only our own pages, or configured origins, may request."""

    status = 403
    code = "foreign-origin"


class NotOpen(TrioStreamError):
    """The request comes from another machine, and the server serves only its own."""

    status = 403
    code = "not-open"


class NotAllowed(TrioStreamError):
    """Whoever sent the request may not do this."""

    status = 403
    code = "not-allowed"


class WrongHost(TrioStreamError):
    """The request names a host that is not this server (RFC 9110 section 15.5.20)."""

    status = 421
    code = "wrong-host"


class VideoNotFound(TrioStreamError):
    """There is no such video.

    Also raised for files whose existence clients must not learn about.
    """

    status = 404
    code = "video-not-found"


class DerivedNotFound(TrioStreamError):
    """There is no such derived file, playlist or segment of the current revision of the video."""

    status = 404
    code = "file-not-found"


class StreamNotFound(TrioStreamError):
    """No stream with that id is running."""

    status = 404
    code = "stream-not-found"


class PreconditionFailed(TrioStreamError):
    """A precondition of the request failed; `fields` have the current validators (RFC 9110 section 13)."""

    status = 412
    code = "precondition-failed"

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("the condition of the request is not met")
        self.fields = fields


class RangeNotSatisfiable(TrioStreamError):
    """No requested range overlaps the representation, or there are too many ranges (RFC 9110 section 15.5.17)."""

    status = 416
    code = "range-not-satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"the range is not satisfiable: the content ends at {size}")
        self.size = size


class TooManyStreams(TrioStreamError):
    """The server has reached its limit of streams."""

    status = 503
    code = "too-many-streams"
    retry_after = 5

    def __init__(self, limit: int) -> None:
        super().__init__(f"the limit of streams ({limit}) is reached")
        self.limit = limit


class TooManyListeners(TrioStreamError):
    """The server has reached its limit of clients that listen to server-sent events."""

    status = 503
    code = "too-many-listeners"
    retry_after = 5

    def __init__(self, limit: int) -> None:
        super().__init__(f"the limit of clients that listen to events ({limit}) is reached")
        self.limit = limit


class TooManyFiles(TrioStreamError):
    """No file can be opened: the server or the operating system has reached its limit of open files."""

    status = 503
    code = "too-many-files"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("the server has reached its limit of open files and connections")


class LibraryAway(TrioStreamError):
    """The folder of videos is missing or cannot be read, for example because its disk is not mounted."""

    status = 503
    code = "library-away"
    retry_after = 5

    def __init__(self, reason: str) -> None:
        super().__init__(f"the folder of videos cannot be read: {reason}")


class NotTheOwner(TrioStreamError):
    """Another process owns the data and cannot be reached now. It, or its successor, will soon be reachable."""

    status = 503
    code = "not-the-owner"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("the database writer is not running")


class StoreError(TrioStreamError):
    """A database operation failed. The message never contains a password."""

    code = "store-error"


class StoreUnavailable(StoreError):
    """The database cannot be used now: it is locked, unreachable, or closing."""

    status = 503
    code = "store-unavailable"
    retry_after = 5


class StoreFull(StoreUnavailable):
    """The disk of the database is full. Data written before is intact."""

    status = 507
    code = "store-full"


class StoreConflict(StoreError):
    """A change violates a constraint of the tables: a row already exists, or a row it refers to does not exist."""

    status = 409
    code = "store-conflict"


class StoreDamaged(StoreError):
    """The file of the database is damaged, or is not a database. It was not changed."""

    code = "store-damaged"


class StoreUnusable(StoreError, SettingsError):
    """The configured database cannot be used until the operator does something; the message says what.

    A server does not start with it. A running server continues, for example when the disk of its data is not mounted,
    or is read-only.
    """

    status = 503
    code = "store-unusable"
    retry_after = 5


class SourceChanged(TrioStreamError):
    """The file behind a stream was truncated or rewritten in place while it was being sent."""

    code = "source-changed"


class SourceUnreadable(TrioStreamError):
    """The file behind a stream could no longer be read, because of a disk or network error."""

    code = "source-unreadable"


class ClientGone(TrioStreamError, OSError):
    """The client has closed the connection, or the connection broke."""

    code = "client-gone"


class ClientStalled(TrioStreamError, OSError):
    """The client accepted no data for longer than the timeout for stalled clients."""

    code = "client-stalled"


class MediaUnreadable(TrioStreamError):
    """A file cannot be parsed as media; the message says why. It stays unreadable until it changes."""

    status = 422
    code = "media-unreadable"


class SegmentTooLarge(MediaUnreadable):
    """A segment would exceed the size limit. Nothing is damaged: the file itself can be played."""

    code = "segment-too-large"


class Unpackageable(TrioStreamError):
    """A video cannot be packaged into segments without transcoding. The file may still play; the message says why."""

    status = 422
    code = "unpackageable"


class Encrypted(Unpackageable):
    """A video is encrypted, so no client can play it."""

    code = "encrypted"


class MediaWorkerFailed(TrioStreamError):
    """The sandbox failed to process a file, which says nothing about the file itself."""

    status = 503
    code = "media-worker-failed"
    retry_after = 5


SHARED_FAILURES = (LibraryAway, StoreUnavailable, StoreDamaged, StoreUnusable, TooManyFiles)
"""Errors that affect all videos, and not only the current one: a loop over many videos must stop for a while."""


def first_error[E: Exception](group: ExceptionGroup[E]) -> E:
    """The first leaf error in `group`, at any depth."""
    error: E | ExceptionGroup[E] = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def copy_of[E: Exception](error: E) -> E:
    """A new instance of an error, with the original as its cause, to be raised in another task.

    An instance that is raised in several tasks collects the tracebacks of all of them, and keeps alive the objects in
    their frames.
    """
    copy = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    copy.__cause__ = error
    return copy


def release_traceback(error: BaseException) -> None:
    """Break the reference cycles through `error`: clear the frames of its traceback, and drop its context.

    A framework keeps the error in such frames while it looks for a handler. They keep alive everything that the request
    held.
    """
    clear_frames(error.__traceback__)
    error.__context__ = None
    if isinstance(error, BaseExceptionGroup):
        for child in error.exceptions:
            release_traceback(child)
