"""Frames before a cut inside their GOP: each is presented for a tick, and nothing before 0."""

import pytest

from tests.mp4.making import Edit
from tests.mp4.test_timeline import FRAME, presented, video_track
from trio_stream.mp4.edits.hiding import hide
from trio_stream.mp4.edits.ticks import finer
from trio_stream.mp4.edits.timeline import place


@pytest.mark.parametrize("offsets", [[0] * 30, [2, 4, 1, 1, 3, 1] * 5, [5, 0, 0, 0, 0, 0] * 5])
@pytest.mark.parametrize("cut", range(1, 20))
def test_frames_that_begin_in_the_edit_are_presented(offsets: list[int], cut: int) -> None:
    track = video_track(offsets, Edit(0, cut * FRAME))
    media = sorted(track.samples.shown_at(number) for number in range(30))
    wanted = [time for time in media if time >= cut * FRAME]
    assert sorted(presented(place(track, 1000))) == [item - wanted[0] for item in wanted]


def test_only_the_start_of_the_tables_changes() -> None:
    """Seven frames are hidden, from the keyframe before the cut on; the durations of later ones stay."""
    track = video_track([0] * 300, Edit(0, 37 * FRAME), keys=30)
    placed, samples, timeline = place(track, 1000)
    assert timeline.first == 30
    assert list(samples.durations.counts) == [30, 7, 263]
    assert list(samples.durations.values) == [FRAME * finer(90_000), 1, FRAME * finer(90_000)]
    assert placed.timescale == 90_000 * finer(90_000)
    assert (timeline.offset, timeline.skip) == (
        -samples.durations.time(37),
        7,
    )  # decoded before, presented from 0 on


def test_a_cut_at_a_keyframe_hides_nothing() -> None:
    track = video_track([2, 4, 1, 1, 3, 1] * 5, Edit(0, 8 * FRAME))
    assert place(track, 1000)[0] is track
    assert hide(track, track.samples, 6, 0) is None


def test_a_delay_is_unchanged() -> None:
    placed, samples, timeline = place(video_track([0] * 30, Edit(500, -1), Edit(0, 8 * FRAME)), 1000)
    shown = [samples.shown_at(number) + timeline.offset for number in range(timeline.first, samples.count)]
    assert shown[:2] == [placed.timescale // 2, placed.timescale // 2 + 1]
