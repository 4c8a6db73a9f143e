"""Presentations of remuxed files, from artificial outlines."""

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from math import inf, nan
from typing import Any

import pytest

from tests.costs import assert_costs
from trio_stream.media.formats.media_info import AudioTrack, VideoTrack
from trio_stream.media.formats.outline import AudioOutline, Carriage, KeyframeTable, Outline, VideoOutline
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.from_mp4 import HEAD, PER_SAMPLE
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Segments
from trio_stream.packaging.selection import LONGEST

TRACK = VideoTrack(
    index=0,
    codec="h264",
    codec_string="avc1.640028",
    profile=None,
    width=1920,
    height=1080,
    pixel_aspect=Fraction(1),
    rotation=0,
    frame_rate=Fraction(25),
    variable_frame_rate=False,
    pixel_format=None,
    bit_depth=None,
    transfer=None,
    primaries=None,
    hdr=None,
    bit_rate=None,
    language=None,
    title=None,
    default=True,
)


SOUND = AudioTrack(
    index=1,
    codec="aac",
    codec_string="mp4a.40.2",
    profile=None,
    channels=2,
    layout=None,
    sample_rate=48_000,
    bit_rate=None,
    language=None,
    title=None,
    default=True,
)

CARRIAGE = Carriage(
    time_base=Fraction(1, 1000),
    origin=0,
    timescale=1000,
    first=0,
    delay=0,
    step=0,
    start=0.0,
    end=10.0,
    sizes=(),
    refusal=None,
)


def keys_of(times: tuple[int, ...], alone: tuple[int | None, ...], groups: tuple[int, ...]) -> Segments:
    """The keyframes of a video of 10 seconds, from those at `times`, in milliseconds."""
    carriage = replace(CARRIAGE, first=times[0], start=times[0] / 1000, sizes=groups)
    cuts = KeyframeTable(track=0, times=times, starts=times, sizes=alone, until=None)
    presentation = present_outline(
        Outline("matroska", 10.0, (VideoOutline(TRACK, carriage),), (), cuts, exact=False)
    )
    assert presentation.video is not None
    assert presentation.video.keys is not None
    return presentation.video.keys


def audio_outline(**more: Any) -> Outline:
    """An outline of audio alone, with these values in its carriage."""
    defaults: dict[str, Any] = {
        "time_base": Fraction(1, 1000),
        "origin": 0,
        "timescale": 48_000,
        "first": 0,
        "delay": 0,
        "step": 960,
        "start": 0.0,
        "end": 10.0,
        "sizes": (1000,),
        "refusal": None,
    }
    carriage = Carriage(**(defaults | more))
    track = AudioTrack(0, "opus", "opus", None, 2, None, 48_000, None, None, None, default=True)
    return Outline("matroska", None, (), (AudioOutline(track, carriage),), None, exact=False)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"end": LONGEST + 1.0}, "it is longer than 96 hours"),
        ({"end": 1e300}, "it is longer than 96 hours"),
        ({"end": inf}, "it is longer than 96 hours"),
        ({"end": nan}, "its duration is unknown"),
        ({"end": 0.0}, "its duration is unknown"),
        ({"first": 1 << 70}, "its timestamps are out of range"),
        ({"step": 1 << 2000}, "its timestamps are out of range"),
    ],
)
def test_absurd_numbers_are_refused(values: dict[str, object], reason: str) -> None:
    """A file can make its parser return anything, even that audio of 5 KB lasts for months."""
    usual, absurd = audio_outline(), audio_outline(**values)
    assert len(present_outline(usual).renditions) == 1
    with pytest.raises(Unsupported, match=reason):
        present_outline(absurd)

    def present_often(outline: Outline) -> None:
        for _ in range(100):  # once takes microseconds
            with suppress(Unsupported):
                present_outline(outline)

    assert_costs(3, lambda: present_often(absurd), lambda: present_often(usual))


def numbered(outline: AudioOutline, index: int) -> AudioOutline:
    return replace(outline, track=replace(outline.track, index=index))


def test_the_number_of_segments_of_all_tracks_is_limited() -> None:
    one = audio_outline(end=LONGEST - 1.0)
    assert 50_000 < len(present_outline(one).renditions[0].segments) < 60_000
    with pytest.raises(Unsupported, match="it would have more than 100000 segments"):
        present_outline(
            replace(one, audio=tuple(numbered(outline, at) for at, outline in enumerate(one.audio * 30)))
        )


HEADED = HEAD + PER_SAMPLE


@pytest.mark.parametrize(
    ("alone", "sizes"),
    [
        ((500, 600, 700, 800), [500, 600, 700, 800]),
        (
            (500, None, None, 700),
            [500, 600, 400, 700],
        ),  # the average of the others, or all data there is
        ((None, None, None, None), [5000, 5000, 400, 5000]),
    ],
)
def test_sizes_of_keyframes(alone: tuple[int | None, ...], sizes: list[int]) -> None:
    found = keys_of((0, 2000, 4000, 6000), alone, (5000, 5000, 400, 5000))
    assert list(found.sizes) == [HEADED + size for size in sizes]
    assert list(found.starts) == list(found.samples) == [0, 2000, 4000, 6000, 10_000]


def test_keyframes_are_a_second_apart() -> None:
    found = keys_of((0, 400, 900, 1300, 5000), (1, 2, 3, 4, 5), (9, 9, 9, 9, 9))
    assert list(found.samples) == [0, 1300, 5000, 10_000]
    assert list(found.sizes) == [HEADED + 1, HEADED + 4, HEADED + 5]


def test_a_hidden_keyframe_is_shown_from_the_beginning() -> None:
    found = keys_of((-700, 2000), (5, 5), (9, 9))
    assert list(found.starts) == [0, 2000, 10_000]
    assert list(found.samples) == [-700, 2000, 10_000]


def test_every_track_begins_and_ends_with_the_title() -> None:
    """Video from 1 to 10 seconds, audio from 2.5 to 9.95, which needs no extension, and to 8."""
    times = (1000, 3000, 7000)
    video_track = replace(CARRIAGE, first=1000, start=1.0, sizes=(9, 9, 9))
    audio_tracks = [
        replace(CARRIAGE, first=2500, start=2.5, end=9.95, sizes=(9,)),
        replace(CARRIAGE, first=0, start=0.0, end=8.0, sizes=(9,)),
    ]
    cuts = KeyframeTable(track=0, times=times, starts=times, sizes=(5, 5, 5), until=None)
    outline = Outline(
        "matroska",
        10.0,
        (VideoOutline(TRACK, video_track),),
        tuple(
            AudioOutline(replace(SOUND, index=number), audio_track)
            for number, audio_track in enumerate(audio_tracks, 1)
        ),
        cuts,
        exact=False,
    )
    video, first, second = present_outline(outline).renditions
    assert video.keys is not None
    assert list(video.segments.starts) == [0, 3000, 7000, 10_000]
    assert list(video.segments.samples) == [1000, 3000, 7000, 10_000]
    assert (video.keys.starts[0], video.keys.samples[0]) == (0, 1000)
    assert (first.segments.starts[0], first.segments.samples[0], first.segments.starts[-1]) == (0, 2500, 9950)
    assert list(second.segments.starts) == [0, 3000, 7000, 10_000]
    assert second.segments.samples[-1] == 10_000
    short = replace(outline, video=(VideoOutline(TRACK, replace(video_track, end=7.5)),))
    video, first, second = present_outline(short).renditions
    assert {item.end for item in (video, first, second)} == {9.95}
