"""The videos: lists and pages of them, all that is known of one, what people say of it, and its bytes by its id."""

import re
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl

from quart import Blueprint, request

from trio_stream.errors import BadRequest, StoreUnavailable, TrioStreamError, VideoNotFound
from trio_stream.library.naming import paths
from trio_stream.library.records import editing, pages
from trio_stream.library.records.pages import PageQuery
from trio_stream.web.api import shapes
from trio_stream.web.api.streams import VIDEO_BYTES, send_video
from trio_stream.web.api.wire.operations import (
    BUSY,
    CHANGES,
    TOO_LARGE,
    UNKNOWN,
    VIDEOS,
    Operation,
    declares,
    json_of,
    returns_json,
)
from trio_stream.web.api.wire.parts import VideoId, body_as, given, read_query
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
"""Whoever asks for any of these asks for a page."""


@blueprint.get("/api/videos")
@returns_json(
    Operation(
        id="listVideos",
        tag=VIDEOS,
        summary="All videos of the library, or a page of them",
        curl="curl '{url}?q=bunny&sort=added&order=desc&limit=20'",
        query=VideosQuery,
        returns=(json_of("The library.", Videos, VideoPage),),
        raises=(
            {
                BadRequest: "No such sort, order, limit or cursor; the detail says what there is.",
                TrioStreamError: "The folder of videos cannot be read.",
                StoreUnavailable: "Too many files are open, or the videos or the database are away.",
            },
        ),
        description="Without parameters it is the names and the first items, as the folder is at that moment, "
        "without ids. Files are recognised by their suffix; hidden files are left out. Where there are more than "
        f"{LONGEST_LIST:,} names, `next` is the cursor of the page that goes on behind the last one."
        "\n\nWith any of these parameters it is a page of what the library knows, where a new file is found once it "
        "has rested for two seconds. A film with several files is in it once: files of one folder whose names differ "
        "only in a size (`Film.1080p.mp4`, `Film.720p.mp4`), or those that a title file beside them names "
        "(`Film.title.toml`). The others are the `versions` of that one.",
    )
)
async def list_videos() -> Videos | VideoPage:
    """The names and the first items as the folder is now; or a page of what the library knows."""
    if not query().keys().isdisjoint(PAGED):
        return await _page()
    listing = services().listing
    names = await listing.names()
    first = await listing.details(names[:DETAILED])
    return Videos(
        videos=list(names[:LONGEST_LIST]),
        items=[shapes.video(each.name, each.size, each.mtime_ns) for each in first],
        next=pages.cursor_after_name(names[LONGEST_LIST - 1]) if len(names) > LONGEST_LIST else None,
    )


async def _page() -> VideoPage:
    asked = read_query(VideosQuery, query())
    wanted = PageQuery(
        user=user(),
        limit=asked.limit,
        sort=asked.sort,
        order=asked.order,
        folder=given(asked.folder),
        q=asked.q,
        cursor=given(asked.cursor),
    )
    page = await services().database.read(partial(pages.page, query=wanted))
    return VideoPage(videos=shapes.names(page.rows), items=shapes.items(page.rows), next=page.next)


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
@returns_json(
    Operation(
        id="showVideo",
        tag=VIDEOS,
        summary="All that is known of a video",
        returns=(json_of("The video.", VideoDetails),),
        raises=(
            UNKNOWN,
            BUSY,
        ),
    )
)
async def show_video(id_: str) -> VideoDetails:
    """All that is known of a video."""
    return await _details(id_)


async def _details(id_: str) -> VideoDetails:
    found = await services().database.read(partial(pages.video_details, id_=checked(id_), user=user()))
    return shapes.details(found)


@blueprint.patch("/api/videos/<id_>")
@owner_only
@returns_json(
    Operation(
        id="editVideo",
        tag=VIDEOS,
        summary="Change title, description or tags",
        curl="curl -X PATCH {url} -H 'Content-Type: application/json' -d '{\"title\": \"Big Buck Bunny\"}'",
        body=("What to change.", VideoChange),
        returns=(json_of("The video as it is now.", VideoDetails), TOO_LARGE),
        raises=(
            UNKNOWN,
            CHANGES,
            {BadRequest: "The detail says what would have a meaning; nothing was changed."},
        ),
        description="What is left out stays as it is. It stays with the video when its file is renamed; nothing is "
        "written into the file.",
    )
)
async def edit_video(id_: str) -> VideoDetails:
    """Change title, description or tags."""
    change = (await body_as(VideoChange)).read()
    if not await writer().write(partial(editing.edit, id_=checked(id_), change=change)):
        raise VideoNotFound("there is no such video")
    return await _details(id_)


@blueprint.get("/api/folders")
@returns_json(
    Operation(
        id="listFolders",
        tag=VIDEOS,
        summary="The folders in a folder",
        curl="curl '{url}?in=Films'",
        query=FoldersQuery,
        returns=(json_of("The folders; none in a folder that is not there.", Folders),),
        raises=(
            BUSY,
            {BadRequest: "No such limit or cursor; the detail says what there is."},
        ),
    )
)
async def list_folders() -> Folders:
    """The folders in a folder."""
    asked = read_query(FoldersQuery, query())
    page = await services().database.read(
        partial(
            pages.folder_page,
            inside=asked.inside,
            limit=asked.limit,
            after=given(asked.cursor),
        )
    )
    return Folders(folders=[shapes.folder(row) for row in page.rows], next=page.next)


@byte_route(blueprint, "/api/videos/<id_>/file")
@declares(
    replace(
        VIDEO_BYTES,
        id="videoFile",
        summary="The same bytes by the id of the video",
        places={"id": VideoId},
    )
)
async def video_file(asked: DirectRequest, exchange: Exchange) -> DirectResponse:
    """The bytes of the video with this id, as `/api/stream` sends them."""
    id_ = paths.name_from_url(asked.raw_path.split(b"/")[-2])
    return await send_video(asked, exchange, await exchange.services.names.of(checked(id_)))
