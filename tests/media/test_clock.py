"""One clock: what is said of a file counts from where it begins to be played, and ends where what is there does."""

import re
from pathlib import Path

import pytest

from tests.media.making import make, run
from tests.media.remuxing import outlined
from tests.mp4.making import Making, box, full, tkhd, words
from trio_stream.media.artwork.generate import generate_artwork
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.subtitles.extract import extract_tracks
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import read_index

FILM = (
    "-f lavfi -i testsrc2=size=128x72:rate=25:duration=6 -f lavfi -i sine=300:duration=6"
    " -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 25 -c:a aac"
)
FRAGMENTS = "-movflags frag_keyframe+default_base_moof+frag_discont"
WEBM = (
    "-f lavfi -i testsrc2=size=128x72:rate=25:duration=6 -f lavfi -i sine=300:duration=6"
    " -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -c:a libopus"
)


def _facts(path: Path) -> MediaInfo:
    return MediaInfo.from_json(run(probe, path)[0])


def _served(path: Path) -> Presentation:
    if path.suffix == ".mp4":
        with path.open("rb") as file:
            return read_index(file.fileno(), path.stat().st_size).presentation
    return present_outline(outlined(path))


@pytest.mark.parametrize(
    ("name", "arguments", "begins"),
    [
        ("moved.mp4", f"{FILM} -movflags frag_keyframe+default_base_moof+empty_moov", 86_400),
        ("cut.mp4", f"{FILM} {FRAGMENTS}+delay_moov -output_ts_offset 7200", 7200),
        ("cmaf.mp4", f"{FILM} {FRAGMENTS}+cmaf+delay_moov -output_ts_offset 100", 100),
        ("a-little.mp4", f"{FILM} {FRAGMENTS}+delay_moov -output_ts_offset 0.5", 0.5),
        ("broadcast.mkv", f"{FILM} -output_ts_offset 90000", 90_000),
        ("broadcast.webm", f"{WEBM} -output_ts_offset 1800", 1800),
        ("broadcast.flv", f"{FILM} -output_ts_offset 50", 50),
        ("broadcast.ts", f"{FILM} -output_ts_offset 40000", 40_001.4),
    ],
)
def test_a_clock_that_begins_elsewhere_is_that_of_the_file_alone(
    tmp_path: Path, name: str, arguments: str, begins: float
) -> None:
    path = make(tmp_path / name, arguments)
    if name == "moved.mp4":
        path.write_bytes(_moved(path.read_bytes(), begins))
    facts, served = _facts(path), _served(path)
    assert facts.start == pytest.approx(begins, abs=0.1)
    assert facts.duration == pytest.approx(6, abs=0.3)
    assert facts.duration == pytest.approx(served.duration, abs=0.1)
    assert facts.until is None
    assert facts.keyframes is not None
    assert facts.keyframes.times == pytest.approx(range(6), abs=0.2)
    assert served.video is not None
    first = served.video.segments.starts[1] / served.video.timescale
    assert first == pytest.approx(2, abs=0.1)
    result, _ = run(generate_artwork, path, duration=facts.duration)
    assert result["tiles"]["count"] in (6, 7)
    assert result["reason"] is None


def _moved(data: bytes, seconds: float) -> bytes:
    """The film of two tracks with all its fragments so much later."""
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
def test_what_begins_a_little_late_begins_with_darkness(tmp_path: Path, name: str) -> None:
    """The sound comes later than the pictures, and stays so."""
    plain = make(tmp_path / "plain.mkv", FILM)
    path = make(tmp_path / name, f"-i {plain} -itsoffset 0.8 -i {plain} -map 0:v -map 1:a -c copy")
    facts = _facts(path)
    assert facts.start == pytest.approx(1.4 if name.endswith("ts") else 0, abs=0.1)
    assert facts.duration == pytest.approx(6.8, abs=0.3)


