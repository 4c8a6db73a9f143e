"""From the time of the media to that of the presentation: what an edit list says.

An edit list tells from where in the media on a track is presented, and how much later than the others it begins. Sound
and pictures stay together to the millisecond, and what comes before the first thing that is presented (the priming of
an encoder, pictures before a cut) is decoded and not presented. Lists that cut pieces out of the midst of a track are
`Unsupported`. Sources: ISO/IEC 14496-12 section 8.6.6; ISO/IEC 23000-19 (CMAF) section 7.5.13.
"""

from array import array
from bisect import bisect_right
from dataclasses import dataclass, replace

from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.movie import Edit, Track
from trio_stream.mp4.tables import Runs, SampleTable

PREROLL = 1
"""Seconds of sound that are decoded before the first that is heard, as FFmpeg does: some decoders need a while to be
in step."""

REORDERED = 32
"""Pictures by which decoding and presentation may differ: twice what any codec allows."""

LATEST = 1 << 62

_PATH = "moov/trak/edts/elst"


class Unsupported(Malformed):
    """A whole file that says what cannot be said with fragments."""


class Protected(Unsupported):
    """What is in the file is encrypted."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the samples of a track are presented, in units of its timescale.

    `lead` is added to the times of decoding, and the first `skip` units of what results are decoded and not presented.
    So a sample is presented at its media time + lead - skip. No sample before `first` is needed; where it is not
    presented, `lead` is such that it is decoded at 0, which is when players take a playlist to begin.
    """

    lead: int = 0
    skip: int = 0
    first: int = 0

    @property
    def offset(self) -> int:
        """From media time to presentation time."""
        return self.lead - self.skip


def place(track: Track, movie_timescale: int, *, fragmented: bool = False) -> tuple[SampleTable, Timeline]:
    """The samples of `track` that are presented, and when. Raises `Unsupported`.

    In a fragmented file an edit list speaks of a part that is not there, so only its beginning counts, in a time that
    the fragments tell.
    """
    delay, edit = _edit(track.edits, track.timescale, movie_timescale)
    lead = _scaled(delay, track.timescale, movie_timescale)
    samples = track.samples
    if samples.count == 0:
        return samples, Timeline()
    if track.start + lead + samples.end >= LATEST or (edit is not None and edit.media_time >= LATEST):
        raise Malformed(_PATH, "it begins later than any clock goes")
    if edit is None:
        return samples, Timeline(lead=track.start + lead)
    hidden = edit.media_time - track.start
    if not fragmented:
        if edit.duration:
            stop = edit.media_time + _scaled(edit.duration, track.timescale, movie_timescale)
            samples = _ending_at(samples, stop)
        samples, later = _not_before_decoding(samples)
        hidden += later
    if track.handler == "vide":
        first = _last_sync(samples, hidden)
        shown = _first_shown(samples, first, hidden)
        hidden = hidden if fragmented else shown
    elif hidden > samples.end + samples.composition(samples.count - 1):
        raise _nothing()
    else:
        # What is to be silent because the track begins later cannot be hidden: it is left out.
        roll = 0 if lead else PREROLL * track.timescale
        first = max(0, min(samples.durations.at(hidden - roll + 1), samples.count) - 1)
    skip = max(0, hidden - lead)
    unseen = min(samples.durations.time(first), skip)
    return samples, Timeline(max(0, lead - hidden) - unseen, skip - unseen, first)


def _scaled(duration: int, timescale: int, movie_timescale: int) -> int:
    """A duration of an edit list in units of the track."""
    return (duration * timescale + movie_timescale // 2) // movie_timescale


def _nothing() -> Unsupported:
    return Unsupported(_PATH, "it presents nothing of the track")


def _last_sync(samples: SampleTable, time: int) -> int:
    """The last sample that can be decoded by itself and is presented at `time` or before; else the first of all."""
    syncs = samples.sync_within(0, samples.count)
    return syncs[max(0, bisect_right(syncs, time, key=samples.shown_at) - 1)] if syncs else 0


def _first_shown(samples: SampleTable, first: int, time: int) -> int:
    """When the first picture from sample `first` on is presented that begins at `time` or later: the presentation
    begins with it. Raises `Unsupported` where there is none.

    A picture that begins sooner and lasts beyond `time` is not shown, which is how FFmpeg, and so browsers, read it.
    """
    about = min(samples.durations.at(time), samples.count - 1)
    near = range(max(first, about - REORDERED), min(about + REORDERED, samples.count))
    if not (later := [shown for each in near if (shown := samples.shown_at(each)) >= time]):
        raise _nothing()
    return min(later)


def _not_before_decoding(samples: SampleTable) -> tuple[SampleTable, int]:
    """The samples with no negative offset from decoding to presentation, and how much later all are presented then.

    FFmpeg reads negative ones of fragments otherwise than those of a file.
    """
    if samples.compositions is None or not samples.compositions.negative:
        return samples, 0
    least = min(samples.compositions.values)
    try:
        values = array("i", (value - least for value in samples.compositions.values))
    except OverflowError:
        raise Malformed("moov/trak/mdia/minf/stbl/ctts", "an offset is too large") from None
    return replace(samples, compositions=Runs(samples.compositions.counts, values)), -least


def _edit(edits: tuple[Edit, ...], timescale: int, movie_timescale: int) -> tuple[int, Edit | None]:
    """How much later the track begins, in units of the movie's timescale, and the one edit that shows it."""
    delay = 0
    pauses = False
    shown: Edit | None = None
    for edit in edits:
        if edit.media_time < 0:
            if shown is None:
                delay += edit.duration
            else:
                pauses = edit.duration > 0
            continue
        if edit.rate != 1.0:
            raise Unsupported(_PATH, "it plays the track faster or slower")
        if shown is None:
            shown = edit
        elif edit.duration:
            if pauses:
                raise Unsupported(_PATH, "it pauses in the midst of the track")
            end = shown.media_time + shown.duration * timescale / movie_timescale
            if shown.duration == 0 or abs(edit.media_time - end) > 2 * timescale / movie_timescale:
                raise Unsupported(_PATH, "it cuts pieces out of the track")
            shown = Edit(shown.duration + edit.duration, shown.media_time)
    return delay, shown


def _ending_at(samples: SampleTable, stop: int) -> SampleTable:
    """Without the samples at the end that are presented at `stop` or later."""
    count, offsets = samples.count, samples.compositions
    if offsets is None:
        count = min(count, samples.durations.at(stop))
    else:
        for run in range(
            offsets.run_of(count - 1), -1, -1
        ):  # in a run they are presented as they are decoded
            count = min(count, max(samples.durations.at(stop - offsets.values[run]), offsets.starts[run]))
            if count > offsets.starts[run]:
                break
    count = max(1, count)
    return samples if count == samples.count else replace(samples, count=count)
