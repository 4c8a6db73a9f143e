"""When a file begins and ends, on the one clock that all reported times use.

0 is where the presentation begins. The clock of an MPEG file may show any time there, and so may that of a file cut
from a longer recording: MP4 fragments, and files whose first packet comes late. For MP4 the times come from its tables,
because segments are built from them; for other containers they come from FFmpeg.
"""

from collections.abc import Collection
from dataclasses import dataclass

import av
import av.container

from trio_stream.media.containers.cutoff import avi_duration, last_timestamp, missing_bytes
from trio_stream.media.containers.keyframes import FREE_CLOCK
from trio_stream.media.jobs import MediaFile
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.extent import Extent, clock_start, extent, read_located
from trio_stream.mp4.reading.locating import is_cut_off, locate

WITH_TABLES = frozenset({"mov", "mp4", "3gp"})
MATROSKA = frozenset({"matroska", "webm"})

EARLY = 0.5
"""Seconds before 0. What begins earlier in Matroska is not decoder priming but part of the video, and players begin
there."""

LATE = 1.0
"""Seconds. A file that begins no later than this begins with silence and black; one that begins later has its own
clock."""

SHORT = 0.25
"""Seconds that may be missing at the end of a complete file: containers round times, and track ends differ."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """`start`: what the clock of the file shows at 0. `duration`: of the whole, None if the file does not give it.
    `until`: where the available part ends, if something is missing, also if it is unknown how much. All in seconds.
    `recoded`: the sample entries say that the coding of a track changes."""

    start: float
    duration: float | None
    until: float | None = None
    recoded: bool = False


def start_of(container: av.container.InputContainer, file: MediaFile, name: str) -> float:
    """Return what the clock of the file shows at 0, in seconds; `name` is the container's, as in the media info."""
    first = (container.start_time or 0) / av.time_base
    if name in FREE_CLOCK:
        return first
    if first <= 0:
        return first if first < -EARLY and name in MATROSKA else 0.0
    if name not in WITH_TABLES:
        return first if first > LATE else 0.0
    try:
        located = locate(file.read_at, file.size or 0)
        return float(clock_start(read_located(file.read_at, located, file.size or 0)))
    except Malformed:
        return 0.0


def span_of(
    container: av.container.InputContainer, file: MediaFile, name: str, tracks: Collection[int]
) -> TimeSpan:
    """Return when the presentation of `tracks` (their ids in MP4) begins and ends."""
    stated = stated_duration(container, name, 0)
    if (
        name in WITH_TABLES
        and file.size is not None
        and (span := _span_from_tables(file, file.size, tracks, stated)) is not None
    ):
        return span
    start = start_of(container, file, name)
    return TimeSpan(start, stated_duration(container, name, start))


def stated_duration(container: av.container.InputContainer, name: str, start: float) -> float | None:
    """Return the duration that the container states, in seconds, or None; its clock shows `start` at 0."""
    if container.duration is None or container.duration <= 0:
        return None
    stated = float(container.duration / av.time_base)
    # Some containers count the duration from 0 on their clock.
    counts_from_zero = name not in FREE_CLOCK and stated > start
    return stated - start if counts_from_zero else stated


def _span_from_tables(
    file: MediaFile, size: int, tracks: Collection[int], stated: float | None
) -> TimeSpan | None:
    """Read the span from the tables of an MP4 file; None if they cannot be read."""
    try:
        located = locate(file.read_at, size)
        movie = read_located(file.read_at, located, size)
        available = extent(movie, tracks)
        if available is None:
            return None
        recoded = any(len(track.described) > 1 for track in movie.tracks if track.id in tracks)
        is_short = stated is not None and stated - available.start - available.length > SHORT
        is_truncated = movie.fragmented and is_cut_off(file.read_at, size)
        if not is_short and not is_truncated:
            return TimeSpan(available.start, available.length, recoded=recoded)
        stated_extent = extent(read_located(file.read_at, located, size, whole=True), tracks) or Extent(0, 0)
    except (Malformed, OverflowError):
        return None
    is_truncated = is_truncated or stated_extent.length - available.length > SHORT
    return TimeSpan(
        available.start,
        max(stated_extent.length, available.length),
        available.length if is_truncated else None,
        recoded,
    )


def duration_and_end(
    file: MediaFile, name: str, span: TimeSpan, duration: float | None
) -> tuple[float | None, float | None]:
    """Return the duration of the whole, and where the available part ends if something is missing.

    `duration` is the one found so far. For a large file without tables the end is an estimate.
    """
    if span.until is not None or name in WITH_TABLES or not (missing := missing_bytes(file, name)):
        return duration, span.until
    if name == "avi":
        duration = max(duration or 0.0, avi_duration(file) or 0.0) or None
    last, size = last_timestamp(file, name), file.size or 0
    if last is not None:
        last -= span.start
    elif duration is not None:
        last = duration * size / (size + missing)
    if last is None or (duration is not None and duration - last <= SHORT):
        return duration, None
    return duration or last, last
