"""Fingerprints in `videos`: what a file was or has become is found at once, however many have the same bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, fill it from `contents`, and index it."""
    op.add_column("videos", sa.Column("fingerprint", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE videos SET fingerprint ="
        " (SELECT fingerprint FROM contents WHERE contents.revision = videos.revision)"
    )
    op.drop_index(op.f("ix_videos_revision"), "videos")
    op.create_index(op.f("ix_videos_revision_added_at"), "videos", ["revision", "added_at"])
    op.create_index(op.f("ix_videos_fingerprint_added_at"), "videos", ["fingerprint", "added_at"])
    missing = sa.text("missing_since IS NOT NULL")
    op.create_index(
        op.f("ix_videos_missing_by_content"),
        "videos",
        ["fingerprint", "revision", "missing_since", "number"],
        sqlite_where=missing,
        postgresql_where=missing,
    )
