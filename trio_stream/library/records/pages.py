"""Pages of the library: which videos there are, in which order, and what is known of one of them.

Of a title with several files there is one entry, that of the file which leads; the others are in its `versions`.
A page is bounded and starts where the last one ended, in an order that is total; what it costs does not grow with the
library. Each function is a read of one transaction.
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
from trio_stream.store.search import MOST_WORDS, among, hits, joined
from trio_stream.store.tables import contents, folders, playheads, subtitles, videos

LARGEST_PAGE = 200

FEW = 1000
"""So many hits are sorted; of more, the videos are gone through in order until a page is full."""

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

TEXTUAL = frozenset({"name", "title", "folders"})
"""The orders of those whose keys are bytes."""

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
    """A page that is asked for; `folder` None for all folders, `q` as typed, `cursor` from the page before."""

    user: str
    limit: int = 50
    sort: Sort = "name"
    order: Order = "asc"
    folder: str | None = None
    q: str = ""
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` in their order, and the cursor of the page behind them, if there is one."""

    rows: Sequence[Row[Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """All that is known of a video: its row with facts, its subtitles, and the titles before and behind it.

    `versions` are the files of its title, itself with them, the one that leads first; none if it is alone.
    """

    row: Row[Any]
    subtitles: Sequence[Row[Any]]
    versions: Sequence[Version]
    before: Row[Any] | None
    behind: Row[Any] | None


def page(connection: Connection, asked: PageQuery) -> Page:
    """The videos asked for. Raises `BadRequest` for a cursor that is none."""
    column = SORTS[asked.sort]
    at = None if asked.cursor is None else read_cursor(asked.cursor, asked.sort)
    statement = present(asked.user)
    if asked.folder is not None:
        number = connection.scalar(select(folders.c.number).where(folders.c.place == place(asked.folder)))
        statement = statement.where(videos.c.folder == number)
    wanted = joined(words(asked.q[:LONGEST_QUERY])).split()[:MOST_WORDS]
    if wanted:
        statement = statement.where(_found(connection, wanted))
    elif asked.q.strip():
        return Page((), None)  # nothing but signs
    down = asked.order == "desc"
    if at is not None:
        statement = statement.where(_behind(column, at, down))
    keys = (column.desc() if down else column, videos.c.number.desc() if down else videos.c.number)
    statement = statement.order_by(*keys).limit(asked.limit + 1)
    if wanted:  # what is sorted is numbers and keys; the rest is fetched for one page
        found = statement.with_only_columns(videos.c.number)
        statement = present(asked.user).where(videos.c.number.in_(found)).order_by(*keys)
    rows = connection.execute(statement).all()
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    return Page(
        rows, cursor(asked.sort, getattr(rows[-1], column.key or ""), rows[-1].number) if more else None
    )


def cursor(sort: str, key: object, number: int) -> str:
    """Where a page ended, as one word."""
    text = key.hex() if isinstance(key, bytes) else key
    return base64.urlsafe_b64encode(json.dumps([sort, text, number]).encode()).decode().rstrip("=")


def behind_name(name: str) -> str:
    """The cursor of the page, sorted by name, behind the video `name`, whether the library knows that or not."""
    return cursor("name", sort_key(name), (1 << 63) - 1)


def read_cursor(text: str, sort: str) -> tuple[Any, int]:
    """The key and number a page ended with. Raises `BadRequest` unless `cursor` made it for this order."""
    try:
        if len(text) > LONGEST_CURSOR or not CURSOR.fullmatch(text):
            raise ValueError
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        made_for, key, number = found
        if made_for != sort or type(number) is not int or abs(number) >= 1 << 63:
            raise ValueError
        if sort in TEXTUAL:
            return bytes.fromhex(key), number
        if type(key) not in (int, float) or not math.isfinite(key) or abs(key) >= 1 << 63:
            raise ValueError
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise BadRequest("there is no such cursor: take the one that came with the page before") from None
    return (float(key) if sort == "duration" else int(key)), number


def whole(connection: Connection, id_: str, user: str) -> VideoDetails:
    """All that is known of a video, also of one that is part of a title. Raises `VideoNotFound`."""
    statement = _there(user, func.coalesce(videos.c.part_of, videos.c.number)).add_columns(
        *(contents.c.facts, contents.c.sprites, contents.c.artwork, contents.c.artwork_reason),
        videos.c.part_of,
    )
    row = connection.execute(statement.where(videos.c.id == id_)).one_or_none()
    if row is None:
        raise VideoNotFound("there is no such video")
    lead = row
    if row.part_of is not None:
        lead = connection.execute(
            select(videos.c.folder, videos.c.sort_key, videos.c.number).where(videos.c.number == row.part_of)
        ).one()
    texts = connection.execute(
        select(subtitles)
        .where(or_(subtitles.c.video == row.number, subtitles.c.revision == row.revision))
        .order_by(subtitles.c.video.is_(None), subtitles.c.number)
    ).all()
    return VideoDetails(
        row,
        texts,
        versions(connection, id_),
        neighbour(connection, lead, user, down=True),
        neighbour(connection, lead, user, down=False),
    )


def neighbour(connection: Connection, row: Row[Any], user: str, *, down: bool) -> Row[Any] | None:
    """The title before (`down`) or behind the one of `row` in its folder, in natural order."""
    column = videos.c.sort_key
    return connection.execute(
        present(user)
        .where(videos.c.folder == row.folder, _behind(column, (row.sort_key, row.number), down))
        .order_by(column.desc() if down else column, videos.c.number.desc() if down else videos.c.number)
        .limit(1)
    ).one_or_none()


def name_of(connection: Connection, id_: str) -> str | None:
    """The name of a video that is there."""
    path = connection.scalar(
        select(videos.c.path).where(videos.c.id == id_, videos.c.missing_since.is_(None))
    )
    return None if path is None else os.fsdecode(path)


def folder_page(connection: Connection, inside: str, limit: int, after: str | None) -> Page:
    """The folders in the folder `inside`, in natural order, each with how many titles are right in it."""
    at = None if after is None else read_cursor(after, "folders")
    parent = connection.scalar(select(folders.c.number).where(folders.c.place == place(inside)))
    if parent is None:
        return Page((), None)
    there = (
        select(func.count())
        .select_from(videos)
        .where(
            videos.c.folder == folders.c.number, videos.c.missing_since.is_(None), videos.c.part_of.is_(None)
        )
    )
    statement = select(folders, there.scalar_subquery().label("videos")).where(
        folders.c.parent == parent, folders.c.missing_since.is_(None)
    )
    if at is not None:
        key, number = at
        statement = statement.where(
            or_(
                folders.c.name_key > key,
                and_(folders.c.name_key == key, folders.c.number > number),
            )
        )
    rows = connection.execute(statement.order_by(folders.c.name_key, folders.c.number).limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, cursor("folders", rows[-1].name_key, rows[-1].number) if more else None)


def present(user: str) -> Select[Any]:
    """The videos that are there, one for each title, with where `user` is in them."""
    return _there(user, videos.c.number).where(videos.c.part_of.is_(None))


def _there(user: str, watched: ColumnElement[Any]) -> Select[Any]:
    """All videos that are there, with the playhead that is kept for the number `watched`."""
    return (
        select(*_SHOWN)
        .join(contents, contents.c.revision == videos.c.revision)
        .outerjoin(playheads, and_(playheads.c.video == watched, playheads.c.user == user))
        .where(videos.c.missing_since.is_(None))
    )


def _behind(column: ColumnElement[Any], at: tuple[Any, int], down: bool) -> ColumnElement[bool]:
    key, number = at
    if down:
        return and_(column <= key, or_(column < key, videos.c.number < number))
    return and_(column >= key, or_(column > key, videos.c.number > number))


def _found(connection: Connection, wanted: Sequence[str]) -> ColumnElement[bool]:
    """The videos that have the words. Of many, going through all in order finds a page sooner than sorting them."""
    numbers = hits(connection, wanted, FEW + 1)
    if len(numbers) <= FEW:
        return among(connection, numbers)
    spaced = literal(" ") + videos.c.words
    return and_(*(spaced.contains(f" {word}", autoescape=True) for word in wanted))
