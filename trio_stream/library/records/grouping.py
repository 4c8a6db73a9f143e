"""Which video leads a title, and which are part of it, as rows. Each function runs in one transaction.

Invariant: after `regroup`, the first present video of each family by rank leads, and no other member is on a page. The
watch state and the edits of a title belong to its leader; a new leader takes them over.
"""

import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from trio_stream.library.folder.title_files import TitleFile
from trio_stream.library.naming.families import (
    MAX_VERSIONS,
    Membership,
    membership_by_name,
    membership_by_title_file,
    title_and_height,
    title_file_of,
)
from trio_stream.library.naming.paths import place, title_of
from trio_stream.library.records import watch_state
from trio_stream.library.records.folders import store_folder
from trio_stream.library.records.title_columns import title_columns
from trio_stream.store.tables import title_entries, title_files, videos

SLICE = 500
"""The most rows that one statement names."""

_ROW = tuple(
    videos.c[name]
    for name in (
        *("number", "path", "family", "part_of", "missing_since"),
        *("title", "own_title", "shared_title", "description", "tags", "words"),
    )
)


def memberships_of(connection: Connection, names: Collection[str]) -> dict[str, Membership]:
    """The family and rank of those `names` that have a family. Title files take precedence over names."""
    found = {name: membership for name in names if (membership := membership_by_name(name)) is not None}
    places = {place(name): name for name in names}
    keys = list(places)
    for start in range(0, len(keys), SLICE):
        rows = connection.execute(
            select(title_entries.c.place, title_entries.c.position, title_files.c.place.label("key"))
            .join(title_files, title_files.c.number == title_entries.c.title_file)
            .where(title_entries.c.place.in_(keys[start : start + SLICE]))
            .order_by(title_files.c.path.desc())  # the first path comes last, and so wins
        )
        for row in rows:
            found[places[row.place]] = membership_by_title_file(row.key, row.position)
    return found


def update_families(connection: Connection, names: Collection[str]) -> None:
    """Move the videos of these names to the families that names and title files now give them."""
    memberships = memberships_of(connection, names)
    places = {place(name): name for name in names}
    keys, touched = list(places), set()
    for start in range(0, len(keys), SLICE):
        present = select(videos.c.number, videos.c.place, videos.c.family).where(
            videos.c.place.in_(keys[start : start + SLICE])
        )
        for row in connection.execute(present).all():
            touched |= change_family(connection, row.number, row.family, memberships.get(places[row.place]))
    regroup(connection, touched)


def change_family(
    connection: Connection, number: int, before: str | None, membership: Membership | None
) -> set[str]:
    """Move a video from the family `before` to another; returns the families to `regroup` then."""
    if before is None and membership is None:
        return set()
    after = None if membership is None else membership.family
    values: dict[str, Any] = {"family": after, "rank": 0 if membership is None else membership.rank}
    if before != after:
        values["part_of"] = None
    connection.execute(update(videos).where(videos.c.number == number).values(values))
    if before != after:
        _set_shared_title(connection, number, None)
        away = and_(videos.c.part_of == number, videos.c.missing_since.is_not(None))
        connection.execute(update(videos).where(away).values(part_of=None))
    return {family for family in (before, after) if family is not None}


