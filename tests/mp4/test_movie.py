"""A `moov` is read back as it was written; an invalid one is refused with the path of its box."""

import random
import struct
from array import array
from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.mp4.making import (
    UNITY,
    Edit,
    Sample,
    TrackSpec,
    avc1,
    box,
    elst,
    film,
    full,
    moov,
    mvhd,
    payload,
    table,
    trak,
    words,
)
from trio_stream.mp4.boxes import MAX_BOXES, Malformed, read_boxes
from trio_stream.mp4.reading import movie as reading
from trio_stream.mp4.reading.movie import Movie, Track, read_movie

SIZES: dict[str | int, tuple[int, int]] = {
    "stsz": (0, 400),
    "constant": (3, 3),
    4: (0, 15),
    8: (0, 255),
    16: (0, 400),
}


@st.composite
def makings(draw: st.DrawFn, sizes: str | int | None = None) -> TrackSpec:
    """A track with up to thirty samples, in tables of unusual shapes."""
    chunks = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=8)))
    way = draw(st.sampled_from(list(SIZES))) if sizes is None else sizes
    low, high = SIZES[way]
    count = sum(chunks)

    def column(low: int, high: int) -> list[int]:
        few = draw(st.lists(st.integers(low, high), min_size=1, max_size=3))
        return draw(st.lists(st.sampled_from(few), min_size=count, max_size=count))

    signed = draw(st.booleans())
    columns = zip(
        column(low, high),
        column(0, 5000),
        column(-3000 if signed else 0, 3000) if draw(st.booleans()) else [0] * count,
        column(0, 1) if draw(st.booleans()) else [1] * count,
        column(0, 255),
        strict=True,
    )
    return TrackSpec(
        samples=tuple(
            Sample(size, duration, offset, bool(sync), kind) for size, duration, offset, sync, kind in columns
        ),
        chunks=chunks,
        breaks=draw(st.frozensets(st.integers(0, 30))),
        sizes=way,
        large=draw(st.booleans()),
        dependencies=draw(st.booleans()),
    )


def read(data: bytes) -> Movie:
    return read_movie(payload(data), len(data))


def one(data: bytes) -> Track:
    [track] = read(data).tracks
    return track


def check(track: Track, spec: TrackSpec, data: bytes) -> None:
    """Every sample has its intended values, and its bytes are where the table says."""
    samples = track.samples
    assert samples.count == len(spec.samples)
    times = accumulate((sample.duration for sample in spec.samples), initial=0)
    for number, (sample, content, at) in enumerate(zip(spec.samples, spec.contents, times, strict=False)):
        assert samples.durations[number] == sample.duration
        assert samples.durations.time(number) == at
        assert samples.composition(number) == sample.offset
        assert samples.is_sync(number) is sample.sync
        assert (
            b"".join(data[offset:][:length] for offset, length in samples.byte_ranges(number, number + 1))
            == content
        )
    assert samples.end == sum(sample.duration for sample in spec.samples)
    for first in range(0, samples.count, 3):
        contents = spec.contents[first : first + 7]
        ranges = samples.byte_ranges(first, first + len(contents))
        assert b"".join(data[offset:][:length] for offset, length in ranges) == b"".join(contents)
    if spec.dependencies:
        assert samples.dependencies == bytes(sample.dependency for sample in spec.samples)


@given(makings(), st.booleans(), st.sampled_from([0, 5]))
def test_samples_are_read_as_they_were_written(spec: TrackSpec, last: bool, shift: int) -> None:
    data = film(spec, last=last, shift=shift)
    check(one(data), spec, data)


@given(makings(), makings(), st.sampled_from([0, 5]))
def test_tracks_side_by_side(first: TrackSpec, second: TrackSpec, shift: int) -> None:
    second = replace(second, id=7, handler="soun", timescale=48_000)
    data = film(first, second, shift=shift)
    tracks = read(data).tracks
    assert [(track.id, track.handler, track.timescale) for track in tracks] == [
        (1, "vide", 90_000),
        (7, "soun", 48_000),
    ]
    check(tracks[0], first, data)
    check(tracks[1], second, data)


