"""The library: contents, videos, derived files, watch state, and the search index."""

from textwrap import dedent

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SEARCH = {
    "sqlite": [
        """
        CREATE VIRTUAL TABLE videos_search USING fts5 (
            words, content='videos', content_rowid='number',
            tokenize='ascii', detail=none, columnsize=0, prefix='1 2 3'
        )
        """,
        """
        CREATE TRIGGER videos_search_inserted AFTER INSERT ON videos BEGIN
            INSERT INTO videos_search (rowid, words) VALUES (new.number, new.words);
        END
        """,
        """
        CREATE TRIGGER videos_search_deleted AFTER DELETE ON videos BEGIN
            INSERT INTO videos_search (videos_search, rowid, words) VALUES ('delete', old.number, old.words);
        END
        """,
        """
        CREATE TRIGGER videos_search_updated AFTER UPDATE OF number, words ON videos
        WHEN old.words IS NOT new.words OR old.number IS NOT new.number BEGIN
            INSERT INTO videos_search (videos_search, rowid, words) VALUES ('delete', old.number, old.words);
            INSERT INTO videos_search (rowid, words) VALUES (new.number, new.words);
        END
        """,
    ],
    "postgresql": [
        """
        CREATE INDEX videos_search ON videos
        USING gin (array_to_tsvector(array_remove(string_to_array(words, ' '), '')))
        """,
    ],
}
"""The search index; `store.search` queries it and explains its form."""

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the whole schema."""
    _contents()
    _folders()
    _videos()
    _subtitles()
    _watching()
    op.create_table(
        "library",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_library")),
    )
    for statement in SEARCH[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(dedent(statement).strip())


def _index(name: str, table: str, *columns: str, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(op.f(name), table, columns, sqlite_where=condition, postgresql_where=condition)


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False, server_default="new"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reason", sa.Text()),
        sa.Column("duration", sa.Double()),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("artwork", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("artwork_reason", sa.Text()),
        sa.Column("poster", sa.Text()),
        sa.Column("blurhash", sa.Text()),
        sa.Column("texts", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("sprites", sa.Text()),
        sa.Column("facts", sa.Text()),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_contents")),
        sa.CheckConstraint("state IN ('new', 'probed', 'unreadable')", name=op.f("ck_contents_state")),
        sa.CheckConstraint(
            "artwork IN ('waiting', 'made', 'failed', 'none')", name=op.f("ck_contents_artwork")
        ),
        sa.CheckConstraint("texts IN ('waiting', 'made', 'failed', 'none')", name=op.f("ck_contents_texts")),
    )
    _index("ix_contents_fingerprint", "contents", "fingerprint")
    _index("ix_contents_to_probe", "contents", "revision", where="state = 'new'")
    _index("ix_contents_to_draw", "contents", "revision", where="artwork = 'waiting'")
    _index("ix_contents_to_extract", "contents", "revision", where="texts = 'waiting'")
    _index("ix_contents_unreadable", "contents", "revision", where="state = 'unreadable'")


def _folders() -> None:
    op.create_table(
        "folders",
        sa.Column("number", Number, nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("parent", sa.BigInteger()),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("missing_since", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_folders")),
        sa.UniqueConstraint("place", name=op.f("uq_folders_place")),
        sa.ForeignKeyConstraint(["parent"], ["folders.number"], name=op.f("fk_folders_parent_folders")),
        sqlite_autoincrement=True,
    )
    _index("ix_folders_inside", "folders", "parent", "name_key", "number")


def _videos() -> None:
    op.create_table(
        "videos",
        sa.Column("number", Number, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Text()),
        sa.Column("folder", sa.BigInteger(), nullable=False),
        sa.Column("sort_key", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("own_title", sa.Text()),
        sa.Column("title_key", sa.LargeBinary(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("tags", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("words", sa.Text(), nullable=False, server_default=""),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=False, server_default="0"),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_videos")),
        sa.UniqueConstraint("id", name=op.f("uq_videos_id")),
        sa.UniqueConstraint("place", name=op.f("uq_videos_place")),
        sa.ForeignKeyConstraint(["folder"], ["folders.number"], name=op.f("fk_videos_folder_folders")),
        sa.ForeignKeyConstraint(
            ["revision"], ["contents.revision"], name=op.f("fk_videos_revision_contents")
        ),
        sqlite_autoincrement=True,
    )
    _index("ix_videos_revision", "videos", "revision")
    for name, columns in {
        "by_name": ("sort_key",),
        "by_title": ("title_key",),
        "by_added": ("added_at",),
        "by_modified": ("mtime_ns",),
        "by_size": ("size",),
        "by_duration": ("duration",),
    }.items():
        _index(f"ix_videos_{name}", "videos", *columns, "number", where="missing_since IS NULL")
    _index("ix_videos_in_folder", "videos", "folder", "sort_key", "number")
    _index("ix_videos_missing", "videos", "missing_since", "number", where="missing_since IS NOT NULL")


def _subtitles() -> None:
    op.create_table(
        "subtitles",
        sa.Column("number", Number, nullable=False),
        sa.Column("video", sa.BigInteger()),
        sa.Column("revision", sa.Text()),
        sa.Column("track", sa.Integer()),
        sa.Column("path", sa.LargeBinary()),
        sa.Column("signature", sa.Text()),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("label", sa.Text(), nullable=False, server_default=""),
        sa.Column("forced", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("hearing_impaired", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_default", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("reason", sa.Text()),
        sa.Column("vtt", sa.Text()),
        sa.Column("original", sa.Text()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_subtitles")),
        sa.ForeignKeyConstraint(
            ["revision"],
            ["contents.revision"],
            name=op.f("fk_subtitles_revision_contents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["video"], ["videos.number"], name=op.f("fk_subtitles_video_videos"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("state IN ('waiting', 'made', 'failed')", name=op.f("ck_subtitles_state")),
        sa.CheckConstraint("(video IS NULL) <> (revision IS NULL)", name=op.f("ck_subtitles_source")),
        sqlite_autoincrement=True,
    )
    _index("ix_subtitles_video", "subtitles", "video")
    _index("ix_subtitles_revision", "subtitles", "revision")
    _index("ix_subtitles_to_make", "subtitles", "number", where="state = 'waiting'")


def _watching() -> None:
    op.create_table(
        "playheads",
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("video", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Double(), nullable=False),
        sa.Column("duration", sa.Double()),
        sa.Column("watched", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("plays", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user", "video", name=op.f("pk_playheads")),
        sa.ForeignKeyConstraint(
            ["video"], ["videos.number"], name=op.f("fk_playheads_video_videos"), ondelete="CASCADE"
        ),
    )
    _index("ix_playheads_video", "playheads", "video")
    _index("ix_playheads_recent", "playheads", "user", "updated_at")
    op.create_table(
        "viewings",
        sa.Column("number", Number, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("video", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Double(), nullable=False),
        sa.Column("last", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_viewings")),
        sa.ForeignKeyConstraint(
            ["video"], ["videos.number"], name=op.f("fk_viewings_video_videos"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    _index("ix_viewings_video", "viewings", "video")
    _index("ix_viewings_recent", "viewings", "user", "updated_at", "number")
