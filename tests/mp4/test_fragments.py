"""Init segments and fragments: they are read back as they were written, and conform to CMAF."""

import struct
from array import array
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mp4.making import NON_SYNC, UNITY, Edit, Sample, TrackSpec, film, full, payload, table, words
from tests.mp4.test_movie import makings
from trio_stream.mp4.boxes import Box, read_boxes
from trio_stream.mp4.edits.timeline import Timeline, Unsupported, place
from trio_stream.mp4.reading.fragmented import read_fragments
from trio_stream.mp4.reading.locating import fragments, locate
from trio_stream.mp4.reading.movie import Movie, Track, read_movie
from trio_stream.mp4.reading.run_lengths import Durations
from trio_stream.mp4.reading.tables import SampleTable
from trio_stream.mp4.writing.fragments import fragment_head, init_segment
from trio_stream.mp4.writing.heads import LATE


def track_of(spec: TrackSpec) -> tuple[bytes, Track]:
    data = film(spec)
    [track] = read_movie(payload(data), len(data)).tracks
    return data, track


def segment(
    data: bytes, samples: SampleTable, timeline: Timeline, first: int, stop: int, number: int
) -> bytes:
    head = fragment_head(samples, timeline, first, stop, number + 1)
    body = b"".join(data[offset:][:length] for offset, length in samples.byte_ranges(first, stop))
    return head + body


def packaged(data: bytes, track: Track, samples: SampleTable, timeline: Timeline, length: int) -> bytes:
    """The init segment and all segments, of `length` samples each."""
    bounds = [*range(timeline.first, samples.count, length), samples.count]
    spec = (
        segment(data, samples, timeline, first, stop, number)
        for number, (first, stop) in enumerate(pairwise(bounds))
    )
    return init_segment((track, timeline)) + b"".join(spec)


def read(data: bytes) -> Movie:
    def read_at(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    located = locate(read_at, len(data))
    movie = read_movie(located.moov, len(data))
    return read_fragments(movie, fragments(read_at, len(data), located.fragments_from), len(data))


edits = st.sampled_from(
    [(), (Edit(0, 0),), (Edit(0, 9000),), (Edit(40, -1), Edit(0, 0)), (Edit(70, -1), Edit(0, 90))]
)


@given(makings(), edits, st.integers(1, 9), st.sampled_from(["vide", "soun"]))
def test_written_segments_are_read_back(
    spec: TrackSpec, edits: tuple[Edit, ...], length: int, handler: str
) -> None:
    data, track = track_of(replace(spec, edits=edits, handler=handler))
    try:
        _, samples, timeline = place(track, 1000)
    except Unsupported:
        return
    joined = packaged(data, track, samples, timeline, length)
    movie = read(joined)
    [again] = movie.tracks
    *_, placed = place(again, movie.timescale, fragmented=True)
    found, first = again.samples, timeline.first
    assert found.count == samples.count - first
    assert (again.handler, again.timescale, again.entry) == (handler, track.timescale, track.entry)
    waits = 0 if timeline.skip else samples.durations.time(first) + timeline.lead
    assert again.start == 0
    for number, was in enumerate(range(first, samples.count)):
        later = waits if number == 0 else 0  # decoded at 0, but presented at its time
        assert found.durations[number] == samples.durations[was] + later
        assert found.composition(number) == samples.composition(was) + later
        assert found.is_sync(number) is samples.is_sync(was)
        assert found.shown_at(number) + placed.offset == samples.shown_at(was) + timeline.offset
        content = b"".join(joined[offset:][:size] for offset, size in found.byte_ranges(number, number + 1))
        assert content == spec.contents[was]


@pytest.mark.parametrize("late", [0, LATE - 1, LATE, LATE + 11, 3600])
@pytest.mark.parametrize("offset", [0, 2000])
def test_video_that_begins_late(late: int, offset: int) -> None:
    """From that many seconds on, the first frame is shown from 0 until the second one; all others keep their times."""
    spec = TrackSpec(tuple(Sample(5, 1000, offset) for _ in range(8)), (8,))
    edits = (Edit(late * 1000, -1), Edit(0, offset)) if late else (Edit(0, offset),)
    _, track = track_of(replace(spec, edits=edits, timescale=1000))
    _, samples, timeline = place(track, 1000)
    init = init_segment((track, timeline))
    head = fragment_head(samples, timeline, 0, samples.count, 1, video_timescale=1000)
    movie = read(init + head + b"".join(spec.contents))
    [again] = movie.tracks
    *_, placed = place(again, movie.timescale, fragmented=True)
    shown = [again.samples.shown_at(number) + placed.offset for number in range(samples.count)]
    wanted = [late * 1000 + number * 1000 for number in range(samples.count)]
    assert shown[1:] == wanted[1:]
    assert shown[0] == (0 if late >= LATE else wanted[0])


def test_an_init_segment_has_the_properties_of_the_file() -> None:
    quarter = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 180 << 16, 0, 0x40000000)
    spec = TrackSpec((Sample(5, 3000),) * 4, (4,), id=77, language=0x15C7, matrix=quarter, timescale=12_345)
    _, track = track_of(spec)
    _, audio_track = track_of(replace(spec, id=3, handler="soun", elng="pt-BR", enabled=False, matrix=UNITY))
    data = init_segment((track, Timeline()), (audio_track, Timeline(skip=1024)))
    boxes = list(read_boxes(data))
    assert [box.kind for box in boxes] == ["ftyp", "moov"]
    assert bytes(boxes[0].payload) == b"iso6\0\0\0\0iso6cmfcmp41"
    movie = read_movie(boxes[1].payload, len(data))
    video, audio = movie.tracks
    assert movie.fragmented
    assert movie.timescale == 12_345
    assert sorted(movie.defaults) == [1, 2]
    assert (video.id, video.enabled, video.language, video.edits) == (1, True, "eng", ())
    assert video.header[-44:] == quarter + words(320 << 16, 180 << 16)
    assert (video.media, video.descriptions) == (track.media, track.descriptions)
    assert (audio.id, audio.enabled, audio.language) == (2, True, None)
    assert [(edit.duration, edit.media_time) for edit in audio.edits] == [(0, 1024)]
    assert audio.entry == audio_track.entry
    moov = boxes[1]
    assert [child.kind for child in moov.children()] == ["mvhd", "trak", "trak", "mvex"]
    for trak, media in zip(
        (child for child in moov.children() if child.kind == "trak"), ("vmhd", "smhd"), strict=True
    ):
        minf = trak.get("mdia").get("minf")
        assert [child.kind for child in trak.get("mdia").children()] == ["mdhd", "hdlr", "minf"]
        assert [child.kind for child in minf.children()] == [media, "dinf", "stbl"]
        kinds = [child.kind for child in minf.get("stbl").children()]
        assert kinds == ["stsd", "stts", "stsc", "stsz", "stco"]  # all are required, and empty


