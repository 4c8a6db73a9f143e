"""Presentations: they are restored from bytes as they were stored, and their bit rates are right."""

import json
import zlib
from array import array
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.packaging.making import audio, segments, video
from trio_stream.packaging import presentation as module
from trio_stream.packaging.cutting import SCHEME
from trio_stream.packaging.presentation import (
    LARGEST,
    MAX_PEAK_SEGMENTS,
    Presentation,
    Rendition,
    Segments,
    bandwidth,
)

numbers = st.integers(0, 1 << 40)


@st.composite
def listed(draw: st.DrawFn) -> Segments:
    sizes = draw(st.lists(numbers, min_size=1, max_size=6))
    starts = sorted(draw(st.lists(numbers, min_size=len(sizes) + 1, max_size=len(sizes) + 1)))
    samples = sorted(draw(st.lists(numbers, min_size=len(sizes) + 1, max_size=len(sizes) + 1)))
    return Segments(array("q", starts), array("q", samples), array("q", sizes))


short_texts = st.text(max_size=10)
renditions = st.builds(
    Rendition,
    name=short_texts,
    kind=st.sampled_from(["video", "audio"]),
    track=numbers,
    codecs=short_texts,
    timescale=st.integers(1, 1 << 32),
    segments=listed(),
    language=st.none() | short_texts,
    label=st.none() | short_texts,
    default=st.booleans(),
    width=numbers,
    height=numbers,
    pixel_aspect=st.fractions(),
    frame_rate=st.none() | st.fractions(),
    video_range=short_texts,
    channels=numbers,
    sample_rate=numbers,
    keys=st.none() | listed(),
    independent=st.booleans(),
)


@given(st.lists(renditions, max_size=3).map(tuple), st.booleans())
def test_a_presentation_survives_serialization(made: tuple[Rendition, ...], by_copy: bool) -> None:
    presentation = Presentation(made, by_copy)
    assert Presentation.from_bytes(presentation.to_bytes()) == presentation


def test_a_two_hour_presentation_is_small() -> None:
    long = segments([540_540] * 1200, [750_000 + 37 * number % 1000 for number in range(1200)])
    keys = segments([90_090] * 7200, [30_000 + 41 * number % 5000 for number in range(7200)])
    presentation = Presentation((video(segments=long, keys=keys), audio(segments=long)))
    assert len(presentation.to_bytes()) < 40_000
    assert presentation.nbytes < 300_000


def test_data_of_another_version_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Presentation((video(),)).to_bytes()
    monkeypatch.setattr(module, "SCHEME", 99)
    assert Presentation.from_bytes(stored) is None


def stored(plain: object) -> bytes:
    return zlib.compress(json.dumps(plain).encode())


def plain() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zlib.decompress(Presentation((video(),)).to_bytes()))
    return found


def changed(name: str, value: object) -> dict[str, Any]:
    found = plain()
    found["renditions"][0][name] = value
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"rubbish",
        zlib.compress(b""),
        zlib.compress(b"no JSON"),
        zlib.compress(b"\xff\xfe\xfd"),
        zlib.compress(b"[" * 100_000),
        Presentation((video(),)).to_bytes()[:-20],
        stored(None),
        stored([]),
        stored({}),
        stored({"scheme": SCHEME}),
        stored({"scheme": SCHEME, "by_copy": True, "renditions": 5}),
        stored({"scheme": SCHEME, "by_copy": True, "renditions": [5]}),
        stored({"scheme": SCHEME, "by_copy": True, "renditions": [], "omitted": [5]}),
        stored({"scheme": SCHEME, "by_copy": True, "renditions": [{}]}),
        stored(changed("segments", [1])),
        stored(changed("segments", 1)),
        stored(changed("segments", {"starts": [1 << 70], "samples": [0], "sizes": [0]})),
        stored(changed("segments", {"starts": ["1"], "samples": [0], "sizes": [0]})),
        stored(changed("keys", {"starts": []})),
        stored(changed("pixel_aspect", "1/0")),
        stored(changed("frame_rate", "fast")),
        stored(changed("unheard", 1)),
    ],
)
def test_invalid_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored presentation"):
        Presentation.from_bytes(data)


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_are_a_presentation_or_refused(data: bytes, at: int, byte: int) -> None:
    spoilt = bytearray(Presentation((video(),)).to_bytes())
    spoilt[at % len(spoilt)] = byte
    for item in (data, bytes(spoilt)):
        try:
            Presentation.from_bytes(item)
        except ValueError:
            continue


