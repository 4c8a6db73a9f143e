"""A probe finds the same as `ffprobe` for the whole menagerie, and for other files with one special feature each."""

import functools
import json
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.media.making import make
from trio_stream.errors import MediaUnreadable
from trio_stream.media.containers.keyframes import is_variable_frame_rate
from trio_stream.media.containers.probe import probe
from trio_stream.media.containers.tracks import rotation
from trio_stream.media.formats.media_info import KEYFRAME_LIMIT, AudioTrack, MediaInfo, VideoTrack
from trio_stream.media.jobs import MediaFile, Reply, Unreadable
from trio_stream.media.sandbox.sandbox import Sandbox

CONTAINERS = {
    ".mp4": "mp4", ".mov": "mov", ".3gp": "3gp", ".mkv": "matroska", ".webm": "webm", ".ts": "mpegts",
    ".m2ts": "mpegts", ".mpg": "mpeg", ".avi": "avi", ".flv": "flv", ".ogv": "ogg",
}  # fmt: skip

CODEC_STRINGS = {
    "codecs/h264-baseline.mp4": ("avc1.42c00c", "mp4a.40.2"),
    "codecs/h264-high10-flac.mkv": ("avc1.6e000c", "flac"),
    "codecs/hevc-hvc1-hdr10.mp4": ("hvc1.2.4.L60.90", "mp4a.40.2"),
    "codecs/hevc-hev1-ac3.mp4": ("hev1.1.6.L60.90", "ac-3"),
    "codecs/hevc-hlg-eac3.mkv": ("hvc1.2.4.L60.90", "ec-3"),
    "codecs/hevc-aac.ts": ("hvc1.1.6.L60.90", "mp4a.40.2"),
    "codecs/vp9-opus.webm": ("vp09.00.11.08", "opus"),
    "codecs/vp9-profile2-opus.mp4": ("vp09.02.11.10.01.09.16.09.00", "opus"),
    "codecs/av1-opus.mp4": ("av01.0.00M.08", "opus"),
    "codecs/av1-main10-opus.webm": ("av01.0.00M.10.0.110.09.16.09.0", "opus"),
    "codecs/vp8-vorbis.webm": ("vp8", "vorbis"),
    "codecs/mpeg4-asp-mp3.avi": ("mp4v.20.241", "mp4a.6B"),
    "codecs/prores-pcm-timecode.mov": ("apco", None),
    "containers/clock-wraps.m2ts": ("avc1.64000c", "ac-3"),
}


def probed(path: Path, **options: Any) -> MediaInfo:
    """Return the media info, through JSON, as the server gets it."""
    with open(path, "rb") as file:
        result = probe(MediaFile(file.fileno()), options, Reply(lambda _: None))
    return MediaInfo.from_json(json.loads(json.dumps(result, allow_nan=False)))


@functools.cache
def ffprobe(path: Path, *options: str) -> dict[str, Any]:
    if shutil.which("ffprobe") is None:
        pytest.fail("ffprobe is not installed")
    shown = options or ("-show_streams", "-show_format", "-show_chapters")
    result = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *shown, "-i", str(path)], capture_output=True, check=True
    )
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


@pytest.fixture(scope="session")
def whole(menagerie: Path) -> list[str]:
    """The names of all specimens that are not damaged, each content only once."""
    entries = json.loads((menagerie / "menagerie.json").read_text("utf-8"))
    return [
        entry["name"] for entry in entries if not entry["damaged"] and not entry["name"].startswith("names/")
    ]


def _rate(text: str) -> Fraction | None:
    above, _, below = text.partition("/")
    return Fraction(int(above), int(below)) if int(below) and int(above) else None


def _none_if_unknown(value: str | None) -> str | None:
    return None if value in (None, "unknown", "und") else value


def _language(stream: dict[str, Any]) -> str | None:
    """Convert the language that ffprobe reports, as it is in the file, to BCP 47."""
    value = _none_if_unknown(stream.get("tags", {}).get("language"))
    return (
        None
        if value is None
        else {
            "eng": "en",
            "por": "pt",
            "ger": "de",
            "deu": "de",
            "jpn": "ja",
            "spa": "es",
            "fre": "fr",
            "fra": "fr",
            "rus": "ru",
        }.get(value, value)
    )


