"""The search index over `videos.words`: the one thing that is not the same SQL for both dialects.

Both answer alike, because neither looks into words: `words` is already folded (lower case, no diacritics, letters
and digits only, words divided by one space), SQLite's `ascii` tokenizer takes every letter beyond ASCII as it is, and
PostgreSQL gets its lexemes as an array instead of through a parser that knows host names and numbers. A query is a
list of such words; a video is found when each of them begins one of its words.

The index follows the table by itself: triggers keep SQLite's right, PostgreSQL's is an index like any other.
"""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.expression import cast, literal_column, table

from trio_stream.store.tables import videos

LONGEST_WORD = 100
"""Characters of a word that count. PostgreSQL takes 2,046 bytes, which is more at four a character."""

MAX_WORDS = 32
"""Words of a query that count."""

NAME = "videos_search"
"""The index, which a migration makes; SQLite keeps tables of its own under names that begin so."""


def joined(words: Iterable[str]) -> str:
    """Folded `words` as `videos.words` takes them: each once, cut at the length that counts."""
    return " ".join(dict.fromkeys(word[:LONGEST_WORD] for word in words if word))


def finding(connection: Connection, words: Iterable[str]) -> Select[tuple[int]]:
    """The statement for the numbers of videos in which each of `words` begins a word, missing ones too, in no order.

    Of no words: all videos. What is no letter or digit divides words here too, so nothing in them is ever read as an
    operator of a query.
    """
    plain = "".join(sign if sign.isalnum() else " " for sign in " ".join(words)).split()
    prefixes = [word[:LONGEST_WORD] for word in dict.fromkeys(plain)][:MAX_WORDS]
    if not prefixes:
        return select(videos.c.number)
    if connection.dialect.name == "postgresql":
        query = " & ".join(f"'{word}':*" for word in prefixes)
        return select(videos.c.number).where(_vector().bool_op("@@")(cast(bindparam(None, query), TSQUERY)))
    query = " AND ".join(f'"{word}"*' for word in prefixes)
    return (  # the index alone knows
        select(literal_column(f"{NAME}.rowid"))
        .select_from(table(NAME))
        .where(literal_column(NAME).op("MATCH")(bindparam(None, query)))
    )


def hits(connection: Connection, words: Iterable[str], most: int) -> list[int]:
    """The numbers of at most `most` videos that are found."""
    return list(connection.scalars(finding(connection, words).limit(most)))


def among(connection: Connection, numbers: Sequence[int]) -> ColumnElement[bool]:
    """The clause for `videos.number` of these; one value, however many they are."""
    if connection.dialect.name == "postgresql":
        return videos.c.number == func.any(bindparam(None, list(numbers), ARRAY(BigInteger)))
    listed = func.json_each(json.dumps(list(numbers))).table_valued("value")
    return videos.c.number.in_(select(listed.c.value))


def _vector() -> ColumnElement[object]:
    # Written as the index is, to the letter: with parameters in it PostgreSQL would not know it again.
    return literal_column("array_to_tsvector(array_remove(string_to_array(videos.words, ' '), ''))")
