"""All tables, as the newest migration leaves them (a test compares the two).

Times are milliseconds since the epoch, or nanoseconds if the name ends in `_ns`; durations and positions are seconds.
File names are bytes, because they need not be UTF-8. Names and titles are compared and sorted by separate key columns,
as bytes, so the result does not depend on a database collation.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Executable,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    false,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from trio_stream.store.values import ClampedBigInteger, ClampedInteger, FiniteSeconds, SafeText

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite assigns row numbers only to a primary key whose type is exactly INTEGER."""


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _page_index(name: str, *columns: str) -> Index:
    """An index for pages of present videos, one per title; `number` makes the order total."""
    return Index(
        f"ix_videos_{name}", *columns, "number", **_where("missing_since IS NULL AND part_of IS NULL")
    )


contents = Table(
    "contents",
    metadata,
    Column("revision", SafeText, primary_key=True),
    Column("size", ClampedBigInteger, nullable=False),
    Column("mtime_ns", ClampedBigInteger, nullable=False),
    Column("fingerprint", SafeText, nullable=False, index=True),
    Column("digest", SafeText),
    Column("state", SafeText, nullable=False, server_default="new"),
    Column("attempts", ClampedInteger, nullable=False, server_default="0"),
    Column("reason", SafeText),
    Column("duration", FiniteSeconds),
    Column("width", ClampedInteger),
    Column("height", ClampedInteger),
    Column("artwork", SafeText, nullable=False, server_default="waiting"),
    Column("artwork_reason", SafeText),
    Column("poster", SafeText),
    Column("blurhash", SafeText),
    Column("texts", SafeText, nullable=False, server_default="waiting"),
    Column("sprites", SafeText),
    Column("facts", SafeText),
    CheckConstraint("state IN ('new', 'probed', 'unreadable')", name="state"),
    CheckConstraint("artwork IN ('waiting', 'made', 'failed', 'none')", name="artwork"),
    CheckConstraint("texts IN ('waiting', 'made', 'failed', 'none')", name="texts"),
    Index("ix_contents_to_probe", "revision", **_where("state = 'new'")),
    Index("ix_contents_to_draw", "revision", **_where("state = 'probed' AND artwork = 'waiting'")),
    Index("ix_contents_to_extract", "revision", **_where("state = 'probed' AND texts = 'waiting'")),
    Index("ix_contents_unreadable", "revision", **_where("state = 'unreadable'")),
)
"""A content, independent of the names of its files. Long columns come last, because SQLite must read them to get at the
columns after them. `facts` is the JSON of a `media.formats.media_info.MediaInfo`. `digest` is the hash of all bytes,
computed only if two contents have the same fingerprint. `poster` is the digest of the generated image. `texts` is the
state of the text tracks. `sprites` is the JSON of a `media.formats.trickplay.Grid`, with the digests of its sheets as
`files`."""

folders = Table(
    "folders",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("path", LargeBinary, nullable=False),
    Column("place", SafeText, nullable=False, unique=True),
    Column("parent", BigInteger, ForeignKey("folders.number")),
    Column("name_key", LargeBinary, nullable=False),
    Column("missing_since", ClampedBigInteger),
    Index("ix_folders_inside", "parent", "name_key", "number"),
    sqlite_autoincrement=True,
)
"""A folder of the library; the path of the library itself is empty. `place` is a hash of the path, because paths may be
longer than the keys of an index."""

videos = Table(
    "videos",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("id", SafeText, nullable=False, unique=True),
    Column("path", LargeBinary, nullable=False),
    Column("place", SafeText, unique=True),
    Column("folder", BigInteger, ForeignKey("folders.number"), nullable=False),
    Column("sort_key", LargeBinary, nullable=False),
    Column("title", SafeText, nullable=False),
    Column("own_title", SafeText),
    Column("title_key", LargeBinary, nullable=False),
    Column("description", SafeText, nullable=False, server_default=""),
    Column("tags", SafeText, nullable=False, server_default="[]"),
    Column("words", SafeText, nullable=False, server_default=""),
    Column("revision", SafeText, ForeignKey("contents.revision"), nullable=False),
    Column("signature", SafeText, nullable=False),
    Column("size", ClampedBigInteger, nullable=False),
    Column("mtime_ns", ClampedBigInteger, nullable=False),
    Column("duration", FiniteSeconds, nullable=False, server_default="0"),
    Column("added_at", ClampedBigInteger, nullable=False),
    Column("missing_since", ClampedBigInteger),
    Column("family", SafeText),
    Column("rank", ClampedInteger, nullable=False, server_default="0"),
    Column("part_of", BigInteger, ForeignKey("videos.number")),
    Column("shared_title", SafeText),
    Column("fingerprint", SafeText, nullable=False, server_default=""),
    _page_index("by_name", "sort_key"),
    _page_index("by_title", "title_key"),
    _page_index("by_added", "added_at"),
    _page_index("by_modified", "mtime_ns"),
    _page_index("by_size", "size"),
    _page_index("by_duration", "duration"),
    Index("ix_videos_in_folder", "folder", "sort_key", "number"),
    Index("ix_videos_revision_added_at", "revision", "added_at"),
    Index("ix_videos_fingerprint_added_at", "fingerprint", "added_at"),
    Index("ix_videos_missing", "missing_since", "number", **_where("missing_since IS NOT NULL")),
    Index(
        "ix_videos_missing_by_content",
        *("fingerprint", "revision", "missing_since", "number"),
        **_where("missing_since IS NOT NULL"),
    ),
    Index("ix_videos_family", "family", "rank", "number", **_where("family IS NOT NULL")),
    Index("ix_videos_part_of", "part_of", "number", **_where("part_of IS NOT NULL")),
    sqlite_autoincrement=True,
)
"""A name in the library. A missing video keeps its row, so that a returning file gets its id back; its `place` is NULL
once another video has that name. `fingerprint` is that of its content. `words` is what search reads, see
`store.search`. A `duration` of 0 is unknown.

Videos of one `family` are versions of one title. The one with the lowest `rank` leads and represents them all; the
others are `part_of` it. `shared_title` is the name of the title, see `library.records.grouping`."""

