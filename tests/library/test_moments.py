"""Moments are spelt and read alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.library.moments import LATEST, milliseconds, moment


@given(st.integers(0, LATEST * 1000))
def test_what_is_spelt_is_read_to_the_millisecond(at: int) -> None:
    assert milliseconds(moment(at / 1000)) == at


def test_what_calendars_do_not_reach_is_as_near_as_they_come() -> None:
    assert moment(-5) == "1970-01-01T00:00:00+00:00"
    assert moment(1e18).startswith("9999-12-31T23:59:59")


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-01", "2026-01-01T00:00:00", "1969-12-31T23:59:59Z", "5"]
)
def test_what_has_no_place_in_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        milliseconds(text)