def plain(count: int = 6, size: int = 10, **more: Any) -> TrackSpec:
    """Equal samples, two in a chunk."""
    return TrackSpec((Sample(size, 3000),) * count, (2,) * (count // 2), **more)


@pytest.mark.parametrize(
    ("language", "elng", "expected"),
    [
        (0x55C4, None, None),  # und
        (0x15C7, None, "eng"),
        (0x41F2, None, "por"),
        (0, None, "eng"),  # a QuickTime language code, which FFmpeg also accepts in MP4
        (1, None, "fra"),
        (8, None, "por"),
        (0x0100, None, None),  # an unassigned code
        (0x7FFF, None, None),  # not letters
        (0x15C7, "pt-BR", "pt-BR"),
        (0x55C4, "zh-Hant-TW", "zh-Hant-TW"),
        (0x15C7, "", "eng"),
        (0x15C7, "en\n\x01-US", "en-US"),
        (0x15C7, "x" * 200, "x" * 35),
    ],
)
def test_languages(language: int, elng: str | None, expected: str | None) -> None:
    assert one(film(plain(language=language, elng=elng))).language == expected


def test_other_properties_of_a_track() -> None:
    quarter = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    track = one(film(plain(name="Director\x07s cut\0rubbish", enabled=False, matrix=quarter)))
    assert (track.name, track.enabled, track.rotated) == ("Directors cut", False, True)
    assert (track.entry.kind, track.entry.width, track.entry.height) == ("avc1", 320, 180)
    assert track.header[4:8] == b"tkhd"
    assert track.media[4:8] == b"vmhd"
    assert track.descriptions == full("stsd", 0, 0, words(1), avc1())
    track = one(film(plain(handler="soun", timescale=44_100)))
    assert (track.entry.kind, track.entry.rate, track.entry.channels) == ("mp4a", 44_100, 2)
    assert track.enabled
    assert not track.rotated
    assert track.media[4:8] == b"smhd"


@pytest.mark.parametrize("version", [0, 1])
def test_edit_lists(version: int) -> None:
    edits = (Edit(500, -1), Edit(2000, 1024), Edit(0, 7, 0x8000))
    spec = box("edts", elst(edits, version))
    data = film(plain(edits=edits)).replace(box("edts", elst(edits)), spec)
    if version:  # the sizes of the parent boxes have grown
        index = trak(plain(edits=edits), [0, 0, 0])
        grown = index[8:].replace(box("edts", elst(edits)), spec)
        data = box("moov", mvhd(), box("trak", grown))
    read_edits = one(data).edits
    assert [(edit.duration, edit.media_time) for edit in read_edits] == [(500, -1), (2000, 1024), (0, 7)]


def test_the_sample_entry_that_chunks_refer_to_counts() -> None:
    """All chunks may refer to the second of two descriptions."""
    track = one(film(plain(entries=(avc1(640, 360), avc1(128, 72)), described=2)))
    assert (track.entry.width, track.entry.height) == (128, 72)
    assert track.descriptions == full("stsd", 0, 0, words(1), avc1(128, 72))


# --- Truncated or unusual, but playable -----------------------------------------------------------------


@given(makings(), st.data())
def test_a_truncated_recording_ends_with_its_last_complete_sample(
    spec: TrackSpec, data: st.DataObject
) -> None:
    whole = film(spec, last=False)
    begin = len(whole) - sum(sample.size for sample in spec.samples)
    size = data.draw(st.integers(begin, len(whole)))
    samples = read_movie(payload(whole), size).tracks[0].samples
    ends = accumulate((sample.size for sample in spec.samples), initial=begin)
    assert samples.count == sum(end <= size for end in ends) - 1
    for number in range(samples.count):
        ranges = samples.byte_ranges(number, number + 1)
        assert b"".join(whole[offset:][:length] for offset, length in ranges) == spec.contents[number]


def test_samples_beyond_the_end_of_a_file_do_not_exist() -> None:
    """This holds even if an unused later chunk is inside the file."""
    tables = {
        "stsz": full("stsz", 0, 0, words(5, 3)),
        "stsc": table("stsc", [(1, 3, 1)]),
        "stco": table("stco", [(1 << 30,), (8,)]),
    }
    assert one(film(plain(more=tables))).samples.count == 0


@pytest.mark.parametrize(
    ("rows", "durations"),
    [
        ([(6, 10)], [10] * 6),
        ([(4, 10)], [10] * 6),  # missing values repeat the last one
        ([(2, 10), (9, 20)], [10, 10, 20, 20, 20, 20]),
        ([(6, 10), (5, 20)], [10] * 6),
        ([(3, 10), (0, 5), (3, 20)], [10] * 3 + [20] * 3),
        ([], [0] * 6),
        ([(5, 10), (1, 0xFFFFFFF0)], [10] * 5 + [1]),  # meant as a negative number
        ([(2, 10), (1, (1 << 32) - 30), (3, 40)], [10, 10, 1, 30, 30, 30]),  # the sum is right again
        ([(2, 1000), (1, (1 << 32) - 500), (1, 2500), (2, 1000)], [1000, 1000, 1, 1999, 1000, 1000]),
        ([(1, 5), (1, (1 << 32) - 5), (4, 0)], [5, 1, 0, 0, 0, 0]),  # no duration is negative
    ],
)
def test_durations_that_do_not_add_up(rows: list[tuple[int, int]], durations: list[int]) -> None:
    samples = one(film(plain(more={"stts": table("stts", rows)}))).samples
    assert samples.durations.expand(0, 6).tolist() == durations
    assert samples.end == sum(durations)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    ("rows", "offsets"),
    [
        ([(6, 0)], None),
        ([], None),
        ([(3, -1), (3, 5)], [-1] * 3 + [5] * 3),
        ([(2, 7)], [7, 7, 0, 0, 0, 0]),  # without an offset, presented when decoded, as in FFmpeg
        ([(2, 7), (99, 8)], [7, 7, 8, 8, 8, 8]),
    ],
)
def test_composition_offsets(rows: list[tuple[int, int]], offsets: list[int] | None, version: int) -> None:
    """Negative numbers also occur in version 0."""
    compositions = one(film(plain(more={"ctts": table("ctts", rows, version)}))).samples.compositions
    assert (compositions.expand(0, 6).tolist() if compositions is not None else None) == offsets


@pytest.mark.parametrize(
    ("numbers", "keys"),
    [
        (None, None),
        ([], []),
        ([1, 4], [0, 3]),
        ([1, 4, 7, 900], [0, 3]),
        ([4, 1, 4, 0], [0, 3]),
        ([0, 1], [0]),
    ],
)
def test_keyframes(numbers: list[int] | None, keys: list[int] | None) -> None:
    more = {} if numbers is None else {"stss": table("stss", [(number,) for number in numbers])}
    sync = one(film(plain(more=more))).samples.sync
    assert (sync.tolist() if sync is not None else None) == keys


def test_dependencies_missing_for_some_samples_are_ignored() -> None:
    assert one(film(plain(more={"sdtp": full("sdtp", 0, 0, bytes(5))}))).samples.dependencies is None


def test_tracks_other_than_video_and_audio_are_left_out() -> None:
    """Their errors do not matter either: the coding of subtitles may change from cue to cue."""
    broken = {"stsc": table("stsc", [(1, 2, 1), (2, 2, 2)])}
    text = plain(0, id=2, handler="text", entries=(box("tx3g", bytes(40)),), more=broken)
    data = film(plain())
    index = payload(data) + trak(text) + trak(plain(0, id=3, timescale=0))
    assert [track.id for track in read_movie(index, len(data)).tracks] == [1]


def test_at_most_as_many_samples_as_the_file_has_bytes() -> None:
    """Overlapping chunks may give each of them a place."""
    spec = plain(
        more={"stsz": full("stsz", 0, 0, words(100, 1 << 20)), "stsc": table("stsc", [(1, 1 << 20, 1)])}
    )
    data = film(spec)
    assert one(data).samples.count <= len(data) // 100


def test_a_movie_without_samples() -> None:
    [track] = read(film(plain(0))).tracks
    assert track.samples.count == 0
    assert track.samples.end == 0


# --- Refused --------------------------------------------------------------------------------------------

STBL = "moov/trak/mdia/minf/stbl"


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"stsz": b""}, f"the box {STBL}: it has no stsz"),
        ({"stts": b""}, f"the box {STBL}: it has no stts"),
        ({"stsc": b""}, f"the box {STBL}: it has no stsc"),
        ({"stco": b""}, f"the box {STBL}: it has no stco"),
        ({"stsd": b""}, f"the box {STBL}: it has no stsd"),
        ({"stsz": full("stsz", 0, 0, words(0, 99))}, f"the box {STBL}/stsz: it is too small for the 99 entries it claims"),
        ({"stsz": full("stz2", 0, 0, words(5, 1), b"1")}, f"the box {STBL}/stz2: sizes of 5 bits are not supported"),
        ({"stsz": full("stz2", 0, 0, words(16, 6), b"1")}, f"the box {STBL}/stz2: it is too small for the 6 entries"),
        ({"stsz": full("stz2", 0, 0, words(4, 6), b"1")}, f"the box {STBL}/stz2: it ends too early"),
        ({"stts": full("stts", 0, 0, words(2, 1, 1, 1))}, f"the box {STBL}/stts: it is too small for the 4 entries"),
        ({"ctts": full("ctts", 0, 0, words(1 << 31, 1, 1))}, f"the box {STBL}/ctts: it is too small"),
        ({"stss": full("stss", 0, 0, words(3, 1))}, f"the box {STBL}/stss: it is too small for the 3 entries"),
        ({"stco": full("stco", 0, 0, words(9, 1))}, f"the box {STBL}/stco: it is too small for the 9 entries"),
        ({"stco": full("co64", 0, 0, words(2, 1, 1))}, f"the box {STBL}/co64: it is too small for the 2 entries"),
        ({"stsc": table("stsc", [(2, 2, 1)])}, f"the box {STBL}/stsc: its chunks are not in order"),
        ({"stsc": table("stsc", [(1, 1, 1), (1, 2, 1)])}, f"the box {STBL}/stsc: its chunks are not in order"),
        ({"stsc": table("stsc", [(1, 2, 1), (2, 2, 2)])}, f"the box {STBL}/stsd: it has no entry 2"),
        ({"stsc": table("stsc", [(1, 0, 1)])}, f"the box {STBL}/stsc: a chunk has no samples"),
        ({"stsc": table("stsc", [(1, 2, 2)])}, f"the box {STBL}/stsd: it has no entry 2"),
        ({"stsc": table("stsc", [(1, 2, 0)])}, f"the box {STBL}/stsd: it has no entry 0"),
        ({"stsd": full("stsd", 0, 0, words(1), box("avc1", bytes(20)))}, f"the box {STBL}/stsd/avc1: it ends too early"),
        ({"stsd": full("stsd", 0, 0, words(1), box("avc1", bytes(70)))}, f"the box {STBL}/stsd/avc1: it ends too early"),
    ],
)  # fmt: skip
def test_errors_name_their_box(spec: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read(film(plain(more=spec)))


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        (b"", "the box moov: it has no mvhd"),
        (mvhd(0), "the box moov/mvhd: its timescale is 0"),
        (full("mvhd", 0, 0, bytes(8)), "the box moov/mvhd: it ends too early"),
        (mvhd() + box("trak"), "the box moov/trak: it has no tkhd"),
        (mvhd() + box("trak", box("tkhd", bytes(84))), "the box moov/trak: it has no mdia"),
        (mvhd() + trak(plain(0)) * 2, "the box moov: two tracks have the same number"),
        (mvhd() + box("mvex", full("trex", 0, 0, bytes(8))), "the box moov/mvex/trex: it ends too early"),
        (mvhd() + trak(plain(0))[:-1], "the box moov/trak: it claims"),
        (
            mvhd() + trak(plain(0, edits=(Edit(1, 1),))).replace(words(1, 1, 1), words(9, 1, 1)),
            "the box moov/trak/edts/elst: it is too small for the 9 entries",
        ),
    ],
)
def test_errors_of_the_moov(index: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read_movie(index, 1 << 20)


def test_the_number_of_tracks_is_limited() -> None:
    tracks = [plain(0, id=number + 1) for number in range(reading.MAX_TRACKS + 1)]
    read_movie(moov(tracks[:-1], [()] * (len(tracks) - 1))[8:], 1000)
    with pytest.raises(Malformed, match="the box moov: it has more than 200 tracks"):
        read_movie(moov(tracks, [()] * len(tracks))[8:], 1000)


def test_the_number_of_samples_is_limited() -> None:
    spec = plain(
        more={
            "stsz": full("stsz", 0, 0, words(1, (1 << 24) + 1)),
            "stsc": table("stsc", [(1, 1 << 31, 1)]),
        }
    )
    data = film(spec)
    with pytest.raises(Malformed, match=f"the box {STBL}: it has more than {1 << 24} samples"):
        read_movie(payload(data), 1 << 40)


def test_samples_of_a_huge_chunk_are_not_counted_one_by_one() -> None:
    """The last chunk ends with the file: its number of complete samples is a division, or a sum."""

    def claiming(count: int) -> bytes:
        more = {
            "stsz": full("stsz", 0, 0, words(1, count)),
            "stsc": table("stsc", [(1, count, 1)]),
            "stts": table("stts", [(count, 1)]),
        }
        return payload(film(replace(plain(more=more), chunks=(6,))))

    def read_often(index: bytes, count: int) -> None:
        for _ in range(30):  # once takes a tenth of a millisecond
            samples = read_movie(index, count).tracks[0].samples
            assert count - 200 < samples.count < count

    few, many = 1 << 10, 1 << 20
    little, much = claiming(few), claiming(many)
    assert_costs(3, lambda: read_often(much, many), lambda: read_often(little, few))


@given(makings(), st.data())
def test_a_corrupted_moov_is_read_or_refused(spec: TrackSpec, data: st.DataObject) -> None:
    whole = bytearray(film(replace(spec, edits=(Edit(100, 0),)), last=True))
    begin = whole.index(b"moov")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(begin + 4, len(whole) - 4))
        value = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        whole[at : at + data.draw(st.sampled_from([1, 4]))] = bytes([value])
    chance = random.Random(0)
    try:
        found = read_movie(bytes(whole[begin + 4 :]), len(whole))
    except Malformed:
        return
    for track in found.tracks:
        samples = track.samples
        for _ in range(3):
            if samples.count:
                first = chance.randrange(samples.count)
                samples.byte_ranges(first, min(first + 9, samples.count))
                samples.shown_at(first)
        assert isinstance(samples.nbytes, int)


