"""What users edit: the title, the description and the tags of a video."""

import json
import os
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from trio_stream.library.records.grouping import regroup
from trio_stream.library.records.title_columns import title_columns
from trio_stream.store.tables import videos

LONGEST_DESCRIPTION, LONGEST_TAG, MAX_TAGS = 20_000, 100, 100

KEEP = object()
"""In place of a title: do not change it. None or an empty title restores the title from the file name."""


@dataclass(frozen=True, slots=True)
class VideoEdit:
    """An edit of a video; None leaves a value unchanged."""

    title: object = KEEP
    description: str | None = None
    tags: tuple[str, ...] | None = None


def edit(connection: Connection, id_: str, change: VideoEdit) -> bool:
    """Edit a video; returns whether there is such a video."""
    row = connection.execute(
        select(
            *(videos.c.number, videos.c.path, videos.c.own_title, videos.c.shared_title),
            *(videos.c.description, videos.c.tags, videos.c.family),
        ).where(videos.c.id == id_, videos.c.missing_since.is_(None))
    ).one_or_none()
    if row is None:
        return False
    name = os.fsdecode(row.path)
    own_title = row.own_title if change.title is KEEP else change.title or None
    tags = json.loads(row.tags) if change.tags is None else list(change.tags)
    own_title = None if own_title is None else str(own_title)
    connection.execute(
        update(videos)
        .where(videos.c.number == row.number)
        .values(
            own_title=own_title,
            description=row.description if change.description is None else change.description,
            tags=json.dumps(tags),
            **title_columns(name, own_title, row.shared_title, tags),
        )
    )
    if row.family is not None:
        regroup(connection, {row.family})
    return True
