"""Presentations: where the segments of a content start, so that its file is read only once for playlists."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table; it fills as videos are played."""
    op.create_table(
        "presentations",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_presentations")),
        sa.ForeignKeyConstraint(
            ["revision"],
            ["contents.revision"],
            name=op.f("fk_presentations_revision_contents"),
            ondelete="CASCADE",
        ),
    )