@pytest.mark.parametrize("handler", ["vide", "soun"])
def test_an_init_segment_has_a_media_header_even_if_the_file_has_none(handler: str) -> None:
    _, track = track_of(TrackSpec((Sample(5, 3000),), (1,), handler=handler))
    written = init_segment((replace(track, media=b""), Timeline()))
    assert written == init_segment((track, Timeline()))


def test_a_long_header_becomes_a_short_one() -> None:
    """A `tkhd` of version 1 has times of 64 bits."""
    _, track = track_of(TrackSpec((Sample(5, 3000),), (1,)))
    tail = track.header[8 + 4 + 20 :]
    long = full("tkhd", 1, 3, bytes(16), words(9, 0, 0, 0), tail)
    assert init_segment((replace(track, header=long), Timeline())) == init_segment((track, Timeline()))


GOLDEN = """
00000018 73747970 636d6673 00000000 636d6673 6d736468
00000084 6d6f6f66
  00000010 6d666864 00000000 00000003
  0000006c 74726166
    00000014 74666864 00020020 00000001 01010000
    00000014 74666474 01000000 0000000000002328
    0000003c 7472756e 01000b05 00000003 0000008c 02000000
      00000bb8 00000005 00000bb8
      00000bb9 00000006 ffffff9c
      00000bb8 00000007 00000000
0000001a 6d646174
"""


def test_a_fragment_to_the_byte() -> None:
    samples = (
        Sample(1, 4500), Sample(1, 4500, sync=False),
        Sample(5, 3000, 3000), Sample(6, 3001, -100, sync=False), Sample(7, 3000, 0, sync=False),
    )  # fmt: skip
    _, track = track_of(TrackSpec(samples, (5,)))
    head = fragment_head(track.samples, Timeline(), 2, 5, 3)
    assert head.hex() == "".join(GOLDEN.split())
    head = fragment_head(track.samples, Timeline(lead=77), 2, 5, 3, 9)
    assert head.hex() == "".join(GOLDEN.split()).replace(
        "00020020" + "00000001", "00020020" + "00000009"
    ).replace("2328", "2375")


def parts(head: bytes) -> tuple[Box, Box, Box]:
    """`tfhd`, `tfdt` and `trun`."""
    styp, moof, mdat = read_boxes(head + bytes(struct.unpack(">I", head[-8:-4])[0] - 8))
    assert (styp.kind, moof.kind, mdat.kind) == ("styp", "moof", "mdat")
    assert [child.kind for child in moof.children()] == ["mfhd", "traf"]
    tfhd, tfdt, trun = moof.get("traf").children()
    return tfhd, tfdt, trun