def test_media_info_equals_that_of_ffprobe(menagerie: Path, whole: list[str]) -> None:
    assert len(whole) >= 40
    for name in whole:
        path = menagerie / name
        info, expected = probed(path), ffprobe(path)
        of = {
            kind: [
                reported
                for reported in expected["streams"]
                if reported["codec_type"] == kind and not reported["disposition"]["attached_pic"]
            ]
            for kind in ("video", "audio", "subtitle")
        }
        assert info.container == CONTAINERS[path.suffix.lower()], name
        duration = expected["format"].get("duration")
        if duration is not None:
            assert info.duration == pytest.approx(float(duration), abs=0.05), name
            assert info.bit_rate == pytest.approx(int(expected["format"]["bit_rate"]), rel=0.05), name
        assert info.title == expected["format"].get("tags", {}).get("title"), name
        for track, stream in zip(_in_file_order(info.video), of["video"], strict=True):
            turned = [
                -int(side["rotation"]) % 360
                for side in stream.get("side_data_list", [])
                if "rotation" in side
            ]
            assert (
                track.index, track.codec, track.width, track.height, track.pixel_format, track.rotation,
                track.transfer, track.primaries, track.frame_rate, track.default, track.language, track.title,
            ) == (
                stream["index"], stream["codec_name"], stream["width"], stream["height"], stream["pix_fmt"],
                (turned or [0])[0], _none_if_unknown(stream.get("color_transfer")), _none_if_unknown(stream.get("color_primaries")),
                _rate(stream["avg_frame_rate"]), bool(stream["disposition"]["default"]),
                _language(stream), stream.get("tags", {}).get("title"),
            ), name  # fmt: skip
            if "profile" in stream and not stream["profile"].lstrip("-").isdigit():
                assert track.profile == stream["profile"], name
        for audio_track, stream in zip(_in_file_order(info.audio), of["audio"], strict=True):
            assert (
                audio_track.index, audio_track.codec, audio_track.channels, audio_track.sample_rate, audio_track.language, audio_track.default, audio_track.title
            ) == (
                stream["index"], stream["codec_name"], stream["channels"], int(stream["sample_rate"]),
                _language(stream), bool(stream["disposition"]["default"]),
                stream.get("tags", {}).get("title"),
            ), name  # fmt: skip
            if "channel_layout" in stream:
                assert audio_track.layout == stream["channel_layout"], name
        for words, stream in zip(info.subtitles, of["subtitle"], strict=True):
            assert (
                words.index, words.codec, words.text, words.language, words.title, words.forced,
                words.hearing_impaired, words.default,
            ) == (
                stream["index"], stream["codec_name"], True, _language(stream),
                stream.get("tags", {}).get("title"), bool(stream["disposition"]["forced"]),
                bool(stream["disposition"]["hearing_impaired"]), bool(stream["disposition"]["default"]),
            ), name  # fmt: skip
        assert [(chapter.start, chapter.end, chapter.title) for chapter in info.chapters] == [
            (float(chapter["start_time"]), float(chapter["end_time"]), chapter["tags"]["title"])
            for chapter in expected["chapters"]
        ], name


def _in_file_order[T: (VideoTrack, AudioTrack)](tracks: tuple[T, ...]) -> list[T]:
    """Sort the tracks as in the file; media info begins with the played ones."""
    return sorted(tracks, key=lambda track: track.index)


def test_keyframes_equal_those_of_ffprobe(menagerie: Path, whole: list[str]) -> None:
    # Open GOPs, whose index has no better time, and AVI, which has no other times.
    approximate = {"timing/open-gop.mp4", "codecs/hevc-hev1-ac3.mp4", "codecs/mpeg4-asp-mp3.avi"}
    for name in whole:
        info = probed(menagerie / name)
        if not info.video:
            assert info.keyframes is None
            continue
        packets = ffprobe(menagerie / name, "-show_packets", "-select_streams", f"{info.video[0].index}")[
            "packets"
        ]
        start = 0.0
        if info.container in {"mpegts", "mpeg"}:
            start = float(ffprobe(menagerie / name)["format"]["start_time"])
        keys = [
            float(packet.get("pts_time") or packet["dts_time"]) - start
            for packet in packets
            if "K" in packet["flags"]
        ]
        shown = sorted(max(0.0, key) for key in keys)
        assert info.keyframes is not None
        assert info.keyframes.until is None, name
        assert info.keyframes.times == pytest.approx(shown, abs=0.13 if name in approximate else 0.0021), name


