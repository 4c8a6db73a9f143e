"""Presentations of MP4 files: where segments begin, and the properties of renditions."""

import struct
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from tests.media.test_aac import element, joined
from tests.mp4.making import (
    AAC,
    AVC,
    Edit,
    Sample,
    TrackSpec,
    avc1,
    box,
    film,
    full,
    mp4a,
    payload,
    table,
    words,
)
from tests.packaging.making import SCALE, SOUND, audio_track, movie, video_track
from trio_stream.media.formats.aac import NONSTANDARD_LAYOUT
from trio_stream.media.formats.track_choice import ONE_VIDEO_TRACK
from trio_stream.mp4.boxes import read_boxes
from trio_stream.mp4.edits.timeline import Timeline, Unsupported
from trio_stream.mp4.reading.esds import write_esds
from trio_stream.mp4.reading.movie import Movie, read_movie
from trio_stream.mp4.reading.sample_entry import read_sample_entry
from trio_stream.packaging.from_mp4 import HEAD, MAX_KEYS, PER_SAMPLE, present
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.selection import MAX_AUDIO_TRACKS, PackagedTrack, omitted_tracks, packaged_tracks


def presented(*tracks: TrackSpec) -> Presentation:
    return present(packaged_tracks(movie(*tracks)))


def one(*tracks: TrackSpec) -> Rendition:
    [rendition] = presented(*tracks).renditions
    return rendition


def refusal_reason(*tracks: TrackSpec) -> str:
    with pytest.raises(Unsupported) as caught:
        presented(*tracks)
    return str(caught.value)


def seconds(rendition: Rendition) -> list[float]:
    return [start / rendition.timescale for start in rendition.segments.starts]


# --- Segment boundaries ---------------------------------------------------------------------------------

CLOSED, OPEN = (1, 3, 1, 1), (3, 0, 0, 1)
"""Composition offsets: either no frame is shown before the keyframe, or those after it are."""


@given(
    st.lists(st.integers(1, 80), min_size=1, max_size=12),
    st.sampled_from([(0,), (2,), CLOSED]),
    st.sampled_from([(), (Edit(0, 0),), (Edit(300, -1), Edit(0, 0))]),
)
def test_segments_match_their_samples(
    groups: list[int], offsets: tuple[int, ...], edits: tuple[Edit, ...]
) -> None:
    keys = [0, *accumulate(4 * group for group in groups)][: len(groups)]
    count = 4 * sum(groups)
    built = replace(video_track(count, keys, offsets=offsets), edits=edits)
    tracks = packaged_tracks(movie(built))
    rendition = present(tracks).renditions[0]
    samples, timeline = tracks[0].samples, tracks[0].timeline
    found = rendition.segments
    assert found.samples[0] == 0
    assert found.samples[-1] == count
    assert set(found.samples[:-1]) <= set(keys)
    assert rendition.independent
    shown = [samples.shown_at(number) + timeline.offset for number in range(count)]
    for number, (first, stop) in enumerate(pairwise(found.samples)):
        assert min(shown[first:stop]) == shown[first]
        assert found.starts[number] == (shown[first] if first else 0)
        assert found.starts[number + 1] == max(shown[first:stop]) + SCALE // 24
        size = sum(sample.size for sample in built.samples[first:stop])
        assert found.sizes[number] == size + HEAD + PER_SAMPLE * (stop - first)
    assert rendition.keys is not None
    listed = list(rendition.keys.samples[:-1])
    assert set(listed) <= set(keys)
    assert listed[0] == 0
    assert list(rendition.keys.starts[:-1]) == [shown[track] if track else 0 for track in listed]
    assert all(after - before >= SCALE for before, after in pairwise(rendition.keys.starts[:-1]))


def test_open_gops_begin_with_the_frame_shown_first() -> None:
    """Such a segment begins with frames that need the previous one, and `independent` is False."""
    rendition = one(video_track(480, range(0, 480, 48), offsets=OPEN))
    assert not rendition.independent
    assert seconds(rendition)[1] == pytest.approx(2 + 1 / 24)  # the second frame is shown before the keyframe
    assert rendition.keys is not None
    assert rendition.keys.starts[1] / SCALE == pytest.approx(2 + 3 / 24)


