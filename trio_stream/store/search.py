"""The search index over `videos.words`: the one thing that is not the same SQL for both dialects.

Both answer alike, because neither looks into words: `words` is already folded (lower case, no diacritics, letters
and digits only, words divided by one space), SQLite's `ascii` tokenizer takes every letter beyond ASCII as it is, and
PostgreSQL gets its lexemes as an array instead of through a parser that knows host names and numbers. A query is a
list of such words; a video is found when each of them begins one of its words.

The index follows the table by itself: triggers keep SQLite's right, PostgreSQL's is an index like any other.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.expression import cast, literal_column, table

from trio_stream.store.tables import videos

LONGEST_WORD = 100
"""Characters of a word that count. PostgreSQL takes 2,046 bytes, which is more at four a character."""

MOST_WORDS = 32
"""Words of a query that count."""

NAME = "videos_search"
"""The index, which a migration makes; SQLite keeps tables of its own under names that begin so."""


def joined(words: Iterable[str]) -> str:
    """Folded `words` as `videos.words` takes them: each once, cut at the length that counts."""
    return " ".join(dict.fromkeys(word[:LONGEST_WORD] for word in words if word))


def matching(connection: Connection, words: Iterable[str]) -> ColumnElement[bool]:
    """The clause for `videos.number` of the videos in which each of `words` begins a word. Of none: all videos.

    What is no letter or digit divides words here too, so nothing in them is ever read as an operator of a query.
    """
    wanted = _wanted(words)
    if not wanted:
        return true()
    if connection.dialect.name == "postgresql":
        query = " & ".join(f"'{word}':*" for word in wanted)
        return _vector().bool_op("@@")(cast(bindparam(None, query), TSQUERY))
    return videos.c.number.in_(_matches(wanted))


def count_matching(connection: Connection, words: Iterable[str], most: int) -> int:
    """How many videos `matching` finds, missing ones too; `most` for as many or more."""
    wanted = _wanted(words)
    if connection.dialect.name == "postgresql" or not wanted:
        found = select(videos.c.number).where(matching(connection, wanted)).limit(most)
    else:
        found = _matches(wanted).limit(most)  # the index alone knows
    return connection.scalar(select(func.count()).select_from(found.subquery())) or 0


def _wanted(words: Iterable[str]) -> list[str]:
    plain = "".join(sign if sign.isalnum() else " " for sign in " ".join(words)).split()
    return [word[:LONGEST_WORD] for word in dict.fromkeys(plain)][:MOST_WORDS]


def _vector() -> ColumnElement[object]:
    # Written as the index is, to the letter: with parameters in it PostgreSQL would not know it again.
    return literal_column("array_to_tsvector(array_remove(string_to_array(videos.words, ' '), ''))")


def _matches(wanted: Iterable[str]) -> Select[tuple[int]]:
    query = " AND ".join(f'"{word}"*' for word in wanted)
    return (
        select(literal_column(f"{NAME}.rowid"))
        .select_from(table(NAME))
        .where(literal_column(NAME).op("MATCH")(bindparam(None, query)))
    )
