"""The videos: lists and pages of them, the details of one, changes of its title and tags, and its bytes by its id."""

import re
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl

from quart import Blueprint, request

from trio_stream.accounts.grants import Verb
from trio_stream.errors import BadRequest, StoreUnavailable, TrioStreamError, VideoNotFound
from trio_stream.library.naming import paths
from trio_stream.library.records import editing, pages
from trio_stream.library.records.pages import PageQuery
from trio_stream.web.api import shapes
from trio_stream.web.api.streams import VIDEO_BYTES, send_video
from trio_stream.web.api.wire.operations import (
    CHANGE_ERRORS,
    NO_DATABASE,
    NO_VIDEO,
    TOO_LARGE,
    VIDEOS,
    Operation,
    declares,
    json_of,
    returns_json,
)
from trio_stream.web.api.wire.parts import VideoId, body_as, or_none, read_query
from trio_stream.web.api.wire.requests import FoldersQuery, VideoChange, VideosQuery
from trio_stream.web.api.wire.videos import (
    DETAILED,
    LONGEST_LIST,
    Folders,
    VideoDetails,
    VideoPage,
    Videos,
)
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, byte_route
from trio_stream.web.asgi.exchange import Exchange, services, user, writer
from trio_stream.web.asgi.owner import owner_only

blueprint = Blueprint("videos", __name__)

_ID = re.compile("[0-9a-f]{16}")

PAGED = VideosQuery.__struct_encode_fields__
"""Parameters that request a page instead of the list of names."""


@blueprint.get("/api/videos")
@returns_json(
    Operation(
        id="listVideos",
        tag=VIDEOS,
        summary="List the videos",
        verb=Verb.WATCH,
        curl="curl '{url}?q=bunny&sort=added&order=desc&limit=20'",
        query=VideosQuery,
        returns=(json_of("The library.", Videos, VideoPage),),
        raises=(
            {
                BadRequest: "The sort, order, limit or cursor is invalid; the detail says what is allowed.",
                TrioStreamError: "The folder of videos cannot be read.",
                StoreUnavailable: "Too many files are open, or the videos or the database cannot be read.",
            },
        ),
        description="Without parameters: all names, and the details of the first videos, read from the folder at that "
        "time and without ids. Files are recognised as videos by their suffix; hidden files are omitted. If there are "
        f"more than {LONGEST_LIST:,} names, `next` is the cursor of the page that continues after the last one."
        "\n\nWith any of these parameters: a page of the library. A new file is added to it once it has not changed "
        "for two seconds. A title with several files is listed once. Its files are in one folder and have names that "
        "differ only in the resolution (`Film.1080p.mp4`, `Film.720p.mp4`), or a title file next to them names them "
        "(`Film.title.toml`). The other files are the `versions` of the listed one.",
    )
)
async def list_videos() -> Videos | VideoPage:
    """The names and the first videos in the folder, or a page of the library."""
    if not query_values().keys().isdisjoint(PAGED):
        return await _page()
    listing = services().listing
    names = await listing.names()
    first = await listing.details(names[:DETAILED])
    return Videos(
        videos=list(names[:LONGEST_LIST]),
        items=[shapes.video(file.name, file.size, file.mtime_ns) for file in first],
        next=pages.cursor_after_name(names[LONGEST_LIST - 1]) if len(names) > LONGEST_LIST else None,
    )


async def _page() -> VideoPage:
    values = read_query(VideosQuery, query_values())
    page_query = PageQuery(
        user=user(),
        limit=values.limit,
        sort=values.sort,
        order=values.order,
        folder=or_none(values.folder),
        q=values.q,
        cursor=or_none(values.cursor),
    )
    page = await services().database.read(partial(pages.page, query=page_query))
    return VideoPage(videos=shapes.names(page.rows), items=shapes.items(page.rows), next=page.next)


def check_id(id_: str) -> str:
    """The id of a video. Raises `VideoNotFound` for an invalid one, which a database may not even accept as text."""
    if not _ID.fullmatch(id_):
        raise VideoNotFound("there is no such video")
    return id_


def query_values() -> dict[str, str]:
    """The first value of each parameter. Unlike in the framework, the name of a folder need not be UTF-8."""
    text = request.query_string.decode("utf-8", "surrogateescape")
    values: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        values.setdefault(name, value)
    return values


@blueprint.get("/api/videos/<id_>")
@returns_json(
    Operation(
        id="showVideo",
        tag=VIDEOS,
        summary="Get the details of a video",
        verb=Verb.WATCH,
        returns=(json_of("The video.", VideoDetails),),
        raises=(
            NO_VIDEO,
            NO_DATABASE,
        ),
    )
)
async def show_video(id_: str) -> VideoDetails:
    """All details of a video."""
    return await _details(id_)


async def _details(id_: str) -> VideoDetails:
    stored = await services().database.read(partial(pages.video_details, id_=check_id(id_), user=user()))
    return shapes.details(stored)


@blueprint.patch("/api/videos/<id_>")
@owner_only
@returns_json(
    Operation(
        id="editVideo",
        tag=VIDEOS,
        summary="Edit the title, description or tags",
        verb=Verb.EDIT,
        curl="curl -X PATCH {url} -H 'Content-Type: application/json' -d '{\"title\": \"Big Buck Bunny\"}'",
        body=("The change.", VideoChange),
        returns=(json_of("The changed video.", VideoDetails), TOO_LARGE),
        raises=(
            NO_VIDEO,
            CHANGE_ERRORS,
            {BadRequest: "The change is invalid; the detail says what is expected. Nothing was changed."},
        ),
        description="Members that are left out stay unchanged. The changes stay with the video when its file is "
        "renamed; the file itself is not changed.",
    )
)
async def edit_video(id_: str) -> VideoDetails:
    """Edit the title, description or tags."""
    change = (await body_as(VideoChange)).read()
    if not await writer().write(partial(editing.edit, id_=check_id(id_), change=change)):
        raise VideoNotFound("there is no such video")
    return await _details(id_)


@blueprint.get("/api/folders")
@returns_json(
    Operation(
        id="listFolders",
        tag=VIDEOS,
        summary="List the folders in a folder",
        verb=Verb.WATCH,
        curl="curl '{url}?in=Films'",
        query=FoldersQuery,
        returns=(json_of("The folders; none if the folder does not exist.", Folders),),
        raises=(
            NO_DATABASE,
            {BadRequest: "The limit or cursor is invalid; the detail says what is allowed."},
        ),
    )
)
async def list_folders() -> Folders:
    """The folders in a folder."""
    values = read_query(FoldersQuery, query_values())
    page = await services().database.read(
        partial(
            pages.folder_page,
            inside=values.inside,
            limit=values.limit,
            after=or_none(values.cursor),
        )
    )
    return Folders(folders=[shapes.folder(row) for row in page.rows], next=page.next)


@byte_route(blueprint, "/api/videos/<id_>/file")
@declares(
    replace(
        VIDEO_BYTES,
        id="videoFile",
        summary="Stream a video file by its id",
        path={"id": VideoId},
    )
)
async def video_file(request: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The bytes of the video with this id, as `/api/stream` sends them."""
    id_ = paths.name_from_url(request.raw_path.split(b"/")[-2])
    return await send_video(request, exchange, await exchange.services.names.of(check_id(id_)))