def test_codec_strings_of_the_menagerie(menagerie: Path) -> None:
    for name, (video, audio) in CODEC_STRINGS.items():
        info = probed(menagerie / name)
        assert (info.video[0].codec_string, info.audio[0].codec_string) == (video, audio), name


def test_further_properties_of_single_files(menagerie: Path) -> None:
    def video(name: str) -> Any:
        return probed(menagerie / name).video[0]

    assert video("codecs/hevc-hvc1-hdr10.mp4").hdr == "HDR10"
    assert video("codecs/vp9-profile2-opus.mp4").hdr == "HDR10"
    assert video("codecs/hevc-hlg-eac3.mkv").hdr == "HLG"
    assert video("codecs/h264-high10-flac.mkv").hdr is None
    assert video("codecs/h264-high10-flac.mkv").bit_depth == 10
    assert video("codecs/mpeg2-anamorphic-mp2.mpg").pixel_aspect == Fraction(16, 15)
    assert video("tracks/ROTATED.MOV").rotation == 90
    assert probed(menagerie / "tracks/cover.mp4").cover == 2
    assert probed(menagerie / "tracks/languages.ts").audio[1].layout == "5.1(side)"
    assert probed(menagerie / "containers/live.mkv").duration == pytest.approx(4, abs=0.1)
    assert probed(menagerie / "codecs/sound-only.mp4").video == ()


def test_variable_frame_rates_are_detected(menagerie: Path, whole: list[str]) -> None:
    uneven = {
        name for name in whole if any(track.variable_frame_rate for track in probed(menagerie / name).video)
    }
    assert uneven == {"timing/vfr.mov", "timing/vfr.mkv", "tracks/ROTATED.MOV"}


