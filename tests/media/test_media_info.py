"""Media info survives JSON unchanged, and nothing else is accepted."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.media.formats.media_info import (
    AudioTrack,
    Chapter,
    Keyframes,
    MediaInfo,
    SubtitleTrack,
    VideoTrack,
)

EXAMPLE = MediaInfo(
    container="mp4",
    duration=12.5,
    bit_rate=1_000_000,
    title="Ünï",
    video=(
        VideoTrack(
            index=0, codec="hevc", codec_string="hvc1.2.4.L120.90", profile="Main 10", width=1920, height=1080,
            pixel_aspect=Fraction(1), rotation=90, frame_rate=Fraction(24000, 1001), variable_frame_rate=False,
            pixel_format="yuv420p10le", bit_depth=10, transfer="smpte2084", primaries="bt2020", hdr="HDR10",
            bit_rate=None, language="eng", title=None, default=True,
        ),
    ),
    audio=(
        AudioTrack(
            index=1, codec="ac3", codec_string="ac-3", profile=None, channels=6, layout="5.1(side)",
            sample_rate=48000, bit_rate=384000, language=None, title="Surround", default=False,
        ),
    ),
    subtitles=(
        SubtitleTrack(
            index=2, codec="subrip", text=True, language="fra", title=None, forced=True, hearing_impaired=False,
            default=False,
        ),
    ),
    chapters=(Chapter(0.0, 6.0, "One"), Chapter(6.0, 12.5, None)),
    keyframes=Keyframes(0, (0.0, 2.002, 4.004), None),
    cover=3,
)  # fmt: skip


def test_media_info_survives_json() -> None:
    assert MediaInfo.from_json(json.loads(json.dumps(EXAMPLE.to_json()))) == EXAMPLE


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [longer for key, item in value.items() for longer in _paths(item, (*path, key))]
    if isinstance(value, list):
        found += [longer for number, item in enumerate(value) for longer in _paths(item, (*path, number))]
    return found


@given(
    st.sampled_from(_paths(EXAMPLE.to_json())),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
    | st.just({}),
)
def test_any_value_anywhere_is_media_info_or_a_value_error(path: tuple[Any, ...], wrong: Any) -> None:
    data: Any = EXAMPLE.to_json()
    if path:
        at = data
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = wrong
    else:
        data = wrong
    try:
        found = MediaInfo.from_json(data)
    except ValueError:
        return
    assert MediaInfo.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("title",), "x" * 1001),
        (("title",), "a\0b"),
        (("title",), "\ud800"),
        (("duration",), float("inf")),
        (("duration",), True),
        (("bit_rate",), 1.5),
        (("bit_rate",), 1 << 70),
        (("video", 0, "frame_rate"), "1/0"),
        (("video", 0, "frame_rate"), "-1/2"),
        (("video", 0, "hdr"), "HDR11"),
        (("video", 0, "width"), True),
        (("keyframes", "times"), [0.0] * 20_001),
        (("more",), 1),
    ],
)
def test_invalid_values_raise_a_value_error(path: tuple[Any, ...], wrong: Any) -> None:
    data: Any = EXAMPLE.to_json()
    at = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = wrong
    with pytest.raises(ValueError, match=r"MediaInfo|surrogates"):
        MediaInfo.from_json(data)
