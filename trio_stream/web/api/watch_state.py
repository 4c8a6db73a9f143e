"""Where people stopped and what they have seen."""

from collections import Counter
from functools import partial

from quart import Blueprint

from trio_stream.errors import BadRequest, VideoNotFound
from trio_stream.http.json_text import encode
from trio_stream.library.naming.paths import name_from_url
from trio_stream.library.records import exports, watch_state
from trio_stream.library.records.history import forget_history, viewed
from trio_stream.library.timestamps import now, timestamp
from trio_stream.web.api import shapes
from trio_stream.web.api.videos import checked, query
from trio_stream.web.api.wire.operations import (
    BUSY,
    CHANGES,
    JSON,
    TOO_LARGE,
    UNKNOWN,
    WATCH_STATE,
    Operation,
    declares,
    json_of,
    nothing,
    returns_json,
)
from trio_stream.web.api.wire.parts import body_as, given, read_body, read_query
from trio_stream.web.api.wire.requests import Limited
from trio_stream.web.api.wire.videos import (
    VideoList,
)
from trio_stream.web.api.wire.watching import (
    History,
    HistoryQuery,
    Imported,
    KeptPlayhead,
    PlayheadChange,
    Viewing,
    WatchState,
)
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, owner_route
from trio_stream.web.asgi.exchange import Exchange, services, user, writer
from trio_stream.web.asgi.owner import owner_only

blueprint = Blueprint("watch_state", __name__)

PATIENCE = 0.05
"""Seconds a playhead may wait for others: no player waits for the answer, and a transaction costs as much as ten."""

PIECE = 200
"""Entries that are imported in one change of the database: others have theirs in between."""


@owner_route(blueprint, "PUT", "/api/videos/<id_>/playhead")
@declares(
    Operation(
        id="putPlayhead",
        tag=WATCH_STATE,
        summary="Say where you are in a video",
        curl="curl -X PUT {url} -H 'Content-Type: application/json' "
        """-d '{"position": 61.5, "duration": 634.6}'""",
        body=("Where you are.", PlayheadChange),
        returns=(json_of("The playhead, which is on the disk now.", KeptPlayhead), TOO_LARGE),
        raises=(
            UNKNOWN,
            CHANGES,
            {BadRequest: "That is no playhead; the detail says what would be."},
        ),
        description="A video counts as watched from 90 % of it on, and stays watched until you say otherwise; each "
        "time you get there counts as a play. Every ten seconds is often enough. The versions of a title have one "
        "playhead.",
    )
)
async def put_playhead(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """Say where the user is; a response comes once it is stored."""
    playhead = read_body(PlayheadChange, asked.body).read()
    id_ = checked(name_from_url(asked.raw_path.split(b"/")[-2]))
    kept = await exchange.services.owner.get().writer.write(
        partial(watch_state.put, user=user(), id_=id_, playhead=playhead, now=now()), max_delay=PATIENCE
    )
    if kept is None:
        raise VideoNotFound("there is no such video")
    body = encode(
        KeptPlayhead(
            position=kept.position,
            duration=kept.duration,
            watched=kept.watched,
            plays=kept.plays,
            updated=timestamp(kept.updated_at / 1000),
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
        summary="Let it be as if you had never begun a video",
        curl="curl -X DELETE {url}",
        returns=(nothing("It is forgotten, and its history with it."),),
        raises=(
            UNKNOWN,
            CHANGES,
        ),
    )
)
async def delete_playhead(id_: str) -> None:
    """Let it be as if the user had never begun the video."""
    if not await writer().write(partial(watch_state.forget, user=user(), id_=checked(id_))):
        raise VideoNotFound("there is no such video")


@blueprint.get("/api/continue")
@returns_json(
    Operation(
        id="continueWatching",
        tag=WATCH_STATE,
        summary="What to go on with",
        query=Limited,
        returns=(json_of("Videos, what was watched last first.", VideoList),),
        raises=(
            BUSY,
            {BadRequest: "No such limit; the detail says which there are."},
        ),
        description="What was begun and not finished; in place of what was finished, the next video of its folder in "
        "natural order, unless that was begun or watched too.",
    )
)
async def continue_watching() -> VideoList:
    """What was begun and not finished, and what comes after what was."""
    asked = read_query(Limited, query())
    rows = await services().database.read(
        partial(watch_state.continue_watching, user=user(), limit=asked.limit)
    )
    return VideoList(videos=shapes.names(rows), items=shapes.items(rows))


@blueprint.get("/api/history")
@returns_json(
    Operation(
        id="history",
        tag=WATCH_STATE,
        summary="What was watched when",
        query=HistoryQuery,
        returns=(json_of("Viewings, the last first; of videos that are there.", History),),
        raises=(
            BUSY,
            {BadRequest: "No such limit or cursor; the detail says what there is."},
        ),
        description="Whoever goes on within half an hour goes on with the same viewing.",
    )
)
async def history() -> History:
    """What was watched when, the last first."""
    asked = read_query(HistoryQuery, query())
    page = await services().database.read(
        partial(viewed, user=user(), limit=asked.limit, after=given(asked.cursor))
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
        summary="Forget what was watched when",
        curl="curl -X DELETE {url}",
        returns=(nothing("It is forgotten; playheads stay."),),
        raises=(CHANGES,),
    )
)
async def delete_history() -> None:
    """Forget when what was watched; playheads stay."""
    await writer().write(partial(forget_history, user=user()))


@blueprint.get("/api/watch-state")
@returns_json(
    Operation(
        id="exportWatchState",
        tag=WATCH_STATE,
        summary="All playheads, to be kept or taken elsewhere",
        curl="curl -o watch-state.json {url}",
        returns=(json_of("The playheads.", WatchState),),
        raises=(BUSY,),
        description="Videos go by their names and by fingerprints of their bytes, because ids are those of one server.",
    )
)
async def export_watch_state() -> WatchState:
    """All playheads, to be kept elsewhere or taken to another server."""
    return WatchState.of(await services().database.read(partial(exports.export, user=user())))


@blueprint.put("/api/watch-state")
@owner_only
@returns_json(
    Operation(
        id="importWatchState",
        tag=WATCH_STATE,
        summary="Take in what was exported",
        curl="curl -X PUT {url} -H 'Content-Type: application/json' -d @watch-state.json",
        body=("An export.", WatchState),
        returns=(json_of("What became of its entries.", Imported), TOO_LARGE),
        raises=(
            CHANGES,
            {BadRequest: "That is no export; the detail says why. Nothing was changed."},
        ),
        description="What is here and newer stays. A video is found by its bytes, whatever it is called now, or else "
        "by its name. A megabyte is taken at once; a longer export may be cut between any two entries, and it does no "
        "harm to take one in twice.",
    )
)
async def import_watch_state() -> Imported:
    """Keep what an export says, where it is newer."""
    entries = (await body_as(WatchState)).read()
    counts = Counter[str]()
    for start in range(0, len(entries), PIECE):
        piece = entries[start : start + PIECE]
        counts.update(await writer().write(partial(exports.import_entries, user=user(), entries=piece)))
    return Imported(imported=counts["imported"], older=counts["older"], unknown=counts["unknown"])
