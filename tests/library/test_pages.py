"""Pages of a library, on both databases: every video once, in the requested order, despite changes in between."""

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.engine import URL

from tests.databases import Databases
from tests.library.rows import add, lose, opened
from trio_stream.errors import BadRequest, VideoNotFound
from trio_stream.library.naming.paths import natural_key, sort_key, words
from trio_stream.library.records import editing, pages, removing
from trio_stream.library.records.editing import VideoEdit
from trio_stream.library.records.pages import SORTS, Order, PageQuery
from trio_stream.store.tables import videos

ORDERS: tuple[Order, ...] = ("asc", "desc")


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    with opened(database_url) as engine:
        yield engine


def names(rows: Any) -> list[str]:
    return [os.fsdecode(row.path) for row in rows]


def all_pages(connection: Connection, limit: int, **query: Any) -> list[str]:
    """The names on all pages."""
    found: list[str] = []
    cursor = None
    for _ in range(1000):
        page = pages.page(connection, PageQuery(user="local", limit=limit, cursor=cursor, **query))
        assert len(page.rows) == limit or page.next is None
        found += names(page.rows)
        cursor = page.next
        if cursor is None:
            return found
    raise AssertionError("the pages never end")


def shown(connection: Connection, **query: Any) -> list[str]:
    """The names on the first page."""
    return names(pages.page(connection, PageQuery(user="local", limit=200, **query)).rows)


def variety(connection: Connection) -> None:
    """Add 37 videos with ties in everything except the name."""
    for number in range(37):
        add(
            connection,
            f"{'Films/' if number % 3 else ''}film {number}.mp4",
            size=number % 4,
            mtime_ns=number % 5 * 10**18 + number % 2,
            added=number % 3,
            duration=number % 6 + 0.1 * (number % 2),
        )
        title = {0: "Same", 1: "same"}.get(number % 7)
        if title:
            editing.edit(
                connection,
                connection.scalars(select(videos.c.id).order_by(videos.c.number.desc())).first() or "",
                VideoEdit(title=title),
            )


def test_a_page_can_start_after_any_name(engine: Engine) -> None:
    with engine.begin() as connection:
        variety(connection)
        ordered = shown(connection)
        for number, name in enumerate(ordered):
            assert shown(connection, cursor=pages.cursor_after_name(name)) == ordered[number + 1 :]
        unknown = "film 1 and more.mp4"
        following = [name for name in ordered if natural_key(name) > natural_key(unknown)]
        assert 0 < len(following) < len(ordered)
        assert shown(connection, cursor=pages.cursor_after_name(unknown)) == following


def test_every_sort_order_returns_all_videos_both_ways(engine: Engine) -> None:
    with engine.begin() as connection:
        variety(connection)
        rows = connection.execute(select(videos)).all()
        for sort, column in SORTS.items():
            for limit in (1, 5, 36, 37, 200):
                up = all_pages(connection, limit, sort=sort)
                down = all_pages(connection, limit, sort=sort, order="desc")
                assert len(set(up)) == len(up) == 37, (sort, limit)
                assert down == up[::-1], (sort, limit)
                by_name = {os.fsdecode(row.path): row for row in rows}
                keys = [(by_name[name]._mapping[str(column.key)], by_name[name].number) for name in up]
                assert keys == sorted(keys), (sort, limit)


def test_names_and_titles_are_in_natural_order(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "b 10.mp4", "b 9.mp4", "B 2.mp4", "a/10.mp4", "a/9.mp4", "Ä.mp4", "b.mp4")
        assert shown(connection) == sorted(shown(connection), key=natural_key)
        by_title = [row.title for row in pages.page(connection, PageQuery("local", sort="title")).rows]
        assert by_title == sorted(by_title, key=sort_key) == ["9", "10", "b", "B 2", "b 9", "b 10", "Ä"]


