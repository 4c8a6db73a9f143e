"""Edit lists of several edits: what each presents, when, and which samples are hidden next to it."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.mp4.making import Edit, Sample, TrackSpec
from tests.mp4.test_timeline import FRAME, audio_track, groups, read, video_track
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.rearranging import MAX_REPEATS, MIN_LIMIT, TimedEdit, rearrange
from trio_stream.mp4.edits.ticks import finer
from trio_stream.mp4.edits.timeline import place
from trio_stream.mp4.reading.tables import SampleTable

FACTOR = finer(90_000)


def contents(before: SampleTable, after: SampleTable) -> list[int]:
    """For each sample of the track, its number in the file, found by its offset."""
    numbers = {place: number for number, place in enumerate(before.offsets())}
    return [numbers[place] for place in after.offsets()]


def in_turn(samples: SampleTable) -> list[tuple[int, int]]:
    """When each sample is presented, in ticks, and for how long, in presentation order."""
    shown = sorted(map(samples.shown_at, range(samples.count)))
    end = max(samples.shown_at(number) + samples.durations[number] for number in range(samples.count))
    return [(one, other - one) for one, other in pairwise([*shown, end])]


edits = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20), st.integers(0, 3)), min_size=1, max_size=5)
"""For each edit the first frame, the number of frames, and the pause before it in frames."""


@given(groups, edits)
def test_frames_are_presented_where_the_edits_say(
    offsets: list[int], wanted: list[tuple[int, int, int]]
) -> None:
    track = video_track(offsets)
    media = [track.samples.shown_at(number) for number in range(track.samples.count)]
    spec, expected, at = [], [], 0
    for start, count, pause in wanted:
        at += pause * FRAME
        edit = TimedEdit(at, at + count * FRAME, start * FRAME, (start + count) * FRAME)
        spec.append(edit)
        within = sorted((time, number) for number, time in enumerate(media) if edit.start <= time < edit.stop)
        expected += [(at + time - within[0][0], number) for time, number in within]
        at = edit.until
    found = rearrange(track, spec)
    if found is None:
        assert not expected
        return
    samples = found.samples
    assert found.track.timescale == track.timescale * FACTOR
    numbers = contents(track.samples, samples)
    shown = [samples.shown_at(number) - found.begins for number in range(samples.count)]
    presented = {(round(time / FACTOR, -1), number) for time, number in zip(shown, numbers, strict=True)}
    assert set(expected) <= presented  # within some microseconds
    # Hidden samples are right next to an edit, for a tick each.
    edges = [edge * FACTOR for edit in spec for edge in (edit.at, edit.until)]
    for time, number in zip(shown, numbers, strict=True):
        if (round(time / FACTOR, -1), number) not in expected:
            assert min(abs(edge - time) for edge in edges) <= samples.count
    assert min(shown) >= 0
    # Each can be decoded from the samples before it in the file, from a keyframe on.
    for before, after in pairwise(range(samples.count)):
        assert samples.is_sync(after) or numbers[after] > numbers[before]
    assert samples.is_sync(0) or numbers[0] == 0
    assert all(samples.composition(number) >= 0 for number in range(samples.count))


def test_an_edit_that_begins_inside_a_gop_keeps_the_frames_it_needs() -> None:
    """Two frames of its GOP come before it: they take two ticks of the previous edit."""
    track = video_track([0] * 24)
    found = rearrange(
        track,
        [TimedEdit(0, 4 * FRAME, 0, 4 * FRAME), TimedEdit(4 * FRAME, 7 * FRAME, 14 * FRAME, 17 * FRAME)],
    )
    assert found is not None
    samples = found.samples
    assert contents(track.samples, samples) == [0, 1, 2, 3, 12, 13, 14, 15, 16]
    assert found.begins == 0
    frame = FRAME * FACTOR
    assert in_turn(samples)[2:] == [
        (2 * frame, frame),
        (3 * frame, frame - 2),
        (4 * frame - 2, 1),
        (4 * frame - 1, 1),
        (4 * frame, frame),
        (5 * frame, frame),
        (6 * frame, frame),
    ]
    assert list(samples.sync_within(0, 9)) == [0, 4]


def test_audio_is_cut_at_packets() -> None:
    """The first edit begins inside a packet, with a second of preroll; every other one begins with a whole packet."""
    track = audio_track(300)
    found = rearrange(
        track,
        [TimedEdit(0, 10_000, 100_000, 110_000), TimedEdit(10_000, 20_000, 10_000, 20_000)],
        preroll=48_000,
    )
    assert found is not None
    samples = found.samples
    factor = finer(48_000)
    assert contents(track.samples, samples) == [*range(50, 108), *range(10, 20)]
    shown = [samples.shown_at(number) - found.begins for number in range(samples.count)]
    assert shown[:58] == [(number * 1024 - 100_000) * factor for number in range(50, 108)]
    assert shown[58:] == [(10_000 + number * 1024) * factor for number in range(10)]


def test_a_pause_extends_the_sample_before_it() -> None:
    """Half a second of audio, a second of nothing, and half a second again: 24 packets each; the 24th is extended."""
    track = audio_track(200, Edit(512, 0), Edit(1000, -1), Edit(512, 48_000))
    _, samples, timeline = place(track, 1000)
    factor = finer(48_000)
    assert (samples.count, timeline.offset) == (48, 0)
    assert samples.durations[22] == 1024 * factor
    assert samples.durations[23] == 1024 * factor + 48_000 * factor
    assert samples.shown_at(24) == 72_576 * factor


@pytest.mark.parametrize(
    ("edits", "counts"),
    [
        ((Edit(200, 0), Edit(200, 0)), 10),
        ((Edit(200, 0), Edit(200, 10 * FRAME)), 10),
        ((Edit(300, -1), Edit(200, 10 * FRAME), Edit(200, 0)), 10),
        (
            (Edit(200, 0), Edit(0, 50 * FRAME), Edit(200, 10 * FRAME)),
            10,
        ),  # an edit of zero duration presents nothing
        ((Edit(200, 0), Edit(200, 1000 * FRAME)), 5),  # nor does one after the end
    ],
)
def test_edit_lists(edits: tuple[Edit, ...], counts: int) -> None:
    track = video_track([0] * 30, *edits, keys=5)
    arranged, samples, timeline = place(track, 1000)
    assert samples.count == counts
    delay = sum(edit.duration for edit in edits if edit.media_time < 0)
    assert timeline.offset == delay * arranged.timescale // 1000


def test_a_track_is_not_presented_too_often() -> None:
    """However long its edit list is, the number of its samples is limited."""
    track = read(TrackSpec((Sample(1, FRAME),) * 2000, (2000,)))
    whole = TimedEdit(0, 2000 * FRAME, 0, 2000 * FRAME)
    often = MAX_REPEATS + MIN_LIMIT // 2000
    assert rearrange(track, [whole] * often) is not None
    with pytest.raises(Malformed, match="it repeats the track too many times"):
        rearrange(track, [whole] * (often + 1))


@given(st.integers(1, 1 << 31), st.lists(st.integers(0, 1 << 40), min_size=4, max_size=4))
def test_any_edits_are_presented_or_malformed(timescale: int, numbers: list[int]) -> None:
    at, until, start, stop = numbers
    assume(at <= until and start <= stop)
    track = replace(video_track([0, 1, 0] * 4), timescale=timescale)
    try:
        found = rearrange(track, [TimedEdit(at, until, start, stop)])
    except Malformed:
        return
    assert found is None or found.samples.count <= 12