def test_closed_gops_are_preferred() -> None:
    built = list(video_track(480, range(0, 480, 24), offsets=OPEN).samples)
    for key in range(0, 480, 72):  # every third GOP is closed
        for number, offset in enumerate((1, 3, 1, 1)):
            built[key + number] = replace(built[key + number], offset=offset * SCALE // 24)
    rendition = one(TrackSpec(tuple(built), (480,), timescale=SCALE))
    assert list(rendition.segments.samples) == [0, 72, 144, 288, 432, 480]


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=8),
    st.floats(0.1, 60),
    st.sampled_from([(), (Edit(0, 1024),), (Edit(700, -1), Edit(0, 0)), (Edit(0, 100_000),)]),
)
def test_audio_has_the_segment_boundaries_of_the_video(
    groups: list[int], length: float, edits: tuple[Edit, ...]
) -> None:
    keys = [0, *accumulate(groups)][: len(groups)]
    voice = audio_track(length, edits=edits)
    if edits == (Edit(0, 100_000),) and length < 3:
        return  # no sample of it would be presented
    tracks = packaged_tracks(movie(video_track(sum(groups), keys), voice))
    seen, audio_rendition = present(tracks).renditions
    samples, timeline = tracks[1].samples, tracks[1].timeline
    times = [samples.durations.time(number) + timeline.offset for number in range(samples.count + 1)]
    found = audio_rendition.segments
    assert found.samples[0] == timeline.first
    assert found.samples[-1] == samples.count
    assert all(before < after for before, after in pairwise(found.samples))
    for first, start in zip(found.samples[1:-1], found.starts[1:-1], strict=True):
        assert start == times[first]
    assert found.starts[0] == 0  # however late it begins
    assert found.starts[-1] == times[-1]
    segment_boundaries = [start * SOUND // seen.timescale for start in seen.segments.starts[1:]]
    for boundary in segment_boundaries[:-1]:
        after = next(
            (number for number in range(timeline.first, samples.count) if times[number] >= boundary), None
        )
        if after is not None and after > timeline.first:
            assert after in found.samples
    beyond = [start for start in found.starts[:-1] if start > segment_boundaries[-1] + 1024]
    assert all(after - before >= 2 * SOUND - 1024 for before, after in pairwise(beyond))


def test_audio_after_the_end_of_the_video_is_cut_evenly() -> None:
    """The last frame is shown until then."""
    seen, audio_rendition = presented(video_track(240, range(0, 240, 24)), audio_track(40)).renditions
    assert seconds(seen) == pytest.approx([0, 2, 6, 9, 40], abs=0.03)
    assert seconds(audio_rendition) == pytest.approx([0, 2, 6, 9, 11, 15, 21, 27, 33, 40], abs=0.03)


def test_audio_without_video_is_cut_evenly() -> None:
    audio_rendition = one(audio_track(30))
    assert seconds(audio_rendition) == pytest.approx([0, 2, 6, 12, 18, 24, 30], abs=0.03)
    assert seconds(one(audio_track(1))) == pytest.approx([0, 1], abs=0.03)
    late = one(audio_track(10, edits=(Edit(5000, -1), Edit(0, 0))))
    assert seconds(late) == pytest.approx([0, 7, 11, 15], abs=0.03)


def test_the_segments_add_up_to_the_duration_of_the_video() -> None:
    presentation = presented(video_track(600, range(0, 600, 50)), audio_track(24))
    assert presentation.duration == pytest.approx(25)
    for rendition in presentation.renditions:
        assert sum(after - before for before, after in pairwise(rendition.segments.starts)) == (
            rendition.segments.starts[-1] - rendition.segments.starts[0]
        )


# --- Properties of renditions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("durations", "rate"),
    [
        ([3600], Fraction(25)),
        ([3003], Fraction(30_000, 1001)),
        ([3753, 3754, 3754, 3754], Fraction(24_000, 1001)),  # rounded to the clock
        ([1501, 1502], Fraction(60_000, 1001)),
        ([3600, 7200], Fraction(50, 3)),
        ([90_000 * 10], Fraction(1, 10)),
        ([0], None),
        ([1], None),  # too high to be real
    ],
)
def test_frame_rates(durations: list[int], rate: Fraction | None) -> None:
    built = tuple(Sample(10, durations[number % len(durations)]) for number in range(120))
    assert one(TrackSpec(built, (120,), timescale=90_000)).frame_rate == rate


