"""Playheads, videos to continue, history and exports, on both databases."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select
from sqlalchemy.engine import URL

from tests.databases import Databases
from tests.library.rows import add, lose, opened
from trio_stream.errors import BadRequest
from trio_stream.library.records import exports, history, watch_state
from trio_stream.library.records.exports import Entry
from trio_stream.library.records.history import MAX_GAP
from trio_stream.library.records.watch_state import Playhead, StoredPlayhead
from trio_stream.library.timestamps import milliseconds
from trio_stream.store.tables import playheads, videos, viewings

MINUTE = 60_000
NOW = 1_700_000_000_000


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    with opened(database_url) as engine:
        yield engine


def put(
    connection: Connection, id_: str, position: float, now: int = NOW, user: str = "local", **more: Any
) -> StoredPlayhead:
    stored = watch_state.put(connection, user, id_, Playhead(position, **more), now)
    assert stored is not None
    return stored


def continue_watching(connection: Connection, limit: int = 50, user: str = "local") -> list[str]:
    return [os.fsdecode(row.path) for row in watch_state.continue_watching(connection, user, limit)]


def history_of(connection: Connection, **more: Any) -> list[tuple[str, int, int, float, float]]:
    page = history.viewed(connection, "local", more.get("limit", 50), more.get("after"))
    return [
        (os.fsdecode(row.path), row.started_at - NOW, row.ended_at - NOW, row.first, row.last)
        for row in page.rows
    ]


def test_a_video_is_watched_at_nine_tenths_and_each_time_counts(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4", duration=100)
        states = [(stored.watched, stored.plays) for position in (0, 50, 89.9, 90, 95, 10, 89, 99, 100)
                  for stored in [put(connection, id_, position)]]  # fmt: skip
        assert states == [(False, 0)] * 3 + [(True, 1)] * 4 + [(True, 2)] * 2


def test_the_probed_duration_takes_precedence_over_that_of_a_player(engine: Engine) -> None:
    with engine.begin() as connection:
        probed, unprobed = add(connection, "a.mp4", duration=100)[0], add(connection, "b.mp4")[0]
        assert put(connection, probed, 95, duration=1000).watched
        assert put(connection, probed, 95, duration=1000).duration == 100
        assert not put(connection, unprobed, 95).watched
        assert not put(connection, unprobed, 95, duration=1000).watched
        assert put(connection, unprobed, 950, duration=1000).watched


def test_videos_can_be_marked_as_watched_or_not(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4", duration=100)
        assert put(connection, id_, 0, watched=True).watched
        assert put(connection, id_, 10).watched, "watching it again does not change that"
        assert not put(connection, id_, 95, watched=False).watched
        assert put(connection, id_, 96).watched
        assert history_of(connection) == [("a.mp4", 0, 0, 10, 96)], "a mark is not a viewing"


def test_an_unknown_video_has_no_playhead(engine: Engine) -> None:
    with engine.begin() as connection:
        assert watch_state.put(connection, "local", "0" * 16, Playhead(1), NOW) is None
        assert not watch_state.forget(connection, "local", "0" * 16)


def test_a_missing_video_keeps_its_playhead(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4", duration=100)
        lose(connection, "a.mp4")
        put(connection, id_, 50)
        assert continue_watching(connection) == []
        add(connection, "a.mp4")
        assert continue_watching(connection) == ["a.mp4"]


def test_forgetting_a_video_deletes_its_watch_state(engine: Engine) -> None:
    with engine.begin() as connection:
        one, other = add(connection, "a.mp4", "b.mp4", duration=100)
        for id_ in (one, other):
            put(connection, id_, 50)
            put(connection, id_, 50, user="guest")
        assert watch_state.forget(connection, "local", one)
        assert continue_watching(connection) == ["b.mp4"]
        assert [entry[0] for entry in history_of(connection)] == ["b.mp4"]
        assert sorted(continue_watching(connection, user="guest")) == ["a.mp4", "b.mp4"]
        assert watch_state.forget(connection, "local", one), "it has nothing more to delete"


def test_videos_to_continue(engine: Engine) -> None:
    """Newest first; a finished video is replaced by the next one in its folder."""
    with engine.begin() as connection:
        series = [f"s/{number}.mp4" for number in (1, 2, 9, 10)]
        episodes = add(connection, *series, duration=100)
        film, hardly, last = add(connection, "film.mp4", "hardly.mp4", "t/only.mp4", duration=100)
        assert continue_watching(connection) == []
        put(connection, film, 50, NOW)
        put(connection, hardly, 1.9, NOW + 1)
        put(connection, last, 100, NOW + 2)
        put(connection, episodes[1], 95, NOW + 3)
        assert continue_watching(connection) == ["s/9.mp4", "film.mp4"]
        assert continue_watching(connection, 1) == ["s/9.mp4"]
        put(connection, episodes[2], 1, NOW + 4)
        assert continue_watching(connection) == ["s/9.mp4", "film.mp4"], (
            "barely started, it is still the next one"
        )
        put(connection, episodes[2], 40, NOW + 5)
        put(connection, film, 51, NOW + 6)
        assert continue_watching(connection) == ["film.mp4", "s/9.mp4"]
        put(connection, episodes[2], 100, NOW + 7)
        assert continue_watching(connection) == ["s/10.mp4", "film.mp4"]
        put(connection, episodes[3], 0, NOW + 8, watched=True)
        assert continue_watching(connection) == ["film.mp4"]
        put(connection, episodes[0], 100, NOW + 9)
        assert continue_watching(connection) == ["film.mp4"], "the next one has been watched"
        put(connection, episodes[1], 30, NOW + 10)
        assert continue_watching(connection) == ["s/2.mp4", "film.mp4"], "watched again"


def test_started_videos_are_found_among_many_finished_ones(engine: Engine) -> None:
    with engine.begin() as connection:
        episodes = add(connection, *(f"s/{number}.mp4" for number in range(60)), duration=100)
        (film,) = add(connection, "film.mp4", duration=100)
        put(connection, film, 50, NOW)
        for at, id_ in enumerate(episodes):
            put(connection, id_, 100, NOW + at)
        assert continue_watching(connection, 1) == continue_watching(connection) == ["film.mp4"]


def test_history_has_an_entry_per_viewing(engine: Engine) -> None:
    with engine.begin() as connection:
        a, b = add(connection, "a.mp4", "b.mp4", duration=1000)
        put(connection, a, 10, NOW)
        put(connection, a, 20, NOW + MAX_GAP - 1)
        put(connection, b, 5, NOW + MAX_GAP)
        put(connection, a, 30, NOW + 2 * MAX_GAP - 2)
        put(connection, a, 40, NOW + 3 * MAX_GAP)
        assert history_of(connection) == [
            ("a.mp4", 3 * MAX_GAP, 3 * MAX_GAP, 40, 40),
            ("a.mp4", 0, 2 * MAX_GAP - 2, 10, 30),
            ("b.mp4", MAX_GAP, MAX_GAP, 5, 5),
        ]
        history.forget_history(connection, "local")
        assert history_of(connection) == []
        assert continue_watching(connection) == ["a.mp4"], "playheads stay"
        put(connection, a, 50, NOW + 3 * MAX_GAP + 1)
        assert len(history_of(connection)) == 1


def test_an_import_does_not_continue_an_old_viewing(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4", duration=1000)
        put(connection, id_, 10, NOW)
        (exported,) = exports.export(connection, "local")
        later = replace(
            exported, playhead=replace(exported.playhead, updated_at=milliseconds("2030-01-01T00:00:00Z"))
        )
        exports.import_entries(connection, "local", [later])
        put(connection, id_, 20, NOW + 9 * MAX_GAP)
        assert [entry[1:3] for entry in history_of(connection)] == [(9 * MAX_GAP, 9 * MAX_GAP), (0, 0)]


def test_history_is_paged(engine: Engine) -> None:
    with engine.begin() as connection:
        ids = add(connection, *(f"{number}.mp4" for number in range(10)), duration=1000)
        for at, id_ in enumerate(ids):
            put(connection, id_, 5, NOW + at // 3)
        found, after = [], None
        while True:
            page = history.viewed(connection, "local", 3, after)
            found += [os.fsdecode(row.path) for row in page.rows]
            after = page.next
            if after is None:
                break
        assert found == [f"{number}.mp4" for number in range(9, -1, -1)]
        with pytest.raises(BadRequest, match="cursor"):
            history.viewed(connection, "local", 3, "garbage")


def states(connection: Connection) -> dict[str, Entry]:
    """The entries of an export, by name."""
    return {entry.name: entry for entry in exports.export(connection, "local")}


def import_all(connection: Connection, entries: list[Entry]) -> dict[str, int]:
    return exports.import_entries(connection, "local", entries)


def test_an_export_can_be_imported_into_another_database(engine: Engine, databases: Databases) -> None:
    strange = os.fsdecode(b"caf\xe9 \xff.mp4")
    with engine.begin() as connection:
        for name in ("a.mp4", "s/b.mp4", strange, "gone.mp4", "unknown there.mp4"):
            (id_,) = add(connection, name, duration=100)
            put(connection, id_, 95.25 if name == "a.mp4" else 12.5, NOW + 1)
        lose(connection, "gone.mp4")
        exported = exports.export(connection, "local")
        before = states(connection)
    with databases.ready() as url, opened(url) as other, other.begin() as connection:
        add(connection, "filler.mp4", "a.mp4", "s/b.mp4", strange)
        add(connection, "moved/elsewhere.mp4", bytes_="gone.mp4")
        assert import_all(connection, exported) == {"imported": 4, "older": 0, "unknown": 1}
        after = states(connection)
        assert after.pop("moved/elsewhere.mp4") == replace(before.pop("gone.mp4"), name="moved/elsewhere.mp4")
        assert after == {name: entry for name, entry in before.items() if name != "unknown there.mp4"}
        assert import_all(connection, exported) == {"imported": 0, "older": 4, "unknown": 1}
        assert history_of(connection) == []


def test_content_takes_precedence_over_the_name(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4", bytes_="one")
        put(connection, id_, 5)
        exported = exports.export(connection, "local")
        watch_state.forget(connection, "local", id_)
        lose(connection, "a.mp4")
        add(connection, "a.mp4", bytes_="two", mtime_ns=1)
        add(connection, "b.mp4", bytes_="one", mtime_ns=2)
        assert import_all(connection, exported)["imported"] == 1
        assert list(states(connection)) == ["b.mp4"]
        stored = replace(exported[0].playhead, updated_at=milliseconds("2999-01-01T00:00:00Z"))
        assert (
            import_all(connection, [replace(exported[0], fingerprint="0" * 24, playhead=stored)])["imported"]
            == 1
        )
        assert sorted(states(connection)) == ["a.mp4", "b.mp4"], "otherwise the name decides"


def test_an_older_import_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4")
        put(connection, id_, 5, NOW)
        exported = exports.export(connection, "local")
        put(connection, id_, 6, NOW + MINUTE)
        assert import_all(connection, exported) == {"imported": 0, "older": 1, "unknown": 0}
        assert states(connection)["a.mp4"].playhead.position == 6


def test_deleting_a_video_deletes_its_watch_state(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4")
        put(connection, id_, 5)
        assert connection.execute(select(playheads)).all()
        connection.execute(videos.delete())
        assert not connection.execute(select(playheads)).all()
        assert not connection.execute(select(viewings)).all()
