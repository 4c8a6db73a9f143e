"""Which times of a video its thumbnails show, their layout on sheets, and the WebVTT track that lists them (pure).

However long a video claims to be, it has at most `MAX_SHEETS` sheets, and at least one thumbnail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

THUMBNAIL_WIDTH = 320
MAX_THUMBNAIL_HEIGHT = 640
"""Pixels; the thumbnail of a frame taller than twice its width is narrower than `THUMBNAIL_WIDTH`."""

MAX_COLUMNS = 10
MAX_ROWS = 10
MAX_SHEETS = 40

DEFAULT_INTERVAL = 10
"""Seconds between thumbnails, unless a video is short (about a hundred thumbnails are enough) or very long."""

MIN_INTERVAL = 1
MAX_DURATION = 1e12
"""Seconds; a longer duration is treated as this long."""

USUAL_COUNT = 100


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` thumbnails of `width` x `height` pixels, one every `interval` seconds, on sheets of `columns` x `rows`.

    Thumbnail n shows the time from n * interval on. It is on sheet n // (columns * rows); sheets are filled row by row,
    and the last of several is only as high as needed.
    """

    interval: int
    count: int
    width: int
    height: int
    columns: int
    rows: int

    @property
    def per_sheet(self) -> int:
        """How many thumbnails a full sheet has."""
        return self.columns * self.rows

    @property
    def sheets(self) -> int:
        """The number of sheets."""
        return -(-self.count // self.per_sheet)

    def thumbnails_on(self, sheet: int) -> int:
        """How many thumbnails are on sheet number `sheet`, counted from zero."""
        return max(0, min(self.per_sheet, self.count - sheet * self.per_sheet))

    def place(self, number: int) -> tuple[int, int, int]:
        """Where a thumbnail is: its sheet, and the pixels of its upper left corner from the left and from the top."""
        sheet, on_sheet = divmod(number, self.per_sheet)
        row, column = divmod(on_sheet, self.columns)
        return sheet, column * self.width, row * self.height


def plan_grid(duration: float, aspect: float) -> Grid:
    """Plan the thumbnails of a video of `duration` seconds; `aspect` is the shown width over height."""
    duration = min(duration, MAX_DURATION) if duration > 0 else 0.0  # a NaN becomes 0 too
    interval = min(DEFAULT_INTERVAL, max(MIN_INTERVAL, math.ceil(duration / USUAL_COUNT)))
    interval = max(interval, math.ceil(duration / (MAX_COLUMNS * MAX_ROWS * MAX_SHEETS)))
    count = max(1, math.ceil(duration / interval))
    columns = min(MAX_COLUMNS, count)
    rows = min(MAX_ROWS, -(-count // columns))
    return Grid(interval, count, *fit(aspect, THUMBNAIL_WIDTH, MAX_THUMBNAIL_HEIGHT), columns, rows)


def fit(aspect: float, width: int, height: int) -> tuple[int, int]:
    """Return the largest even size of that aspect (width over height) within `width` x `height` pixels."""
    aspect = aspect if math.isfinite(aspect) and aspect > 0 else 16 / 9
    if aspect * height >= width:
        return width, min(height, _even(width / aspect))
    return min(width, _even(height * aspect)), height


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))


def thumbnails_vtt(grid: Grid, duration: float, urls: Sequence[str]) -> str:
    """Write the thumbnail track: one cue per thumbnail, with the URL of its sheet and its place there.

    `urls` are those of the sheets. The place is a spatial media fragment in pixels (W3C Media Fragments URI 1.0 section
    4.2.2), which players understand. The last cue ends with the video, at `duration` seconds.
    """
    lines = ["WEBVTT"]
    for number in range(grid.count):
        sheet, left, top = grid.place(number)
        start = number * grid.interval
        stop = max(duration, start + 0.001) if number == grid.count - 1 else start + grid.interval
        lines += [
            "",
            f"{timestamp(start)} --> {timestamp(stop)}",
            f"{urls[sheet]}#xywh={left},{top},{grid.width},{grid.height}",
        ]
    return "\n".join(lines) + "\n"


def timestamp(seconds: float) -> str:
    """Format a WebVTT timestamp, always with hours (W3C WebVTT section 4.1): `01:02:03.456`."""
    minutes, milliseconds = divmod(max(0, round(seconds * 1000)), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
