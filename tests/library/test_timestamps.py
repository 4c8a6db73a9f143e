"""Timestamps are formatted and parsed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.library.timestamps import LATEST, milliseconds, timestamp


@given(st.integers(0, LATEST * 1000))
def test_a_formatted_timestamp_is_parsed_to_the_millisecond(at: int) -> None:
    assert milliseconds(timestamp(at / 1000)) == at


def test_times_beyond_the_calendar_are_clamped() -> None:
    assert timestamp(-5) == "1970-01-01T00:00:00+00:00"
    assert timestamp(1e18).startswith("9999-12-31T23:59:59")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01t01:00:01z", 3_601_000),
        ("1970-01-01T01:00:00.0015999999999+01:00", 2),
        ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:01+00:01", 0),
        ("1969-12-31T23:59:59Z", 0),
        ("0000-02-29T00:00:00Z", 0),
        ("0001-01-01T00:00:00+23:59", 0),
        ("9999-12-31T23:59:59-23:59", LATEST * 1000 + 86_340_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000),
    ],
)
def test_rfc_3339_timestamps_are_parsed(text: str, at: int) -> None:
    assert milliseconds(text) == at


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026-01-01", "2026-01-01T00:00:00", "5", "2026-01-01 00:00:00Z", "20260101T000000Z"),
        *("2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00Z"),
        *("2026-01-01T00:00:00+01", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Z\n"),
        *("2026-01-01T00:00:00.Z", "\u0662026-01-01T00:00:00Z", "12026-01-01T00:00:00Z"),
    ],
)
def test_invalid_timestamps_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        milliseconds(text)
