"""The library as a whole: what there is, and how the looking and making is getting on."""

from functools import partial
from typing import Any

from quart import Blueprint, Response

from trio_stream.library.records import grouping
from trio_stream.library.records.folders import count
from trio_stream.library.scan.looking import MOST_TOLD
from trio_stream.library.scan.progress import Progress
from trio_stream.store import Connection
from trio_stream.web.api import shapes
from trio_stream.web.asgi.events import EventStream, event, server_sent
from trio_stream.web.asgi.exchange import services
from trio_stream.web.asgi.owner import by_the_owner

blueprint = Blueprint("library", __name__)


@blueprint.get("/api/library")
@by_the_owner
async def summary() -> dict[str, Any]:
    """How many videos there are, and what is being done for them."""
    counts, problems = await services().database.read(_summary)
    folder = {"folder": shapes.shown(str(services().settings.videos))}
    told = {"problems": [{"name": name, "reason": reason} for name, reason in problems], "status": "ok"}
    return counts | folder | services().owner.get().progress.describe() | told


def _summary(connection: Connection) -> tuple[dict[str, int], list[tuple[str, str]]]:
    return count(connection), grouping.problems(connection, MOST_TOLD)


@blueprint.post("/api/library/scan")
@by_the_owner
async def scan() -> tuple[dict[str, Any], int]:
    """Have all videos looked at; answers the number of the look that will do it."""
    return {"look": services().owner.get().scanner.ask(), "status": "ok"}, 202


@blueprint.get("/api/library/scan")
@server_sent
@partial(by_the_owner, patience=None)
async def follow() -> Response:
    """How it is getting on, as it happens: server-sent events."""
    progress = services().owner.get().progress
    return Response(EventStream(progress, partial(progress_event, progress)))


def progress_event(progress: Progress, _: int) -> bytes:
    """All of it, for whoever was told less."""
    return event("progress", progress.version, progress.describe())
