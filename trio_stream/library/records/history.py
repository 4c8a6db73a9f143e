"""Viewings: when a user watched a video, and from which position to which.

A playhead that is updated within half an hour continues its viewing; a later update begins a new one.
"""

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from trio_stream.library.records import pages
from trio_stream.library.records.pages import Page
from trio_stream.store.tables import videos, viewings

MAX_GAP = 30 * 60 * 1000
"""The longest pause in a viewing, in milliseconds."""


def forget_history(connection: Connection, user: str) -> None:
    """Delete the history of `user`; playheads stay."""
    connection.execute(delete(viewings).where(viewings.c.user == user))


def viewed(connection: Connection, user: str, limit: int, after: str | None) -> Page:
    """What `user` watched, newest first: rows of `pages` with `started_at`, `ended_at`, `first` and `last`."""
    statement = (
        pages.present(user)
        .add_columns(
            viewings.c.number.label("viewing"),
            viewings.c.started_at,
            viewings.c.updated_at.label("ended_at"),
            viewings.c.first,
            viewings.c.last,
        )
        .join(viewings, viewings.c.video == videos.c.number)
        .where(viewings.c.user == user)
    )
    if after is not None:
        when, number = pages.read_cursor(after, "history")
        statement = statement.where(
            or_(
                viewings.c.updated_at < when,
                and_(viewings.c.updated_at == when, viewings.c.number < number),
            )
        )
    rows = connection.execute(
        statement.order_by(viewings.c.updated_at.desc(), viewings.c.number.desc()).limit(limit + 1)
    ).all()
    has_more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, pages.cursor("history", rows[-1].ended_at, rows[-1].viewing) if has_more else None)


def record_position(connection: Connection, user: str, number: int, position: float, now: int) -> None:
    """Continue the viewing of the video `number`, or begin one: it is at `position` at `now`, in milliseconds."""
    parameters = {"viewer": user, "video_number": number, "at": now, "position": position}
    if not connection.execute(_CONTINUE, parameters | {"since": now - MAX_GAP}).rowcount:
        connection.execute(
            insert(viewings),
            {
                "user": user,
                "video": number,
                "started_at": now,
                "updated_at": now,
                "first": position,
                "last": position,
            },
        )


# Built once, because it runs with every playhead update, and building it takes longer than running it.
_CONTINUE = (
    update(viewings)
    .where(
        viewings.c.number
        == select(func.max(viewings.c.number))
        .where(viewings.c.user == bindparam("viewer"), viewings.c.video == bindparam("video_number"))
        .scalar_subquery(),
        viewings.c.updated_at > bindparam("since"),
    )
    .values(updated_at=bindparam("at"), last=bindparam("position"))
)
