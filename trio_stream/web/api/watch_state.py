"""Where people stopped and what they have seen."""

import json
from collections import Counter
from functools import partial
from typing import Any

from quart import Blueprint, Response

from trio_stream.errors import VideoNotFound
from trio_stream.library.moments import moment, now
from trio_stream.library.naming.paths import name_from_url
from trio_stream.library.records import exports, watch_state
from trio_stream.library.records.history import forget_history, viewed
from trio_stream.library.records.watch_state import Playhead
from trio_stream.web.api import shapes
from trio_stream.web.api.videos import checked, json_body, limit, query, read_json
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, owner_route
from trio_stream.web.asgi.exchange import Exchange, services, user, writer
from trio_stream.web.asgi.owner import by_the_owner

blueprint = Blueprint("watch_state", __name__)

PATIENCE = 0.05
"""Seconds a playhead may wait for others: no player waits for the answer, and a transaction costs as much as ten."""

PIECE = 200
"""Entries that are imported in one change of the database: others have theirs in between."""


@owner_route(blueprint, "PUT", "/api/videos/<id_>/playhead")
async def put_playhead(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """Say where the user is; answered once it is stored."""
    playhead = Playhead.read(read_json(asked.body))
    id_ = checked(name_from_url(asked.raw_path.split(b"/")[-2]))
    kept = await exchange.services.owner.get().writer.write(
        partial(watch_state.put, user=user(), id_=id_, playhead=playhead, now=now()), patience=PATIENCE
    )
    if kept is None:
        raise VideoNotFound("there is no such video")
    answer = {
        "position": kept.position,
        "duration": kept.duration,
        "watched": kept.watched,
        "plays": kept.plays,
        "updated": moment(kept.updated_at / 1000),
        "status": "ok",
    }
    body = json.dumps(answer).encode()
    headers = (
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    )
    return DirectResponse(200, headers, body=body)


@blueprint.delete("/api/videos/<id_>/playhead")
@by_the_owner
async def delete_playhead(id_: str) -> Response:
    """Let it be as if the user had never begun the video."""
    if not await writer().write(partial(watch_state.forget, user=user(), id_=checked(id_))):
        raise VideoNotFound("there is no such video")
    return Response(b"", status=204)


@blueprint.get("/api/continue")
async def continue_watching() -> dict[str, Any]:
    """What was begun and not finished, and what comes after what was."""
    rows = await services().database.read(partial(watch_state.continue_watching, user=user(), limit=limit()))
    return shapes.items(rows) | {"status": "ok"}


@blueprint.get("/api/history")
async def history() -> dict[str, Any]:
    """What was watched when, the last first."""
    page = await services().database.read(
        partial(viewed, user=user(), limit=limit(), after=query().get("cursor"))
    )
    return {
        "viewings": [
            {
                "started": moment(row.started_at / 1000),
                "ended": moment(row.ended_at / 1000),
                "from": row.first,
                "to": row.last,
                "video": shapes.item(row),
            }
            for row in page.rows
        ],
        "next": page.next,
        "status": "ok",
    }


@blueprint.delete("/api/history")
@by_the_owner
async def delete_history() -> Response:
    """Forget when what was watched; playheads stay."""
    await writer().write(partial(forget_history, user=user()))
    return Response(b"", status=204)


@blueprint.get("/api/watch-state")
async def export_watch_state() -> dict[str, Any]:
    """All playheads, to be kept elsewhere or taken to another server."""
    return await services().database.read(partial(exports.export, user=user()))


@blueprint.put("/api/watch-state")
@by_the_owner
async def import_watch_state() -> dict[str, Any]:
    """Keep what an export says, where it is newer."""
    entries = exports.read_export(await json_body())
    counts = Counter(imported=0, older=0, unknown=0)
    for start in range(0, len(entries), PIECE):
        piece = entries[start : start + PIECE]
        counts.update(await writer().write(partial(exports.import_entries, user=user(), entries=piece)))
    return counts | {"status": "ok"}
