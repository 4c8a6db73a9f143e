"""Playlists: the exact text, and as another parser reads them."""

import re
from itertools import accumulate, pairwise

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packaging.making import REVISION, SCALE, audio, segments, title, video
from tests.playback.linting import lint_master
from trio_stream.packaging import hls
from trio_stream.packaging.cutting import SCHEME
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.title import Source, Subtitles, Title

SUBTITLES = (
    Subtitles("s-1", "r/x/subtitle-1.vtt", "en", "English", default=True),
    Subtitles("s-2", "r/x/subtitle-2.vtt", "en", 'English "SDH"', hearing_impaired=True),
    Subtitles("s-3", "r/x/subtitle-3.vtt", None, "Signs", forced=True),
)

V1 = f"v1-{SCHEME}"

MASTER = """\
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio0",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a2.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio0",NAME="Commentary",LANGUAGE="en",X-TITLE="Commentary",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="a4.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio1",NAME="English (2)",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="6",URI="a3.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="texts",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="s-1.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="texts",NAME="English 'SDH'",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,\
CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",URI="s-2.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="texts",NAME="Signs",DEFAULT=NO,AUTOSELECT=NO,FORCED=YES,URI="s-3.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1128715,AVERAGE-BANDWIDTH=1078040,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,\
FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO="audio0",SUBTITLES="texts"
v1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1128715,AVERAGE-BANDWIDTH=1078040,CODECS="avc1.64001f,ac-3",RESOLUTION=1280x720,\
FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO="audio1",SUBTITLES="texts"
v1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1128715,AVERAGE-BANDWIDTH=1078040,CODECS="avc1.640015,mp4a.40.2",RESOLUTION=640x360,\
FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO="audio0",SUBTITLES="texts"
../fedcba9876543210/v1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1128715,AVERAGE-BANDWIDTH=1078040,CODECS="avc1.640015,ac-3",RESOLUTION=640x360,\
FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO="audio1",SUBTITLES="texts"
../fedcba9876543210/v1.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=120000,AVERAGE-BANDWIDTH=120000,CODECS="avc1.64001f",RESOLUTION=1280x720,\
VIDEO-RANGE=SDR,URI="v1-keys.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=120000,AVERAGE-BANDWIDTH=120000,CODECS="avc1.640015",RESOLUTION=640x360,\
VIDEO-RANGE=SDR,URI="../fedcba9876543210/v1-keys.m3u8"
"""

MEDIA = f"""\
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="r/{REVISION}/{V1}/init.mp4"
#EXTINF:2.000000,
r/{REVISION}/{V1}/0.m4s
#EXTINF:4.000000,
r/{REVISION}/{V1}/1.m4s
#EXTINF:6.000000,
r/{REVISION}/{V1}/2.m4s
#EXTINF:4.000000,
r/{REVISION}/{V1}/3.m4s
#EXT-X-ENDLIST
"""

SMALLER = Source(
    "../fedcba9876543210/",
    f"../fedcba9876543210/r/{REVISION}",
    Presentation((video(codecs="avc1.640015", width=640, height=360),)),
)


def film() -> Title:
    audio_tracks = (audio(), audio("a3", codecs="ac-3", channels=6), audio("a4", label="Commentary"))
    return title(video(), *audio_tracks, subtitles=SUBTITLES, more=(SMALLER,))


def test_the_exact_text_of_a_master_playlist() -> None:
    assert hls.master(film()) == MASTER


def test_a_master_playlist_read_by_another_parser() -> None:
    read = m3u8.loads(hls.master(film()))
    assert read.is_variant
    assert read.version == 7
    assert {entry.group_id for entry in read.media if entry.type == "AUDIO"} == {"audio0", "audio1"}
    for variant in read.playlists:
        group = [entry for entry in read.media if entry.group_id == variant.stream_info.audio]
        assert sum(rendition.default == "YES" for rendition in group) == 1
        assert len({rendition.name for rendition in group}) == len(group)
        assert variant.stream_info.bandwidth >= variant.stream_info.average_bandwidth
        assert variant.stream_info.resolution in {(1280, 720), (640, 360)}
        assert variant.stream_info.frame_rate == 23.976
        assert variant.stream_info.video_range == "SDR"
    assert [iframe_playlist.uri for iframe_playlist in read.iframe_playlists] == [
        "v1-keys.m3u8",
        "../fedcba9876543210/v1-keys.m3u8",
    ]


