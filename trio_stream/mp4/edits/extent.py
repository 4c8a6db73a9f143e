"""Start and duration of the presentation of a movie: the clock that all times of a file are counted on (pure).

0 is where the presentation begins, whatever timestamp the file has there: the fragments of a recording may begin at
any time. Samples that are missing from the file have no time: a truncated file ends with its last sample.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from trio_stream.mp4.edits.timeline import PresentsNothing, Timeline, place
from trio_stream.mp4.reading.fragmented import read_fragments
from trio_stream.mp4.reading.locating import Located, Read, fragments
from trio_stream.mp4.reading.movie import Movie, Track, read_movie
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.mp4.reordering import REORDERED

UNBOUNDED = 1 << 62
"""The size to pass for a file that is complete."""

type Placed = tuple[Track, SampleTable, Timeline]


@dataclass(frozen=True, slots=True)
class Extent:
    """In seconds: the timestamp of the file at which the presentation begins, and the duration of the presentation."""

    start: float
    length: float


def read_located(read: Read, located: Located, size: int, *, whole: bool = False) -> Movie:
    """The movie of a file of `size` bytes, with all fragments.

    `whole` keeps samples that are listed beyond the end of the file. Raises `Malformed`, and the errors of
    `read`.
    """
    end = UNBOUNDED if whole else size
    movie = read_movie(located.moov, end)
    if movie.fragmented:
        movie = read_fragments(movie, fragments(read, size, located.fragments_from), end)
    return movie


def placed_tracks(movie: Movie, tracks: Iterable[Track]) -> list[Placed]:
    """These tracks of `movie`, each with the samples that are presented and their timeline; empty tracks are left out.

    Raises `Unsupported`, and `PresentsNothing` if no track presents anything.
    """
    start = clock_start(movie)
    found: list[Placed] = []
    empty: PresentsNothing | None = None
    for candidate in tracks:
        if not candidate.samples.count:
            continue
        try:
            track, samples, timeline = place(candidate, movie.timescale, fragmented=movie.fragmented)
        except PresentsNothing as error:
            empty = error
        else:
            found.append((track, samples, _shifted_earlier(timeline, round(start * track.timescale))))
    if not found and empty is not None:
        raise empty
    return found


def clock_start(movie: Movie) -> Fraction:
    """The timestamp at which the presentation begins, in seconds: fragments may begin anywhere."""
    starts = (Fraction(track.start, track.timescale) for track in movie.tracks if track.samples.count)
    return min(starts, default=Fraction()) if movie.fragmented else Fraction()


def extent(movie: Movie, ids: Container[int]) -> Extent | None:
    """Start and duration of the tracks with these `ids`; None if they have no samples.

    Raises `Unsupported`."""
    tracks = [track for track in movie.tracks if track.id in ids]
    placed = placed_tracks(movie, tracks)
    if not placed:
        return None
    length = max(end_of(samples, timeline) / track.timescale for track, samples, timeline in placed)
    return Extent(float(clock_start(movie)), length)


def end_of(samples: SampleTable, timeline: Timeline) -> int:
    """When the presentation of a track ends. If frames are reordered, the sample shown last is near the end."""
    if samples.compositions is None or not samples.count:
        return samples.end + timeline.offset
    tail = range(max(0, samples.count - REORDERED), samples.count)
    return max(samples.shown_at(number) + samples.durations[number] for number in tail) + timeline.offset


def _shifted_earlier(timeline: Timeline, ticks: int) -> Timeline:
    """The timeline shifted earlier by `ticks`; samples shifted before 0 are decoded and not presented."""
    led = min(ticks, max(0, timeline.lead))
    return replace(timeline, lead=timeline.lead - led, skip=timeline.skip + ticks - led)
