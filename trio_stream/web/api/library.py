"""The library as a whole: how many videos it has, and the progress of scans and background jobs."""

from functools import partial

from quart import Blueprint, Response

from trio_stream.accounts.grants import Verb
from trio_stream.errors import NotTheOwner
from trio_stream.library.records import grouping
from trio_stream.library.records.folders import count
from trio_stream.library.scan import progress
from trio_stream.library.scan.folder_scanner import MAX_REPORTED
from trio_stream.store import Connection
from trio_stream.web.api import shapes
from trio_stream.web.api.wire.library import Library, Progress, ScanRequested, TitleProblem
from trio_stream.web.api.wire.operations import (
    FOREIGN,
    LIBRARY,
    NO_OWNER,
    Operation,
    declares,
    events,
    json_of,
    returns_json,
)
from trio_stream.web.asgi.events import PING, EventStream, event, server_sent
from trio_stream.web.asgi.exchange import exchange, services
from trio_stream.web.asgi.owner import owner_only

blueprint = Blueprint("library", __name__)


@blueprint.get("/api/library")
@owner_only
@returns_json(
    Operation(
        id="library",
        tag=LIBRARY,
        summary="Get the state of the library",
        verb=Verb.WATCH,
        description="The number of videos, and the progress of scans and background jobs.",
        returns=(json_of("The library.", Library),),
        raises=(NO_OWNER,),
    )
)
async def summary() -> Library:
    """The number of videos, and the progress of scans and background jobs."""
    edits = Verb.EDIT in exchange().grant.verbs
    titles, problems = await services().database.read(_summary)
    return Library(
        videos=titles["videos"],
        missing=titles["missing"],
        folders=titles["folders"],
        folder=shapes.printable(str(services().settings.videos)) if edits else "",
        **shapes.progress_of(services().owner.get().progress),
        problems=[TitleProblem(name=name, reason=reason) for name, reason in problems],
    )


def _summary(connection: Connection) -> tuple[dict[str, int], list[tuple[str, str]]]:
    return count(connection), grouping.problems(connection, MAX_REPORTED)


@blueprint.post("/api/library/scan")
@owner_only
@returns_json(
    Operation(
        id="scan",
        tag=LIBRARY,
        summary="Start a scan",
        verb=Verb.EDIT,
        curl="curl -X POST {url}",
        returns=(json_of("The scan will run.", ScanRequested, status=202),),
        raises=(
            FOREIGN,
            NO_OWNER,
        ),
        description="Changes in the folder are usually noticed as they happen; this is for cases where they are not.",
    )
)
async def scan() -> ScanRequested:
    """Request a scan of everything, and return its number."""
    return ScanRequested(look=services().owner.get().scanner.request())


@blueprint.get("/api/library/scan")
@server_sent
@partial(owner_only, read_timeout=None)
@declares(
    Operation(
        id="followScan",
        tag=LIBRARY,
        summary="Follow scans and background jobs",
        verb=Verb.WATCH,
        curl="curl -N {url}",
        returns=(events(),),
        raises=(
            {
                NotTheOwner: "The owner of the data cannot be reached now, or too many clients listen; "
                "try again later."
            },
        ),
        events=(Progress,),
        description="Server-sent events, until you disconnect or the server stops: a `progress` event at once and "
        "after each change, whose data is `Progress` as JSON. "
        f"A comment is sent after {PING:.0f} seconds without an event.",
    )
)
async def follow() -> Response:
    """The progress of scans and background jobs, as server-sent events."""
    state = services().owner.get().progress
    return Response(EventStream(state, partial(progress_event, state)))


def progress_event(state: progress.Progress, _: int) -> bytes:
    """The whole state, as an event."""
    return event("progress", state.version, Progress(**shapes.progress_of(state)))