title_files = Table(
    "title_files",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("folder", BigInteger, ForeignKey("folders.number"), nullable=False, index=True),
    Column("path", LargeBinary, nullable=False),
    Column("place", SafeText, nullable=False, unique=True),
    Column("signature", SafeText, nullable=False),
    Column("title", SafeText),
    Column("reason", SafeText),
    sqlite_autoincrement=True,
)
"""A file that says which videos are one title; `reason` is why it is invalid."""

title_entries = Table(
    "title_entries",
    metadata,
    Column("title_file", BigInteger, ForeignKey("title_files.number", ondelete="CASCADE"), primary_key=True),
    Column("position", ClampedInteger, primary_key=True, autoincrement=False),
    Column("path", LargeBinary, nullable=False),
    Column("place", SafeText, nullable=False, index=True),
)
"""A video that a title file lists, whether it exists or not; `place` is its key in `videos`."""

subtitles = Table(
    "subtitles",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("video", BigInteger, ForeignKey("videos.number", ondelete="CASCADE"), index=True),
    Column("revision", SafeText, ForeignKey("contents.revision", ondelete="CASCADE"), index=True),
    Column("track", ClampedInteger),
    Column("path", LargeBinary),
    Column("signature", SafeText),
    Column("codec", SafeText, nullable=False),
    Column("language", SafeText),
    Column("label", SafeText, nullable=False, server_default=""),
    Column("forced", Boolean, nullable=False, server_default=false()),
    Column("hearing_impaired", Boolean, nullable=False, server_default=false()),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("state", SafeText, nullable=False, server_default="waiting"),
    Column("reason", SafeText),
    Column("vtt", SafeText),
    Column("original", SafeText),
    CheckConstraint("state IN ('waiting', 'made', 'failed')", name="state"),
    CheckConstraint("(video IS NULL) <> (revision IS NULL)", name="source"),
    Index("ix_subtitles_to_make", "number", **_where("state = 'waiting'")),
    sqlite_autoincrement=True,
)
"""A subtitle file next to a video (`video`, `path`, `signature`), or a track in a content (`revision`, `track`). `vtt`
and `original` are digests of derived files: the WebVTT, and the ASS if the source was ASS."""

presentations = Table(
    "presentations",
    metadata,
    Column("revision", SafeText, ForeignKey("contents.revision", ondelete="CASCADE"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)
"""Where the segments of a content start, serialized by `packaging.presentation`."""

playheads = Table(
    "playheads",
    metadata,
    Column("user", SafeText, primary_key=True),
    Column(
        "video", BigInteger, ForeignKey("videos.number", ondelete="CASCADE"), primary_key=True, index=True
    ),
    Column("position", FiniteSeconds, nullable=False),
    Column("duration", FiniteSeconds),
    Column("watched", Boolean, nullable=False, server_default=false()),
    Column("plays", ClampedInteger, nullable=False, server_default="0"),
    Column("updated_at", ClampedBigInteger, nullable=False),
    Index("ix_playheads_recent", "user", "updated_at"),
)
"""How far a user has watched a title."""

viewings = Table(
    "viewings",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("user", SafeText, nullable=False),
    Column("video", BigInteger, ForeignKey("videos.number", ondelete="CASCADE"), nullable=False, index=True),
    Column("started_at", ClampedBigInteger, nullable=False),
    Column("updated_at", ClampedBigInteger, nullable=False),
    Column("first", FiniteSeconds, nullable=False),
    Column("last", FiniteSeconds, nullable=False),
    Index("ix_viewings_recent", "user", "updated_at", "number"),
    sqlite_autoincrement=True,
)
"""The history: one row for each time a user watched, from position `first` to position `last`."""

library = Table(
    "library",
    metadata,
    Column("key", SafeText, primary_key=True),
    Column("value", SafeText, nullable=False),
)
"""Key-value pairs about the library as a whole."""


def upsert(
    connection: Connection,
    table: Table,
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    key: Iterable[str],
    update: Iterable[str] | None = None,
) -> None:
    """Insert rows; if a row with the same `key` (a unique set of columns) exists, set its columns `update` instead.

    Without `update`, all given columns outside the key are set; with an empty `update`, the existing row stays
    unchanged. All rows must have the same columns.
    """
    rows = [values] if isinstance(values, Mapping) else list(values)
    if not rows:
        return
    key = tuple(key)
    changed = tuple(name for name in rows[0] if name not in key) if update is None else tuple(update)
    connection.execute(_upsert(connection.dialect.name, table, key, changed), rows)


@cache  # building a statement takes longer than running it, and there are only a few dozen
def _upsert(dialect: str, table: Table, key: tuple[str, ...], changed: tuple[str, ...]) -> Executable:
    statement: postgresql.Insert | sqlite.Insert
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in changed}
    )
