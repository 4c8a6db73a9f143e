"""Languages are BCP 47 tags, and what could not be read before, or was read otherwise, is read again."""

import sqlalchemy as sa
from alembic import op

from trio_stream.languages import language_of

revision = "0005"
down_revision = "0004"

CHANGED = "UPDATE subtitles SET signature = '' WHERE video IS NOT NULL"
"""Files beside videos: the next look takes them for changed, takes their names apart, and has them read."""

AGAIN = (
    "UPDATE subtitles SET state = 'waiting' WHERE revision IN (SELECT revision FROM contents WHERE texts = 'failed')",
    "UPDATE contents SET texts = 'waiting' WHERE texts = 'failed'",
    "UPDATE contents SET state = 'new', attempts = 0",
)
"""Facts are found anew as well: which tracks are chosen, when a film begins, and how long it lasts. What was known of a
content stays until then."""


def upgrade() -> None:
    """Write the languages of tracks as BCP 47 has them."""
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
