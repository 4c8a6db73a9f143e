"""The watch state: playheads, the history, and their export and import."""

from collections import Counter
from functools import partial

from quart import Blueprint

from trio_stream.accounts.grants import Verb
from trio_stream.errors import BadRequest, VideoNotFound
from trio_stream.http.json_text import encode
from trio_stream.library.naming.paths import name_from_url
from trio_stream.library.records import exports, watch_state
from trio_stream.library.records.history import forget_history, viewed
from trio_stream.library.timestamps import now, timestamp
from trio_stream.web.api import shapes
from trio_stream.web.api.videos import check_id, query_values
from trio_stream.web.api.wire.operations import (
    CHANGE_ERRORS,
    JSON,
    NO_DATABASE,
    NO_VIDEO,
    TOO_LARGE,
    WATCH_STATE,
    Operation,
    declares,
    json_of,
    no_content,
    returns_json,
)
from trio_stream.web.api.wire.parts import body_as, or_none, read_body, read_query
from trio_stream.web.api.wire.requests import Limited
from trio_stream.web.api.wire.videos import (
    VideoList,
)
from trio_stream.web.api.wire.watching import (
    History,
    HistoryQuery,
    Imported,
    PlayheadChange,
    StoredPlayhead,
    Viewing,
    WatchState,
)
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, owner_route
from trio_stream.web.asgi.exchange import Exchange, services, user, writer
from trio_stream.web.asgi.owner import owner_only

blueprint = Blueprint("watch_state", __name__)

WRITE_DELAY = 0.05
"""Seconds that a playhead may wait for others to share its transaction. No player waits for the response, and a
transaction costs as much as ten changes."""

BATCH = 200
"""Entries imported by one change of the database, so that other changes can be made in between."""