def test_audio_urls_point_to_the_file_that_has_it() -> None:
    best = Source(
        "../b/", "../b/r/y", Presentation((video(height=1080), audio("a7"), audio("a8", codecs="ac-3")))
    )
    own = Source("", "r/x", Presentation((video(), audio("a2"))))
    mute = Source("../m/", "../m/r/z", Presentation((video(height=2160),)))
    for sources, expected in (
        ((best, own), ["../b/a7.m3u8", "../b/a8.m3u8"]),
        ((mute, own), ["a2.m3u8"]),
        ((mute, best), ["../b/a7.m3u8", "../b/a8.m3u8"]),
    ):
        read = m3u8.loads(hls.master(Title(sources)))
        assert [entry.uri for entry in read.media] == expected
        assert all(playlist.stream_info.audio for playlist in read.playlists)


def test_the_exact_text_of_a_media_playlist() -> None:
    assert hls.media(video(), f"r/{REVISION}", 6) == MEDIA


def test_the_bandwidth_of_a_variant_includes_audio_and_video() -> None:
    [variant] = m3u8.loads(hls.master(title(video(), audio(), audio("a3")))).playlists
    peak, average = video().bandwidth
    assert variant.stream_info.bandwidth == peak + audio().bandwidth[0]
    assert variant.stream_info.average_bandwidth == average + audio().bandwidth[1]


def test_open_gops_are_not_independent() -> None:
    playing = video(independent=False)
    assert "INDEPENDENT" not in hls.master(title(playing, audio()))
    assert "INDEPENDENT" not in hls.media(playing, "r/x", 6)
    assert "INDEPENDENT" in hls.media(audio(), "r/x", 6)


def test_video_without_audio() -> None:
    text = hls.master(title(video(frame_rate=None, keys=None, video_range="PQ")))
    assert "AUDIO" not in text
    assert "FRAME-RATE" not in text
    assert "I-FRAME" not in text
    assert "VIDEO-RANGE=PQ" in text
    assert 'CODECS="avc1.64001f"' in text


def test_audio_without_video() -> None:
    read = m3u8.loads(hls.master(title(audio())))
    assert [playlist.uri for playlist in read.playlists] == ["a2.m3u8"]
    assert not read.media


def test_audio_tracks_without_video_have_one_stream_for_each_codec() -> None:
    loud = segments([96_256, 191_488, 288_768, 192_512], [64_000, 128_000, 192_000, 128_000])
    audio_tracks = [
        audio(),
        audio("a3", language="pt", segments=loud),
        audio("a4", codecs="ac-3"),
        audio("a5", label="Commentary"),
    ]
    whole_title = title(*audio_tracks)
    read = m3u8.loads(hls.master(whole_title))
    assert [playlist.uri for playlist in read.playlists] == ["a2.m3u8", "a4.m3u8"]
    assert [playlist.stream_info.codecs for playlist in read.playlists] == ["mp4a.40.2", "ac-3"]
    assert [playlist.stream_info.audio for playlist in read.playlists] == ["audio0", "audio1"]
    assert [(entry.group_id, entry.uri, entry.name, entry.default) for entry in read.media] == [
        ("audio0", "a2.m3u8", "English", "YES"),
        ("audio0", "a3.m3u8", "Portuguese", "NO"),
        ("audio0", "a5.m3u8", "Commentary", "NO"),
        ("audio1", "a4.m3u8", "English (3)", "YES"),
    ]

    def playlist(uri: str) -> str:
        [audio_track] = [audio_track for audio_track in audio_tracks if f"{audio_track.name}.m3u8" == uri]
        return hls.media(audio_track, "r/x", whole_title.target_duration)

    def size(uri: str, within: str) -> int:
        [audio_track] = [audio_track for audio_track in audio_tracks if f"{audio_track.name}.m3u8" == uri]
        number = within.rpartition("/")[2].removesuffix(".m4s")
        return 900 if number == "init.mp4" else audio_track.segments.sizes[int(number)]

    assert lint_master(hls.master(whole_title), playlist, size) == []


def test_keyframes() -> None:
    rendition = video()
    assert rendition.keys is not None
    text = hls.key_frames(rendition, rendition.keys, "r/x")
    read = m3u8.loads(text)
    assert read.is_i_frames_only
    assert read.is_endlist
    assert read.target_duration == 2
    assert [segment.uri for segment in read.segments] == [f"r/x/{V1}/k{number}.m4s" for number in range(8)]
    assert [segment.duration for segment in read.segments] == [2] * 8
    assert [item.uri for item in read.segment_map] == [f"r/x/{V1}/init.mp4"]