def test_fragment_defaults() -> None:
    index = moov([plain(0)], [()], box("mvex", full("trex", 0, 0, words(1, 1, 2, 3, 4))))
    found = read_movie(index[8:], 1000)
    assert found.fragmented
    assert (found.defaults[1].duration, found.defaults[1].size, found.defaults[1].flags) == (2, 3, 4)
    assert not read_movie(moov([plain(0)], [()])[8:], 1000).fragmented


def test_tables_are_as_compact_as_in_the_file() -> None:
    count = 10_000
    spec = TrackSpec(tuple(Sample(1 + number % 7, 1001) for number in range(count)), (10,) * (count // 10))
    found = read(film(spec))
    assert found.nbytes < 4 * count + 8 * count // 10 + 1000
    assert isinstance(found.tracks[0].samples.sizes, array)


def test_empty_boxes_cost_little() -> None:
    """Six megabytes of empty boxes; and the maximum number, in containers that are searched for many kinds."""

    def index(tracks: int, count: int) -> bytes:
        more = {"stsd": box("free") * count + full("stsd", 0, 0, words(1), avc1())}
        spec = TrackSpec((Sample(1, 1),), (1,), more=more)
        return payload(film(*(replace(spec, id=number + 1) for number in range(tracks))))

    def refuse(data: bytes) -> None:
        with pytest.raises(Malformed, match=f"stbl: it has more than {MAX_BOXES} boxes"):
            read_movie(data, len(data))

    def read_once(times: int) -> None:
        for _ in range(times):
            assert len(list(read_boxes(allowed))) == MAX_BOXES - 1

    allowed = box("free") * (MAX_BOXES - 1)
    bomb, high = index(8, MAX_BOXES * 9), index(2, MAX_BOXES - 20)
    assert_costs(3, lambda: refuse(bomb), lambda: read_once(1))
    assert_costs(3, lambda: read_movie(high, len(high)), lambda: read_once(2))


@pytest.mark.parametrize("where", ["entry", "header"])
def test_boxes_for_init_segments_are_limited_in_size(where: str) -> None:
    whole = 60_000, 70_000
    for size, fits in zip(whole, (True, False), strict=True):
        spec = TrackSpec((Sample(1, 1),), (1,), entries=(avc1(320, 180, box("free", bytes(size))),))
        if where == "header":
            spec = TrackSpec((Sample(1, 1),), (1,), matrix=UNITY + bytes(size))
        data = film(spec)
        if fits:
            [track] = read_movie(payload(data), len(data)).tracks
            assert track.nbytes > size
        else:
            with pytest.raises(Malformed, match=r"it has \d+ bytes, and the limit is 65536"):
                read_movie(payload(data), len(data))
