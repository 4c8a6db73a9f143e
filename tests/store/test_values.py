"""Databases accept any value of a file or a request."""

import math

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, select
from sqlalchemy.engine import URL

from tests.store.conftest import writing
from trio_stream.store.values import ClampedBigInteger, ClampedInteger, FiniteSeconds, SafeText

MOST, MOST_SMALL = (1 << 63) - 1, (1 << 31) - 1

odd = Table(
    "odd",
    MetaData(),
    Column("whole", ClampedBigInteger),
    Column("small", ClampedInteger),
    Column("words", SafeText),
    Column("seconds", FiniteSeconds),
)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("whole", 15_024_009_600 * 10**9, MOST),  # a file from the year 2446, in nanoseconds
        ("whole", -(1 << 80), -MOST - 1),
        ("whole", MOST, MOST),
        ("whole", -5, -5),
        ("whole", None, None),
        ("small", 1 << 40, MOST_SMALL),
        ("small", -(1 << 40), -MOST_SMALL - 1),
        ("words", "a\0b", "a\ufffdb"),
        ("words", "a\udcffb", "a\ufffdb"),
        ("words", "\U0001f600", "\U0001f600"),
        ("words", "", ""),
        ("words", None, None),
        ("seconds", math.inf, 0.0),
        ("seconds", math.nan, 0.0),
        ("seconds", 1.5, 1.5),
        ("seconds", None, None),
    ],
)
async def test_any_value_is_stored_as_the_nearest_possible(
    database_url: URL, column: str, value: object, expected: object
) -> None:
    def store(connection: Connection) -> object:
        odd.create(connection)
        connection.execute(odd.insert().values({column: value}))
        found = connection.scalar(select(odd.c[column]).where(odd.c[column].is_not_distinct_from(value)))
        odd.drop(connection)
        return found

    async with writing(database_url) as (_, writer):
        assert await writer.write(store) == expected
