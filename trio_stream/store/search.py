"""The search index over `videos.words`: the only SQL that differs between the dialects.

Both give the same results, because neither interprets the words. `words` is already folded (lower case, no diacritics,
only letters and digits, one space between words). SQLite's `ascii` tokenizer leaves all non-ASCII letters unchanged.
PostgreSQL gets its lexemes as an array, without its parser, which would recognise host names and numbers. A query is a
list of such words. It finds a video if each of them is a prefix of one of the video's words.

The index is updated automatically: by triggers in SQLite, and as an ordinary index in PostgreSQL.
"""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.expression import cast, literal_column, table

from trio_stream.store.tables import videos

LONGEST_WORD = 100
"""Characters of a word that count. PostgreSQL accepts 2,046 bytes, which is more, at up to four per character."""

MAX_WORDS = 32
"""Words of a query that count."""

NAME = "videos_search"
"""The index, which a migration creates. SQLite stores its tables under names with this prefix."""


def join_words(words: Iterable[str]) -> str:
    """The folded `words` as `videos.words` stores them: each once, truncated to the length that counts."""
    return " ".join(dict.fromkeys(word[:LONGEST_WORD] for word in words if word))


def matching_numbers(connection: Connection, words: Iterable[str]) -> Select[tuple[int]]:
    """The statement for the numbers of videos in which each of `words` is a prefix of a word, in no order.

    It includes missing videos. Without words, it finds all videos. Other characters than letters and digits separate
    words here too, so nothing in them is interpreted as a query operator.
    """
    plain = "".join(character if character.isalnum() else " " for character in " ".join(words)).split()
    prefixes = [word[:LONGEST_WORD] for word in dict.fromkeys(plain)][:MAX_WORDS]
    if not prefixes:
        return select(videos.c.number)
    if connection.dialect.name == "postgresql":
        query = " & ".join(f"'{word}':*" for word in prefixes)
        return select(videos.c.number).where(_vector().bool_op("@@")(cast(bindparam(None, query), TSQUERY)))
    query = " AND ".join(f'"{word}"*' for word in prefixes)
    return (  # read from the index alone
        select(literal_column(f"{NAME}.rowid"))
        .select_from(table(NAME))
        .where(literal_column(NAME).op("MATCH")(bindparam(None, query)))
    )


def hits(connection: Connection, words: Iterable[str], limit: int) -> list[int]:
    """The numbers of at most `limit` videos that match."""
    return list(connection.scalars(matching_numbers(connection, words).limit(limit)))


def number_in(connection: Connection, numbers: Sequence[int]) -> ColumnElement[bool]:
    """The condition that `videos.number` is one of `numbers`, with a single parameter for all of them."""
    if connection.dialect.name == "postgresql":
        return videos.c.number == func.any(bindparam(None, list(numbers), ARRAY(BigInteger)))
    listed = func.json_each(json.dumps(list(numbers))).table_valued("value")
    return videos.c.number.in_(select(listed.c.value))


def _vector() -> ColumnElement[object]:
    # Exactly the expression of the index: with parameters in it, PostgreSQL would not use the index.
    return literal_column("array_to_tsvector(array_remove(string_to_array(videos.words, ' '), ''))")