def spaces(mebibytes: int) -> bytes:
    """That many compressed, from equal parts: compressing all of them would take longer than decompressing them."""
    packer = zlib.compressobj()
    first, other = (packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + other * (mebibytes - 1)


def test_a_compression_bomb_is_not_decompressed() -> None:
    """However large the result would be, no more of it is decompressed than the maximum size."""
    largest = LARGEST >> 20
    assert zlib.decompressobj().decompress(spaces(3)) == b" " * (3 << 20)

    def refuse(data: bytes) -> None:
        with pytest.raises(ValueError, match="not a stored presentation"):
            Presentation.from_bytes(data)

    bomb, allowed = spaces(10 * largest), spaces(largest)
    assert_costs(3, lambda: refuse(bomb), lambda: refuse(allowed))


def naive(found: Segments, timescale: int) -> float:
    """The definition: the maximum over all consecutive segments that last from half to one and a half times the longest."""
    durations = [after - before for before, after in zip(found.starts, found.starts[1:], strict=False)]
    rates = [0.0]
    for first in range(len(durations)):
        for stop in range(first + 1, len(durations) + 1):
            length = sum(durations[first:stop])
            if length and max(durations) / 2 <= length <= max(durations) * 1.5:
                rates.append(sum(found.sizes[first:stop]) * 8 * timescale / length)
    return max(rates)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1000)), min_size=1, max_size=24),
    st.integers(0, 100),
    st.sampled_from([1, 10, 90_000]),
)
def test_bandwidth_is_the_peak_of_consecutive_segments(
    made: list[tuple[int, int]], start: int, timescale: int
) -> None:
    found = segments([duration for duration, _ in made], [size for _, size in made], start)
    total = sum(duration for duration, _ in made)
    average = sum(size for _, size in made) * 8 * timescale / total if total else 0
    peak, mean = bandwidth(found, timescale)
    assert mean == max(1, round(average))
    assert peak == max(1, round(average), round(naive(found, timescale)))


@pytest.mark.parametrize(
    ("durations", "sizes", "peak", "average"),
    [
        ([10], [10], 8, 8),
        ([10, 10], [10, 30], 24, 16),
        ([4, 10], [40, 10], 29, 29),  # four seconds are too short to count
        ([5, 10], [40, 10], 64, 27),
        ([0, 0], [10, 10], 1, 1),
    ],
)
def test_bandwidths(durations: list[int], sizes: list[int], peak: int, average: int) -> None:
    assert bandwidth(segments(durations, sizes), 1) == (peak, average)


def test_a_long_segment_among_many_short_ones_costs_no_more_time() -> None:
    """The cost is independent of how many short segments add up to its duration."""

    def among(longest: int) -> Segments:
        return segments([1] * 2000 + [longest] + [1] * 2000, [100] * 4001)

    long, short = among(2000), among(MAX_PEAK_SEGMENTS)
    assert_costs(3, lambda: bandwidth(long, 1), lambda: bandwidth(short, 1))


def test_properties_of_a_presentation() -> None:
    presentation = Presentation((video(), audio(), audio("a3")))
    assert presentation.video is presentation.renditions[0]
    assert presentation.audio == presentation.renditions[1:]
    assert presentation.duration == 769_024 / 48_000
    assert presentation.target_duration == 6
    assert presentation.find("a3") is presentation.renditions[2]
    assert presentation.find("v2") is None
    assert presentation.renditions[0].end == 16
    assert presentation.renditions[0].longest == 6
    assert Presentation((audio(),)).video is None


@pytest.mark.parametrize(
    ("longest", "target"),
    [(0, 1), (45_000, 1), (134_999, 1), (135_000, 2), (540_000, 6), (584_999, 6), (585_000, 7)],
)
def test_no_segment_is_longer_than_the_target_rounded(longest: int, target: int) -> None:
    assert Presentation((video(segments=segments([longest], [1])),)).target_duration == target


def test_pixel_aspects_are_fractions() -> None:
    found = Presentation.from_bytes(Presentation((video(pixel_aspect=Fraction(64, 45)),)).to_bytes())
    assert found is not None
    assert found.renditions[0].pixel_aspect == Fraction(64, 45)
