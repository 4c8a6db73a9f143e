"""Pages of the library: lists of videos in a chosen order, and the details of one video.

A title with several files has one entry, that of its leader; the others are in its `versions`. A page is bounded and
starts where the previous one ended, in a total order. Its cost does not grow with the library. Each function reads in
one transaction.
"""

import base64
import binascii
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, literal, or_, select

from trio_stream.errors import BadRequest, VideoNotFound
from trio_stream.library.naming.paths import place, sort_key, words
from trio_stream.library.records.versions import Version, versions
from trio_stream.store.search import MAX_WORDS, hits, join_words, number_in
from trio_stream.store.tables import contents, folders, playheads, subtitles, videos

LARGEST_PAGE = 200

MAX_SORTED_HITS = 1000
"""The most hits that are sorted. If there are more, the videos are read in order until a page is full."""

LONGEST_QUERY = 200
"""Characters of a search."""

LONGEST_CURSOR = 4000

CURSOR = re.compile(r"[A-Za-z0-9_-]+")
"""Base64 for URLs, without padding (RFC 4648 section 5)."""

type Order = Literal["asc", "desc"]
type Sort = Literal["name", "title", "added", "modified", "size", "duration"]

SORTS: dict[Sort, ColumnElement[Any]] = {
    "name": videos.c.sort_key,
    "title": videos.c.title_key,
    "added": videos.c.added_at,
    "modified": videos.c.mtime_ns,
    "size": videos.c.size,
    "duration": videos.c.duration,
}
"""What videos can be sorted by, and the column each order compares."""

BYTE_SORTED = frozenset({"name", "title", "folders"})
"""The orders whose keys are bytes."""

