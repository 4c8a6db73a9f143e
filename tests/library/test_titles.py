"""Titles with several files, on both databases: one entry per title, whatever files are added or removed."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.engine import URL

from tests.library.conftest import Library, open_library
from tests.library.rows import add, lose, opened
from trio_stream.library.folder.title_files import TitleFile
from trio_stream.library.naming.families import MAX_VERSIONS, membership_by_name
from trio_stream.library.naming.paths import place
from trio_stream.library.records import editing, exports, grouping, history, pages, removing, watch_state
from trio_stream.library.records.editing import VideoEdit
from trio_stream.library.records.folders import count
from trio_stream.library.records.pages import SORTS, PageQuery, Sort
from trio_stream.library.records.versions import versions
from trio_stream.library.records.watch_state import Playhead
from trio_stream.library.scan.folder_scanner import TITLE_BATCH
from trio_stream.library.timestamps import milliseconds
from trio_stream.store.tables import playheads, title_files, videos, viewings

NOW = 1_700_000_000_000
USER = "local"


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    with opened(database_url) as engine:
        yield engine


def listed(connection: Connection, **query: Any) -> dict[str, str]:
    """The names and titles on a page."""
    page = pages.page(connection, PageQuery(USER, limit=200, **query))
    return {os.fsdecode(row.path): row.title for row in page.rows}


def files_of(connection: Connection, id_: str) -> list[str]:
    return [each.name for each in versions(connection, id_)]


def put(connection: Connection, id_: str, position: float, now: int = NOW) -> None:
    assert watch_state.put(connection, USER, id_, Playhead(position), now) is not None


def position_of(connection: Connection, id_: str) -> float | None:
    position: float | None = pages.video_details(connection, id_, USER).row.position
    return position


def id_of(connection: Connection, name: str) -> str:
    id_: str = connection.scalars(select(videos.c.id).where(videos.c.place == place(name))).one()
    return id_


def title_of_row(connection: Connection, id_: str) -> str | None:
    return connection.scalar(select(videos.c.title).where(videos.c.id == id_))


def put_title_file(connection: Connection, name: str, *files: str, title: str = "") -> None:
    """Store a title file."""
    folder = name.rpartition("/")[0]
    grouping.store_title_files(connection, folder, [TitleFile(name, "1", 0.0, title, files)], [])


def test_files_of_one_title_are_one_entry(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high, other = add(
            connection, "a/Film.720p.mp4", "a/Film.1080p.mp4", "a/Other.720p.mp4", duration=100.0
        )
        assert listed(connection) == {"a/Film.1080p.mp4": "Film", "a/Other.720p.mp4": "Other 720p"}
        assert listed(connection, folder="a") == listed(connection)
        assert listed(connection, q="film") == {"a/Film.1080p.mp4": "Film"}
        assert listed(connection, q="720p film") == {"a/Film.1080p.mp4": "Film"}
        editing.edit(connection, high, VideoEdit(tags=("sea",)))
        assert listed(connection, q="720p sea") == {"a/Film.1080p.mp4": "Film"}
        editing.edit(connection, high, VideoEdit(tags=()))
        assert [row.videos for row in pages.folder_page(connection, "", 10, None).rows] == [2]
        assert count(connection)["videos"] == 2
        for id_ in (low, high):
            assert files_of(connection, id_) == ["a/Film.1080p.mp4", "a/Film.720p.mp4"]
            found = pages.video_details(connection, id_, USER)
            assert [each.leads for each in found.versions] == [True, False]
            assert found.previous is None
            assert found.next is not None
            assert found.next.id == other
        details_of_other = pages.video_details(connection, other, USER)
        assert details_of_other.versions == ()
        assert details_of_other.previous is not None
        assert details_of_other.previous.id == high


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_uses_an_index_of_leaders(engine: Engine, sort: Sort) -> None:
    with engine.begin() as connection:
        add(connection, *(f"{number}.{size}p.mp4" for number in range(100) for size in (480, 720)))
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":  # with so few rows it would read the whole table
            explain = "EXPLAIN"
            for way in ("seqscan", "sort", "bitmapscan", "incremental_sort"):
                connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        statement = pages.present(USER).order_by(SORTS[sort], videos.c.number).limit(50)
        query = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {query}"))
        assert f"ix_videos_by_{sort}" in plan
        assert "TEMP B-TREE" not in plan
        assert len(listed(connection, sort=sort)) == 100


def test_the_number_of_versions_is_bounded(engine: Engine) -> None:
    with engine.begin() as connection:
        names = [f"Film.{height}p.mp4" for height in range(100, 100 + MAX_VERSIONS + 3)]
        add(connection, *names)
        assert list(listed(connection)) == [*names[:3], names[-1]]
        assert listed(connection)[names[0]] == "Film 100p"
        assert list(listed(connection, q="100p")) == [names[0]]
        lose(connection, names[-1], names[-2])
        assert list(listed(connection)) == [names[0], names[-3]]
        add(connection, "Film.9999p.mp4")
        assert list(listed(connection)) == [*names[:2], "Film.9999p.mp4"]


def test_the_next_version_takes_over(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high = add(connection, "Film.720p.mp4", "Film.1080p.mp4", duration=100.0)
        editing.edit(connection, high, VideoEdit(title="The Film", description="Long.", tags=("old",)))
        put(connection, low, 40)
        assert position_of(connection, high) == position_of(connection, low) == 40
        lose(connection, "Film.1080p.mp4")
        assert listed(connection) == {"Film.720p.mp4": "The Film"}
        assert listed(connection, q="old") == {"Film.720p.mp4": "The Film"}
        assert position_of(connection, low) == 40
        assert files_of(connection, low) == []
        put(connection, high, 50, NOW + 1)  # by a client that still has it open
        assert position_of(connection, low) == 50
        assert [row.id for row in watch_state.continue_watching(connection, USER, 10)] == [low]
        assert [row.id for row in history.viewed(connection, USER, 10, None).rows] == [low]
        add(connection, "Film.1080p.mp4")
        assert listed(connection) == {"Film.1080p.mp4": "The Film"}
        assert position_of(connection, high) == position_of(connection, low) == 50
        assert [row.id for row in watch_state.continue_watching(connection, USER, 10)] == [high]
        assert [row.id for row in history.viewed(connection, USER, 10, None).rows] == [high]


def test_a_better_version_leads_and_takes_over_the_watch_state(engine: Engine) -> None:
    with engine.begin() as connection:
        (low,) = add(connection, "Film.720p.mp4", duration=100.0)
        editing.edit(connection, low, VideoEdit(title="The Film", tags=("old",)))
        put(connection, low, 40)
        (high,) = add(connection, "Film.1080p.mp4", duration=100.0)
        assert listed(connection) == {"Film.1080p.mp4": "The Film"}
        assert position_of(connection, high) == 40
        assert [row.id for row in watch_state.continue_watching(connection, USER, 10)] == [high]
        assert (
            connection.scalars(select(playheads.c.video)).all()
            == connection.scalars(select(viewings.c.video)).all()
        )
        editing.edit(connection, high, VideoEdit(title=None))
        assert listed(connection) == {"Film.1080p.mp4": "Film"}


def test_the_later_of_two_playheads_wins(engine: Engine) -> None:
    with engine.begin() as connection:
        one, two = add(connection, "a.mp4", "b.mp4", duration=100.0)
        put(connection, one, 10)
        put(connection, two, 20, NOW + 1)
        put_title_file(connection, "Film.title.toml", "a.mp4", "b.mp4")
        assert position_of(connection, one) == position_of(connection, two) == 20
        assert [row.id for row in watch_state.continue_watching(connection, USER, 10)] == [one]
        assert watch_state.forget(connection, USER, two)
        assert position_of(connection, one) is None
        assert history.viewed(connection, USER, 10, None).rows == []


def test_edits_move_with_the_lead_and_do_not_return_outdated(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high = add(connection, "Film.720p.mp4", "Film.1080p.mp4")
        editing.edit(connection, high, VideoEdit(title="One", description="Long.", tags=("old",)))
        lose(connection, "Film.1080p.mp4")
        editing.edit(connection, low, VideoEdit(title="Two", tags=()))
        add(connection, "Film.1080p.mp4")
        assert listed(connection) == {"Film.1080p.mp4": "Two"}
        assert listed(connection, q="old") == {}
        assert pages.video_details(connection, high, USER).row.description == "Long."
        assert title_of_row(connection, low) == "Film 720p"
        editing.edit(connection, high, VideoEdit(title=None, description=""))
        lose(connection, "Film.1080p.mp4")
        assert listed(connection) == {"Film.720p.mp4": "Film 720p"}
        assert pages.video_details(connection, low, USER).row.description == ""


def test_edits_of_a_version_do_not_affect_its_title(engine: Engine) -> None:
    with engine.begin() as connection:
        low, _ = add(connection, "Film.720p.mp4", "Film.1080p.mp4")
        editing.edit(connection, low, VideoEdit(title="Small"))
        lose(connection, "Film.720p.mp4")
        lose(connection, "Film.1080p.mp4")
        add(connection, "Film.2160p.mp4")
        assert listed(connection) == {"Film.2160p.mp4": "Film 2160p"}
        add(connection, "Film.720p.mp4")
        assert title_of_row(connection, low) == "Small"


def test_edits_move_within_a_title_and_are_copied_to_a_new_one(engine: Engine) -> None:
    with engine.begin() as connection:
        _, two = add(connection, "a.mp4", "b.mp4")
        editing.edit(connection, two, VideoEdit(title="Two"))
        put_title_file(connection, "F.title.toml", "a.mp4", "b.mp4", title="F")
        assert listed(connection) == {"a.mp4": "Two"}
        assert title_of_row(connection, two) == "Two", "the title file may be a mistake"
        grouping.store_title_files(connection, "", [], ["F.title.toml"])
        assert listed(connection) == {"a.mp4": "Two", "b.mp4": "Two"}
        editing.edit(connection, two, VideoEdit(title=None))
        put_title_file(connection, "F.title.toml", "a.mp4", "b.mp4", title="F")
        lose(connection, "a.mp4")
        assert listed(connection) == {"b.mp4": "Two"}
        editing.edit(connection, two, VideoEdit(title="Three"))
        add(connection, "a.mp4")
        assert listed(connection) == {"a.mp4": "Three"}
        put_title_file(connection, "F.title.toml", "b.mp4", "a.mp4", title="F")
        editing.edit(connection, two, VideoEdit(title=None))
        put_title_file(connection, "F.title.toml", "a.mp4", "b.mp4", title="F")
        assert listed(connection) == {"a.mp4": "F"}


@pytest.mark.parametrize("letter", "ab")
def test_a_former_leader_leaves_its_watch_state_to_its_title(engine: Engine, letter: str) -> None:
    """In either order of the two titles, which depends on their names."""
    with engine.begin() as connection:
        one, two, three = add(connection, "1.mp4", "2.mp4", "3.mp4", duration=100.0)
        put_title_file(connection, f"{letter}1.title.toml", "1.mp4", "2.mp4")
        put(connection, two, 40)
        put_title_file(connection, f"{letter}0.title.toml", "3.mp4", "1.mp4")
        assert [position_of(connection, id_) for id_ in (one, two, three)] == [40, 40, 40]


def test_a_missing_version_is_part_of_the_current_leader(engine: Engine) -> None:
    with engine.begin() as connection:
        low, middle = add(connection, "Film.480p.mp4", "Film.720p.mp4", duration=100.0)
        lose(connection, "Film.480p.mp4")
        (high,) = add(connection, "Film.1080p.mp4", duration=100.0)
        put(connection, low, 40)  # by a client that still has it open
        assert position_of(connection, high) == position_of(connection, middle) == 40
        put(connection, middle, 50, NOW + 1)
        lose(connection, "Film.720p.mp4", "Film.1080p.mp4")
        add(connection, "Film.2160p.mp4", "Film.480p.mp4")
        assert position_of(connection, low) == 50
        assert watch_state.forget(connection, USER, low)
        add(connection, "Film.720p.mp4", "Film.1080p.mp4")
        assert [position_of(connection, id_) for id_ in (low, middle, high)] == [None, None, None]
        assert watch_state.continue_watching(connection, USER, 10) == []


def test_a_version_that_replaces_another_is_the_same_title(engine: Engine) -> None:
    with engine.begin() as connection:
        (low,) = add(connection, "Film.720p.mp4", duration=100.0)
        editing.edit(connection, low, VideoEdit(title="The Film", tags=("old",)))
        put(connection, low, 40)
        lose(connection, "Film.720p.mp4")
        (high,) = add(connection, "Film.1080p.mp4", duration=100.0)
        assert listed(connection, q="old") == {"Film.1080p.mp4": "The Film"}
        assert position_of(connection, high) == 40
        assert [row.id for row in history.viewed(connection, USER, 10, None).rows] == [high]


def test_watch_state_from_before_a_title_is_not_restored(engine: Engine) -> None:
    with engine.begin() as connection:
        one, two = add(connection, "a.mp4", "b.mp4", duration=100.0)
        put(connection, two, 10)
        put(connection, one, 20, NOW + 1)
        put_title_file(connection, "F.title.toml", "a.mp4", "b.mp4")
        assert len(exports.export(connection, USER)) == 1
        grouping.store_title_files(connection, "", [], ["F.title.toml"])
        assert position_of(connection, one) == 20
        assert position_of(connection, two) is None


def test_a_former_leader_loses_the_shared_title(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high = add(connection, "Film.720p.mp4", "Film.1080p.mp4")
        add(connection, "Film.480p.mp4")
        lose(connection, "Film.1080p.mp4")
        assert title_of_row(connection, low) == "Film"
        lose(connection, "Film.720p.mp4")
        add(connection, "Film.1080p.mp4")
        add(connection, "Film.720p.mp4")
        assert title_of_row(connection, high) == "Film"
        assert title_of_row(connection, low) == "Film 720p"


def test_deleted_watch_state_does_not_return_with_the_file(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high = add(connection, "Film.720p.mp4", "Film.1080p.mp4", duration=100.0)
        put(connection, high, 40)
        lose(connection, "Film.1080p.mp4")
        assert watch_state.forget(connection, USER, low)
        add(connection, "Film.1080p.mp4")
        assert position_of(connection, high) is None
        assert watch_state.continue_watching(connection, USER, 10) == []


def test_a_leader_that_leaves_keeps_its_playhead_and_so_does_the_title(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high = add(connection, "Film.720p.mp4", "Film.1080p.mp4", duration=100.0)
        put(connection, high, 40)
        lose(connection, "Film.1080p.mp4")
        add(connection, "HD/Whole film.mp4", bytes_="Film.1080p.mp4")
        assert listed(connection) == {"Film.720p.mp4": "Film 720p", "HD/Whole film.mp4": "Whole film"}
        assert position_of(connection, high) == position_of(connection, low) == 40
        put(connection, low, 50, NOW + 1)
        assert position_of(connection, high) == 40


def test_imports_belong_to_the_title(engine: Engine) -> None:
    with engine.begin() as connection:
        low, high = add(connection, "Film.720p.mp4", "Film.1080p.mp4", duration=100.0)
        put(connection, low, 40)
        (exported,) = exports.export(connection, USER)
        assert exported.name == "Film.1080p.mp4"
        newer = replace(exported.playhead, updated_at=milliseconds("2100-01-01T00:00:00Z"), position=60.0)
        entries = [replace(exported, name="Film.720p.mp4", fingerprint="0" * 24, playhead=newer)]
        assert exports.import_entries(connection, USER, entries)["imported"] == 1
        assert position_of(connection, high) == position_of(connection, low) == 60


def test_title_files_take_precedence_over_names(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "Film.1080p.mp4", "Film.720p.mp4", "Film.480p.mp4", "small/x.mp4")
        put_title_file(connection, "F.title.toml", "small/x.mp4", "Film.1080p.mp4", "none.mp4", title="It")
        assert listed(connection) == {"Film.720p.mp4": "Film", "small/x.mp4": "It"}
        assert grouping.problems(connection, 10) == [("F.title.toml", "there is no video 'none.mp4'")]
        put_title_file(connection, "F.title.toml", "none.mp4", "Film.1080p.mp4", title="Me")
        assert listed(connection) == {"Film.1080p.mp4": "Me", "Film.720p.mp4": "Film", "small/x.mp4": "x"}
        add(connection, "none.mp4")
        assert listed(connection) == {"none.mp4": "Me", "Film.720p.mp4": "Film", "small/x.mp4": "x"}
        assert grouping.problems(connection, 10) == []
        grouping.store_title_files(connection, "", [], ["F.title.toml"])
        assert listed(connection) == {"Film.1080p.mp4": "Film", "none.mp4": "none", "small/x.mp4": "x"}


def test_the_first_of_two_title_files_counts(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "a.mp4", "b.mp4", "c.mp4")
        put_title_file(connection, "2.title.toml", "b.mp4", "c.mp4", title="Two")
        put_title_file(connection, "1.title.toml", "a.mp4", "b.mp4", title="One")
        assert listed(connection) == {"a.mp4": "One", "c.mp4": "Two"}
        assert grouping.problems(connection, 9) == [
            ("2.title.toml", "'b.mp4' already belongs to '1.title.toml'")
        ]
        put_title_file(connection, "3.title.toml", "b.mp4", title="Three")
        assert grouping.problems(connection, 9) == [
            ("2.title.toml", "'b.mp4' already belongs to '1.title.toml'"),
            ("3.title.toml", "'b.mp4' already belongs to '1.title.toml'"),
        ]
        grouping.store_title_files(connection, "", [], ["1.title.toml"])
        assert listed(connection) == {"a.mp4": "a", "b.mp4": "Two"}


def test_a_video_renamed_over_another_replaces_it(engine: Engine) -> None:
    with engine.begin() as connection:
        one, low, high = add(connection, "x.mp4", "Film.720p.mp4", "Film.1080p.mp4", duration=100.0)
        put(connection, low, 40)
        lose(connection, "x.mp4", "Film.1080p.mp4")
        add(connection, "Film.1080p.mp4", bytes_="x.mp4")
        assert listed(connection) == {"Film.1080p.mp4": "Film"}
        assert files_of(connection, low) == ["Film.1080p.mp4", "Film.720p.mp4"]
        assert high != one


def check_families(connection: Connection) -> None:
    """Check that each family has one leader, and the right one."""
    rows = connection.execute(select(videos).order_by(videos.c.rank, videos.c.number)).all()
    by_number = {row.number: row for row in rows}
    expected: dict[str, list[int]] = {}
    for row in rows:
        if row.missing_since is None:
            assert row.place is not None
            expected.setdefault(row.family or f"alone {row.number}", []).append(row.number)
    for family, numbers in expected.items():
        for number in numbers:
            leads = number == numbers[0] or number in numbers[MAX_VERSIONS:]
            assert by_number[number].part_of == (None if leads else numbers[0]), family
    for row in rows:
        if row.missing_since is not None and row.family in expected:
            assert row.part_of == expected[row.family][0]
        if row.part_of is not None:
            assert by_number[row.part_of].family == row.family
        if row.part_of is not None and row.missing_since is None:
            assert row.shared_title is None
            for table in (playheads, viewings):
                assert not connection.execute(select(table).where(table.c.video == row.number)).all()


NAMES = [
    *("Film.1080p.mp4", "Film.720p.mp4", "Film.480p.mp4", "film (720p).mkv", "x.mp4"),
    *("a/Film.1080p.mp4", "a/Film.720p.mp4", "a/x.mp4"),
]
STEP = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("add all"), st.just(""), st.lists(st.sampled_from(NAMES), min_size=2, unique=True)),
    st.tuples(st.just("forget"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("edit"), st.sampled_from(NAMES), st.sampled_from(["", "It", "Me"])),
    st.tuples(st.just("lose"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("watch"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("say"), st.sampled_from(["1", "2"]), st.lists(st.sampled_from(NAMES), max_size=4)),
    st.tuples(st.just("folder"), st.just("a"), st.none()),
)


def apply_step(connection: Connection, what: str, name: str, more: object, now: int) -> None:
    """Apply one event to the file `name`, which exists."""
    if what == "lose":
        lose(connection, name, now=now)
    elif what == "move":
        bytes_ = f"moved {now}"
        add(connection, name, bytes_=bytes_, added=now)
        add(connection, str(more), bytes_=bytes_, added=now)
        if name != more:
            lose(connection, name, now=now)
    elif what == "edit":
        assert editing.edit(connection, id_of(connection, name), VideoEdit(title=more))
    elif what == "watch":
        put(connection, id_of(connection, name), position(now), now)
        assert position_of(connection, id_of(connection, name)) == position(now)
    elif what == "forget":
        assert watch_state.forget(connection, USER, id_of(connection, name))
        assert position_of(connection, id_of(connection, name)) is None


def position(now: int) -> float:
    return float(now - NOW + 1)


def run_steps(connection: Connection, steps: list[tuple[str, str, object]]) -> None:
    """Apply all steps, and check the families after each."""
    last: float | None = None
    for now, (what, name, more) in enumerate(steps, NOW):
        here = select(videos.c.path).where(videos.c.missing_since.is_(None))
        if what == "add":
            add(connection, name, bytes_=str(more), added=now)
        elif what == "add all":
            assert isinstance(more, list)
            add(connection, *more, added=now)
        elif what == "say":
            assert isinstance(more, list)
            if more:
                put_title_file(connection, f"{name}.title.toml", *dict.fromkeys(more))
            else:
                grouping.store_title_files(connection, "", [], [f"{name}.title.toml"])
        elif what == "folder":
            removing.remove_folder(connection, name, now, now)
        elif os.fsencode(name) in connection.scalars(here).all():
            apply_step(connection, what, name, more, now)
            last = {"watch": position(now), "forget": None}.get(what, last)
        check_families(connection)
    newer = connection.scalars(select(playheads.c.position)).all()
    assert last is None or max(newer) == last


def test_each_title_has_one_leader_after_any_events(engine: Engine) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.lists(STEP, max_size=25))
    def check(steps: list[tuple[str, str, object]]) -> None:
        with engine.connect() as connection:
            run_steps(connection, steps)
            connection.rollback()

    check()


async def test_the_next_scan_groups_rows_of_an_older_version(library: Library) -> None:
    for name in ("Film.1080p.mp4", "Film.720p.mp4", "x.mp4"):
        library.put(name)
    await library.scan()
    nothing = {"family": None, "rank": 0, "part_of": None, "shared_title": None}
    await library.writer.write(lambda connection: connection.execute(update(videos).values(nothing)).close())
    await library.scan()
    assert list(await library.database.read(listed)) == ["Film.1080p.mp4", "x.mp4"]


@pytest.mark.parametrize("first", ["the title file", "the videos"])
async def test_a_title_file_and_the_folders_below_in_any_order(library: Library, first: str) -> None:
    def write() -> None:
        library.put("a/F.title.toml", b'title = "It"\nfiles = ["hd.mp4", "small/sd.mp4"]')

    def film() -> None:
        library.put("a/hd.mp4", b"large")
        library.put("a/small/sd.mp4", b"small")

    for act in (write, film) if first == "the title file" else (film, write):
        act()
        await library.scan()
    assert await library.database.read(listed) == {"a/hd.mp4": "It"}
    assert [
        row.videos
        for row in (
            await library.database.read(lambda connection: pages.folder_page(connection, "a", 9, None))
        ).rows
    ] == [0]

    (library.root / "a/hd.mp4").unlink()
    await library.scan("a")
    assert await library.database.read(listed) == {"a/small/sd.mp4": "It"}

    film()
    await library.scan("a")
    library.put("a/F.title.toml", b'files = ["small/sd.mp4", "hd.mp4"]')
    await library.scan("a")
    assert await library.database.read(listed) == {"a/small/sd.mp4": "F"}

    (library.root / "a/F.title.toml").unlink()
    await library.scan("a")
    assert await library.database.read(listed) == {"a/hd.mp4": "hd", "a/small/sd.mp4": "sd"}


async def test_a_folder_with_a_title_file_can_be_renamed(library: Library) -> None:
    library.put("a/F.title.toml", b'files = ["hd.mp4", "small/sd.mp4"]')
    library.put("a/hd.mp4", b"large")
    library.put("a/small/sd.mp4", b"small")
    await library.scan()
    before = await library.ids()
    for name in ("b", "0"):
        os.rename(library.root / "a", library.root / name)
        await library.scan()
        after = await library.ids()
        assert list(after.values()) == list(before.values())
        assert await library.database.read(listed) == {f"{name}/hd.mp4": "F"}
        assert await library.database.read(lambda connection: grouping.problems(connection, 9)) == []
        os.rename(library.root / name, library.root / "a")
        await library.scan()
    os.rename(library.root / "a", library.root.parent / "elsewhere")
    await library.scan()
    rows = select(title_files.c.path)
    assert await library.database.read(lambda connection: connection.scalars(rows).all()) == []
    assert await library.missing() == ["a/hd.mp4", "a/small/sd.mp4"]


@pytest.mark.parametrize("name", ["E", "G"])
async def test_a_title_stays_complete_while_its_title_file_is_renamed(
    tmp_path: Path, database_url: URL, name: str
) -> None:
    async with open_library(tmp_path / "videos", database_url, settle_time=0.3) as library:

        async def look_until(title: str, titles: set[str]) -> None:
            with trio.fail_after(60):
                while set(found := (await library.database.read(listed)).values()) != {title}:
                    assert not titles or titles.issuperset(found)
                    await library.scan()

        library.put("F.title.toml", b'files = ["hd.mp4", "sd.mp4"]')
        library.put("hd.mp4", b"large")
        library.put("sd.mp4", b"small")
        await look_until("F", set())
        os.rename(library.root / "F.title.toml", library.root / f"{name}.title.toml")
        await look_until(name, {"F"})


async def test_many_title_files_are_stored(library: Library) -> None:
    names = [f"{number:02}" for number in range(3 * TITLE_BATCH + 1)]
    for name in names:
        library.put(f"{name}.title.toml", f'files = ["{name}.hd.mp4", "{name}.sd.mp4"]'.encode())
        library.put(f"{name}.hd.mp4", f"{name} large".encode())
        library.put(f"{name}.sd.mp4", f"{name} small".encode())
    await library.scan()
    assert list((await library.database.read(listed)).values()) == names
    for name in names:
        (library.root / f"{name}.title.toml").unlink()
    await library.scan()
    assert len(await library.database.read(listed)) == 2 * len(names)


async def test_problems_with_title_files_are_logged_and_break_nothing(library: Library) -> None:
    library.put("x.mp4")
    library.put("bad.title.toml", b'files = ["../../etc/passwd.mp4"]')
    library.put("absent.title.toml", b'files = ["x.mp4", "y.mp4"]')
    library.put("binary.title.toml", bytes(range(256)))
    with structlog.testing.capture_logs() as events:
        run = await library.scan()
        await library.scan()
    assert run.added == 1
    problems = dict(await library.database.read(lambda connection: grouping.problems(connection, 9)))
    assert problems["bad.title.toml"] == "'../../etc/passwd.mp4' is hidden, or not in its folder or below"
    assert problems["absent.title.toml"] == "there is no video 'y.mp4'"
    assert problems["binary.title.toml"] == "it is not UTF-8"
    assert await library.database.read(listed) == {"x.mp4": "absent"}
    logged = [each["name"] for each in events if each["event"] == "a title file has a problem"]
    assert sorted(logged) == sorted(problems), "once each"


async def test_changes_of_title_files_are_noticed(tmp_path: Path, database_url: URL) -> None:
    async with (
        open_library(tmp_path / "videos", database_url, settle_time=0.2) as library,
        trio.open_nursery() as nursery,
    ):
        library.put("a/hd.mp4", b"large")
        library.put("a/sd.mp4", b"small")
        await library.run(nursery)

        async def wait_for_titles(*titles: str) -> None:
            with trio.fail_after(60):
                version = library.progress.version
                while list((await library.database.read(listed)).values()) != list(titles):
                    await library.progress.wait_after(version)
                    version = library.progress.version

        await wait_for_titles("hd", "sd")
        library.put("a/F.title.toml", b'files = ["hd.mp4", "sd.mp4"]')
        await wait_for_titles("F")
        library.put("a/F.title.toml", b'title = "It"\nfiles = ["hd.mp4", "sd.mp4"]')
        await wait_for_titles("It")
        (library.root / "a/F.title.toml").unlink()
        await wait_for_titles("hd", "sd")
        nursery.cancel_scope.cancel()


def test_families_by_name_are_stored(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "Film.720p.mp4", "x.mp4")
        membership = membership_by_name("Film.720p.mp4")
        assert membership is not None
        rows = connection.execute(select(videos.c.family, videos.c.rank).order_by(videos.c.number)).all()
        assert [tuple(row) for row in rows] == [(membership.family, -720), (None, 0)]
