"""Titles: which videos are versions of one title, what defines it, and pages with one entry per title."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PAGES = {
    "name": "sort_key",
    "title": "title_key",
    "added": "added_at",
    "modified": "mtime_ns",
    "size": "size",
    "duration": "duration",
}


def upgrade() -> None:
    """Add columns and tables; the next scan of the folder fills them."""
    _videos()
    _title_files()
    for name, column in PAGES.items():
        op.drop_index(op.f(f"ix_videos_by_{name}"), "videos")
        _index(
            f"ix_videos_by_{name}", column, "number", condition="missing_since IS NULL AND part_of IS NULL"
        )


def _videos() -> None:
    op.add_column("videos", sa.Column("family", sa.Text()))
    op.add_column("videos", sa.Column("rank", sa.Integer(), nullable=False, server_default="0"))
    # In plain SQL: SQLite can add a foreign key only together with its column.
    op.execute(
        "ALTER TABLE videos ADD COLUMN part_of BIGINT"
        " CONSTRAINT fk_videos_part_of_videos REFERENCES videos (number)"
    )
    op.add_column("videos", sa.Column("shared_title", sa.Text()))
    _index("ix_videos_family", "family", "rank", "number", condition="family IS NOT NULL")
    _index("ix_videos_part_of", "part_of", "number", condition="part_of IS NOT NULL")


def _title_files() -> None:
    op.create_table(
        "title_files",
        sa.Column("number", Number, nullable=False),
        sa.Column("folder", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_title_files")),
        sa.ForeignKeyConstraint(["folder"], ["folders.number"], name=op.f("fk_title_files_folder_folders")),
        sa.UniqueConstraint("place", name=op.f("uq_title_files_place")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_title_files_folder"), "title_files", ["folder"])
    op.create_table(
        "title_entries",
        sa.Column("title_file", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("title_file", "position", name=op.f("pk_title_entries")),
        sa.ForeignKeyConstraint(
            ["title_file"],
            ["title_files.number"],
            name=op.f("fk_title_entries_title_file_title_files"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_title_entries_place"), "title_entries", ["place"])


def _index(name: str, *columns: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(op.f(name), "videos", [*columns], sqlite_where=where, postgresql_where=where)