@pytest.mark.parametrize(
    ("samples", "track_flags", "run_flags", "size"),
    [
        # all samples are equal: no fields per sample
        ([(9, 10, 0, True)] * 3, 0x020038, 0x001, 12),
        ([(9, 10, 0, False)] * 3, 0x020038, 0x001, 12),
        ([(9, 10, 0, True)] + [(9, 10, 0, False)] * 2, 0x020038, 0x005, 16),
        ([(9, 10, 0, False), (9, 10, 0, True), (9, 10, 0, False)], 0x020038, 0x401, 12 + 12),
        ([(9, 10, 0, True), (8, 10, 0, True), (9, 10, 0, True)], 0x020028, 0x201, 12 + 12),
        ([(9, 10, 0, True), (9, 11, 0, True), (9, 10, 0, True)], 0x020030, 0x101, 12 + 12),
        ([(9, 10, 1, True), (9, 10, 0, True), (9, 10, 0, True)], 0x020038, 0x801, 12 + 12),
        ([(9, 10, 7, True), (8, 12, -7, False), (9, 10, 0, True)], 0x020020, 0xF01, 12 + 48),
    ],
)
def test_common_sample_values_are_written_once(
    samples: list[tuple[int, int, int, bool]], track_flags: int, run_flags: int, size: int
) -> None:
    _, track = track_of(TrackSpec(tuple(Sample(*sample) for sample in samples), (3,)))
    tfhd, _, trun = parts(fragment_head(track.samples, Timeline(), 0, 3, 1))
    assert tfhd.full()[1] == track_flags
    assert trun.full()[:2] == (1, run_flags)
    assert len(trun.payload) == size


def test_dependencies_become_flags() -> None:
    """is_leading, depends_on, is_depended_on, has_redundancy: two bits each, in both of them."""
    samples = tuple(
        Sample(5, 10, 0, number == 0, kind) for number, kind in enumerate([0x24, 0x18, 0xFF, 0x00])
    )
    _, track = track_of(TrackSpec(samples, (4,), dependencies=True))
    _, _, trun = parts(fragment_head(track.samples, Timeline(), 0, 4, 1))
    _, run_flags, fields = trun.full()
    assert run_flags == 0x401
    fields.take(8)
    sample_flags = fields.numbers("I", 4).tolist()
    assert sample_flags == [0x24 << 20, 0x18 << 20 | NON_SYNC, 0xFF << 20 | NON_SYNC, NON_SYNC]
    assert sample_flags[0] == 0x02400000  # depends on no other, and others depend on it


def test_times_beyond_32_bits() -> None:
    more = {"stts": table("stts", [(1, 1 << 30), (1, 1 << 30), (1, 1 << 30), (1, 1 << 30), (1, 1 << 30)])}
    _, track = track_of(TrackSpec((Sample(5, 1),) * 5, (5,), more=more))
    _, tfdt, _ = parts(fragment_head(track.samples, Timeline(), 4, 5, 5))
    version, _, fields = tfdt.full()
    assert (version, fields.number(8)) == (1, 4 << 30)


@pytest.mark.parametrize(
    ("each", "written"),
    [
        ((1 << 31) - 5, struct.pack(">I4s", (1 << 32) - 2, b"mdat")),
        ((1 << 31) - 4, struct.pack(">I4sQ", 1, b"mdat", (1 << 32) + 8)),
        ((1 << 32) - 1, struct.pack(">I4sQ", 1, b"mdat", (1 << 33) + 14)),
    ],
)
def test_data_beyond_four_gigabytes(each: int, written: bytes) -> None:
    _, track = track_of(TrackSpec((Sample(5, 1),), (1,)))
    durations = Durations(array("I", [2]), array("I", [1]))
    head = fragment_head(
        replace(track.samples, count=2, sizes=each, durations=durations), Timeline(), 0, 2, 1
    )
    assert head.endswith(written)
    trun = head.index(b"trun")
    assert struct.unpack_from(">I", head, trun + 12) == (len(head) - head.index(b"moof") + 4,)


@pytest.mark.parametrize(
    ("language", "code"),
    [(None, 0x55C4), ("eng", 0x15C7), ("ENG", 0x15C7), ("pt-BR", 0x55C4), ("e1g", 0x55C4), ("äöü", 0x55C4)],
)
def test_languages(language: str | None, code: int) -> None:
    """What is not a word of ISO 639-2 cannot be expressed, and becomes "und"."""
    _, track = track_of(TrackSpec((Sample(5, 1),), (1,)))
    data = init_segment((replace(track, language=language), Timeline()))
    at = data.index(b"mdhd") + 4 + 20
    assert struct.unpack_from(">H", data, at) == (code,)
