"""A track in a timescale so fine that what is presented for one unit is seen by nobody.

Media Source throws away what is presented before 0, and all that depends on it. So pictures that have to be decoded and
are not to be seen are presented for a tick each: one to two microseconds.
"""

from array import array
from dataclasses import dataclass, replace

from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.movie import Track
from trio_stream.mp4.reading.run_lengths import Durations
from trio_stream.mp4.reading.tables import SampleTable

TICKS = 1_000_000
"""Ticks in a second, about: a tick is hardly more than the microsecond in which players count."""


@dataclass(frozen=True, slots=True)
class InTicks:
    """What an edit list makes of a track: the track in ticks, the samples that are presented, and at which of their
    times the presentation begins; where that is negative, so long before the first of them is decoded."""

    track: Track
    samples: SampleTable
    begins: int


def finer(timescale: int) -> int:
    """By how much a timescale is made finer, so that its unit is a tick."""
    return max(1, TICKS // timescale)


def in_ticks(track: Track) -> Track:
    """The track in a finer timescale, whose samples last as long as they did. Raises `Malformed`."""
    factor = finer(track.timescale)
    durations = track.samples.durations
    try:
        values = array("I", (value * factor for value in durations.values))
    except OverflowError:
        raise Malformed("moov/trak/mdia/minf/stbl/stts", "a sample lasts too long") from None
    samples = replace(track.samples, durations=Durations(durations.counts, values))
    return replace(track, timescale=track.timescale * factor, samples=samples)
