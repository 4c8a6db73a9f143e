"""Maps media time to presentation time: what an edit list says.

An edit list says from which media time on a track is presented, and how much later than the others it begins. Audio
and video stay in sync to the millisecond, and samples before the first presented one (encoder priming, frames before a
cut) are decoded and not presented. A list of several edits rebuilds the track (`rearranging`). Sources: ISO/IEC
14496-12 section 8.6.6; ISO/IEC 23000-19 (CMAF) section 7.5.13.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.hiding import hide
from trio_stream.mp4.edits.rearranging import TimedEdit, rearrange
from trio_stream.mp4.reading.movie import EMPTY, Edit, Track
from trio_stream.mp4.reading.run_lengths import Runs
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.mp4.reordering import REORDERED

PREROLL = 1
"""Seconds of audio that are decoded before the first audible part, as in FFmpeg: some decoders need a few packets to
settle."""

LATEST = 1 << 62

_PATH = "moov/trak/edts/elst"


class Unsupported(Malformed):
    """A valid file with a feature that fragments cannot express."""


class PresentsNothing(Unsupported):
    """The edit list of a track presents no part of it."""


class Protected(Unsupported):
    """The file is encrypted."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the samples of a track are presented, in units of its timescale.

    `lead` is added to the decode times, and the first `skip` units of the result are decoded and not presented. So a
    sample is presented at its media time + lead - skip. No sample before `first` is needed; if that one is not
    presented, `lead` is chosen so that it is decoded at 0, which players take for the beginning of the playlist.
    """

    lead: int = 0
    skip: int = 0
    first: int = 0

    @property
    def offset(self) -> int:
        """From media time to presentation time."""
        return self.lead - self.skip


def place(
    track: Track, movie_timescale: int, *, fragmented: bool = False
) -> tuple[Track, SampleTable, Timeline]:
    """The samples of `track` that are presented, and their timeline. Raises `Unsupported`.

    If the edit list has several edits, the returned track is a new one with a finer timescale. In a fragmented file an
    edit list describes a part that has no samples, so only its beginning counts, in the time of the fragments.
    """
    delay, edits = _effective_edits(track, movie_timescale)
    lead = _scaled(delay, track.timescale, movie_timescale)
    samples = track.samples
    if samples.count == 0:
        return track, samples, Timeline()
    if track.start + lead + samples.end >= LATEST or any(edit.media_time >= LATEST for edit in edits):
        raise Malformed(_PATH, "it begins too late for a timestamp")
    if not edits:
        if track.edits and not fragmented:
            raise _presents_nothing()
        return track, samples, Timeline(lead=track.start + lead)
    if len(edits) > 1:
        if fragmented:
            raise Unsupported(_PATH, "it has several edits for a track whose samples are in fragments")
        return _rearranged(track, _timed_edits(edits, lead, track.timescale, movie_timescale))
    return _trimmed(track, edits[0], lead, movie_timescale, fragmented=fragmented)


def _trimmed(
    track: Track, edit: Edit, lead: int, movie_timescale: int, *, fragmented: bool
) -> tuple[Track, SampleTable, Timeline]:
    """The samples presented by a single edit, `lead` after the beginning."""
    samples, hidden = track.samples, edit.media_time - track.start
    if not fragmented:
        if edit.duration:
            stop = edit.media_time + _scaled(edit.duration, track.timescale, movie_timescale)
            samples = _ending_at(samples, stop)
        samples, later = _without_negative_offsets(samples)
        hidden += later
    if track.handler == "vide":
        first = _last_sync(samples, hidden)
        shown = _first_shown(samples, first, hidden)
        hidden = hidden if fragmented else shown
        if samples.shown_at(first) < hidden and (found := hide(track, samples, first, hidden)) is not None:
            lead = lead * found.track.timescale // track.timescale
            track, samples, hidden = found.track, found.samples, found.begins
    elif hidden > samples.end + samples.composition(samples.count - 1):
        raise _presents_nothing()
    else:
        # Packets that would have to be silent because the track begins later cannot be hidden: they are left out.
        roll = 0 if lead else PREROLL * track.timescale
        first = max(0, min(samples.durations.at(hidden - roll + 1), samples.count) - 1)
    skip = max(0, hidden - lead)
    skipped = min(samples.durations.time(first), skip)
    return track, samples, Timeline(max(0, lead - hidden) - skipped, skip - skipped, first)


def _rearranged(track: Track, edits: Sequence[TimedEdit]) -> tuple[Track, SampleTable, Timeline]:
    found = rearrange(track, edits, preroll=PREROLL * track.timescale)
    if found is None:
        raise _presents_nothing()
    return found.track, found.samples, Timeline(lead=max(0, -found.begins), skip=max(0, found.begins))


def _timed_edits(edits: Sequence[Edit], lead: int, timescale: int, movie_timescale: int) -> list[TimedEdit]:
    """Where on the timeline of the track each edit is; empty edits are gaps."""
    found: list[TimedEdit] = []
    passed = 0
    for edit in edits:
        at, until = (
            lead + _scaled(time, timescale, movie_timescale) for time in (passed, passed + edit.duration)
        )
        passed += edit.duration
        if edit.media_time != EMPTY:
            found.append(TimedEdit(at, until, edit.media_time, edit.media_time + until - at))
    return found


def _scaled(duration: int, timescale: int, movie_timescale: int) -> int:
    """A duration of an edit list in units of the track."""
    return (duration * timescale + movie_timescale // 2) // movie_timescale


def _presents_nothing() -> PresentsNothing:
    return PresentsNothing(_PATH, "it presents no part of the track")


def _last_sync(samples: SampleTable, time: int) -> int:
    """The last sync sample that is presented at `time` or before; otherwise the first one."""
    syncs = samples.sync_within(0, samples.count)
    return syncs[max(0, bisect_right(syncs, time, key=samples.shown_at) - 1)] if syncs else 0


def _first_shown(samples: SampleTable, first: int, time: int) -> int:
    """When the first frame from sample `first` on that starts at `time` or later is presented: the presentation begins
    with it. Raises `Unsupported` if there is none.

    A frame that starts earlier and lasts beyond `time` is not shown, as in FFmpeg, and so in browsers.
    """
    about = min(samples.durations.at(time), samples.count - 1)
    near = range(max(first, about - REORDERED), min(about + REORDERED, samples.count))
    if not (later := [shown for sample in near if (shown := samples.shown_at(sample)) >= time]):
        raise _presents_nothing()
    return min(later)


def _without_negative_offsets(samples: SampleTable) -> tuple[SampleTable, int]:
    """The samples without negative composition offsets, and how much later all of them are presented.

    FFmpeg treats negative offsets in fragments differently from those in files.
    """
    if samples.compositions is None or not samples.compositions.negative:
        return samples, 0
    lowest = min(samples.compositions.values)
    try:
        values = array("i", (value - lowest for value in samples.compositions.values))
    except OverflowError:
        raise Malformed("moov/trak/mdia/minf/stbl/ctts", "an offset is too large") from None
    return replace(samples, compositions=Runs(samples.compositions.counts, values)), -lowest


def _effective_edits(track: Track, movie_timescale: int) -> tuple[int, list[Edit]]:
    """The delay of the track, in units of the movie's timescale, and its edits from the first non-empty one on. Edits
    that continue each other are merged.

    The rate of an edit is ignored, as in FFmpeg.
    """
    lasting = [edit for edit in track.edits if edit.duration]
    if all(edit.media_time == EMPTY for edit in lasting):  # an edit of duration 0 lasts to the end
        lasting += [edit for edit in track.edits if edit.media_time != EMPTY][:1]
    delay = 0
    found: list[Edit] = []
    for edit in lasting:
        if not found and edit.media_time == EMPTY:
            delay += edit.duration
        elif found and _continues(found[-1], edit, track.timescale, movie_timescale):
            found[-1] = replace(found[-1], duration=found[-1].duration + edit.duration)
        else:
            found.append(edit)
    while found and found[-1].media_time == EMPTY:
        found.pop()
    return delay, found


def _continues(one: Edit, other: Edit, timescale: int, movie_timescale: int) -> bool:
    """Whether `other` continues where `one` ends, within the precision of the movie's timescale."""
    if EMPTY in (one.media_time, other.media_time):
        return one.media_time == other.media_time
    end = one.media_time + one.duration * timescale / movie_timescale
    return abs(other.media_time - end) <= 2 * timescale / movie_timescale


def _ending_at(samples: SampleTable, stop: int) -> SampleTable:
    """The samples without those at the end that are presented at `stop` or later."""
    count, offsets = samples.count, samples.compositions
    if offsets is None:
        count = min(count, samples.durations.at(stop))
    else:
        for run in range(offsets.run_of(count - 1), -1, -1):
            # Within a run, presentation order is decoding order.
            count = min(count, max(samples.durations.at(stop - offsets.values[run]), offsets.starts[run]))
            if count > offsets.starts[run]:
                break
    count = max(1, count)
    return samples if count == samples.count else replace(samples, count=count)
