"""Languages are BCP 47 tags. Files that could not be read before, or were read differently, are read again."""

import sqlalchemy as sa
from alembic import op

from trio_stream.languages import language_of

revision = "0005"
down_revision = "0004"

CHANGED = "UPDATE subtitles SET signature = '' WHERE video IS NOT NULL"
"""Subtitle files: the next scan treats them as changed, parses their names, and schedules their conversion."""

AGAIN = (
    "UPDATE subtitles SET state = 'waiting' WHERE revision IN (SELECT revision FROM contents WHERE texts = 'failed')",
    "UPDATE contents SET texts = 'waiting' WHERE texts = 'failed'",
    "UPDATE contents SET state = 'new', attempts = 0",
)
"""All contents are probed again: the chosen tracks, the start and the duration may change. The old media info stays
until then."""


def upgrade() -> None:
    """Convert the languages of tracks to BCP 47 tags."""
    op.execute(CHANGED)
    for statement in AGAIN:
        op.execute(statement)
    connection = op.get_bind()
    subtitles = sa.table("subtitles", sa.column("language", sa.Text()))
    found = connection.scalars(sa.select(subtitles.c.language).distinct()).all()
    for language in found:
        if language is not None and (tag := language_of(language)) != language:
            connection.execute(
                sa.update(subtitles).where(subtitles.c.language == language).values(language=tag)
            )