QUARTER = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
HALF = struct.pack(">9i", -0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000)


@pytest.mark.parametrize(
    ("entry", "matrix", "size"),
    [
        (avc1(1920, 1080), None, (1920, 1080)),
        (avc1(1920, 1080), QUARTER, (1080, 1920)),
        (avc1(1920, 1080), HALF, (1920, 1080)),
        (avc1(720, 576, box("pasp", struct.pack(">II", 64, 45))), None, (1024, 576)),
        (avc1(720, 576, box("pasp", struct.pack(">II", 64, 45))), QUARTER, (576, 1024)),
    ],
)
def test_frame_sizes(entry: bytes, matrix: bytes | None, size: tuple[int, int]) -> None:
    built = replace(video_track(), entries=(entry,))
    rendition = one(replace(built, matrix=matrix) if matrix else built)
    assert (rendition.width, rendition.height) == size


def visual(kind: str, *boxes: bytes) -> bytes:
    return box(kind, avc1()[8:86], *boxes)


DOLBY = bytes.fromhex("01000a35") + bytes(20)
"""Version 1.0, profile 5, level 6."""


def colr(transfer: int) -> bytes:
    return box("colr", b"nclx", struct.pack(">HHHB", 9, transfer, 9, 0))


HEVC = bytes.fromhex("01 02 20000000 b00000000000 5d f000fcfdfafa00000f00".replace(" ", ""))
VP9 = bytes.fromhex("01000000 00 0a 82 020202 0000".replace(" ", ""))


@pytest.mark.parametrize(
    ("entry", "codecs", "video_range"),
    [
        (visual("avc1", box("avcC", AVC)), "avc1.42c00c", "SDR"),
        (visual("avc3", box("avcC", AVC)), "avc3.42c00c", "SDR"),
        (visual("hvc1", box("hvcC", HEVC), colr(16)), "hvc1.2.4.L93.B0", "PQ"),
        (visual("hev1", box("hvcC", HEVC), colr(18)), "hev1.2.4.L93.B0", "HLG"),
        (visual("dvh1", box("hvcC", HEVC), box("dvcC", DOLBY)), "dvh1.05.06", "SDR"),
        (visual("dvhe", box("hvcC", HEVC), box("dvvC", DOLBY), colr(16)), "dvhe.05.06", "PQ"),
        (visual("hvc1", box("hvcC", HEVC), box("dvvC", DOLBY), colr(16)), "hvc1.2.4.L93.B0", "PQ"),
        (visual("dvh1", box("hvcC", HEVC), box("dvcC", DOLBY[:3])), "hvc1.2.4.L93.B0", "SDR"),
        (visual("vp09", box("vpcC", VP9)), "vp09.00.10.08", "SDR"),
        (visual("av01", box("av1C", b"\x81\x04\x0c\x00")), "av01.0.04M.08", "SDR"),
        (visual("av01", box("av1C", b"\x81\x08\x4c\x00"), colr(16)), "av01.0.08M.10.0.110.09.16.09.0", "PQ"),
    ],
)
def test_video_tracks(entry: bytes, codecs: str, video_range: str) -> None:
    rendition = one(replace(video_track(), entries=(entry,)))
    assert (rendition.kind, rendition.name) == ("video", "v1")
    assert (rendition.codecs, rendition.video_range) == (codecs, video_range)


def audible(kind: str, *boxes: bytes) -> bytes:
    return box(kind, mp4a()[8:36], *boxes)


@pytest.mark.parametrize(
    ("entry", "codecs"),
    [
        (mp4a(), "mp4a.40.2"),
        (mp4a(esds=AAC.replace(b"\x11\x90", b"\x2b\x92")), "mp4a.40.5"),
        (mp4a(esds=AAC.replace(b"\x40\x15", b"\x6b\x15")), "mp4a.6B"),
        (mp4a(esds=AAC.replace(b"\x40\x15", b"\x69\x15")), "mp4a.69"),
        (audible("ac-3", box("dac3")), "ac-3"),
        (audible("ec-3", box("dec3")), "ec-3"),
        (audible("Opus", box("dOps")), "Opus"),
        (audible("fLaC", box("dfLa")), "fLaC"),
        (audible("alac", box("alac")), "alac"),
    ],
)
def test_audio_tracks(entry: bytes, codecs: str) -> None:
    rendition = one(replace(audio_track(), entries=(entry,)))
    assert (rendition.kind, rendition.name, rendition.codecs) == ("audio", "a2", codecs)
    assert (rendition.channels, rendition.sample_rate) == (2, 48_000)