@owner_route(blueprint, "PUT", "/api/videos/<id_>/playhead")
@declares(
    Operation(
        id="putPlayhead",
        tag=WATCH_STATE,
        summary="Set the playhead of a video",
        verb=Verb.TRACK,
        curl="curl -X PUT {url} -H 'Content-Type: application/json' "
        """-d '{"position": 61.5, "duration": 634.6}'""",
        body=("The playhead.", PlayheadChange),
        returns=(json_of("The playhead. It has been written to disk.", StoredPlayhead), TOO_LARGE),
        raises=(
            NO_VIDEO,
            CHANGE_ERRORS,
            {BadRequest: "The playhead is invalid; the detail says what is expected."},
        ),
        description="A video counts as watched once the playhead has reached 90% of it, and stays watched until you "
        "change that. Each time the playhead gets there counts as a play. Sending the playhead every ten seconds is "
        "enough. The versions of a title share one playhead.",
    )
)
async def put_playhead(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """Set the playhead of the user; the response is sent once it is stored."""
    playhead = read_body(PlayheadChange, request.body).read()
    id_ = check_id(name_from_url(request.raw_path.split(b"/")[-2]))
    stored = await exchange.services.owner.get().writer.write(
        partial(watch_state.put, user=exchange.grant.user, id_=id_, playhead=playhead, now=now()),
        max_delay=WRITE_DELAY,
    )
    if stored is None:
        raise VideoNotFound("there is no such video")
    body = encode(
        StoredPlayhead(
            position=stored.position,
            duration=stored.duration,
            watched=stored.watched,
            plays=stored.plays,
            updated=timestamp(stored.updated_at / 1000),
        )
    )
    headers = (
        ("Content-Type", JSON),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    )
    return DirectResponse(200, headers, body=body)


@blueprint.delete("/api/videos/<id_>/playhead")
@owner_only
@returns_json(
    Operation(
        id="deletePlayhead",
        tag=WATCH_STATE,
        summary="Delete the playhead of a video",
        verb=Verb.TRACK,
        curl="curl -X DELETE {url}",
        returns=(no_content("The playhead and the history of the video are deleted."),),
        raises=(
            NO_VIDEO,
            CHANGE_ERRORS,
        ),
    )
)
async def delete_playhead(id_: str) -> None:
    """Delete the playhead of the user, and the history of the video."""
    if not await writer().write(partial(watch_state.forget, user=user(), id_=check_id(id_))):
        raise VideoNotFound("there is no such video")


@blueprint.get("/api/continue")
@returns_json(
    Operation(
        id="continueWatching",
        tag=WATCH_STATE,
        summary="List the videos to continue with",
        verb=Verb.TRACK,
        query=Limited,
        returns=(json_of("The videos, most recently watched first.", VideoList),),
        raises=(
            NO_DATABASE,
            {BadRequest: "The limit is invalid; the detail says what is allowed."},
        ),
        description="Videos that were started and not finished. A finished video is replaced by the next one in its "
        "folder, in natural order, unless that was started or watched, too.",
    )
)
async def continue_watching() -> VideoList:
    """The videos that were started and not finished, and the next ones after finished videos."""
    values = read_query(Limited, query_values())
    rows = await services().database.read(
        partial(watch_state.continue_watching, user=user(), limit=values.limit)
    )
    return VideoList(videos=shapes.names(rows), items=shapes.items(rows))


@blueprint.get("/api/history")
@returns_json(
    Operation(
        id="history",
        tag=WATCH_STATE,
        summary="List the watch history",
        verb=Verb.TRACK,
        query=HistoryQuery,
        returns=(json_of("The viewings of existing videos, latest first.", History),),
        raises=(
            NO_DATABASE,
            {BadRequest: "The limit or cursor is invalid; the detail says what is allowed."},
        ),
        description="A viewing that continues within half an hour counts as the same viewing.",
    )
)
async def history() -> History:
    """The watch history, latest first."""
    values = read_query(HistoryQuery, query_values())
    page = await services().database.read(
        partial(viewed, user=user(), limit=values.limit, after=or_none(values.cursor))
    )
    viewings = [
        Viewing(
            started=timestamp(row.started_at / 1000),
            ended=timestamp(row.ended_at / 1000),
            first=row.first,
            last=row.last,
            video=shapes.item(row),
        )
        for row in page.rows
    ]
    return History(viewings=viewings, next=page.next)


@blueprint.delete("/api/history")
@owner_only
@returns_json(
    Operation(
        id="deleteHistory",
        tag=WATCH_STATE,
        summary="Delete the watch history",
        verb=Verb.TRACK,
        curl="curl -X DELETE {url}",
        returns=(no_content("The history is deleted; playheads stay."),),
        raises=(CHANGE_ERRORS,),
    )
)
async def delete_history() -> None:
    """Delete the watch history; playheads stay."""
    await writer().write(partial(forget_history, user=user()))


@blueprint.get("/api/watch-state")
@returns_json(
    Operation(
        id="exportWatchState",
        tag=WATCH_STATE,
        summary="Export the watch state",
        verb=Verb.TRACK,
        curl="curl -o watch-state.json {url}",
        returns=(json_of("The playheads.", WatchState),),
        raises=(NO_DATABASE,),
        description="All playheads, for a backup or for another server. Videos are identified by their names and by "
        "fingerprints of their bytes, because ids are only valid on one server.",
    )
)
async def export_watch_state() -> WatchState:
    """All playheads, for a backup or for another server."""
    return WatchState.of(await services().database.read(partial(exports.export, user=user())))


@blueprint.put("/api/watch-state")
@owner_only
@returns_json(
    Operation(
        id="importWatchState",
        tag=WATCH_STATE,
        summary="Import a watch state",
        verb=Verb.TRACK,
        curl="curl -X PUT {url} -H 'Content-Type: application/json' -d @watch-state.json",
        body=("An export.", WatchState),
        returns=(json_of("The result of the import.", Imported), TOO_LARGE),
        raises=(
            CHANGE_ERRORS,
            {BadRequest: "The export is invalid; the detail says why. Nothing was changed."},
        ),
        description="Newer stored playheads are kept. A video is found by its bytes under any name, or else by "
        "its name. The limit is one megabyte; a longer export may be split between any two entries. Importing an "
        "export twice does no harm.",
    )
)
async def import_watch_state() -> Imported:
    """Store the playheads of an export that are newer than the stored ones."""
    entries = (await body_as(WatchState)).read()
    counts = Counter[str]()
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        counts.update(await writer().write(partial(exports.import_entries, user=user(), entries=batch)))
    return Imported(imported=counts["imported"], older=counts["older"], unknown=counts["unknown"])
