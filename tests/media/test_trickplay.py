"""The plan of thumbnails on sheets, and the track that lists them for players."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_stream.media.formats.trickplay import (
    MAX_SHEETS,
    MAX_THUMBNAIL_HEIGHT,
    THUMBNAIL_WIDTH,
    Grid,
    fit,
    plan_grid,
    thumbnails_vtt,
    timestamp,
)


@pytest.mark.parametrize(
    ("duration", "interval", "count", "columns", "rows", "sheets"),
    [
        (0, 1, 1, 1, 1, 1),
        (0.04, 1, 1, 1, 1, 1),
        (3, 1, 3, 3, 1, 1),
        (30, 1, 30, 10, 3, 1),
        (99.5, 1, 100, 10, 10, 1),
        (101, 2, 51, 10, 6, 1),
        (600, 6, 100, 10, 10, 1),
        (1000, 10, 100, 10, 10, 1),
        (1001, 10, 101, 10, 10, 2),
        (7200, 10, 720, 10, 10, 8),
        (40_000, 10, 4000, 10, 10, 40),
        (40_001, 11, 3637, 10, 10, 37),
        (10**9, 250_000, 4000, 10, 10, 40),
    ],
)
def test_the_grid_for_a_duration(
    duration: float, interval: int, count: int, columns: int, rows: int, sheets: int
) -> None:
    grid = plan_grid(duration, 16 / 9)
    assert (grid.interval, grid.count, grid.columns, grid.rows) == (interval, count, columns, rows)
    assert (grid.sheets, grid.width, grid.height) == (sheets, 320, 180)


any_number = st.floats(allow_nan=True, allow_infinity=True)


@given(any_number, any_number)
@example(math.inf, 0.0)
@example(2**63 / 1e6, 1e-300)
def test_the_grid_is_limited_whatever_a_file_claims(duration: float, aspect: float) -> None:
    grid = plan_grid(duration, aspect)
    assert grid.count >= 1
    assert 1 <= grid.sheets <= MAX_SHEETS
    assert sum(map(grid.thumbnails_on, range(grid.sheets))) == grid.count
    assert 2 <= grid.width <= THUMBNAIL_WIDTH
    assert 2 <= grid.height <= MAX_THUMBNAIL_HEIGHT
    assert grid.width % 2 == grid.height % 2 == 0


@given(st.floats(0.1, 50_000))
def test_every_time_has_a_thumbnail_in_its_own_place(duration: float) -> None:
    grid = plan_grid(duration, 16 / 9)
    assert (grid.count - 1) * grid.interval < duration <= grid.count * grid.interval
    places = [grid.place(number) for number in range(grid.count)]
    assert len(set(places)) == grid.count
    assert all(
        sheet < grid.sheets and left < grid.columns * grid.width and top < grid.rows * grid.height
        for sheet, left, top in places
    )


@pytest.mark.parametrize(
    ("aspect", "expected"),
    [
        (16 / 9, (320, 180)),
        (4 / 3, (320, 240)),
        (2.39, (320, 134)),
        (9 / 16, (320, 568)),
        (1 / 3, (214, 640)),
    ],
)
def test_the_largest_size_of_an_aspect_fits(aspect: float, expected: tuple[int, int]) -> None:
    assert fit(aspect, 320, 640) == expected


def test_the_thumbnail_track_lists_all_thumbnails() -> None:
    grid = Grid(interval=10, count=5, width=320, height=180, columns=2, rows=2)
    assert thumbnails_vtt(grid, 47.25, ["a/0.jpg", "a/1.jpg?x=1"]) == (
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:00:10.000\na/0.jpg#xywh=0,0,320,180\n"
        "\n00:00:10.000 --> 00:00:20.000\na/0.jpg#xywh=320,0,320,180\n"
        "\n00:00:20.000 --> 00:00:30.000\na/0.jpg#xywh=0,180,320,180\n"
        "\n00:00:30.000 --> 00:00:40.000\na/0.jpg#xywh=320,180,320,180\n"
        "\n00:00:40.000 --> 00:00:47.250\na/1.jpg?x=1#xywh=0,0,320,180\n"
    )


@given(st.floats(0, 360_000))
def test_timestamps_read_back(seconds: float) -> None:
    # W3C WebVTT section 4.1: [hours ":"] minutes ":" seconds "." milliseconds
    found = re.fullmatch(r"(\d\d+):([0-5]\d):([0-5]\d)\.(\d{3})", timestamp(seconds))
    assert found
    hours, minutes, whole, parts = map(int, found.groups())
    assert hours * 3600 + minutes * 60 + whole + parts / 1000 == pytest.approx(seconds, abs=0.00051)
