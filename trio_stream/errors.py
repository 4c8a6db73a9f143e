"""The closed set of things that can go wrong, in the words of the domain.

Each error carries what an edge needs to answer a client (`status`, a stable `code`) and never builds a
response itself. Foreign exceptions are turned into one of these once, where they enter the package.
"""

from traceback import clear_frames
from typing import ClassVar


class TrioStreamError(Exception):
    """Anything this package raises on purpose.

    `status` is the HTTP status that fits, `code` a stable word for programs, `str(error)` a sentence for people. After
    `retry_after` seconds it may be another matter; None where it will not.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    retry_after: ClassVar[int | None] = None


class SettingsError(TrioStreamError):
    """A setting that cannot be used; the message names the setting, the value and what would do."""

    code = "wrong-setting"


class DataInUse(SettingsError):
    """Another server, or a command, owns the data folder."""

    code = "data-in-use"


class CannotListen(TrioStreamError):
    """An address at which the server cannot listen, or a certificate that it cannot use; the message names it."""

    code = "cannot-listen"


class BadRequest(TrioStreamError):
    """Input that has no meaning here."""

    status = 400
    code = "bad-request"


class ForeignOrigin(TrioStreamError):
    """A page of another site asked for something only our own pages, or configured origins, may ask for."""

    status = 403
    code = "foreign-origin"


class WrongHost(TrioStreamError):
    """A request under a name that is none of this server's (RFC 9110 section 15.5.20)."""

    status = 421
    code = "wrong-host"


class VideoNotFound(TrioStreamError):
    """No video of that name; also every name that must not be told apart from it."""

    status = 404
    code = "video-not-found"


class DerivedNotFound(TrioStreamError):
    """No such picture or subtitle was made of the video as it is now."""

    status = 404
    code = "file-not-found"


class StreamNotFound(TrioStreamError):
    """No stream of that id is running."""

    status = 404
    code = "stream-not-found"


class PreconditionFailed(TrioStreamError):
    """The client asked about another state of what is there; `fields` have its validators (RFC 9110 section 13)."""

    status = 412
    code = "precondition-failed"

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("what is there is not what you have")
        self.fields = fields


class RangeNotSatisfiable(TrioStreamError):
    """No byte of the representation was asked for (RFC 9110 section 15.5.17)."""

    status = 416
    code = "range-not-satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"the range lies outside the {size} bytes there are")
        self.size = size


class TooManyStreams(TrioStreamError):
    """Every place is taken."""

    status = 503
    code = "too-many-streams"
    retry_after = 5

    def __init__(self, limit: int) -> None:
        super().__init__(f"all {limit} streams this server may send at once are in use")
        self.limit = limit


class TooManyListeners(TrioStreamError):
    """As many follow events as may."""

    status = 503
    code = "too-many-listeners"
    retry_after = 5

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} clients follow events already, which is as many as may")
        self.limit = limit


class TooManyFiles(TrioStreamError):
    """No file can be opened: the server, or its system, has as many open as it may."""

    status = 503
    code = "too-many-files"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("as many files and connections are open as this server may have")


class LibraryAway(TrioStreamError):
    """The folder of videos is not there or cannot be read, as when its disk is away."""

    status = 503
    code = "library-away"
    retry_after = 5

    def __init__(self, reason: str) -> None:
        super().__init__(f"the folder of videos cannot be read: {reason}")


class NotTheOwner(TrioStreamError):
    """Another process owns the data; this one takes over, or reaches it, in a moment."""

    status = 503
    code = "not-the-owner"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("the process that writes is not there now")


class StoreError(TrioStreamError):
    """The database did not do what it was asked; the message never holds a password."""

    code = "store-error"


class StoreUnavailable(StoreError):
    """The database cannot be used now: it is locked, not reached, or closing."""

    status = 503
    code = "store-unavailable"
    retry_after = 5


class StoreFull(StoreUnavailable):
    """There is no room for what should be written; what was written before is unharmed."""

    status = 507
    code = "store-full"


class StoreConflict(StoreError):
    """A change breaks a rule of the tables: something there already, or something it refers to is not there."""

    status = 409
    code = "store-conflict"


class StoreDamaged(StoreError):
    """The database holds what no database writes, or is none; nothing was changed in it."""

    code = "store-damaged"


class StoreUnusable(StoreError, SettingsError):
    """The database that was chosen cannot be used until a person does something; the message says what.

    No server starts with it. One that serves goes on, as when the disk of its data is away or read only.
    """

    status = 503
    code = "store-unusable"
    retry_after = 5


class SourceChanged(TrioStreamError):
    """The file behind a stream was truncated or rewritten in place while it was being sent."""

    code = "source-changed"


class SourceUnreadable(TrioStreamError):
    """The file behind a stream could not be read any further (an error of the disk or the network)."""

    code = "source-unreadable"


class ClientGone(TrioStreamError, OSError):
    """The other side of the connection is not there any more."""

    code = "client-gone"


class ClientStalled(TrioStreamError, OSError):
    """The other side took nothing for longer than a stalled client may."""

    code = "client-stalled"


class MediaUnreadable(TrioStreamError):
    """What is in a file cannot be read as media, and will not be until the file changes; the message says why."""

    status = 422
    code = "media-unreadable"


class SegmentTooLarge(MediaUnreadable):
    """A segment would have more bytes than are made at once. Nothing is damaged: all of it is in the file itself."""

    code = "segment-too-large"


class Unpackageable(TrioStreamError):
    """A video that cannot be sent in segments as it is, which may play all the same; the message says why."""

    status = 422
    code = "unpackageable"


class Encrypted(Unpackageable):
    """A video that nobody can be sent in any way so that they could play it."""

    code = "encrypted"


class MediaWorkerFailed(TrioStreamError):
    """A file could not be looked at, for a reason of this server's: nothing is known of the file. Try again later."""

    status = 503
    code = "media-worker-failed"
    retry_after = 5


TROUBLE_OF_ALL = (LibraryAway, StoreUnavailable, StoreDamaged, StoreUnusable, TooManyFiles)
"""What is no fault of the one thing that is worked on: whoever works through many has to stop for a while."""


def first_error[E: Exception](group: ExceptionGroup[E]) -> E:
    """The first of the errors in `group`, however deep."""
    error: E | ExceptionGroup[E] = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def again[E: Exception](error: E) -> E:
    """Another instance of an error, caused by it: raised in a task of its own.

    One that is raised in many tasks has the tracebacks of all of them, and keeps alive what those tasks held.
    """
    other = type(error).__new__(type(error), *error.args)
    other.__dict__.update(error.__dict__)
    other.__cause__ = error
    return other


def let_go(error: BaseException) -> None:
    """Break the cycles through `error`: frames it has passed through that keep it, and what it was raised for.

    For what a framework keeps in such frames while it looks who handles it. All that a viewer held hangs on them.
    """
    clear_frames(error.__traceback__)
    error.__context__ = None
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            let_go(each)
