"""Frames before a cut inside their GOP: each is presented for a tick, and nothing before 0."""

import pytest

from tests.mp4.making import Edit
from tests.mp4.test_timeline import FRAME, pictures, presented
from trio_stream.mp4.edits.hiding import hide
from trio_stream.mp4.edits.ticks import finer
from trio_stream.mp4.edits.timeline import place


@pytest.mark.parametrize("offsets", [[0] * 30, [2, 4, 1, 1, 3, 1] * 5, [5, 0, 0, 0, 0, 0] * 5])
@pytest.mark.parametrize("cut", range(1, 20))
def test_what_is_presented_is_all_that_begins_in_the_edit(offsets: list[int], cut: int) -> None:
    track = pictures(offsets, Edit(0, cut * FRAME))
    media = sorted(track.samples.shown_at(each) for each in range(30))
    wanted = [each for each in media if each >= cut * FRAME]
    assert sorted(presented(place(track, 1000))) == [each - wanted[0] for each in wanted]


def test_tables_change_at_their_head_only() -> None:
    """Seven frames are hidden, from the keyframe before the cut on; the durations of later ones stay."""
    track = pictures([0] * 300, Edit(0, 37 * FRAME), keys=30)
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
    track = pictures([2, 4, 1, 1, 3, 1] * 5, Edit(0, 8 * FRAME))
    assert place(track, 1000)[0] is track
    assert hide(track, track.samples, 6, 0) is None


def test_a_delay_stays_what_it_is() -> None:
    placed, samples, timeline = place(pictures([0] * 30, Edit(500, -1), Edit(0, 8 * FRAME)), 1000)
    shown = [samples.shown_at(each) + timeline.offset for each in range(timeline.first, samples.count)]
    assert shown[:2] == [placed.timescale // 2, placed.timescale // 2 + 1]
