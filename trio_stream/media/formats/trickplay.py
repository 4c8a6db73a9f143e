"""Which moments of a video its preview tiles show, how they lie on sheets, and the WebVTT track that says so (pure).

However long a video claims to be, there are at most `MOST_SHEETS` sheets of it, and at least one tile.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

TILE_WIDTH = 320
TALLEST_TILE = 640
"""Pixels; a picture taller than twice its width is made narrower than `TILE_WIDTH` instead."""

ACROSS = 10
DOWN = 10
MOST_SHEETS = 40

USUAL_INTERVAL = 10
"""Seconds between tiles, except in videos that are short (about a hundred tiles are enough) or very long."""

FINEST_INTERVAL = 1
LONGEST = 1e12
"""Seconds; what claims to be longer is as long as this."""

FEW_TILES = 100


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` tiles of `width` x `height` pixels, one every `interval` seconds, on sheets of `columns` x `rows`.

    Tile n stands for the time from n * interval on. It is on sheet n // (columns * rows), filled row by row; the last
    of several sheets is only as high as it needs to be.
    """

    interval: int
    count: int
    width: int
    height: int
    columns: int
    rows: int

    @property
    def per_sheet(self) -> int:
        """How many tiles a full sheet has."""
        return self.columns * self.rows

    @property
    def sheets(self) -> int:
        """How many sheets there are."""
        return -(-self.count // self.per_sheet)

    def tiles_on(self, sheet: int) -> int:
        """How many tiles are on sheet number `sheet`, counted from zero."""
        return max(0, min(self.per_sheet, self.count - sheet * self.per_sheet))

    def place(self, tile: int) -> tuple[int, int, int]:
        """Where a tile is: its sheet, and the pixels of its upper left corner from the left and from the top."""
        sheet, there = divmod(tile, self.per_sheet)
        row, column = divmod(there, self.columns)
        return sheet, column * self.width, row * self.height


def plan_grid(duration: float, aspect: float) -> Grid:
    """The tiles for a video of `duration` seconds whose picture is shown `aspect` times as wide as high."""
    duration = min(duration, LONGEST) if duration > 0 else 0.0  # which is false for what is no number
    interval = min(USUAL_INTERVAL, max(FINEST_INTERVAL, math.ceil(duration / FEW_TILES)))
    interval = max(interval, math.ceil(duration / (ACROSS * DOWN * MOST_SHEETS)))
    count = max(1, math.ceil(duration / interval))
    columns = min(ACROSS, count)
    rows = min(DOWN, -(-count // columns))
    return Grid(interval, count, *fit(aspect, TILE_WIDTH, TALLEST_TILE), columns, rows)


def fit(aspect: float, width: int, height: int) -> tuple[int, int]:
    """The largest even size of that aspect (width over height) within `width` x `height` pixels."""
    aspect = aspect if math.isfinite(aspect) and aspect > 0 else 16 / 9
    if aspect * height >= width:
        return width, min(height, _even(width / aspect))
    return min(width, _even(height * aspect)), height


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))


def thumbnails_vtt(grid: Grid, duration: float, urls: Sequence[str]) -> str:
    """The thumbnails track: a cue a tile, whose text is the address of its sheet with the tile's place in it.

    `urls` are those of the sheets. The place is a spatial media fragment in pixels (W3C Media Fragments URI 1.0 section
    4.2.2), which is what players read as thumbnails. The last cue ends with the video, `duration` seconds.
    """
    lines = ["WEBVTT"]
    for tile in range(grid.count):
        sheet, left, top = grid.place(tile)
        start = tile * grid.interval
        stop = max(duration, start + 0.001) if tile == grid.count - 1 else start + grid.interval
        lines += [
            "",
            f"{timestamp(start)} --> {timestamp(stop)}",
            f"{urls[sheet]}#xywh={left},{top},{grid.width},{grid.height}",
        ]
    return "\n".join(lines) + "\n"


def timestamp(seconds: float) -> str:
    """A WebVTT timestamp, hours always written (W3C WebVTT section 4.1): `01:02:03.456`."""
    minutes, milliseconds = divmod(max(0, round(seconds * 1000)), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
