"""The videos: lists and pages of them, all that is known of one, what people say of it, and its bytes by its id."""

import json
import re
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from quart import Blueprint, request

from trio_stream.errors import BadRequest, VideoNotFound
from trio_stream.library.naming import paths
from trio_stream.library.records import editing, pages
from trio_stream.library.records.editing import VideoEdit
from trio_stream.library.records.pages import LARGEST_PAGE, PageQuery
from trio_stream.web.api import shapes
from trio_stream.web.api.streams import send_video
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange, services, user, writer
from trio_stream.web.asgi.owner import by_the_owner

blueprint = Blueprint("videos", __name__)

_ID = re.compile("[0-9a-f]{16}")
_COUNT = re.compile("[1-9][0-9]{0,8}")

DETAILED = 100
"""So many videos are described in a list of names."""

LONGEST_LIST = 10_000
"""Names in a list; `next` leads to the page of the library that goes on behind the last one."""

PAGED = ("limit", "cursor", "q", "sort", "order", "folder")
"""Whoever asks for any of these asks for a page."""


@blueprint.get("/api/videos")
async def list_videos() -> dict[str, Any]:
    """The names and the first items as the folder is now; or a page of what the library knows."""
    if not query().keys().isdisjoint(PAGED):
        return await _page()
    listing = services().listing
    names = await listing.names()
    first = await listing.details(names[:DETAILED])
    return {
        "videos": names[:LONGEST_LIST],
        "items": [shapes.file(video.name, video.size, video.mtime_ns) for video in first],
        "next": pages.behind_name(names[LONGEST_LIST - 1]) if len(names) > LONGEST_LIST else None,
        "status": "ok",
    }


async def _page() -> dict[str, Any]:
    asked = query()
    order = asked.get("order", "asc")
    if order not in ("asc", "desc"):
        raise BadRequest("the order is asc or desc")
    wanted = PageQuery(
        user=user(),
        limit=limit(),
        sort=asked.get("sort", "name"),
        order="desc" if order == "desc" else "asc",
        folder=asked.get("folder"),
        q=asked.get("q", ""),
        cursor=asked.get("cursor"),
    )
    page = await services().database.read(partial(pages.page, asked=wanted))
    return shapes.items(page.rows) | {"next": page.next, "status": "ok"}


def limit() -> int:
    """How many a client wants on a page. Raises `BadRequest`."""
    text = query().get("limit", "50")
    if not (_COUNT.fullmatch(text) and int(text) <= LARGEST_PAGE):
        raise BadRequest(f"limit is 1 to {LARGEST_PAGE}")
    return int(text)


def checked(id_: str) -> str:
    """The id of a video. Raises `VideoNotFound` for what can be none, which need not even be text to a database."""
    if not _ID.fullmatch(id_):
        raise VideoNotFound("there is no such video")
    return id_


def query() -> dict[str, str]:
    """The parameters, each as it comes first. A folder's name need not be UTF-8, which the framework wants it to be."""
    text = request.query_string.decode("utf-8", "surrogateescape")
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        found.setdefault(name, value)
    return found


@blueprint.get("/api/videos/<id_>")
async def show_video(id_: str) -> dict[str, Any]:
    """All that is known of a video."""
    found = await services().database.read(partial(pages.whole, id_=checked(id_), user=user()))
    return shapes.details(found) | {"status": "ok"}


@blueprint.patch("/api/videos/<id_>")
@by_the_owner
async def edit_video(id_: str) -> dict[str, Any]:
    """Change title, description or tags."""
    change = VideoEdit.read(await json_body())
    if not await writer().write(partial(editing.edit, id_=checked(id_), change=change)):
        raise VideoNotFound("there is no such video")
    return await show_video(id_)


@blueprint.get("/api/folders")
async def list_folders() -> dict[str, Any]:
    """The folders in a folder."""
    page = await services().database.read(
        partial(
            pages.folder_page,
            inside=query().get("in", ""),
            limit=limit(),
            after=query().get("cursor"),
        )
    )
    return {"folders": [shapes.folder(row) for row in page.rows], "next": page.next, "status": "ok"}


@byte_route(blueprint, "/api/videos/<id_>/file")
async def video_file(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The bytes of the video with this id, as `/api/stream` sends them."""
    id_ = paths.name_from_url(asked.raw_path.split(b"/")[-2])
    return await send_video(asked, exchange, await exchange.services.names.of(checked(id_)))


async def json_body() -> Any:
    """The request's body. Raises `BadRequest` when it is no JSON."""
    return read_json(await request.get_data(as_text=False))


def read_json(body: str | bytes) -> Any:
    """What a body says. Raises `BadRequest` when it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body has to be JSON") from None
