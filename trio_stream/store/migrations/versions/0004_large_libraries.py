"""Large libraries: equal contents and pending jobs are found without reading other rows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

WAITING = {
    "ix_contents_to_draw": "state = 'probed' AND artwork = 'waiting'",
    "ix_contents_to_extract": "state = 'probed' AND texts = 'waiting'",
}


BACK = """
WITH RECURSIVE around(number) AS (
    SELECT folder FROM videos WHERE missing_since IS NULL
    UNION
    SELECT folders.parent FROM folders JOIN around ON folders.number = around.number
    WHERE folders.parent IS NOT NULL
)
UPDATE folders SET missing_since = NULL
WHERE missing_since IS NOT NULL AND number IN (SELECT number FROM around)
"""
"""Returned folders stayed marked as missing, so their next loss went unnoticed. The next scan corrects this."""


def upgrade() -> None:
    """Add the fingerprints of contents to `videos`, and index them. Contents that need a probe first are not indexed.

    Folders that have videos are no longer marked as missing.
    """
    op.execute(BACK)
    op.add_column("videos", sa.Column("fingerprint", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE videos SET fingerprint ="
        " (SELECT fingerprint FROM contents WHERE contents.revision = videos.revision)"
    )
    op.drop_index(op.f("ix_videos_revision"), "videos")
    _index("ix_videos_revision_added_at", "videos", "revision", "added_at")
    _index("ix_videos_fingerprint_added_at", "videos", "fingerprint", "added_at")
    missing = ("fingerprint", "revision", "missing_since", "number")
    _index("ix_videos_missing_by_content", "videos", *missing, condition="missing_since IS NOT NULL")
    for name, condition in WAITING.items():
        op.drop_index(op.f(name), "contents")
        _index(name, "contents", "revision", condition=condition)


def _index(name: str, table: str, *columns: str, condition: str | None = None) -> None:
    where = None if condition is None else sa.text(condition)
    op.create_index(op.f(name), table, [*columns], sqlite_where=where, postgresql_where=where)
