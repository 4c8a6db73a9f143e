"""A track in a timescale so fine that a frame presented for one unit cannot be seen.

Media Source drops frames presented before 0, and all that depend on them. So frames that must be decoded but not seen
are presented for a tick each: one to two microseconds.
"""

from array import array
from dataclasses import dataclass, replace

from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.movie import Track
from trio_stream.mp4.reading.run_lengths import Durations
from trio_stream.mp4.reading.tables import SampleTable

TICKS = 1_000_000
"""Ticks per second, approximately: a tick is hardly more than the microsecond in which players count."""


@dataclass(frozen=True, slots=True)
class InTicks:
    """A track after its edit list was applied: the track in ticks, the samples that are presented, and the media time
    `begins` at which the presentation begins. If negative, it begins that long before the first sample is decoded."""

    track: Track
    samples: SampleTable
    begins: int


def finer(timescale: int) -> int:
    """The factor that makes the unit of a timescale a tick."""
    return max(1, TICKS // timescale)


def in_ticks(track: Track) -> Track:
    """The track in a finer timescale, with unchanged durations. Raises `Malformed`."""
    factor = finer(track.timescale)
    durations = track.samples.durations
    try:
        values = array("I", (value * factor for value in durations.values))
    except OverflowError:
        raise Malformed("moov/trak/mdia/minf/stbl/stts", "a sample lasts too long") from None
    samples = replace(track.samples, durations=Durations(durations.counts, values))
    return replace(track, timescale=track.timescale * factor, samples=samples)
