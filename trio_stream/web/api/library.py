"""The library as a whole: what there is, and how the looking and making is getting on."""

from functools import partial

from quart import Blueprint, Response

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
    UNREACHED,
    Operation,
    declares,
    events,
    json_of,
    returns_json,
)
from trio_stream.web.asgi.events import PING, EventStream, event, server_sent
from trio_stream.web.asgi.exchange import services
from trio_stream.web.asgi.owner import owner_only

blueprint = Blueprint("library", __name__)


@blueprint.get("/api/library")
@owner_only
@returns_json(
    Operation(
        id="library",
        tag=LIBRARY,
        summary="How many videos there are, and what is being done for them",
        returns=(json_of("The library.", Library),),
        raises=(UNREACHED,),
    )
)
async def summary() -> Library:
    """How many videos there are, and what is being done for them."""
    titles, problems = await services().database.read(_summary)
    return Library(
        videos=titles["videos"],
        missing=titles["missing"],
        folders=titles["folders"],
        folder=shapes.shown(str(services().settings.videos)),
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
        summary="Have all videos looked at now",
        curl="curl -X POST {url}",
        returns=(json_of("It will be done.", ScanRequested, status=202),),
        raises=(
            FOREIGN,
            UNREACHED,
        ),
        description="What changes in the folder is heard of by itself; this is for where it is not.",
    )
)
async def scan() -> ScanRequested:
    """Have all videos looked at; returns the number of the look that will do it."""
    return ScanRequested(look=services().owner.get().scanner.request())


@blueprint.get("/api/library/scan")
@server_sent
@partial(owner_only, read_timeout=None)
@declares(
    Operation(
        id="followScan",
        tag=LIBRARY,
        summary="How the work is getting on, as it happens",
        curl="curl -N {url}",
        returns=(events(),),
        raises=({NotTheOwner: "The process that writes is not there now, or too many listen; ask again."},),
        events=(Progress,),
        description="Server-sent events, until you leave or the server stops: `progress` at once and whenever "
        "something is different, whose data is `Progress` as JSON. "
        f"After {PING:.0f} seconds of silence comes a comment.",
    )
)
async def follow() -> Response:
    """How it is getting on, as it happens: server-sent events."""
    state = services().owner.get().progress
    return Response(EventStream(state, partial(progress_event, state)))


def progress_event(state: progress.Progress, _: int) -> bytes:
    """All of it, for whoever was told less."""
    return event("progress", state.version, Progress(**shapes.progress_of(state)))
