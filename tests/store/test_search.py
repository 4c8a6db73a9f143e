"""Search gives the same results on both dialects, follows every change, and has no query operators."""

from collections.abc import Iterator

import hypothesis
import hypothesis.strategies as st
import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from tests.databases import Databases, Postgres
from tests.store.conftest import writing
from tests.store.rows import add_videos, video
from trio_stream.store.engines import writing_engine
from trio_stream.store.search import LONGEST_WORD, join_words, matching_numbers
from trio_stream.store.tables import videos


def found(connection: Connection, *words: str) -> list[str]:
    return list(
        connection.execute(
            select(videos.c.id)
            .where(videos.c.number.in_(matching_numbers(connection, words)))
            .order_by(videos.c.id)
        ).scalars()
    )


FILMS = {
    "a": "the third man 1949 noir",
    "b": "the man who fell 1976",
    "c": "amelie 2001 le fabuleux destin",
    "d": "千と千尋の神隠し 2001",
    "e": "s01e02 1e5 0x1f 3d a b and or not near",
    "f": "",
    "g": "ﬁlm ⅷ ²x straße ǆ",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abcdefg"),
        ("man", "ab"),
        ("the man", "ab"),
        ("man the 1949", "a"),
        ("m", "ab"),
        ("an", "e"),
        ("19", "ab"),
        ("2001", "cd"),
        ("千と", "d"),
        ("千尋", ""),
        ("1e", "e"),
        ("0x1", "e"),
        ("s01e", "e"),
        ("and", "e"),
        ("or not near", "e"),
        ("ﬁ", "g"),
        ("ⅷ", "g"),
        ("²", "g"),
        ("stra", "g"),
        ("manx", ""),
    ],
)
async def test_each_word_is_a_prefix(database_url: URL, query: str, expected: str) -> None:
    async with writing(database_url) as (database, writer):
        await writer.write(
            lambda connection: add_videos(
                connection, [video(key, words=words) for key, words in FILMS.items()]
            )
        )
        assert "".join(await database.read(lambda connection: found(connection, *query.split()))) == expected


@pytest.mark.parametrize(
    "query",
    [
        "'; DROP TABLE videos; --",
        '" OR words:*',
        "man' | 'amelie",
        "man:*A",
        "!man",
        "-man",
        "NEAR(the man)",
        "^the",
        "{words}: man",
        "man*",
        "\\",
        "\\'",
        '"',
        "'",
        "''",
        '""',
        "*",
        "\0",
        "a\0b",
        "\udcff",
        "%",
        ":q",
        "(",
        "& | !",
    ],
)
async def test_a_query_has_no_operators(database_url: URL, query: str) -> None:
    async with writing(database_url) as (database, writer):
        await writer.write(
            lambda connection: add_videos(
                connection, [video(key, words=words) for key, words in FILMS.items()]
            )
        )
        plain = "".join(sign if sign.isalnum() else " " for sign in query).split()
        expected = [
            key
            for key, words in FILMS.items()
            if all(any(each.startswith(word) for each in words.split()) for word in plain)
        ]
        # The library folds words: PostgreSQL would distinguish case where SQLite does not.
        if query == query.lower():
            assert await database.read(lambda connection: found(connection, query)) == expected
        else:
            await database.read(lambda connection: found(connection, query))
        assert len(await database.read(found)) == len(FILMS)


def test_words_are_joined_once_each_and_truncated() -> None:
    assert join_words(["a", "b", "", "a", "x" * 5000]) == "a b " + "x" * LONGEST_WORD


async def test_the_longest_words_are_found(database_url: URL) -> None:
    words = ["\N{GOTHIC LETTER AHSA}" * 3000, "é" * 3000]  # four and two bytes each
    async with writing(database_url) as (database, writer):
        await writer.write(lambda connection: add_videos(connection, [video("a", words=join_words(words))]))
        for word in words:
            assert await database.read(lambda connection, word=word: found(connection, word)) == ["a"]  # type: ignore[misc] # mypy: a default in a lambda has no type