def test_subtitles_in_the_file_keep_its_clock(tmp_path: Path) -> None:
    words_ = tmp_path / "words.srt"
    words_.write_text("1\n00:00:02,000 --> 00:00:03,000\nHere\n")
    plain = make(tmp_path / "plain.mkv", FILM)
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
        ("first.mp4", f"{FILM} -movflags +faststart"),
        ("first.mov", f"{FILM} -movflags +faststart"),
        ("film.mkv", FILM),
        ("film.webm", WEBM),
        ("film.flv", FILM),
        ("film.avi", FILM.replace("-bf 2", "-bf 0").replace("aac", "libmp3lame")),
    ],
)
def test_what_is_missing_at_the_end_is_said(tmp_path: Path, name: str, arguments: str, share: float) -> None:
    whole = make(tmp_path / f"whole-{name}", arguments)
    assert (_facts(whole).until, _facts(whole).missing) == (None, None)
    data = whole.read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: round(len(data) * share)])
    facts, served = _facts(path), _served(path)
    assert facts.until is not None
    assert facts.duration is not None
    assert facts.duration == pytest.approx(6, abs=0.2)
    assert facts.until == pytest.approx(served.duration, abs=0.1)
    assert facts.until < facts.duration - 0.25
    assert facts.keyframes is not None
    assert max(facts.keyframes.times) < facts.until
    assert (
        facts.missing
        == f"the file is truncated: {facts.until:.1f} of {facts.duration:.1f} seconds are available"
    )


def test_of_fragments_that_are_missing_nobody_knows_how_many_there_are(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.mp4", f"{FILM} -movflags frag_keyframe+empty_moov+default_base_moof")
    data = whole.read_bytes()
    assert _facts(whole).until is None
    for at in (data.index(b"moof", len(data) // 2) + 20, data.index(b"mdat", len(data) // 2) + 20):
        path = tmp_path / "film.mp4"
        path.write_bytes(data[:at])
        facts, served = _facts(path), _served(path)
        assert facts.until == pytest.approx(served.duration, abs=0.1)
        assert facts.missing is not None
        assert facts.missing.startswith("the file is truncated")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("live.mkv", f"{FILM} -live 1 -f matroska pipe:1"),  # it does not say how large it is
        ("film.ts", FILM),
        ("trailing.mp4", FILM),
    ],
)
def test_nothing_is_said_to_be_missing_of_what_says_nothing(
    tmp_path: Path, name: str, arguments: str
) -> None:
    path = make(tmp_path / name, arguments.replace(" -f matroska pipe:1", ""))
    if name == "trailing.mp4":
        path.write_bytes(path.read_bytes() + bytes(5000))
    assert _facts(path).until is None


@pytest.mark.parametrize("timescale", [1000, 0])
@pytest.mark.parametrize("handler", ["meta", "data", "tmcd"])
def test_tracks_of_data_without_a_description_keep_nobody_from_the_film(
    tmp_path: Path, handler: str, timescale: int
) -> None:
    """FFmpeg refuses the whole file for one, as no browser does with segments."""
    plain = make(tmp_path / "plain.mp4", FILM)
    making = Making((), (), id=9, handler=handler)
    stbl = box(
        "stbl", full("stsd", 0, 0, words(0)), full("stts", 0, 0, words(0)), full("stsc", 0, 0, words(0)),
        full("stsz", 0, 0, words(0, 0)), full("stco", 0, 0, words(0)),
    )  # fmt: skip
    mdhd = full("mdhd", 0, 0, words(0, 0, timescale, 0, 0x55C40000))
    hdlr = full("hdlr", 0, 0, bytes(4), handler.encode(), bytes(12), b"\0")
    trak = box("trak", tkhd(making), box("mdia", mdhd, hdlr, box("minf", stbl)))
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
    facts, served = _facts(path), _served(path)
    assert [each.codec for each in facts.video] == ["h264"]
    assert [each.codec for each in facts.audio] == ["aac"]
    assert facts.duration == pytest.approx(served.duration, abs=0.05)
    assert run(generate_artwork, path)[0]["poster"] is not None