timings = st.lists(st.integers(1, 40_000_000), min_size=1, max_size=30)


@given(
    timings, st.integers(0, 1 << 40), st.sampled_from([1, 1000, 11_025, 90_000, 30_000, 12_800, 10_000_000])
)
def test_durations_are_exact(durations: list[int], start: int, timescale: int) -> None:
    """Each is right to the microsecond, and so is their sum: rounding errors do not add up."""
    rendition = video(segments=segments(durations, [1] * len(durations), start), timescale=timescale)
    target = Presentation((rendition,)).target_duration
    text = hls.media(rendition, "r/x", target)
    written = [float(duration) for duration in re.findall(r"#EXTINF:([0-9.]+),", text)]
    for number, (each, units) in enumerate(zip(written, durations, strict=True)):
        assert each == pytest.approx(units / timescale, abs=2e-6)
        assert sum(written[: number + 1]) == pytest.approx(sum(durations[: number + 1]) / timescale, abs=1e-5)
        assert round(each) <= target or each < target + 0.5 + 1e-6
    read = m3u8.loads(text)
    assert [segment.duration for segment in read.segments] == written
    assert (read.is_endlist, read.playlist_type, read.target_duration) == (True, "vod", target)
    assert read.media_sequence in (None, 0)


@given(
    timings.map(lambda item: [units // 400 + 1 for units in item]),
    st.integers(0, 3_000_000),
    st.integers(0, 3_000_000),
    st.booleans(),
)
def test_subtitles_have_the_segment_boundaries_of_the_video(
    durations: list[int], start: int, longer: int, with_audio: bool
) -> None:
    """From the beginning, however late the video begins, to the end; no segment is longer than any of the file."""
    playing = video(segments=segments(durations, [1] * len(durations), start), keys=None)
    audio_rendition = audio(
        segments=segments([item * 8 // 15 for item in [*durations, longer]], [1] * (len(durations) + 1))
    )
    presentation = Presentation((playing, *([audio_rendition] if with_audio else [])))
    boundaries = hls.subtitle_boundaries(presentation)
    target = presentation.target_duration
    assert boundaries[0] == 0
    assert boundaries[-1] == presentation.duration
    assert all(before < after <= before + target + 0.5 for before, after in pairwise(boundaries))
    starts = [start / SCALE for start in playing.segments.starts[:-1]]
    assert set(starts[1:]) <= set(boundaries)
    text = hls.subtitle_playlist("s-1", presentation, "r/x", target)
    read = m3u8.loads(text)
    assert [segment.uri for segment in read.segments] == [
        f"r/x/s-1-{SCHEME}/{number}.vtt" for number in range(len(boundaries) - 1)
    ]
    assert list(accumulate(segment.duration for segment in read.segments)) == pytest.approx(
        boundaries[1:], abs=1e-3
    )
    assert not read.segment_map


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_label_breaks_a_playlist(label: str, language: str) -> None:
    audio_track = audio(label=label, language=language)
    text = hls.master(title(video(), audio_track, subtitles=[Subtitles("s-1", "w", language, label)]))
    text.encode()
    lines = text.splitlines()
    assert len(lines) == len(hls.master(title(video(), audio(), subtitles=SUBTITLES[:1])).splitlines())
    assert all(line.count('"') % 2 == 0 for line in lines)
    assert len(m3u8.loads(text).media) == 2


def test_all_playlists_of_a_title_have_one_target_duration() -> None:
    long = video(segments=segments([900_000], [1]))
    whole = Title(
        (
            Source("", "r/x", Presentation((video(), audio()))),
            Source("../y/", "../y/r/z", Presentation((long,))),
        )
    )
    assert whole.target_duration == 10
    for rendition in (video(), audio(), long):
        assert m3u8.loads(hls.media(rendition, "r/x", whole.target_duration)).target_duration == 10


def test_a_two_hour_playlist_is_written_quickly() -> None:
    rendition = video(segments=segments([540_000] * 1200, [1] * 1200))
    assert isinstance(rendition, Rendition)
    read = m3u8.loads(hls.media(rendition, "r/x", 6))
    assert len(read.segments) == 1200