def test_sample_rates_that_do_not_fit_into_a_sample_entry() -> None:
    """It has 16 bits for the rate; the timescale is the rate then."""
    built = replace(audio_track(), timescale=96_000, entries=(mp4a(0),))
    assert one(built).sample_rate == 96_000


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("SoundHandler", None),
        ("soundhandler 2", None),
        ("ISO Media file produced by Google Inc.", None),
        ("Core Media Audio", None),
        ("", None),
        ("Director's commentary", "Director's commentary"),
    ],
)
def test_placeholder_names_are_ignored(name: str, label: str | None) -> None:
    assert one(audio_track(name=name)).label == label


def test_the_tracks_of_a_presentation() -> None:
    second = replace(audio_track(), id=3, language=0x41F2)
    off = replace(video_track(), id=4, enabled=False)
    presentation = presented(off, audio_track(language=0x15C7), second, video_track())
    assert [rendition.name for rendition in presentation.renditions] == ["v1", "a2", "a3"]
    assert [rendition.default for rendition in presentation.renditions] == [True, True, False]
    assert [track.language for track in presentation.audio] == ["eng", "por"]
    many = presented(video_track(), *(replace(audio_track(2), id=number) for number in range(2, 50)))
    assert len(many.audio) == MAX_AUDIO_TRACKS


def test_tracks_start_together() -> None:
    """In fragmented files the earliest track is the beginning, and the distances between tracks stay."""
    built = movie(video_track(), audio_track())
    late = replace(
        built,
        fragmented=True,
        tracks=(
            replace(built.tracks[0], start=100 * SCALE),
            replace(built.tracks[1], start=100 * SOUND + 4800),
        ),
    )
    seen, audio_rendition = packaged_tracks(late)
    assert (seen.timeline, audio_rendition.timeline) == (Timeline(), Timeline(lead=4800))


@pytest.mark.parametrize(("pictured", "audio_rendition"), [(13, 20), (13, 12), (5, 13), (13, 12.95)])
@pytest.mark.parametrize("offsets", [(0,), (2, 4, 1, 1)])
def test_tracks_end_together(pictured: int, audio_rendition: float, offsets: tuple[int, ...]) -> None:
    """The last sample of the shorter track lasts until the other ends; all samples before it are unchanged."""
    built = movie(
        video_track(24 * pictured, range(0, 24 * pictured, 48), offsets=offsets), audio_track(audio_rendition)
    )
    tracks = packaged_tracks(built)
    ends = [rendition.end for rendition in present(tracks).renditions]
    assert ends[0] == pytest.approx(ends[1], abs=0.1)
    for track, before in zip(tracks, built.tracks, strict=True):
        count = before.samples.count
        assert track.samples.count == count
        assert track.samples.durations.expand(0, count - 1) == before.samples.durations.expand(0, count - 1)
        assert track.samples.durations[count - 1] >= before.samples.durations[count - 1]
    assert present(tracks).renditions[0].frame_rate == 24