@pytest.mark.parametrize("order", ORDERS)
def test_videos_added_or_removed_between_pages_do_not_disturb_others(engine: Engine, order: Order) -> None:
    with engine.begin() as connection:
        add(connection, *(f"{number}.mp4" for number in range(0, 40, 2)))
        first = pages.page(connection, PageQuery("local", limit=10, order=order))
        on_it = names(first.rows)
        add(connection, *(f"{number}.mp4" for number in range(1, 40, 2)))
        lose(connection, on_it[-1], on_it[3], "2.mp4", "30.mp4")
        rest, cursor = [], first.next
        while cursor is not None:
            page = pages.page(connection, PageQuery("local", limit=10, order=order, cursor=cursor))
            rest += names(page.rows)
            cursor = page.next
        last = int(on_it[-1].partition(".")[0])
        following = range(last + 1, 40) if order == "asc" else range(last - 1, -1, -1)
        assert rest == [f"{number}.mp4" for number in following if number not in (2, 30)]


def test_missing_videos_are_on_no_page(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "a/1.mp4", "a/2.mp4")
        lose(connection, "a/1.mp4")
        assert shown(connection) == shown(connection, folder="a") == shown(connection, q="mp4") == ["a/2.mp4"]


INVALID_CURSORS = [
    *("", "?", "a", "é", "null", "W10", "e30", "WzFd", "A" * 100_000),
    pages.cursor("name", b"a", 1),
    pages.cursor("history", 5, 1),
    pages.cursor("size", float("nan"), 1),
    pages.cursor("size", float("inf"), 1),
    pages.cursor("size", 1 << 63, 1),
    pages.cursor("size", -(10**300), 1),
    pages.cursor("size", "5", 1),
    pages.cursor("size", True, 1),
    pages.cursor("size", None, 1),
    pages.cursor("size", 5, 1 << 63),
    pages.cursor("size", 5, 1.5),  # type: ignore[arg-type] # as a client may forge it
    pages.cursor("size", 5, True),
    pages.cursor("size", [[[[]]]], 1),
]


@pytest.mark.parametrize("cursor", INVALID_CURSORS, ids=range(len(INVALID_CURSORS)))
def test_an_invalid_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        pages.read_cursor(cursor, "size")


@given(
    st.text() | st.from_regex("[A-Za-z0-9_-]*", fullmatch=True),
    st.sampled_from([*SORTS, "history", "folders"]),
)
def test_any_text_as_a_cursor_is_refused_or_read(text: str, sort: str) -> None:
    try:
        key, number = pages.read_cursor(text, sort)
    except BadRequest:
        return
    assert isinstance(key, bytes | int | float)
    assert abs(number) < 1 << 63


@given(st.binary(max_size=1000), st.integers(0, (1 << 63) - 1))
def test_a_cursor_round_trips(key: bytes, number: int) -> None:
    assert pages.read_cursor(pages.cursor("name", key, number), "name") == (key, number)
    assert pages.read_cursor(pages.cursor("size", number, number), "size") == (number, number)


def test_a_cursor_of_another_sort_order_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "1.mp4", "2.mp4")
        for sort in SORTS:
            cursor = pages.page(connection, PageQuery("local", limit=1, sort=sort)).next
            for other in SORTS:
                if other != sort:
                    with pytest.raises(BadRequest, match="cursor"):
                        pages.page(connection, PageQuery("local", sort=other, cursor=cursor))


LIBRARY = [
    "Amélie (2001).mkv",
    "Straße nach Süden.mp4",
    "STRASSE.mp4",
    "Serien/Die Brücke/Staffel 01/Folge 02.mkv",
    "日本映画/七人の侍.mkv",
    "映画.mp4",
    "a_b%c.mp4",
    "it's.mp4",
    "Łódź.mp4",
    "ﬁlm.mp4",
    "Vol.2.mp4",
    os.fsdecode(b"caf\xe9.mp4"),
]


@pytest.fixture(scope="module")
def findable_url(databases: Databases) -> Iterator[URL]:
    with databases.ready() as url:
        with opened(url) as engine, engine.begin() as connection:
            add(connection, *LIBRARY)
        yield url


