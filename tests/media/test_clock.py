"""All times of a file count from where it begins to play, and its end is that of the available part."""

import re
from pathlib import Path

import pytest

from tests.media.making import make, run
from tests.media.remuxing import outlined
from tests.mp4.making import TrackSpec, box, full, tkhd, words
from trio_stream.media.artwork.generate import generate_artwork
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.subtitles.extract import extract_tracks
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import read_index

SOURCE = (
    "-f lavfi -i testsrc2=size=128x72:rate=25:duration=6 -f lavfi -i sine=300:duration=6"
    " -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 25 -c:a aac"
)
FRAGMENTS = "-movflags frag_keyframe+default_base_moof+frag_discont"
WEBM = (
    "-f lavfi -i testsrc2=size=128x72:rate=25:duration=6 -f lavfi -i sine=300:duration=6"
    " -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -c:a libopus"
)


def _media_info(path: Path) -> MediaInfo:
    return MediaInfo.from_json(run(probe, path)[0])


def _served(path: Path) -> Presentation:
    if path.suffix == ".mp4":
        with path.open("rb") as file:
            return read_index(file.fileno(), path.stat().st_size).presentation
    return present_outline(outlined(path))


@pytest.mark.parametrize(
    ("name", "arguments", "begins"),
    [
        ("moved.mp4", f"{SOURCE} -movflags frag_keyframe+default_base_moof+empty_moov", 86_400),
        ("cut.mp4", f"{SOURCE} {FRAGMENTS}+delay_moov -output_ts_offset 7200", 7200),
        ("cmaf.mp4", f"{SOURCE} {FRAGMENTS}+cmaf+delay_moov -output_ts_offset 100", 100),
        ("a-little.mp4", f"{SOURCE} {FRAGMENTS}+delay_moov -output_ts_offset 0.5", 0.5),
        ("broadcast.mkv", f"{SOURCE} -output_ts_offset 90000", 90_000),
        ("broadcast.webm", f"{WEBM} -output_ts_offset 1800", 1800),
        ("broadcast.flv", f"{SOURCE} -output_ts_offset 50", 50),
        ("broadcast.ts", f"{SOURCE} -output_ts_offset 40000", 40_001.4),
    ],
)
def test_times_do_not_depend_on_where_the_clock_of_the_file_begins(
    tmp_path: Path, name: str, arguments: str, begins: float
) -> None:
    path = make(tmp_path / name, arguments)
    if name == "moved.mp4":
        path.write_bytes(_moved(path.read_bytes(), begins))
    info, served = _media_info(path), _served(path)
    assert info.start == pytest.approx(begins, abs=0.1)
    assert info.duration == pytest.approx(6, abs=0.3)
    assert info.duration == pytest.approx(served.duration, abs=0.1)
    assert info.until is None
    assert info.keyframes is not None
    assert info.keyframes.times == pytest.approx(range(6), abs=0.2)
    assert served.video is not None
    first = served.video.segments.starts[1] / served.video.timescale
    assert first == pytest.approx(2, abs=0.1)
    result, _ = run(generate_artwork, path, duration=info.duration)
    assert result["tiles"]["count"] in (6, 7)
    assert result["reason"] is None


def _moved(data: bytes, seconds: float) -> bytes:
    """Move all fragments of a file with two tracks to a later time."""
    scales = [
        int.from_bytes(data[found.start() + 16 : found.start() + 20]) for found in re.finditer(b"mdhd", data)
    ]
    moved = bytearray(data)
    for found in re.finditer(b"tfhd.{4}(.{4})", data, re.DOTALL):
        at = data.index(b"tfdt", found.start()) + 4
        assert data[at] == 1
        later = int.from_bytes(data[at + 4 : at + 12]) + round(seconds * scales[int.from_bytes(found[1]) - 1])
        moved[at + 4 : at + 12] = later.to_bytes(8)
    return bytes(moved)


@pytest.mark.parametrize("name", ["late.mkv", "late.ts", "late.mp4"])
def test_a_late_track_stays_late(tmp_path: Path, name: str) -> None:
    """The audio begins later than the video, and this is kept."""
    plain = make(tmp_path / "plain.mkv", SOURCE)
    path = make(tmp_path / name, f"-i {plain} -itsoffset 0.8 -i {plain} -map 0:v -map 1:a -c copy")
    info = _media_info(path)
    assert info.start == pytest.approx(1.4 if name.endswith("ts") else 0, abs=0.1)
    assert info.duration == pytest.approx(6.8, abs=0.3)


