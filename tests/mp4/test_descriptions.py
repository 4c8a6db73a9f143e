"""Which sample entry each sample refers to, through chunks, fragments and edit lists."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.mp4.making import (
    Edit,
    Sample,
    TrackSpec,
    avc1,
    box,
    film,
    fragment,
    mp4a,
    opening,
    payload,
    table,
    trex,
    words,
)
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.edits.extent import placed_tracks, read_located
from trio_stream.mp4.reading.descriptions import MAX_CHANGES, Described
from trio_stream.mp4.reading.locating import locate
from trio_stream.mp4.reading.movie import Movie, read_movie

SMALL, LARGE = avc1(128, 72), avc1(256, 144)


def spec(described: Sequence[int], *entries: bytes, per: int = 2) -> TrackSpec:
    """Chunks of `per` samples that refer to these entries."""
    samples = tuple(Sample(10, 1000, sync=number % per == 0) for number in range(per * len(described)))
    rows = [(number + 1, per, entry) for number, entry in enumerate(described)]
    return TrackSpec(samples, (per,) * len(described), entries=entries, more={"stsc": table("stsc", rows)})


def read(data: bytes) -> Movie:
    def at(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    return read_located(at, locate(at, len(data)), len(data))


def widths(described: Sequence[Described]) -> list[tuple[int, int]]:
    return [(item.first, item.description.entry.width) for item in described]


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([1, 1, 1], [(0, 128)]),
        ([2, 2], [(0, 256)]),
        ([1, 2, 2, 1], [(0, 128), (2, 256), (6, 128)]),
        ([1, 3, 2, 3], [(0, 128), (4, 256), (6, 128)]),  # the third entry equals the first
    ],
)
def test_chunks_refer_to_their_entry(numbers: list[int], found: list[tuple[int, int]]) -> None:
    like = avc1(128, 72, box("btrt", words(1, 2, 3)))
    [track] = read(film(spec(numbers, SMALL, LARGE, like))).tracks
    assert widths(track.described) == found
    assert len({item.description.box for item in track.described}) == len({width for _, width in found})


def test_a_truncated_recording_does_not_change_after_its_end() -> None:
    data = film(spec([1, 1, 2], SMALL, LARGE), last=False)
    [track] = read(data[:-20]).tracks
    assert widths(track.described) == [(0, 128)]


@pytest.mark.parametrize(
    ("default", "found"), [(1, [(0, 128), (2, 256), (4, 128)]), (2, [(0, 256), (4, 128)])]
)
def test_fragments_refer_to_their_entry(default: int, found: list[tuple[int, int]]) -> None:
    """Otherwise the entry in `trex` counts."""
    track = spec([1, 2, 1], SMALL, LARGE)
    extends = trex(1)[:16] + words(default) + trex(1)[20:]
    data = opening(replace(track, more={}), defaults=[extends])
    for number, described in enumerate((None, 2, 1)):
        data += fragment(track, 2 * number, 2 * number + 2, number + 1, 2000 * number, described=described)
    [found_track] = read(data).tracks
    assert widths(found_track.described) == found


def test_an_edit_list_moves_the_entries_with_the_samples() -> None:
    """Seconds 4 and 5 of the video, then 0 and 1."""
    track = replace(spec([1, 1, 2], SMALL, LARGE), timescale=1000, edits=(Edit(2000, 4000), Edit(2000, 0)))
    movie = read(film(track))
    [(placed, samples, _)] = placed_tracks(movie, movie.tracks)
    shown = [(item.first, item.description.entry.width) for item in placed.described]
    assert [width for _, width in shown] == [256, 128]
    assert samples.is_sync(shown[1][0])


def test_audio_with_equal_configuration_has_one_coding() -> None:
    """Whatever channels and rate the fields of the entry say, and whatever bit rates its `esds`."""
    entries = (mp4a(48_000, 2), mp4a(44_100, 1))
    track = replace(spec([1, 2], *entries), handler="soun", timescale=48_000)
    [found] = read(film(track)).tracks
    assert len(found.described) == 1


def test_coding_changes_are_limited() -> None:
    track = spec([1, 2] * (MAX_CHANGES // 2 + 1), SMALL, LARGE, per=1)
    with pytest.raises(Malformed, match="the coding changes more than 1,000 times"):
        read_movie(payload(film(track)), 1 << 30)
