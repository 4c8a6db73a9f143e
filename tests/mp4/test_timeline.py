"""Edit lists: what is presented, and when."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.mp4.making import Edit, Sample, TrackSpec, film, full, payload, table, words
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.ticks import finer
from trio_stream.mp4.edits.timeline import Timeline, Unsupported, place
from trio_stream.mp4.reading.movie import Track, read_movie
from trio_stream.mp4.reading.tables import SampleTable

FRAME = 3600
"""Duration of a frame at 25 fps, in units of a 90 kHz timescale."""

REORDERED = [2, 4, 1, 1, 3, 1] * 10
"""Frames of composition offset: each is shown two frames later than it is decoded."""


def video_track(offsets: list[int], *edits: Edit, keys: int = 6) -> Track:
    samples = tuple(
        Sample(1, FRAME, offset * FRAME, number % keys == 0) for number, offset in enumerate(offsets)
    )
    return read(TrackSpec(samples, (len(samples),), edits=edits))


def audio_track(count: int, *edits: Edit, duration: int = 1024) -> Track:
    return read(
        TrackSpec((Sample(1, duration),) * count, (count,), handler="soun", timescale=48_000, edits=edits)
    )


def read(spec: TrackSpec) -> Track:
    data = film(spec)
    [track] = read_movie(payload(data), len(data)).tracks
    return track


def presented(placed: tuple[Track, SampleTable, Timeline]) -> list[int]:
    """When the visible samples are presented, in units of the file, in decoding order; checks that the fragments say the
    same. Samples presented for one tick are not visible."""
    track, samples, timeline = placed
    assert timeline.first < samples.count
    shown = []
    for number in range(timeline.first, samples.count):
        decoded = samples.durations.time(number) + timeline.lead  # tfdt and the durations before it
        in_fragment = (
            decoded + samples.composition(number) - timeline.skip
        )  # trun and the edit list of the init segment
        assert in_fragment == samples.shown_at(number) + timeline.offset
        shown.append(in_fragment)
    if track.timescale <= 90_000:
        return [time for time in shown if time >= 0]
    factor = finer(90_000)
    in_turn = sorted(shown)
    hidden = {one for one, other in pairwise(in_turn) if other == one + 1}
    assert min(shown) == max(0, min(shown))
    return [10 * round(time / factor / 10) for time in shown if time not in hidden]


# The timescale of the movie is 1000, so a video frame lasts 40 and an audio packet 21.33.
@pytest.mark.parametrize(
    ("edits", "lead", "skip", "first"),
    [
        ((), 0, 0, 0),
        ((Edit(10_000, 0),), 0, 0, 0),
        ((Edit(0, 0),), 0, 0, 0),
        ((Edit(10_000, 1024),), 0, 1024, 0),  # priming
        ((Edit(10_000, 1024), Edit(0, 0)), 0, 1024, 0),
        ((Edit(700, -1), Edit(10_000, 0)), 33_600, 0, 0),  # it begins later
        ((Edit(300, -1), Edit(400, -1), Edit(10_000, 0)), 33_600, 0, 0),
        ((Edit(700, -1), Edit(10_000, 1024)), 33_600 - 1024, 0, 1),  # the priming could not be hidden
        ((Edit(10, -1), Edit(10_000, 1024)), -(1024 - 480), 0, 1),
        (
            (Edit(10_000, 96_000),),
            -46 * 1024,
            96_000 - 46 * 1024,
            46,
        ),  # preroll: decoded a second earlier, so that the decoder settles
        (
            (Edit(10_000, 96_000), Edit(500, -1)),
            -46 * 1024,
            96_000 - 46 * 1024,
            46,
        ),  # a pause at the end is ignored
        ((Edit(500, 1024), Edit(500, 25_024)), 0, 1024, 0),  # consecutive edits are merged
        (
            (Edit(500, 1024), Edit(500, 25_024 + 60)),
            0,
            1024,
            0,
        ),  # within the precision of the movie's timescale
    ],
)
def test_audio(edits: tuple[Edit, ...], lead: int, skip: int, first: int) -> None:
    _, samples, timeline = place(audio_track(200, *edits), 1000)
    assert skip == 0 or samples.durations.time(first) + lead == 0  # decoded at 0 if it is hidden
    assert timeline == Timeline(lead, skip, first)
    assert timeline.offset == lead - skip


@pytest.mark.parametrize(
    ("edits", "begins", "count"),
    [
        ((), 2, 60),
        ((Edit(2480, 0),), 0, 60),  # the presentation begins with the first frame, as in FFmpeg
        ((Edit(2400, 0),), 0, 58),
        ((Edit(2400, 2 * FRAME),), 0, 60),
        ((Edit(0, 2 * FRAME),), 0, 60),
        ((Edit(400, -1), Edit(2400, 2 * FRAME)), 10, 60),
        ((Edit(1200, 32 * FRAME),), 0, 30),  # cut without re-encoding: begins with a keyframe
        ((Edit(1000, 37 * FRAME),), 0, 25),  # ... inside a GOP
        ((Edit(1000, 37 * FRAME - 1),), 0, 25),
    ],
)
def test_video(edits: tuple[Edit, ...], begins: int, count: int) -> None:
    """`begins` is in frames, `count` how many are presented."""
    track = video_track(REORDERED, *edits)
    placed = place(track, 1000)
    shown = sorted(presented(placed))
    assert shown == [(begins + number) * FRAME for number in range(count)]
    spec, samples, timeline = placed
    assert samples.is_sync(timeline.first)
    if spec is track:
        assert (
            len(presented((track, samples, replace(timeline, first=0)))) == count
        )  # samples that are left out are not presented


def test_frames_at_the_end_that_are_not_presented_are_left_out() -> None:
    track = video_track(REORDERED, Edit(800, 2 * FRAME))
    placed = place(track, 1000)
    assert (
        placed[1].count == 21
    )  # the second to last one in decoding order is shown after the end: others depend on it
    assert sorted(presented(placed))[:20] == [number * FRAME for number in range(20)]
    assert (
        place(audio_track(200, Edit(1000, 0)), 1000)[1].count == 47
    )  # those that begin before the second has passed


@pytest.mark.parametrize(
    ("offsets", "keys"),
    [([0, 2, -1, -1, 1, -1] * 10, 6), ([0, 2, -1, -1] * 15, 4), ([-2] * 60, 6), ([0, -3] + [0] * 58, 6)],
)
def test_negative_offsets_become_positive(offsets: list[int], keys: int) -> None:
    """FFmpeg treats negative offsets in fragments differently from those of a file."""
    track = video_track(offsets, Edit(2400, 0), keys=keys)
    placed = place(track, 1000)
    compositions = placed[1].compositions
    assert compositions is not None
    assert min(compositions.values) == 0
    media = sorted(track.samples.shown_at(number) for number in range(60))
    zero = min(time for time in media if time >= 0)
    assert sorted(presented(placed)) == [time - zero for time in media if time >= 0]


@pytest.mark.parametrize(
    ("edits", "sentence"),
    [
        ((Edit(500, -1),), "it presents no part of the track"),
        ((Edit(500, 300_000), Edit(500, 400_000)), "it presents no part of the track"),
        ((Edit(500, 300_000),), "it presents no part of the track"),
        ((Edit(500, -1), Edit(500, 1 << 30)), "it presents no part of the track"),
    ],
)
def test_edits_that_fragments_cannot_express(edits: tuple[Edit, ...], sentence: str) -> None:
    with pytest.raises(Unsupported, match=f"the box moov/trak/edts/elst: {sentence}"):
        place(audio_track(200, *edits), 1000)


def test_a_cut_after_the_start_of_the_last_frame_leaves_none() -> None:
    last = max(offset + number for number, offset in enumerate(REORDERED)) * FRAME
    assert presented(place(video_track(REORDERED, Edit(0, last)), 1000)) == [0]
    with pytest.raises(Unsupported, match="it presents no part of the track"):
        place(video_track(REORDERED, Edit(0, last + 1)), 1000)


def test_timestamps_are_limited() -> None:
    with pytest.raises(Malformed, match="the box moov/trak/edts/elst: it begins too late for a timestamp"):
        place(replace(audio_track(5), start=1 << 62), 1000)
    late = read(
        TrackSpec((Sample(1, 1),) * 2, (2,), timescale=0xFFFFFFFF, edits=(Edit(0xFFFFFFFF, -1), Edit(1, 0)))
    )
    with pytest.raises(Malformed, match="it begins too late"):
        place(late, 1)


def test_a_track_without_samples() -> None:
    _, samples, timeline = place(replace(audio_track(2), samples=read(TrackSpec((), ())).samples), 1000)
    assert (samples.count, timeline) == (0, Timeline())


def test_one_frame_of_zero_duration() -> None:
    track = read(TrackSpec((Sample(1, 0),), (1,), edits=(Edit(40, 0),)))
    assert place(track, 1000)[2] == Timeline()


@pytest.mark.parametrize(
    ("start", "edits", "timeline"),
    [
        (0, (), Timeline()),
        (90_000, (), Timeline(lead=90_000)),
        (0, (Edit(0, 2 * FRAME),), Timeline(skip=2 * FRAME)),
        (90_000, (Edit(0, 2 * FRAME),), Timeline(lead=90_000 - 2 * FRAME)),  # nothing is hidden
        (FRAME, (Edit(0, 2 * FRAME),), Timeline(skip=FRAME)),
        (0, (Edit(0, 0),), Timeline()),  # here no frame is moved to the beginning
        (0, (Edit(500, -1), Edit(0, 0)), Timeline(lead=45_000)),
        (0, (Edit(40, 0),), Timeline()),  # its duration is that of the part before the fragments
    ],
)
def test_fragmented_files(start: int, edits: tuple[Edit, ...], timeline: Timeline) -> None:
    """The clock of fragments begins at their first time, and edit lists count from there."""
    track = replace(video_track(REORDERED, *edits), start=start)
    _, samples, found = place(track, 1000, fragmented=True)
    assert (samples.count, found) == (60, timeline)


def test_fragmented_files_keep_negative_offsets() -> None:
    track = video_track([0, 2, -1, -1] * 5)
    _, samples, _ = place(track, 1000, fragmented=True)
    assert samples is track.samples


groups = st.lists(st.permutations(range(1, 6)), min_size=1, max_size=6).map(
    lambda orders: [shown - at + 5 for order in orders for at, shown in enumerate([0, *order])]
)
"""Composition offsets of closed GOPs of six frames, each shown in its own order."""


@given(
    groups,
    st.integers(0, 60),
    st.integers(0, 3),
    st.booleans(),
)
def test_presented_samples_are_in_the_edit(
    offsets: list[int], begin: int, delay: int, is_audio: bool
) -> None:
    """Everything that begins in the edit is presented, at the distance from its beginning that the edit list says."""
    edits = (*([Edit(delay * 40, -1)] if delay else []), Edit(0, begin * FRAME))
    track = video_track([0] * len(offsets) if is_audio else offsets, *edits)
    if is_audio:
        track = replace(track, handler="soun")
    media = [track.samples.shown_at(number) for number in range(track.samples.count)]
    wanted = sorted(time for time in media if time >= begin * FRAME)
    try:
        placed = place(track, 1000)
    except Unsupported:
        assert not wanted
        return
    shown = sorted(presented(placed))
    zero = begin * FRAME if is_audio or not wanted else wanted[0]
    moved = [item - zero + delay * FRAME for item in wanted]
    assert shown[len(shown) - len(moved) :] == moved
    if delay == 0:
        assert shown == moved


@pytest.mark.parametrize(
    ("offsets", "left"), [((), 90), ((50,), 40), ((1, 9), 81)], ids=["none", "one", "two"]
)
def test_millions_of_samples_after_the_end_are_not_read(offsets: tuple[int, ...], left: int) -> None:
    def ending_early(count: int) -> Track:
        """`count` samples, of which all after the first have the last offset."""
        more = {"stsz": full("stsz", 0, 0, words(1, count)), "stsc": table("stsc", [(1, count, 1)])}
        if offsets:
            runs = [*((5, offset) for offset in offsets[:-1]), (count - 5 * (len(offsets) - 1), offsets[-1])]
            more["ctts"] = table("ctts", runs)
        data = film(TrackSpec((Sample(1, 1),), (1,), edits=(Edit(1, 0),), more=more))
        [track] = read_movie(payload(data), 1 << 30).tracks
        assert track.samples.count == count
        return track

    def place_often(track: Track) -> None:
        for _ in range(100):  # once takes some microseconds
            _, samples, _ = place(track, 1000)
            assert samples.count == left

    few, many = ending_early(1 << 7), ending_early(1 << 20)
    assert_costs(3, lambda: place_often(many), lambda: place_often(few))
