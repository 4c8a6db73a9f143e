"""Viewings: when somebody watched what, from where to where.

A playhead that is written again within half an hour continues the viewing it belongs to; later it begins another one.
"""

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from trio_stream.library.records import pages
from trio_stream.library.records.pages import Page
from trio_stream.store.tables import videos, viewings

CONTINUED = 30 * 60 * 1000
"""Milliseconds within which a viewing goes on."""


def forget_history(connection: Connection, user: str) -> None:
    """Forget when `user` watched what; playheads stay."""
    connection.execute(delete(viewings).where(viewings.c.user == user))


def viewed(connection: Connection, user: str, limit: int, after: str | None) -> Page:
    """What `user` watched, the last first: rows of `pages` with `started_at`, `ended_at`, `first` and `last`."""
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
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, pages.cursor("history", rows[-1].ended_at, rows[-1].viewing) if more else None)


def note(connection: Connection, user: str, number: int, position: float, now: int) -> None:
    """Continue the viewing of the video `number`, or begin one: it stands at `position`, at `now` in milliseconds."""
    seen = {"who": user, "seen": number, "at": now, "position": position}
    if not connection.execute(_GOES_ON, seen | {"since": now - CONTINUED}).rowcount:
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


# Built once, as it runs with every playhead: to build it takes longer than to run it.
_GOES_ON = (
    update(viewings)
    .where(
        viewings.c.number
        == select(func.max(viewings.c.number))
        .where(viewings.c.user == bindparam("who"), viewings.c.video == bindparam("seen"))
        .scalar_subquery(),
        viewings.c.updated_at > bindparam("since"),
    )
    .values(updated_at=bindparam("at"), last=bindparam("position"))
)
