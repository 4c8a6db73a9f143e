"""Which video stands for a title, and which are part of it, as rows: each function runs in one transaction.

Invariant: after `regroup`, of each family the first by rank that is there leads and no other of it is on a page. What
was watched of a title, and what people say of it, is its leader's: whoever becomes that gets it.
"""

import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from trio_stream.library.folder.title_files import TitleFile
from trio_stream.library.naming.families import (
    MOST,
    Kin,
    by_name,
    by_title_file,
    title_and_height,
    title_file_of,
)
from trio_stream.library.naming.paths import place, title_of
from trio_stream.library.records import watch_state
from trio_stream.library.records.folders import store_folder
from trio_stream.library.records.title_columns import title_columns
from trio_stream.store.tables import title_entries, title_files, videos

SLICE = 500
"""Rows named in one statement."""

_ROW = tuple(
    videos.c[name]
    for name in (
        *("number", "path", "family", "part_of", "missing_since"),
        *("title", "own_title", "shared_title", "description", "tags", "words"),
    )
)


def kinships(connection: Connection, names: Collection[str]) -> dict[str, Kin]:
    """The kin of those of `names` that have some. What a title file says goes before what a name says."""
    found = {name: kin for name in names if (kin := by_name(name)) is not None}
    places = {place(name): name for name in names}
    keys = list(places)
    for start in range(0, len(keys), SLICE):
        rows = connection.execute(
            select(title_entries.c.place, title_entries.c.position, title_files.c.place.label("key"))
            .join(title_files, title_files.c.number == title_entries.c.title_file)
            .where(title_entries.c.place.in_(keys[start : start + SLICE]))
            .order_by(title_files.c.path.desc())  # of several the first has the last word
        )
        for row in rows:
            found[places[row.place]] = by_title_file(row.key, row.position)
    return found


def sort_in(connection: Connection, names: Collection[str]) -> None:
    """Have the videos of these names belong to what names and title files say now."""
    kin = kinships(connection, names)
    places = {place(name): name for name in names}
    keys, touched = list(places), set()
    for start in range(0, len(keys), SLICE):
        there = select(videos.c.number, videos.c.place, videos.c.family).where(
            videos.c.place.in_(keys[start : start + SLICE])
        )
        for row in connection.execute(there).all():
            touched |= join(connection, row.number, row.family, kin.get(places[row.place]))
    regroup(connection, touched)


def join(connection: Connection, number: int, before: str | None, kin: Kin | None) -> set[str]:
    """Let a video that was of the family `before` be of another; returns the families to `regroup` then."""
    if before is None and kin is None:
        return set()
    after = None if kin is None else kin.family
    values: dict[str, Any] = {"family": after, "rank": 0 if kin is None else kin.rank}
    if before != after:
        values["part_of"] = None
    connection.execute(update(videos).where(videos.c.number == number).values(values))
    if before != after:
        _call(connection, number, None)
        away = and_(videos.c.part_of == number, videos.c.missing_since.is_not(None))
        connection.execute(update(videos).where(away).values(part_of=None))
    return {family for family in (before, after) if family is not None}