_SHOWN = (
    *(
        videos.c[name]
        for name in (
            *(
                "number",
                "id",
                "path",
                "title",
                "description",
                "tags",
                "revision",
                "size",
                "mtime_ns",
                "duration",
            ),
            *("added_at", "sort_key", "title_key", "folder"),
        )
    ),
    *(contents.c[name] for name in ("state", "reason", "poster", "blurhash", "width", "height")),
    playheads.c.position,
    playheads.c.duration.label("watched_of"),
    playheads.c.watched,
    playheads.c.plays,
    playheads.c.updated_at.label("seen_at"),
)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A requested page; `folder` is None for all folders, `q` is as typed, `cursor` comes from the previous page."""

    user: str
    limit: int = 50
    sort: Sort = "name"
    order: Order = "asc"
    folder: str | None = None
    q: str = ""
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` in their order, and the cursor of the next page, if there is one."""

    rows: Sequence[Row[Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """All details of a video: its row with media info, its subtitles, and the previous and next title.

    `versions` are all files of its title, the leader first; empty if there is only one.
    """

    row: Row[Any]
    subtitles: Sequence[Row[Any]]
    versions: Sequence[Version]
    previous: Row[Any] | None
    next: Row[Any] | None


def page(connection: Connection, query: PageQuery) -> Page:
    """The requested page. Raises `BadRequest` for an invalid cursor."""
    column = SORTS[query.sort]
    position = None if query.cursor is None else read_cursor(query.cursor, query.sort)
    statement = present(query.user)
    if query.folder is not None:
        number = connection.scalar(select(folders.c.number).where(folders.c.place == place(query.folder)))
        statement = statement.where(videos.c.folder == number)
    search_words = join_words(words(query.q[:LONGEST_QUERY])).split()[:MAX_WORDS]
    if search_words:
        statement = statement.where(_search_condition(connection, search_words))
    elif query.q.strip():
        return Page((), None)  # only punctuation
    descending = query.order == "desc"
    if position is not None:
        statement = statement.where(_after(column, position, descending))
    keys = (
        column.desc() if descending else column,
        videos.c.number.desc() if descending else videos.c.number,
    )
    statement = statement.order_by(*keys).limit(query.limit + 1)
    if search_words:  # only numbers and keys are sorted; the rest is fetched for one page
        found = statement.with_only_columns(videos.c.number)
        statement = present(query.user).where(videos.c.number.in_(found)).order_by(*keys)
    rows = connection.execute(statement).all()
    has_more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Page(
        rows, cursor(query.sort, getattr(rows[-1], column.key or ""), rows[-1].number) if has_more else None
    )


def cursor(sort: str, key: object, number: int) -> str:
    """The cursor of a page that ended with this key and row number."""
    text = key.hex() if isinstance(key, bytes) else key
    return base64.urlsafe_b64encode(json.dumps([sort, text, number]).encode()).decode().rstrip("=")


def cursor_after_name(name: str) -> str:
    """The cursor of the page, sorted by name, that starts after `name`. The video need not exist."""
    return cursor("name", sort_key(name), (1 << 63) - 1)


def read_cursor(text: str, sort: str) -> tuple[Any, int]:
    """The key and number that a page ended with. Raises `BadRequest` if `cursor` did not create it for this order."""
    try:
        if len(text) > LONGEST_CURSOR or not CURSOR.fullmatch(text):
            raise ValueError
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        cursor_sort, key, number = found
        if cursor_sort != sort or type(number) is not int or abs(number) >= 1 << 63:
            raise ValueError
        if sort in BYTE_SORTED:
            return bytes.fromhex(key), number
        if type(key) not in (int, float) or not math.isfinite(key) or abs(key) >= 1 << 63:
            raise ValueError
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise BadRequest("the cursor is invalid: use the one from the previous page") from None
    return (float(key) if sort == "duration" else int(key)), number


def video_details(connection: Connection, id_: str, user: str) -> VideoDetails:
    """All details of a video, which may be part of a title. Raises `VideoNotFound`."""
    statement = _present_videos(user, func.coalesce(videos.c.part_of, videos.c.number)).add_columns(
        *(contents.c.facts, contents.c.sprites, contents.c.artwork, contents.c.artwork_reason),
        videos.c.part_of,
    )
    row = connection.execute(statement.where(videos.c.id == id_)).one_or_none()
    if row is None:
        raise VideoNotFound("there is no such video")
    leader = row
    if row.part_of is not None:
        leader = connection.execute(
            select(videos.c.folder, videos.c.sort_key, videos.c.number).where(videos.c.number == row.part_of)
        ).one()
    subtitle_rows = connection.execute(
        select(subtitles)
        .where(or_(subtitles.c.video == row.number, subtitles.c.revision == row.revision))
        .order_by(subtitles.c.video.is_(None), subtitles.c.number)
    ).all()
    return VideoDetails(
        row,
        subtitle_rows,
        versions(connection, id_),
        neighbour(connection, leader, user, descending=True),
        neighbour(connection, leader, user, descending=False),
    )


def neighbour(connection: Connection, row: Row[Any], user: str, *, descending: bool) -> Row[Any] | None:
    """The previous (`descending`) or next title in the folder of `row`, in natural order."""
    column = videos.c.sort_key
    return connection.execute(
        present(user)
        .where(videos.c.folder == row.folder, _after(column, (row.sort_key, row.number), descending))
        .order_by(
            column.desc() if descending else column, videos.c.number.desc() if descending else videos.c.number
        )
        .limit(1)
    ).one_or_none()


def name_of(connection: Connection, id_: str) -> str | None:
    """The name of a present video."""
    path = connection.scalar(
        select(videos.c.path).where(videos.c.id == id_, videos.c.missing_since.is_(None))
    )
    return None if path is None else os.fsdecode(path)


def folder_page(connection: Connection, inside: str, limit: int, after: str | None) -> Page:
    """The subfolders of the folder `inside`, in natural order, each with the number of titles directly in it."""
    position = None if after is None else read_cursor(after, "folders")
    parent = connection.scalar(select(folders.c.number).where(folders.c.place == place(inside)))
    if parent is None:
        return Page((), None)
    present_titles = (
        select(func.count())
        .select_from(videos)
        .where(
            videos.c.folder == folders.c.number, videos.c.missing_since.is_(None), videos.c.part_of.is_(None)
        )
    )
    statement = select(folders, present_titles.scalar_subquery().label("videos")).where(
        folders.c.parent == parent, folders.c.missing_since.is_(None)
    )
    if position is not None:
        key, number = position
        statement = statement.where(
            or_(
                folders.c.name_key > key,
                and_(folders.c.name_key == key, folders.c.number > number),
            )
        )
    rows = connection.execute(statement.order_by(folders.c.name_key, folders.c.number).limit(limit + 1)).all()
    has_more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, cursor("folders", rows[-1].name_key, rows[-1].number) if has_more else None)


def present(user: str) -> Select[Any]:
    """The present videos, one for each title, with the playheads of `user`."""
    return _present_videos(user, videos.c.number).where(videos.c.part_of.is_(None))


def _present_videos(user: str, playhead_video: ColumnElement[Any]) -> Select[Any]:
    """All present videos, with the playhead that is stored for the video number `playhead_video`."""
    return (
        select(*_SHOWN)
        .join(contents, contents.c.revision == videos.c.revision)
        .outerjoin(playheads, and_(playheads.c.video == playhead_video, playheads.c.user == user))
        .where(videos.c.missing_since.is_(None))
    )


def _after(column: ColumnElement[Any], position: tuple[Any, int], descending: bool) -> ColumnElement[bool]:
    key, number = position
    if descending:
        return and_(column <= key, or_(column < key, videos.c.number < number))
    return and_(column >= key, or_(column > key, videos.c.number > number))


def _search_condition(connection: Connection, search_words: Sequence[str]) -> ColumnElement[bool]:
    """The condition for videos with these words. With many hits, testing videos in order is faster than sorting."""
    numbers = hits(connection, search_words, MAX_SORTED_HITS + 1)
    if len(numbers) <= MAX_SORTED_HITS:
        return number_in(connection, numbers)
    spaced = literal(" ") + videos.c.words
    return and_(*(spaced.contains(f" {word}", autoescape=True) for word in search_words))