# --- What is not packaged -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        ((), "it has no video or audio track"),
        ((replace(video_track(), entries=(visual("encv"),)),), "it is encrypted"),
        ((replace(audio_track(), entries=(audible("enca"),)),), "it is encrypted"),
        (
            (replace(video_track(), entries=(visual("mp4v"),)),),
            "its video codec .mp4v. cannot be packaged in fragmented MP4",
        ),
        (
            (replace(video_track(), entries=(visual("avc1"),)),),
            "its video codec .avc1. cannot be packaged in fragmented MP4",
        ),
        (
            (replace(video_track(), entries=(visual("mp4v"),)), audio_track()),
            "its video codec .mp4v. cannot be packaged in fragmented MP4",
        ),
        (
            (replace(audio_track(), entries=(audible("sowt"),)),),
            "its audio codec .sowt. cannot be packaged in fragmented MP4",
        ),
        (
            (replace(audio_track(), entries=(mp4a(esds=b""),)),),
            "its audio codec .mp4a. cannot be packaged in fragmented MP4",
        ),
        ((video_track(70_000),), "there are more than 65536 samples between two keyframes"),
    ],
)
def test_refusal_reasons(tracks: tuple[TrackSpec, ...], reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        presented(*tracks)


def test_a_cover_is_not_played_as_video() -> None:
    cover = replace(video_track(1), id=9, entries=(visual("jpeg"),))
    assert [rendition.name for rendition in presented(cover, audio_track()).renditions] == ["a2"]
    assert [rendition.name for rendition in presented(cover, video_track(), audio_track()).renditions] == [
        "v1",
        "a2",
    ]


def test_audio_that_cannot_be_packaged_is_left_out() -> None:
    assert [
        rendition.name
        for rendition in presented(
            video_track(), replace(audio_track(), entries=(audible("sowt"),))
        ).renditions
    ] == ["v1"]


def test_durations_of_centuries_are_refused() -> None:
    """The number of segments is limited, even if a sample lasts or a track begins extremely late."""
    lasting = TrackSpec((Sample(10, 0x7FFFFFFF),) * 4, (4,), handler="soun", timescale=1)
    late = audio_track(edits=(Edit(0xFFFFFFFF, -1), Edit(0, 0)))
    usual = movie(video_track(), audio_track())

    def present_often(film: Movie) -> None:
        for _ in range(20):  # once takes less than a millisecond
            with suppress(Unsupported):
                present(packaged_tracks(film))

    for tracks in ((lasting,), (replace(lasting, handler="vide"),), (video_track(), late)):
        centuries = movie(*tracks)
        with pytest.raises(Unsupported, match="it is longer than 96 hours"):
            present(packaged_tracks(centuries))
        assert_costs(3, partial(present_often, centuries), lambda: present_often(usual))


def test_the_number_of_segments_of_all_tracks_is_limited() -> None:
    """Each of them has almost the maximum duration."""
    count = 342_000
    more = {
        "stsz": full("stsz", 0, 0, words(1, count)),
        "stsc": table("stsc", [(1, count, 1)]),
        "stts": table("stts", [(count, 1)]),
    }
    lasting = TrackSpec((Sample(1, 1),), (1,), handler="soun", timescale=1, more=more)
    one_, two = (payload(film(*(replace(lasting, id=n + 1) for n in range(many)))) for many in (1, 2))
    assert 50_000 < len(present(packaged_tracks(read_movie(one_, 1 << 24))).renditions[0].segments) < 60_000
    with pytest.raises(Unsupported, match="it would have more than 100000 segments"):
        present(packaged_tracks(read_movie(two, 1 << 24)))


def test_the_number_of_trickplay_keyframes_is_limited() -> None:
    """Here each is presented a second after the previous one, and those at the end all at the same time."""
    built = TrackSpec(
        tuple(Sample(1, 1 if number == 59_999 else 0, number % 40_000) for number in range(60_000)),
        (60_000,),
        timescale=1,
    )
    found = packaged_tracks(movie(replace(built, edits=())))
    keys = present(found).renditions[0].keys
    assert keys is not None
    assert len(keys) <= MAX_KEYS + 1


@pytest.mark.parametrize(
    ("few", "many", "times"),
    [
        pytest.param((1 << 19, 904), (1 << 20, 904), 3, id="a video that lasts twice as long"),
        pytest.param((1 << 17, 904), (1 << 20, 113), 6, id="eight times as many keyframes in the same time"),
    ],
)
def test_millions_of_keyframes_cost_little(few: tuple[int, int], many: tuple[int, int], times: float) -> None:
    def index(count: int, duration: int) -> bytes:
        more = {
            "stsz": full("stsz", 0, 0, words(1, count)),
            "stsc": table("stsc", [(1, 1000, 1)]),
            "stco": full("stco", 0, 0, words(count // 1000 + 1), *(words(48),) * (count // 1000 + 1)),
            "stts": table("stts", [(count, duration)]),
        }
        return payload(film(replace(video_track(2, (0, 1)), more=more)))

    def present_it(data: bytes) -> Rendition:
        return present(packaged_tracks(read_movie(data, 1 << 30))).renditions[0]

    less, more = index(*few), index(*many)
    assert_costs(times, lambda: present_it(more), lambda: present_it(less))
    keys = present_it(more).keys
    assert keys is not None
    assert len(keys) <= MAX_KEYS + 1


def test_times_never_go_back() -> None:
    built = video_track(400, range(0, 400, 48))
    odd = tuple(
        replace(sample, offset=SCALE * 60 if number == 48 else -SCALE * 5 if number == 144 else 0)
        for number, sample in enumerate(built.samples)
    )
    for rendition in presented(replace(built, samples=odd), audio_track()).renditions:
        for segments in (rendition.segments, rendition.keys):
            if segments is not None:
                assert all(before <= after for before, after in pairwise(segments.starts))


def test_packaged_tracks_hold_the_data_for_segments() -> None:
    found = packaged_tracks(movie(video_track(), audio_track()))
    assert all(isinstance(item, PackagedTrack) for item in found)
    assert [item.track.handler for item in found] == ["vide", "soun"]


def test_omitted_tracks_have_a_reason() -> None:
    """A second video track, and audio that cannot be packaged; offered tracks are not listed."""
    film = movie(
        video_track(),
        replace(video_track(), id=2),
        audio_track(id_=3),
        replace(audio_track(id_=4), entries=(audible("sowt"),)),
    )
    found = [
        (omitted_track.kind, omitted_track.track, omitted_track.codec, omitted_track.reason)
        for omitted_track in omitted_tracks(film, packaged_tracks(film))
    ]
    assert found == [
        ("video", 2, "avc1", ONE_VIDEO_TRACK),
        ("audio", 4, "sowt", "its audio codec (sowt) cannot be packaged in fragmented MP4"),
    ]


@pytest.mark.parametrize(
    ("left_out", "code", "reason"),
    [
        (replace(video_track(24), id=9), "second-video", ONE_VIDEO_TRACK),
        (
            replace(video_track(24), id=9, edits=(Edit(1000, 1 << 30),)),
            "other",
            "its edit list presents no part of the track",
        ),
        (
            replace(audio_track(1), id=9, edits=(Edit(1000, 1 << 30),)),
            "other",
            "its edit list presents no part of the track",
        ),
        (audio_track(1, id_=9), "other", "at most 32 audio tracks are offered"),
        (
            replace(audio_track(id_=9), entries=(audible("sowt"),)),
            "codec",
            "its audio codec (sowt) cannot be packaged in fragmented MP4",
        ),
        (replace(video_track(24), id=9, entries=(visual("encv"),)), "encrypted", "it is encrypted"),
    ],
)
def test_codes_match_the_reasons_of_omitted_tracks(left_out: TrackSpec, code: str, reason: str) -> None:
    film = movie(
        video_track(), *(audio_track(1, id_=10 + number) for number in range(MAX_AUDIO_TRACKS)), left_out
    )
    tracks = packaged_tracks(film)
    found = [
        omitted_track for omitted_track in omitted_tracks(film, tracks) if omitted_track.track == left_out.id
    ]
    assert [(item.code, item.reason) for item in found] == [(code, reason)]


def listing(*places: str | int) -> bytes:
    """The configuration of AAC LC at 48 kHz whose channels are listed in a program config element."""
    before, behind = element(*places)  # type: ignore[arg-type] # kinds and a number, in turn
    return joined(f"{2:05b}{3:04b}{0:04b}000{before}", behind)


def test_channels_listed_in_the_stream_are_described_as_browsers_support_them() -> None:
    """The samples are unchanged, and so is what follows `esds` in the entry."""
    entry = audible("mp4a", write_esds(0x40, listing("SC", "C", "", 1)), box("btrt", bytes(12)))
    [track] = packaged_tracks(movie(replace(audio_track(), entries=(entry,))))
    [stsd] = read_boxes(track.track.descriptions)
    [found] = stsd.children(8)
    assert read_sample_entry(found, "soun").config == b"\x11\xb0"
    assert [child.kind for child in found.children(28)] == ["esds", "btrt"]


def test_channel_layouts_that_no_browser_supports_are_left_out() -> None:
    entry = audible("mp4a", write_esds(0x40, listing("C", "", "", 1)))
    film = movie(video_track(), replace(audio_track(), entries=(entry,)))
    tracks = packaged_tracks(film)
    assert [track.track.handler for track in tracks] == ["vide"]
    assert [(omitted_track.code, omitted_track.reason) for omitted_track in omitted_tracks(film, tracks)] == [
        ("codec", NONSTANDARD_LAYOUT)
    ]
