"""When a file begins and ends, on the one clock that everything said of it counts on.

0 is where the presentation begins. The clocks of MPEG show anything there, as do those of recordings that were cut out
of something longer: fragments of MP4, and files whose first packet comes late. What MP4 files hold is taken from their
tables, as segments are made of these; of others FFmpeg is asked.
"""

from collections.abc import Collection
from dataclasses import dataclass

import av
import av.container

from trio_stream.media.containers.cutoff import avi_duration, last_moment, missing_bytes
from trio_stream.media.containers.keyframes import FREE_CLOCK
from trio_stream.media.jobs import MediaFile
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.extent import Extent, clock_start, extent, read_located
from trio_stream.mp4.reading.locating import is_cut_off, locate

TABLES = frozenset({"mov", "mp4", "3gp"})
MATROSKA = frozenset({"matroska", "webm"})

EARLY = 0.5
"""Seconds before 0 at which no priming of a decoder begins in Matroska: that is a part of the film, and players begin
with it."""

LATE = 1.0
"""Seconds that a file may begin late, for it to be silence and darkness before a film. What begins later has a clock of
its own."""

SHORT = 0.25
"""Seconds that may be missing at the end without a word: containers round, and the last samples lie anywhere."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """`start`: what the clock of the file shows at 0. `duration`: of all that the file speaks of, None if it does not.
    `until`: where what is there ends, if something is missing; the same where nobody knows how much. All in seconds.
    `recoded`: the coding of a track changes, as its sample entries say."""

    start: float
    duration: float | None
    until: float | None = None
    recoded: bool = False


def start_of(container: av.container.InputContainer, file: MediaFile, name: str) -> float:
    """What the clock of the file shows at 0, in seconds; `name` is that of the container, as in facts."""
    first = (container.start_time or 0) / av.time_base
    if name in FREE_CLOCK:
        return first
    if first <= 0:
        return first if first < -EARLY and name in MATROSKA else 0.0
    if name not in TABLES:
        return first if first > LATE else 0.0
    try:
        located = locate(file.read_at, file.size or 0)
        return float(clock_start(read_located(file.read_at, located, file.size or 0)))
    except Malformed:
        return 0.0


def span_of(
    container: av.container.InputContainer, file: MediaFile, name: str, tracks: Collection[int]
) -> TimeSpan:
    """From when to when `tracks` (their numbers in MP4) are played."""
    said = said_duration(container, name, 0)
    if (
        name in TABLES
        and file.size is not None
        and (found := _tables(file, file.size, tracks, said)) is not None
    ):
        return found
    start = start_of(container, file, name)
    return TimeSpan(start, said_duration(container, name, start))


def said_duration(container: av.container.InputContainer, name: str, start: float) -> float | None:
    """Seconds that the container says it lasts, whose clock shows `start` at 0; None if it does not say."""
    if container.duration is None or container.duration <= 0:
        return None
    said = float(container.duration / av.time_base)
    counts_from_zero = name not in FREE_CLOCK and said > start  # some count from the beginning of their clock
    return said - start if counts_from_zero else said


def _tables(file: MediaFile, size: int, tracks: Collection[int], said: float | None) -> TimeSpan | None:
    """What the tables of an MP4 file say; None where they cannot be read."""
    try:
        located = locate(file.read_at, size)
        movie = read_located(file.read_at, located, size)
        here = extent(movie, tracks)
        if here is None:
            return None
        recoded = any(len(each.described) > 1 for each in movie.tracks if each.id in tracks)
        short = said is not None and said - here.start - here.length > SHORT
        cut = movie.fragmented and is_cut_off(file.read_at, size)
        if not short and not cut:
            return TimeSpan(here.start, here.length, recoded=recoded)
        whole = extent(read_located(file.read_at, located, size, whole=True), tracks) or Extent(0, 0)
    except (Malformed, OverflowError):
        return None
    cut = cut or whole.length - here.length > SHORT
    return TimeSpan(here.start, max(whole.length, here.length), here.length if cut else None, recoded)


def found_until(
    file: MediaFile, name: str, span: TimeSpan, duration: float | None
) -> tuple[float | None, float | None]:
    """How long the whole lasts, and until when it is there, if something is missing. `duration` is what is known yet.

    Of a large file without tables the second is an estimate.
    """
    if span.until is not None or name in TABLES or not (missing := missing_bytes(file, name)):
        return duration, span.until
    if name == "avi":
        duration = max(duration or 0.0, avi_duration(file) or 0.0) or None
    last, size = last_moment(file, name), file.size or 0
    if last is not None:
        last -= span.start
    elif duration is not None:
        last = duration * size / (size + missing)
    if last is None or (duration is not None and duration - last <= SHORT):
        return duration, None
    return duration or last, last