@pytest.fixture
def findable(findable_url: URL) -> Iterator[Engine]:
    """The videos of `LIBRARY`; read-only."""
    with opened(findable_url) as engine:
        yield engine


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("amelie", ["Amélie (2001).mkv"]),
        ("AMÉLIE 2001", ["Amélie (2001).mkv"]),
        ("2001 am", ["Amélie (2001).mkv"]),
        ("strasse", ["STRASSE.mp4", "Straße nach Süden.mp4"]),
        ("sud", ["Straße nach Süden.mp4"]),
        ("bruck folge", ["Serien/Die Brücke/Staffel 01/Folge 02.mkv"]),
        ("rücke", []),  # the middle of a word
        ("brücke strasse", []),
        ("lodz", ["Łódź.mp4"]),
        ("film", ["ﬁlm.mp4"]),
        ("caf", [os.fsdecode(b"caf\xe9.mp4")]),
        ("日本", ["日本映画/七人の侍.mkv"]),
        ("七人", ["日本映画/七人の侍.mkv"]),
        ("侍", ["日本映画/七人の侍.mkv"]),
        ("映画", ["日本映画/七人の侍.mkv", "映画.mp4"]),
        ("vol.2", ["Vol.2.mp4"]),
        ("it's", ["it's.mp4"]),
        ("a_b%c", ["a_b%c.mp4"]),
        ("%", []),
        ("_", []),
        ("*", []),
        ("\"' OR 1=1 --", []),
        ("'); DROP TABLE videos; --", []),
        ('amelie" OR "x', []),
        ("amelie NOT 2001", []),
        ("amelie & 2001", ["Amélie (2001).mkv"]),
        ("amelie | zebra", []),
        ("am* mkv", ["Amélie (2001).mkv"]),
        ("words:amelie", []),
        ("NEAR(amelie 2001)", []),
        ("\0amelie\0", ["Amélie (2001).mkv"]),
        ("\ud800 amelie", ["Amélie (2001).mkv"]),
        ("amelie " * 100, ["Amélie (2001).mkv"]),
        ("x" * 10_000, []),
    ],
)
@pytest.mark.parametrize("max_hits", [0, 500])
def test_search(
    findable: Engine, monkeypatch: pytest.MonkeyPatch, max_hits: int, q: str, expected: list[str]
) -> None:
    monkeypatch.setattr(pages, "MAX_SORTED_HITS", max_hits)
    with findable.connect() as connection:
        assert sorted(shown(connection, q=q)) == sorted(expected)


def test_a_blank_search_finds_all_videos(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "a.mp4")
        assert shown(connection, q=" \t ") == ["a.mp4"]


_PIECES = st.sampled_from([*"aAbBäÄßé日本", "ab", "ba", "10", "1", " ", "_", "%", "'", "-", "/", "."])
_STRINGS = st.lists(_PIECES, min_size=1, max_size=8).map("".join)
_LIBRARIES = st.lists(_STRINGS.filter(lambda text: words(text) != []), max_size=12, unique=True)


def test_searches_with_few_and_many_hits_agree(engine: Engine) -> None:
    """Compared with the rule itself: each word of the query is a prefix of a word of the video."""

    @settings(max_examples=40)
    @given(
        _LIBRARIES,
        st.lists(_STRINGS, min_size=1, max_size=8),
        st.sampled_from([*SORTS]),
        st.sampled_from(ORDERS),
    )
    def holds(titles: list[str], queries: list[str], sort: str, order: Order) -> None:
        with engine.connect() as connection, pytest.MonkeyPatch.context() as patch:
            ids = add(connection, *(f"{number}.mp4" for number in range(len(titles))))
            for id_, title in zip(ids, titles, strict=True):
                editing.edit(connection, id_, VideoEdit(title=title))
            words_by_name = {
                os.fsdecode(row.path): row.words.split() for row in connection.execute(select(videos)).all()
            }
            for q in queries:
                found = []
                for max_hits in (0, 1000):
                    patch.setattr(pages, "MAX_SORTED_HITS", max_hits)
                    found.append(all_pages(connection, 3, q=q, sort=sort, order=order))
                assert found[0] == found[1]
                wanted = words(q)
                expected = {
                    name
                    for name, words_of_video in words_by_name.items()
                    if (wanted or not q.strip())
                    and all(any(each.startswith(word) for each in words_of_video) for word in wanted)
                }
                assert set(found[0]) == expected
            connection.rollback()

    holds()