def test_subtitles_in_the_file_use_the_same_clock(tmp_path: Path) -> None:
    words_ = tmp_path / "words.srt"
    words_.write_text("1\n00:00:02,000 --> 00:00:03,000\nHere\n")
    plain = make(tmp_path / "plain.mkv", SOURCE)
    path = make(
        tmp_path / "film.mkv", f"-i {plain} -i {words_} -map 0 -map 1 -c copy -c:s srt -output_ts_offset 3000"
    )
    _, blobs = run(extract_tracks, path)
    (vtt,) = [blob.decode() for name, blob in blobs.items() if name.endswith("vtt")]
    assert "00:00:02.000 --> 00:00:03.000" in vtt


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("first.mp4", f"{SOURCE} -movflags +faststart"),
        ("first.mov", f"{SOURCE} -movflags +faststart"),
        ("film.mkv", SOURCE),
        ("film.webm", WEBM),
        ("film.flv", SOURCE),
        ("film.avi", SOURCE.replace("-bf 2", "-bf 0").replace("aac", "libmp3lame")),
    ],
)
def test_a_truncated_file_reports_where_it_ends(
    tmp_path: Path, name: str, arguments: str, share: float
) -> None:
    whole = make(tmp_path / f"whole-{name}", arguments)
    assert (_media_info(whole).until, _media_info(whole).missing) == (None, None)
    data = whole.read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: round(len(data) * share)])
    info, served = _media_info(path), _served(path)
    assert info.until is not None
    assert info.duration is not None
    assert info.duration == pytest.approx(6, abs=0.2)
    assert info.until == pytest.approx(served.duration, abs=0.1)
    assert info.until < info.duration - 0.25
    assert info.keyframes is not None
    assert max(info.keyframes.times) < info.until
    assert (
        info.missing
        == f"the file is truncated: {info.until:.1f} of {info.duration:.1f} seconds are available"
    )


def test_the_duration_of_missing_fragments_is_unknown(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.mp4", f"{SOURCE} -movflags frag_keyframe+empty_moov+default_base_moof")
    data = whole.read_bytes()
    assert _media_info(whole).until is None
    for at in (data.index(b"moof", len(data) // 2) + 20, data.index(b"mdat", len(data) // 2) + 20):
        path = tmp_path / "film.mp4"
        path.write_bytes(data[:at])
        info, served = _media_info(path), _served(path)
        assert info.until == pytest.approx(served.duration, abs=0.1)
        assert info.missing is not None
        assert info.missing.startswith("the file is truncated")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("live.mkv", f"{SOURCE} -live 1 -f matroska pipe:1"),  # it does not state its size
        ("film.ts", SOURCE),
        ("trailing.mp4", SOURCE),
    ],
)
def test_a_file_without_a_stated_size_does_not_count_as_truncated(
    tmp_path: Path, name: str, arguments: str
) -> None:
    path = make(tmp_path / name, arguments.replace(" -f matroska pipe:1", ""))
    if name == "trailing.mp4":
        path.write_bytes(path.read_bytes() + bytes(5000))
    assert _media_info(path).until is None


@pytest.mark.parametrize("timescale", [1000, 0])
@pytest.mark.parametrize("handler", ["meta", "data", "tmcd"])
def test_data_tracks_without_a_description_do_not_prevent_playback(
    tmp_path: Path, handler: str, timescale: int
) -> None:
    """FFmpeg refuses the whole file because of one; browsers play the segments."""
    plain = make(tmp_path / "plain.mp4", SOURCE)
    track = TrackSpec((), (), id=9, handler=handler)
    stbl = box(
        "stbl", full("stsd", 0, 0, words(0)), full("stts", 0, 0, words(0)), full("stsc", 0, 0, words(0)),
        full("stsz", 0, 0, words(0, 0)), full("stco", 0, 0, words(0)),
    )  # fmt: skip
    mdhd = full("mdhd", 0, 0, words(0, 0, timescale, 0, 0x55C40000))
    hdlr = full("hdlr", 0, 0, bytes(4), handler.encode(), bytes(12), b"\0")
    trak = box("trak", tkhd(track), box("mdia", mdhd, hdlr, box("minf", stbl)))
    data = plain.read_bytes()
    at = data.index(b"moov") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    path = tmp_path / "film.mp4"
    path.write_bytes(
        data[:at]
        + (size + len(trak)).to_bytes(4, "big")
        + data[at + 4 : at + size]
        + trak
        + data[at + size :]
    )
    info, served = _media_info(path), _served(path)
    assert [track.codec for track in info.video] == ["h264"]
    assert [track.codec for track in info.audio] == ["aac"]
    assert info.duration == pytest.approx(served.duration, abs=0.05)
    assert run(generate_artwork, path)[0]["poster"] is not None