def regroup(connection: Connection, families: Iterable[str]) -> None:
    """Have one video of each family lead, and the others be part of it."""
    plans = [plan for family in sorted(families) if (plan := _plan(connection, family)) is not None]
    for plan in plans:  # before any of those who led gives away what was watched, as part of another title
        for row in plan.before:
            watch_state.share(connection, row, plan.there[0].number)
    for plan in plans:
        _regroup(connection, plan)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done of a `family`: the first of those `there` leads.

    `others` are the rest of it: gone for now, or one too many. Of those who led `before` it gets what they had.
    """

    family: str
    there: Sequence[Row[Any]]
    others: Sequence[Row[Any]]
    before: Sequence[Row[Any]]


def _plan(connection: Connection, family: str) -> _Plan | None:
    """None where nothing is to be done."""
    of_it = select(*_ROW).where(videos.c.family == family)
    there = connection.execute(
        of_it.where(videos.c.missing_since.is_(None)).order_by(videos.c.rank, videos.c.number).limit(MOST)
    ).all()
    if not there:
        return None
    elsewhere = videos.c.number.not_in([row.number for row in there])
    gone_or_part = or_(videos.c.missing_since.is_not(None), videos.c.part_of.is_not(None))
    others = connection.execute(of_it.where(elsewhere, gone_or_part).order_by(videos.c.number)).all()
    if len(there) == 1 and not others and _is_plain(there[0]):
        return None
    led = {row.part_of for row in there if row.part_of is not None} - {row.number for row in others}
    left = connection.execute(select(*_ROW).where(videos.c.number.in_(led), elsewhere)).all() if led else ()
    away = (row for row in others if row.missing_since is not None and row.part_of is None)
    return _Plan(family, there, others, [*left, *away])


def _is_plain(row: Row[Any]) -> bool:
    """Whether a video that is alone is so already: most names that say a size are the only ones of their family."""
    return row.part_of is None and row.shared_title is None and title_file_of(row.family) is None


def _regroup(connection: Connection, plan: _Plan) -> None:
    lead, followers = plan.there[0], plan.there[1:]
    new = [row for row in followers if row.part_of != lead.number]
    _follow(connection, lead, None)
    for row in followers:
        _follow(connection, row, lead.number)
    for number in watch_state.watched_among(connection, [row.number for row in followers]):
        watch_state.take_over(connection, number, lead.number)
    for row in plan.others:
        _follow(connection, row, lead.number if row.missing_since is not None else None)
    silent = _inherit(connection, plan, [*plan.before, *(row for row in new if row.part_of is None)])
    for number in silent.union(row.number for row in followers if row.shared_title is not None):
        _call(connection, number, None)
    others = [os.fsdecode(row.path) for row in followers]
    _call(connection, lead.number, _shared_title(connection, plan.family, plan.there), others)


def _follow(connection: Connection, row: Row[Any], lead: int | None) -> None:
    if row.part_of != lead:
        connection.execute(update(videos).where(videos.c.number == row.number).values(part_of=lead))


def _shared_title(connection: Connection, family: str, there: Sequence[Row[Any]]) -> str | None:
    """What the film is called: as its title file says, or as its files do without their sizes."""
    key = title_file_of(family)
    if key is not None:
        return connection.scalar(select(title_files.c.title).where(title_files.c.place == key))
    said = title_and_height(os.fsdecode(there[0].path))
    return title_of(said[0]) if said is not None and len(there) > 1 else None


def _call(connection: Connection, number: int, shared: str | None, others: Sequence[str] = ()) -> None:
    """Let a video have the title of its film, or none of it, and be found by the names of the `others` too."""
    row = connection.execute(select(*_ROW).where(videos.c.number == number)).one()
    names = title_columns(os.fsdecode(row.path), row.own_title, shared, json.loads(row.tags), others)
    if (row.shared_title, row.title, row.words) != (shared, names["title"], names["words"]):
        connection.execute(
            update(videos).where(videos.c.number == number).values(shared_title=shared, **names)
        )


def _inherit(connection: Connection, plan: _Plan, others: Sequence[Row[Any]]) -> set[int]:
    """Let who leads have what people said of those before, where nobody has said anything of it.

    Who led this title gives that away, or it would say it again once it is back; returns those who did. Who was a film
    of its own keeps it: a title file may be a mistake.
    """
    lead, gave = plan.there[0], set()
    for name, nothing in (("own_title", None), ("description", ""), ("tags", "[]")):
        said = next((row for row in others if getattr(row, name) != nothing), None)
        if said is None or getattr(lead, name) != nothing:
            continue
        _say(connection, lead.number, name, getattr(said, name))
        if _led(said, plan.family):
            _say(connection, said.number, name, nothing)
            gave.add(said.number)
    return gave


def _led(row: Row[Any], family: str) -> bool:
    """Whether a video that is not part of another led the `family`: then it is called so, or kin by its name."""
    return row.family == family and (row.shared_title is not None or title_file_of(family) is None)


def _say(connection: Connection, number: int, name: str, value: str | None) -> None:
    connection.execute(update(videos).where(videos.c.number == number).values({name: value}))


def store_title_files(
    connection: Connection, folder: str, changed: Sequence[TitleFile], gone: Collection[str]
) -> None:
    """Make the title files in `folder` be as they were found."""
    number_of_folder = store_folder(connection, folder)
    places = [place(name) for name in (*gone, *(each.name for each in changed))]
    numbers = connection.scalars(select(title_files.c.number).where(title_files.c.place.in_(places))).all()
    names = _forget(connection, numbers)
    for each in changed:
        key = place(each.name)
        values = {
            "folder": number_of_folder,
            "path": os.fsencode(each.name),
            "place": key,
            "signature": each.signature,
            "title": each.title or None,
            "reason": each.reason,
        }
        connection.execute(title_files.insert().values(values))
        number = connection.scalars(select(title_files.c.number).where(title_files.c.place == key)).one()
        entries = [
            {"title_file": number, "position": position, "path": os.fsencode(name), "place": place(name)}
            for position, name in enumerate(each.files)
        ]
        if entries:
            connection.execute(title_entries.insert(), entries)
        names |= dict.fromkeys(each.files)
    sort_in(connection, names)


def remove_title_files(connection: Connection, folders: Sequence[int]) -> None:
    """Forget the title files of folders that have gone."""
    numbers = connection.scalars(select(title_files.c.number).where(title_files.c.folder.in_(folders))).all()
    sort_in(connection, _forget(connection, numbers))


def _forget(connection: Connection, numbers: Sequence[int]) -> dict[str, None]:
    """Forget title files; returns the names they had."""
    names: dict[str, None] = {}
    for start in range(0, len(numbers), SLICE):
        part = numbers[start : start + SLICE]
        listed = select(title_entries.c.path).where(title_entries.c.title_file.in_(part))
        names |= {os.fsdecode(path): None for path in connection.scalars(listed)}
        connection.execute(title_files.delete().where(title_files.c.number.in_(part)))
    return names


def problems(connection: Connection, most: int) -> list[tuple[str, str]]:
    """Title files that are not understood or name what is not there or another's, with the reasons; `most` of each."""
    refused = connection.execute(
        select(title_files.c.path, title_files.c.reason)
        .where(title_files.c.reason.is_not(None))
        .order_by(title_files.c.path)
        .limit(most)
    )
    named = (
        select(title_files.c.path, title_entries.c.path.label("named"))
        .join(title_entries, title_entries.c.title_file == title_files.c.number)
        .order_by(title_files.c.path, title_entries.c.position)
        .limit(most)
    )
    absent = connection.execute(
        named.outerjoin(
            videos, and_(videos.c.place == title_entries.c.place, videos.c.missing_since.is_(None))
        ).where(videos.c.number.is_(None))
    )
    first, its = title_entries.alias(), title_files.alias()
    owner = (
        select(its.c.path)
        .join(first, first.c.title_file == its.c.number)
        .where(first.c.place == title_entries.c.place, its.c.path < title_files.c.path)
        .order_by(its.c.path)
        .limit(1)
        .scalar_subquery()
    )
    taken = connection.execute(named.add_columns(owner.label("first")).where(owner.is_not(None)))
    return [
        *((os.fsdecode(row.path), str(row.reason)) for row in refused),
        *((os.fsdecode(row.path), f"there is no video {os.fsdecode(row.named)!r}") for row in absent),
        *(
            (
                os.fsdecode(row.path),
                f"{os.fsdecode(row.named)!r} belongs to {os.fsdecode(row.first)!r} already",
            )
            for row in taken
        ),
    ]
