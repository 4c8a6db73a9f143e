"""Segments as parts: a computed header, and the track's bytes in the file."""

from dataclasses import replace

import pytest

from tests.bodies import assemble
from tests.mp4.making import Sample, TrackSpec, film, payload
from trio_stream.byte_ranges import ByteRange, ByteRanges
from trio_stream.http.bodies import Part, body_length
from trio_stream.mp4.boxes import Malformed, read_boxes
from trio_stream.mp4.edits.timeline import Timeline
from trio_stream.mp4.reading.movie import read_movie
from trio_stream.packaging.segments import init, segment
from trio_stream.packaging.selection import PackagedTrack, packaged_tracks


def film_of(*tracks: TrackSpec) -> tuple[bytes, list[PackagedTrack]]:
    data = film(*tracks)
    return data, packaged_tracks(read_movie(payload(data), len(data)))


ALONE = TrackSpec(tuple(Sample(5 + number, 3000) for number in range(8)), (3, 3, 2))
SOUND = TrackSpec((Sample(7, 1024),) * 9, (3, 3, 3), id=2, handler="soun", timescale=48_000)


def test_adjacent_bytes_are_one_range() -> None:
    data, [track] = film_of(ALONE)
    parts = segment(track, 2, 7, 4, len(data))
    [(_, length)] = _ranges(parts)
    assert length == sum(sample.size for sample in ALONE.samples[2:7])
    whole = assemble(parts, data)
    assert len(whole) == body_length(parts)
    boxes = list(read_boxes(whole))
    assert [box.kind for box in boxes] == ["styp", "moof", "mdat"]
    assert bytes(boxes[2].payload) == b"".join(ALONE.contents[2:7])
    assert whole.index(b"mfhd\0\0\0\0\0\0\0\5") > 0  # counted from 1


def _ranges(parts: tuple[Part, ...]) -> tuple[ByteRange, ...]:
    """The byte ranges after the header."""
    _, body = parts
    assert isinstance(body, ByteRanges)
    return body.ranges


def test_scattered_bytes_are_gathered() -> None:
    data, tracks = film_of(ALONE, SOUND)
    for track, spec in zip(tracks, (ALONE, SOUND), strict=True):
        parts = segment(track, 1, 8, 0, len(data))
        assert len(_ranges(parts)) == 3
        *_, mdat = read_boxes(assemble(parts, data))
        assert bytes(mdat.payload) == b"".join(spec.contents[1:8])
    assert len(_ranges(segment(tracks[0], 0, 2, 0, len(data)))) == 1


def test_samples_without_bytes() -> None:
    data, [track] = film_of(TrackSpec((Sample(0, 3000),) * 4, (4,)))
    [head] = segment(track, 0, 4, 0, len(data))
    assert isinstance(head, bytes)
    assert head.endswith(b"\0\0\0\x08mdat")


def test_a_time_that_does_not_fit() -> None:
    data, [track] = film_of(ALONE)
    with pytest.raises(Malformed, match="a number does not fit into the segment header"):
        segment(replace(track, timeline=Timeline(lead=1 << 64)), 0, 8, 0, len(data))


def test_no_byte_after_the_end_is_sent() -> None:
    _, [track] = film_of(ALONE)
    end = max(offset + length for offset, length in track.samples.byte_ranges(0, 8))
    segment(track, 0, 8, 0, end)
    with pytest.raises(Malformed, match="samples are beyond the end of the file"):
        segment(track, 0, 8, 0, end - 1)
    segment(track, 0, 7, 0, end - 1)


def test_tracks_in_one_stream_are_numbered() -> None:
    data, tracks = film_of(ALONE, SOUND)
    found = read_movie(payload(init(*tracks)), len(data))
    assert [(track.id, track.handler) for track in found.tracks] == [(1, "vide"), (2, "soun")]
    whole = assemble(segment(tracks[1], 0, 3, 0, len(data), track=2), data)
    assert whole.index(b"tfhd\0\2\0\x38\0\0\0\2") > 0
    other = replace(tracks[1], track=replace(tracks[1].track, id=77))
    assert init(other) == init(tracks[1])
