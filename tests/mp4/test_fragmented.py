"""Fragmented files: the samples of all fragments form one table."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.mp4.making import (
    FTYP,
    NON_SYNC,
    Sample,
    TrackSpec,
    box,
    film,
    fragment,
    full,
    moov,
    opening,
    payload,
    tfdt,
    tfhd,
    trex,
    trun,
    words,
)
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.fragmented import MIN_LIMIT, read_fragments
from trio_stream.mp4.reading.locating import fragments, locate
from trio_stream.mp4.reading.movie import Movie, Track, read_movie


def read(data: bytes, size: int | None = None) -> Movie:
    size = len(data) if size is None else size

    def read_at(offset: int, length: int) -> bytes:
        return data[: max(0, size)][offset : offset + length]

    located = locate(read_at, size)
    movie = read_movie(located.moov, size)
    return read_fragments(movie, fragments(read_at, size, located.fragments_from), size)


def one(data: bytes) -> Track:
    [track] = read(data).tracks
    return track


def check(track: Track, samples: Sequence[Sample], contents: Sequence[bytes], data: bytes) -> None:
    table = track.samples
    assert table.count == len(samples)
    times = accumulate((sample.duration for sample in samples), initial=0)
    for number, (sample, content, at) in enumerate(zip(samples, contents, times, strict=False)):
        assert table.durations.time(number) == at
        assert table.composition(number) == sample.offset
        assert table.is_sync(number) is sample.sync
        assert (
            b"".join(data[offset:][:length] for offset, length in table.byte_ranges(number, number + 1))
            == content
        )
    assert table.end == sum(sample.duration for sample in samples)


samples = st.builds(
    Sample,
    size=st.integers(0, 20),
    duration=st.sampled_from([1000, 1001, 5]),
    offset=st.sampled_from([0, 0, 1000, -500]),
    sync=st.booleans(),
)


@given(
    st.lists(samples, min_size=1, max_size=20).map(tuple),
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.integers(0, 20),
    st.integers(0, 1 << 40),
    st.booleans(),
)
def test_fragments_are_one_table(
    spec: tuple[Sample, ...], lengths: list[int], split: int, start: int, clocks: bool
) -> None:
    track = TrackSpec(spec, (len(spec),))
    data, at, number = opening(track), 0, 1
    while at < len(spec):
        stop = min(at + lengths[number % len(lengths)], len(spec))
        clock = start + sum(sample.duration for sample in spec[:at]) if clocks else None
        data += box("free", bytes(3)) + fragment(track, at, stop, number, clock, split=split)
        at, number = stop, number + 1
    found = one(data)
    check(found, spec, track.contents, data)
    assert found.start == (start if clocks else 0)


TWO = TrackSpec((Sample(5, 1000), Sample(6, 1000, 0, sync=False)), (2,))


def test_a_gap_in_the_clock_extends_the_sample_before_it() -> None:
    data = (
        opening(TWO)
        + fragment(TWO, 0, 2, 1, 500)
        + fragment(TWO, 0, 2, 2, 4000)
        + fragment(TWO, 0, 2, 3, 5999)
    )
    track = one(data)
    assert track.start == 500
    assert track.samples.durations.expand(0, 6).tolist() == [1000, 2500, 1000, 999, 1000, 1000]
    with pytest.raises(
        Malformed, match="the box moof/traf/tfdt: its time is before the end of the previous fragment"
    ):
        read(opening(TWO) + fragment(TWO, 0, 2, 1, 500) + fragment(TWO, 0, 2, 2, 1000))
    with pytest.raises(Malformed, match="the box moof/traf/tfdt: its time is before the end"):
        read(opening(TWO) + fragment(TWO, 0, 2, 1, 500) + fragment(TWO, 0, 2, 2, 1 << 33))


@pytest.mark.parametrize(
    ("count", "timescale", "last", "believed"),
    [
        (40, 48_000, 0xFFFFFFF0, 1024),  # -16
        (40, 90_000, 0xFFFFFFFF, 1024),
        (40, 1000, 100_000, 1024),
        (40, 1000, 50_000, 50_000),  # less than a minute, such as the last frame of a screen recording
        (100, 1000, 100_000, 100_000),  # less than all samples before it
        (2, 1000, 100_000, 100_000),  # too few samples to know what is usual
    ],
)
def test_an_endless_last_sample_is_as_long_as_the_one_before(
    count: int, timescale: int, last: int, believed: int
) -> None:
    spec = TrackSpec((Sample(10, 1024),) * (count - 1) + (Sample(10, last),), (), timescale=timescale)
    track = one(opening(replace(spec, samples=())) + fragment(spec, 0, count, 1, 0))
    assert track.samples.durations[count - 1] == believed


def test_the_clock_of_a_fragment_without_samples_is_ignored() -> None:
    empty = box(
        "moof", full("mfhd", 0, 0, words(1)), box("traf", tfhd(1), tfdt(7), full("trun", 0, 0, words(0)))
    )
    assert one(opening(TWO) + empty + fragment(TWO, 0, 2, 2, 900)).start == 900


def with_runs(
    *trafs: Callable[[int], bytes], defaults: Sequence[bytes] = (), data: bytes = bytes(100)
) -> bytes:
    """A file with one fragment, whose parts are built from the offset of its data, counted from the fragment."""
    start = opening(TWO, defaults=defaults)
    size = len(box("moof", *(traf(0) for traf in trafs)))
    return start + box("moof", *(traf(size + 8) for traf in trafs)) + box("mdat", data)


def bare(count: int, offset: int | None = None, flags: int = 0, *fields: int) -> bytes:
    """A run with only those fields of its samples that the flags announce."""
    start = () if offset is None else (offset,)
    return full("trun", 0, flags | (offset is not None), words(count, *start, *fields))


@pytest.mark.parametrize(
    ("trafs", "expected"),
    [
        # values of trex, those of tfhd that replace them, those of trun that replace these
        ((lambda at: box("traf", tfhd(1), bare(3, at)),), [(10, 5, False)] * 3),
        ((lambda at: box("traf", tfhd(1, 0x020038, 7, 6, 0), bare(3, at)),), [(7, 6, True)] * 3),
        ((lambda at: box("traf", tfhd(1, 0x020010, 6), bare(2, at)),), [(10, 6, False)] * 2),
        ((lambda at: box("traf", tfhd(1), bare(3, at, 0x4, 0)),), [(10, 5, True)] + [(10, 5, False)] * 2),
        (
            (lambda at: box("traf", tfhd(1, 0x020020, 0), bare(3, at, 0x4, NON_SYNC)),),
            [(10, 5, False)] + [(10, 5, True)] * 2,
        ),
        ((lambda at: box("traf", tfhd(1), bare(2, at, 0x200, 8, 9)),), [(10, 8, False), (10, 9, False)]),
        ((lambda at: box("traf", tfhd(1), bare(2, at, 0x100, 8, 9)),), [(8, 5, False), (9, 5, False)]),
        ((lambda at: box("traf", tfhd(1), bare(2, at, 0x400, 0, NON_SYNC)),), [(10, 5, True), (10, 5, False)]),
        ((lambda at: box("traf", tfhd(1, 0x020002, 1), bare(1, at)),), [(10, 5, False)]),
        # several runs and several parts of one track
        ((lambda at: box("traf", tfhd(1), bare(1, at), bare(2, at + 50)),), [(10, 5, False)] * 3),
        (
            (lambda at: box("traf", tfhd(1), bare(1, at)), lambda at: box("traf", tfhd(1), bare(1, at + 5))),
            [(10, 5, False)] * 2,
        ),
        ((lambda _: box("traf", tfhd(1), bare(0)),), []),
    ],
)  # fmt: skip
def test_sample_properties_of_fragments(
    trafs: Sequence[Callable[[int], bytes]], expected: list[tuple[int, int, bool]]
) -> None:
    table = one(with_runs(*trafs, defaults=[trex(1, 10, 5, NON_SYNC)])).samples
    assert [
        (table.durations[number], table.bytes_of(number, number + 1), table.is_sync(number))
        for number in range(table.count)
    ] == expected


def places(data: bytes) -> list[tuple[int, int]]:
    """Where samples are, counted from the payload of `mdat`."""
    table = one(data).samples
    begin = data.index(b"mdat") + 4
    return [(offset - begin, length) for offset, length in table.byte_ranges(0, table.count)]


def test_data_offsets_of_fragments() -> None:
    defaults = [trex(1, 10, 5)]

    def file(*trafs: Callable[[int], bytes]) -> bytes:
        return with_runs(*trafs, defaults=defaults)

    assert places(file(lambda at: box("traf", tfhd(1), bare(2, at + 3)))) == [(3, 10)]
    # a run without an offset follows the previous one
    assert places(file(lambda at: box("traf", tfhd(1), bare(2, at), bare(1)))) == [(0, 15)]
    # without flags, the first part counts from the fragment, and each next one from the end of the data of the one
    # before, which may belong to a subtitle track
    assert places(file(lambda at: box("traf", tfhd(1, 0), bare(2, at)))) == [(0, 10)]
    assert places(
        file(
            lambda at: box("traf", tfhd(9, 0x10, 7), bare(2, at)),
            lambda _: box("traf", tfhd(1, 0), bare(2, 0)),
        )
    ) == [(14, 10)]
    # an offset of its own
    begin = (
        with_runs(lambda at: box("traf", tfhd(1, 0, base=1), bare(2, 4)), defaults=defaults).index(b"mdat")
        + 4
    )
    assert places(file(lambda at: box("traf", tfhd(1, 0, base=begin), bare(2, 4)))) == [(4, 10)]
    assert places(file(lambda at: box("traf", tfhd(1, 0x020000, base=begin), bare(2, 4)))) == [(4, 10)]


def test_samples_in_the_moov_come_first() -> None:
    """Some writers put the first fragment there."""
    spec = tuple(Sample(5 + number, 1000, 0, number % 3 == 0) for number in range(9))
    track = TrackSpec(spec, (2, 2, 1, 4))
    first = replace(track, samples=spec[:5], chunks=(2, 2, 1))
    data = film(first, last=False)
    index = payload(data)
    room = box("mvex", trex(1))
    index = moov([first], [[offset + len(room) for offset in offsets_of(data)]], room)
    data = FTYP + index + data[len(FTYP) + len(payload(data)) + 8 :] + fragment(track, 5, 9, 1, 5000)
    check(one(data), spec, track.contents, data)


def offsets_of(data: bytes) -> list[int]:
    [track] = read_movie(payload(data), len(data)).tracks
    return track.samples.chunks.offsets.tolist()


def test_a_fragmented_movie_without_fragments() -> None:
    spec = TrackSpec((Sample(5, 1000),) * 4, (2, 2))
    data = film(spec)
    index = box("moov", payload(data), box("mvex", trex(1)))
    data = data[: data.index(b"moov") - 4] + index
    movie = read(data)
    assert movie.fragmented
    check(movie.tracks[0], spec.samples, spec.contents, data)


@given(st.integers(0, 60))
def test_a_truncated_recording_ends_with_its_last_complete_sample(missing: int) -> None:
    spec = TrackSpec(tuple(Sample(4 + number, 1000 + number) for number in range(6)), (6,))
    data = opening(spec) + fragment(spec, 0, 3, 1, 0) + fragment(spec, 3, 6, 2, 3003)
    cut = data[: len(data) - missing]
    count = 6 - sum(missing > left for left in (0, 9, 17)) if missing < 24 else 3
    check(one(cut), spec.samples[:count], spec.contents, data)


MANY = 0x7FFFFFFF


@pytest.mark.parametrize(
    ("traf", "sentence"),
    [
        (b"", "the box moof/traf: it has no tfhd"),
        (full("tfhd", 0, 0), "the box moof/traf/tfhd: it ends too early"),
        (full("tfhd", 0, 0x38, words(1, 2)), "the box moof/traf/tfhd: it ends too early"),
        (
            tfhd(1, 0x020002, 2) + trun([Sample(1, 1)], 8),
            "the box moov/trak/mdia/minf/stbl/stsd: it has no entry 2",
        ),
        (tfhd(1) + full("tfdt", 1, 0, words(1)), "the box moof/traf/tfdt: it ends too early"),
        (tfhd(1) + bare(9, 0, 0x200), "the box moof/traf/trun: it is too small for the 9 entries it claims"),
        (
            tfhd(1) + bare(9, 0, 0xF00, 1),
            "the box moof/traf/trun: it is too small for the 36 entries it claims",
        ),
        (
            tfhd(1) + bare(MANY, 0),
            "the box moof/traf/trun: 2147483647 samples exceed the limit for the file",
        ),
        (tfhd(1) + bare(MANY, 0, 0x200), "the box moof/traf/trun: 2147483647 samples"),
        (
            tfhd(1) + bare(MIN_LIMIT // 2, 0) * 3,
            f"the box moof/traf/trun: {MIN_LIMIT // 2} samples exceed the limit for the file",
        ),
    ],
)
def test_errors_name_their_box(traf: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read(with_runs(lambda _: box("traf", traf), data=bytes(200)))


def test_all_tracks_together_have_at_most_as_many_samples_as_the_file_has_bytes() -> None:
    tracks = [replace(TWO, id=number + 1) for number in range(9)]
    count = MIN_LIMIT // 2
    data = (
        opening(*tracks)
        + box("moof", *(box("traf", tfhd(track.id), bare(count, 0)) for track in tracks))
        + box("mdat", bytes(MIN_LIMIT))
    )
    with pytest.raises(Malformed, match=f"the box moof/traf/trun: {count} samples exceed the limit"):
        read(data)


def test_a_small_file_may_have_many_empty_samples() -> None:
    data = with_runs(lambda at: box("traf", tfhd(1), bare(10_000, at)), defaults=[trex(1, 10, 0)])
    assert one(data).samples.count == 10_000


def test_too_many_samples_in_the_moov_are_not_expanded() -> None:
    """A few hundred bytes list as many samples of each track as the file has bytes."""

    def naming(count: int, size: int) -> Movie:
        spec = TrackSpec((Sample(1, 1000),), (1,), sizes="constant", handler="soun")
        more = {
            "stsz": full("stsz", 0, 0, words(1, count)),
            "stts": full("stts", 0, 0, words(1, count, 1)),
            "stsc": full("stsc", 0, 0, words(1, 1, count, 1)),
        }
        tracks = [replace(spec, id=number + 1, more=more) for number in range(9)]
        data = FTYP + moov(tracks, [[0]] * len(tracks), box("mvex", trex(1)))
        movie = read_movie(payload(data), size)
        assert [track.samples.count for track in movie.tracks] == [count] * 9
        return movie

    def refuse() -> None:
        with pytest.raises(
            Malformed, match=f"the box moov: {9 * size} samples exceed the limit for the file"
        ):
            read_fragments(much, iter(()), size)

    size = 1 << 20
    much, little = naming(size, size), naming(1 << 13, size)
    assert_costs(1, refuse, lambda: read_fragments(little, iter(()), size))


@pytest.mark.parametrize(("track", "offset"), [(1, 0), (77, 0), (1, 1 << 30)])
def test_empty_samples_cost_nothing(track: int, offset: int) -> None:
    """Any number of them can be claimed: in each run as many as the file has bytes, even for a track that does not
    exist, or at an offset outside the file."""
    run = box("traf", tfhd(track), bare(MIN_LIMIT, offset))
    once, often = (opening(TWO) + box("moof", run * count) for count in (1, 100))
    assert len(often) < MIN_LIMIT

    def refuse() -> None:
        for _ in range(5):  # once takes a millisecond
            with pytest.raises(Malformed, match="exceed the limit for the file"):
                read(often)

    def accept() -> None:
        for _ in range(5):
            read(once)

    assert_costs(4, refuse, accept)


@pytest.mark.parametrize("offset", [-(1 << 31), -1000, 1 << 30])
def test_runs_outside_the_file_have_no_samples(offset: int) -> None:
    data = with_runs(lambda _: box("traf", tfhd(1), bare(2, offset)), defaults=[trex(1, 1, 5)])
    assert one(data).samples.count == 0


def test_alternating_durations_are_stored_compactly() -> None:
    count = 20_000
    spec = tuple(Sample(1, 1000) for _ in range(count))
    data = opening(TWO) + box("moof", box("traf", tfhd(1), trun(spec, 8))) + bytes(count)
    table = one(data).samples
    assert table.count == count
    assert table.durations.constant == 1000
    assert table.nbytes < 4 * count + 1000