@pytest.mark.parametrize(
    ("timestamps", "expected"),
    [
        ([], None),
        ([0, 40, 80], None),
        (list(range(0, 4000, 40)), False),
        ([40 * number + number % 2 for number in range(100)], False),
        ([0, *range(200, 4000, 40)], False),
        ([number * 40 + (number // 2) * 40 for number in range(50)], True),
        ([0] * 50, False),
    ],
)
def test_frames_of_different_durations_are_a_variable_frame_rate(
    timestamps: list[int], expected: bool | None
) -> None:
    assert is_variable_frame_rate(timestamps) is expected
    assert is_variable_frame_rate(timestamps[::-1]) is expected


@pytest.mark.parametrize(
    ("matrix", "degrees"),
    [
        ((1, 0, 0, 0, 1, 0), 0),
        ((0, 1, 0, -1, 0, 0), 90),
        ((-1, 0, 0, 0, -1, 0), 180),
        ((0, -1, 0, 1, 0, 0), 270),
        ((-1, 0, 0, 0, 1, 0), 0),  # left to right
        ((1, 0, 0, 0, -1, 0), 0),  # top to bottom
        ((0, 1, 0, 1, 0, 0), 90),
        ((0, -1, 0, -1, 0, 0), 270),
        ((0, 0, 0, 0, 0, 0), 0),
    ],
)
def test_the_rotation_of_a_display_matrix(matrix: tuple[int, ...], degrees: int) -> None:
    assert rotation(struct.pack("=9i", *(value << 16 for value in matrix), 0, 0, 1 << 30)) == degrees
    assert rotation(b"short") == 0


def test_dolby_vision_is_recognised(menagerie: Path, tmp_path: Path) -> None:
    """A configuration record of profile 8.1 is added to the sample entry of a file whose index is at the end."""
    source = menagerie / "codecs/hevc-hvc1-hdr10.mp4"
    path = make(tmp_path / "last.mp4", f"-i {source} -c copy")
    data = bytearray(path.read_bytes())
    record = struct.pack(">I4s4B", 32, b"dvvC", 1, 0, 8 << 1, 4 << 3 | 0b101) + bytes([0x10]) + bytes(19)
    at = data.index(b"hvcC") - 4
    data[at:at] = record
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1"):
        start = data.index(box, data.index(b"moov") if box == b"moov" else data.index(b"moov") + 8) - 4
        data[start : start + 4] = struct.pack(">I", struct.unpack_from(">I", data, start)[0] + 32)
    path.write_bytes(data)
    track = probed(path).video[0]
    assert (track.hdr, track.transfer, track.codec_string) == ("Dolby Vision", "smpte2084", "hvc1.2.4.L60.90")


def test_titles_in_any_encoding_are_read(menagerie: Path, tmp_path: Path) -> None:
    path = make(
        tmp_path / "titled.mp4", f"-i {menagerie}/codecs/h264-baseline.mp4 -c copy -metadata title=Pel@@cula"
    )
    data = path.read_bytes()
    for raw, title in (
        (b"\xc3\xad", "Película"),
        (b"\xed\xe9", "Pelíécula"),
        (b"\x00\x1b", "Pel"),
        (b"\x1b\r", "Pel cula"),
    ):
        path.write_bytes(data.replace(b"@@", raw))
        assert probed(path).title == title


async def test_the_sandbox_gives_the_same_result(
    sandbox: Sandbox, menagerie: Path, opened: Callable[[Path], AbstractContextManager[int]]
) -> None:
    entries = json.loads((menagerie / "menagerie.json").read_text("utf-8"))
    for entry in entries:
        path = menagerie / entry["name"]
        try:
            alone: MediaInfo | str = probed(path)
        except Unreadable as error:
            alone = str(error)
        with opened(path) as file:
            try:
                expected: MediaInfo | str = MediaInfo.from_json(
                    (await sandbox.run("probe", file, deadline=60, urgent=True)).result
                )
            except MediaUnreadable as error:
                expected = str(error)
        assert expected == alone, entry["name"]


def test_a_pipe_is_probed(menagerie: Path) -> None:
    for name in ("codecs/h264-baseline.mp4", "tracks/subtitles.mkv", "codecs/hevc-aac.ts"):
        ours, theirs = os.pipe()

        def pour(theirs: int = theirs, name: str = name) -> None:
            with open(theirs, "wb") as pipe:
                pipe.write((menagerie / name).read_bytes())

        pouring = threading.Thread(target=pour)
        pouring.start()
        try:
            result = probe(MediaFile(ours), {}, Reply(lambda _: None))
            while os.read(ours, 65536):
                pass
        finally:
            os.close(ours)
            pouring.join()
        info, whole = MediaInfo.from_json(result), probed(menagerie / name)
        assert (info.video, info.audio) == (whole.video, whole.audio)


def test_a_large_file_is_not_read_completely(tmp_path: Path) -> None:
    """Keyframes come from an index; without one, reading stops at a limit, which is reported."""
    source = "-f lavfi -i testsrc2=size=640x360:rate=25:duration=20,noise=alls=60:allf=t"
    coding = "-c:v libx264 -preset ultrafast -b:v 6M -g 25 -bf 0 -x264-params scenecut=0"
    base = make(tmp_path / "base.mp4", f"{source} {coding}")
    every_second = tuple(float(second) for second in range(20))
    for name, limit in (("last.mp4", 400_000), ("cues.mkv", 6_000_000)):
        path = make(tmp_path / name, f"-i {base} -c copy")
        assert path.stat().st_size > 8_000_000
        with open(path, "rb") as file:
            media = MediaFile(file.fileno())
            info = MediaInfo.from_json(probe(media, {}, Reply(lambda _: None)))
        assert info.keyframes is not None
        assert info.keyframes.times == every_second
        assert info.keyframes.until is None
        assert media.count < limit
    stream = probed(make(tmp_path / "stream.ts", f"-i {base} -c copy"), scan_bytes=4_000_000).keyframes
    assert stream is not None
    assert stream.until is not None
    assert 3 < stream.until < 15
    assert stream.times == pytest.approx(every_second[: len(stream.times)])
    assert stream.times[-1] == pytest.approx(int(stream.until), abs=1)
    fragmented = make(tmp_path / "fragmented.mp4", f"-i {base} -c copy -movflags empty_moov+frag_keyframe")
    info = probed(fragmented)
    assert info.keyframes is not None
    assert info.keyframes.times == every_second


def test_very_many_keyframes_are_thinned(tmp_path: Path) -> None:
    path = make(
        tmp_path / "many.avi",
        f"-f lavfi -i color=size=16x16:rate=1000:duration={KEYFRAME_LIMIT * 1.2 / 1000} -c:v mjpeg -q:v 31",
    )
    info = probed(path)
    assert info.keyframes is not None
    assert KEYFRAME_LIMIT / 2 < len(info.keyframes.times) <= KEYFRAME_LIMIT
    assert info.keyframes.times[-1] == pytest.approx(KEYFRAME_LIMIT * 1.2 / 1000, abs=0.01)
    assert list(info.keyframes.times) == sorted(info.keyframes.times)
    assert all(isinstance(time, float) for time in info.keyframes.times[:1])