async def test_the_index_follows_all_changes(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):

        async def search(word: str) -> list[str]:
            return await database.read(lambda connection: found(connection, word))

        await writer.write(
            lambda connection: add_videos(connection, [video("a", words="old"), video("b", words="old")])
        )
        assert await search("old") == ["a", "b"]
        change = update(videos).where(videos.c.id == "a")
        await writer.write(lambda connection: connection.execute(change.values(words="new")).close())
        assert (await search("old"), await search("new")) == (["b"], ["a"])
        await writer.write(lambda connection: connection.execute(change.values(title="other")).close())
        assert await search("new") == ["a"]
        await writer.write(
            lambda connection: connection.execute(delete(videos).where(videos.c.id == "b")).close()
        )
        assert await search("old") == []
        await writer.write(lambda connection: connection.execute(change.values(number=77)).close())
        assert await search("new") == ["a"]

        if database.dialect == "sqlite":
            await writer.write(agrees)
        else:
            await writer.write(_uses_the_index)


def agrees(connection: Connection) -> None:
    """Raise if SQLite's index does not match the table."""
    connection.exec_driver_sql(
        "INSERT INTO videos_search (videos_search, rank) VALUES ('integrity-check', 1)"
    )


def _uses_the_index(connection: Connection) -> None:
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    query = matching_numbers(connection, ["new"])
    compiled = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    plan = "\n".join(connection.exec_driver_sql("EXPLAIN " + compiled.replace("%", "%%")).scalars())
    assert "videos_search" in plan, plan


async def test_a_wrong_index_is_detected(databases: Databases, database_url: URL) -> None:
    """Shows that `agrees` can fail."""
    if databases.dialect != "sqlite":
        pytest.skip("PostgreSQL uses an ordinary index")
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        add_videos(connection, [video("a", words="old")])
        connection.exec_driver_sql("DROP TRIGGER videos_search_updated")
        connection.execute(update(videos).values(words="new"))
        with pytest.raises(DatabaseError, match="malformed"):
            agrees(connection)
    engine.dispose()


WORDS = st.text(
    st.characters(categories=("Ll", "Lo", "Lm", "Nd", "Nl", "No")) | st.sampled_from("abe01"),
    min_size=1,
    max_size=6,
).filter(str.isalnum)


@pytest.fixture
def both(
    database_url: URL, databases: Databases, postgresql: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Engine]]:
    """The same tables in both dialects."""
    if databases.dialect != "postgresql":
        pytest.skip("runs once, for both dialects")
    with Databases(tmp_path_factory.mktemp("both"), None).ready() as other:
        engines = [writing_engine(other), writing_engine(database_url.set(drivername="postgresql+psycopg"))]
        yield engines
        for engine in engines:
            engine.dispose()


@hypothesis.settings(max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(
    films=st.lists(st.lists(WORDS, max_size=5), max_size=8),
    data=st.data(),
)
def test_both_dialects_find_the_same(both: list[Engine], films: list[list[str]], data: st.DataObject) -> None:
    all_words = sorted({word for words in films for word in words})
    word = st.sampled_from(all_words) if all_words else WORDS
    beginning = st.builds(lambda word, length: word[:length], word, st.integers(1, 6))
    queries = data.draw(st.lists(st.lists(beginning | WORDS, max_size=3), min_size=1, max_size=4))
    rows = [video(f"{number}", words=join_words(words)) for number, words in enumerate(films)]
    results = []
    for engine in both:
        with engine.connect() as connection, connection.begin() as transaction:
            if rows:
                add_videos(connection, rows)
            results.append([found(connection, *query) for query in queries])
            transaction.rollback()
    expected = [
        [
            f"{number}"
            for number, words in enumerate(films)
            if all(any(each.startswith(word) for each in words) for word in query)
        ]
        for query in queries
    ]
    assert results == [expected, expected]