def test_a_word_too_long_for_the_index_is_found_by_its_start(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        add(connection, f"{'n' * 150}.mp4")
        for max_hits in (0, 500):
            monkeypatch.setattr(pages, "MAX_SORTED_HITS", max_hits)
            assert len(shown(connection, q="n" * 150)) == 1


def test_folders_are_paged(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "a.mp4", "10/x.mp4", "9/x.mp4", "9/y.mp4", "9/deep/z.mp4", "B/x.mp4")
        found, cursor = [], None
        while True:
            page = pages.folder_page(connection, "", 1, cursor)
            found += [(os.fsdecode(row.path), row.videos) for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        assert found == [("9", 2), ("10", 1), ("B", 1)]
        assert [row.path for row in pages.folder_page(connection, "9", 9, None).rows] == [b"9/deep"]
        assert pages.folder_page(connection, "9/deep", 9, None).rows == []
        for nowhere in ("nowhere", "9/", "a.mp4", "\0", "../", "x" * 10_000):
            assert not pages.folder_page(connection, nowhere, 9, None).rows
            assert shown(connection, folder=nowhere) == []
        assert shown(connection, folder="9") == ["9/x.mp4", "9/y.mp4"]
        assert shown(connection, folder="") == ["a.mp4"]
        removing.remove_folder(connection, "9", 1, 1)
        assert [row.path for row in pages.folder_page(connection, "", 9, None).rows] == [b"10", b"B"]
        with pytest.raises(BadRequest, match="cursor"):
            pages.folder_page(connection, "", 9, pages.cursor("name", b"", 1))


def test_a_video_has_the_previous_and_next_in_its_folder(engine: Engine) -> None:
    with engine.begin() as connection:
        ordered = [f"s/{number}.mp4" for number in (1, 2, 9, 10, 100)]
        ids = dict(zip(ordered, add(connection, *ordered), strict=True))
        add(connection, "s/5/x.mp4", "r.mp4", "t.mp4", "s/3.mp4")
        lose(connection, "s/3.mp4")
        for one, other in pairwise(ordered):
            following, preceding = (
                pages.video_details(connection, ids[one], "local").next,
                pages.video_details(connection, ids[other], "local").previous,
            )
            assert following is not None
            assert preceding is not None
            assert (following.id, preceding.id) == (ids[other], ids[one])
        assert pages.video_details(connection, ids[ordered[0]], "local").previous is None
        assert pages.video_details(connection, ids[ordered[-1]], "local").next is None


def test_a_missing_video_has_no_details(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "a.mp4")
        assert pages.name_of(connection, id_) == "a.mp4"
        lose(connection, "a.mp4")
        assert pages.name_of(connection, id_) is None
        with pytest.raises(VideoNotFound):
            pages.video_details(connection, id_, "local")
        assert not editing.edit(connection, id_, VideoEdit(title="x"))


def test_edits_are_searched_and_survive_a_rename(engine: Engine) -> None:
    with engine.begin() as connection:
        (id_,) = add(connection, "old name.mp4", bytes_="the film")
        change = VideoEdit(title="Ein Abend", description="long", tags=("Städte",))
        assert editing.edit(connection, id_, change)
        for q in ("abend", "old", "stadte"):
            assert shown(connection, q=q) == ["old name.mp4"]
        assert shown(connection, q="long") == []
        lose(connection, "old name.mp4")
        assert add(connection, "new name.mp4", bytes_="the film") == [id_]
        row = pages.video_details(connection, id_, "local").row
        assert (row.title, row.description, row.tags) == ("Ein Abend", "long", '["St\\u00e4dte"]')
        assert [shown(connection, q=q) for q in ("abend", "new", "old")] == [
            ["new name.mp4"],
            ["new name.mp4"],
            [],
        ]
        assert editing.edit(connection, id_, VideoEdit(title=None))
        assert pages.video_details(connection, id_, "local").row.title == "new name"
        assert shown(connection, q="abend") == []
        connection.execute(update(videos).values(duration=5))