def regroup(connection: Connection, families: Iterable[str]) -> None:
    """Choose the leader of each family, and make the other videos part of it."""
    plans = [plan for family in sorted(families) if (plan := _plan(connection, family)) is not None]
    for plan in plans:  # before a former leader loses its watch state to another title
        for row in plan.before:
            watch_state.copy_playheads(connection, row, plan.present[0].number)
    for plan in plans:
        _regroup(connection, plan)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What must change in a `family`. The first of its `present` videos leads.

    `others` are the rest: missing, or beyond the limit. The leader takes over from those that led `before`.
    """

    family: str
    present: Sequence[Row[Any]]
    others: Sequence[Row[Any]]
    before: Sequence[Row[Any]]


def _plan(connection: Connection, family: str) -> _Plan | None:
    """The plan for a family; None if nothing must change."""
    in_family = select(*_ROW).where(videos.c.family == family)
    present = connection.execute(
        in_family.where(videos.c.missing_since.is_(None))
        .order_by(videos.c.rank, videos.c.number)
        .limit(MAX_VERSIONS)
    ).all()
    if not present:
        return None
    not_present = videos.c.number.not_in([row.number for row in present])
    gone_or_part = or_(videos.c.missing_since.is_not(None), videos.c.part_of.is_not(None))
    others = connection.execute(in_family.where(not_present, gone_or_part).order_by(videos.c.number)).all()
    if len(present) == 1 and not others and _is_plain(present[0]):
        return None
    led = {row.part_of for row in present if row.part_of is not None} - {row.number for row in others}
    left = connection.execute(select(*_ROW).where(videos.c.number.in_(led), not_present)).all() if led else ()
    away = (row for row in others if row.missing_since is not None and row.part_of is None)
    return _Plan(family, present, others, [*left, *away])


def _is_plain(row: Row[Any]) -> bool:
    """Whether a single video needs no change. Most names with a resolution are the only ones of their family."""
    return row.part_of is None and row.shared_title is None and title_file_of(row.family) is None


def _regroup(connection: Connection, plan: _Plan) -> None:
    leader, members = plan.present[0], plan.present[1:]
    new = [row for row in members if row.part_of != leader.number]
    _set_leader(connection, leader, None)
    for row in members:
        _set_leader(connection, row, leader.number)
    for number in watch_state.videos_with_watch_state(connection, [row.number for row in members]):
        watch_state.take_over(connection, number, leader.number)
    for row in plan.others:
        _set_leader(connection, row, leader.number if row.missing_since is not None else None)
    gave_title = _inherit(connection, plan, [*plan.before, *(row for row in new if row.part_of is None)])
    for number in gave_title.union(row.number for row in members if row.shared_title is not None):
        _set_shared_title(connection, number, None)
    others = [os.fsdecode(row.path) for row in members]
    _set_shared_title(connection, leader.number, _shared_title(connection, plan.family, plan.present), others)


def _set_leader(connection: Connection, row: Row[Any], leader: int | None) -> None:
    if row.part_of != leader:
        connection.execute(update(videos).where(videos.c.number == row.number).values(part_of=leader))


def _shared_title(connection: Connection, family: str, present: Sequence[Row[Any]]) -> str | None:
    """The name of the title: from its title file, or from the names of its files without the resolution."""
    key = title_file_of(family)
    if key is not None:
        return connection.scalar(select(title_files.c.title).where(title_files.c.place == key))
    source = title_and_height(os.fsdecode(present[0].path))
    return title_of(source[0]) if source is not None and len(present) > 1 else None


def _set_shared_title(
    connection: Connection, number: int, shared: str | None, others: Sequence[str] = ()
) -> None:
    """Set or clear the shared title of a video. Search then also finds it by the names of the `others`."""
    row = connection.execute(select(*_ROW).where(videos.c.number == number)).one()
    names = title_columns(os.fsdecode(row.path), row.own_title, shared, json.loads(row.tags), others)
    if (row.shared_title, row.title, row.words) != (shared, names["title"], names["words"]):
        connection.execute(
            update(videos).where(videos.c.number == number).values(shared_title=shared, **names)
        )


def _inherit(connection: Connection, plan: _Plan, others: Sequence[Row[Any]]) -> set[int]:
    """Give the leader the edits of earlier leaders where it has none itself.

    A former leader of this title loses them, or it would bring them back when it returns; returns those that lost
    their title. A video that was a separate title keeps them, because the title file may be a mistake.
    """
    leader, gave = plan.present[0], set()
    for name, nothing in (("own_title", None), ("description", ""), ("tags", "[]")):
        source = next((row for row in others if getattr(row, name) != nothing), None)
        if source is None or getattr(leader, name) != nothing:
            continue
        _set_column(connection, leader.number, name, getattr(source, name))
        if _was_leader(source, plan.family):
            _set_column(connection, source.number, name, nothing)
            gave.add(source.number)
    return gave


def _was_leader(row: Row[Any], family: str) -> bool:
    """Whether a video that is not part of another led the `family`: it has a shared title, or belongs by its name."""
    return row.family == family and (row.shared_title is not None or title_file_of(family) is None)


def _set_column(connection: Connection, number: int, name: str, value: str | None) -> None:
    connection.execute(update(videos).where(videos.c.number == number).values({name: value}))


def store_title_files(
    connection: Connection, folder: str, changed: Sequence[TitleFile], gone: Collection[str]
) -> None:
    """Store the `changed` title files of `folder`, and remove those that are `gone`."""
    number_of_folder = store_folder(connection, folder)
    places = [place(name) for name in (*gone, *(title_file.name for title_file in changed))]
    numbers = connection.scalars(select(title_files.c.number).where(title_files.c.place.in_(places))).all()
    names = _forget(connection, numbers)
    for title_file in changed:
        key = place(title_file.name)
        values = {
            "folder": number_of_folder,
            "path": os.fsencode(title_file.name),
            "place": key,
            "signature": title_file.signature,
            "title": title_file.title or None,
            "reason": title_file.reason,
        }
        connection.execute(title_files.insert().values(values))
        number = connection.scalars(select(title_files.c.number).where(title_files.c.place == key)).one()
        entries = [
            {"title_file": number, "position": position, "path": os.fsencode(name), "place": place(name)}
            for position, name in enumerate(title_file.files)
        ]
        if entries:
            connection.execute(title_entries.insert(), entries)
        names |= dict.fromkeys(title_file.files)
    update_families(connection, names)


def remove_title_files(connection: Connection, folders: Sequence[int]) -> None:
    """Remove the title files of folders that are gone."""
    numbers = connection.scalars(select(title_files.c.number).where(title_files.c.folder.in_(folders))).all()
    update_families(connection, _forget(connection, numbers))


def _forget(connection: Connection, numbers: Sequence[int]) -> dict[str, None]:
    """Remove title files; returns the names that they listed."""
    names: dict[str, None] = {}
    for start in range(0, len(numbers), SLICE):
        part = numbers[start : start + SLICE]
        listed = select(title_entries.c.path).where(title_entries.c.title_file.in_(part))
        names |= {os.fsdecode(path): None for path in connection.scalars(listed)}
        connection.execute(title_files.delete().where(title_files.c.number.in_(part)))
    return names


def problems(connection: Connection, limit: int) -> list[tuple[str, str]]:
    """Title files that are invalid, or list absent videos or videos of other title files; at most `limit` of each."""
    refused = connection.execute(
        select(title_files.c.path, title_files.c.reason)
        .where(title_files.c.reason.is_not(None))
        .order_by(title_files.c.path)
        .limit(limit)
    )
    named = (
        select(title_files.c.path, title_entries.c.path.label("named"))
        .join(title_entries, title_entries.c.title_file == title_files.c.number)
        .order_by(title_files.c.path, title_entries.c.position)
        .limit(limit)
    )
    absent = connection.execute(
        named.outerjoin(
            videos, and_(videos.c.place == title_entries.c.place, videos.c.missing_since.is_(None))
        ).where(videos.c.number.is_(None))
    )
    other_entry, other_file = title_entries.alias(), title_files.alias()
    owner = (
        select(other_file.c.path)
        .join(other_entry, other_entry.c.title_file == other_file.c.number)
        .where(other_entry.c.place == title_entries.c.place, other_file.c.path < title_files.c.path)
        .order_by(other_file.c.path)
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
                f"{os.fsdecode(row.named)!r} already belongs to {os.fsdecode(row.first)!r}",
            )
            for row in taken
        ),
    ]
