"""Subtitle tracks of real files, and files beside them, as the jobs send them."""

import subprocess
from pathlib import Path

import pytest

from tests.media.making import make, opened, run
from tests.media.test_subtitles import HEAD, read
from trio_stream.media import texts as room
from trio_stream.media.jobs import Unreadable
from trio_stream.media.texts import subtitle, texts

WORDS = [
    (200, 1400, "First words, <i>slanted</i>"),
    (1500, 2800, 'Größe &amp; 日本語 -- "quoted"'),
]
"""What scripts/menagerie puts into its subtitle tracks."""

LATER = [(start + 21, stop + 21, text) for start, stop, text in WORDS]
"""The same in Matroska, where FFmpeg moves all tracks by the priming of AAC, which lies before zero."""

PLAIN = [(start, stop, text.replace("<i>", "").replace("</i>", "")) for start, stop, text in WORDS]


def test_tracks_of_matroska(menagerie: Path) -> None:
    result, blobs = run(texts, menagerie / "tracks/subtitles.mkv")
    assert result["reason"] is None
    assert [(track["stream"], track["cues"], track["ass"], track["whole"]) for track in result["tracks"]] == [
        (3, 2, False, True),
        (4, 2, True, True),
    ]
    assert sorted(blobs) == ["3.vtt", "4.ass", "4.vtt"]
    assert read(blobs["3.vtt"].decode()) == LATER
    assert read(blobs["4.vtt"].decode()) == [
        (221, 1421, "<i>First</i> words\non two lines"),
        (1521, 2821, "Größe, 日本語, commas"),
    ]
    assert " --> 00:00:02.821 line:0\n" in blobs["4.vtt"].decode()


def test_ass_as_itself_is_what_ffmpeg_makes_of_it(menagerie: Path, tmp_path: Path) -> None:
    path = menagerie / "tracks/subtitles.mkv"
    whole = tmp_path / "whole.ass"
    subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:4", "-c", "copy", whole], check=True)
    ours = run(texts, path)[1]["4.ass"].decode()
    assert [line.strip() for line in ours.split("\n") if line.strip()] == [
        line.strip() for line in whole.read_text().split("\n") if line.strip()
    ]


def test_tracks_of_mp4(menagerie: Path) -> None:
    result, blobs = run(texts, menagerie / "tracks/languages-chapters.mp4")
    assert [(track["stream"], track["codec"]) for track in result["tracks"]] == [
        (4, "mov_text"),
        (5, "mov_text"),
    ]
    assert read(blobs["4.vtt"].decode()) == read(blobs["5.vtt"].decode()) == PLAIN


@pytest.mark.parametrize("container", ["mkv", "webm", "mp4", "ts"])
def test_other_ways_to_keep_text(tmp_path: Path, container: str) -> None:
    """The same three cues; a transport stream cannot carry text, and one that is asked for none has none."""
    source = tmp_path / "source.vtt"
    source.write_text(
        "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\n<v Ann>One & two\n\n00:02.500 --> 00:03.000\na < b\n\n"
        "00:04.000 --> 00:05.000\nlast\n"
    )
    film = "-f lavfi -i testsrc2=size=64x36:rate=5:duration=6"
    codec = {"mkv": "copy", "webm": "copy", "mp4": "mov_text", "ts": "copy"}[container]
    video = "libvpx" if container == "webm" else "libx264"
    tracks = f"-map 0 -map 1 -c:s {codec}" if container != "ts" else "-map 0"
    path = make(tmp_path / f"film.{container}", f"{film} -i {source} {tracks} -c:v {video}")
    result, blobs = run(texts, path)
    if container == "ts":
        assert (result, blobs) == ({"tracks": [], "reason": None}, {})
        return
    assert [(start, stop) for start, stop, _ in read(blobs["1.vtt"].decode())] == [
        (1000, 2000), (2500, 3000), (4000, 5000)
    ]  # fmt: skip
    assert read(blobs["1.vtt"].decode())[2][2] == "last"
    if codec == "copy":
        assert read(blobs["1.vtt"].decode())[0][2] == "<v Ann>One &amp; two</v>"
        assert blobs["1.vtt"].decode().startswith("WEBVTT\n\n00:00:01.000 --> 00:00:02.000 line:0\n")


def test_pictures_of_text_are_no_text(menagerie: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.srt"
    source.write_text("1\n00:00:01,000 --> 00:00:02,000\nx\n")
    path = make(
        tmp_path / "film.mkv", f"-f lavfi -i sine=duration=3 -i {source} -map 0 -map 1 -c:s srt -c:a flac"
    )
    assert run(texts, path)[0]["tracks"][0]["cues"] == 1
    assert run(texts, menagerie / "tracks/cover.mp4") == ({"tracks": [], "reason": None}, {})


def test_a_file_cut_off_gives_what_was_said_until_then(menagerie: Path, tmp_path: Path) -> None:
    data = (menagerie / "tracks/subtitles.mkv").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    result, blobs = run(texts, path)
    assert read(blobs["3.vtt"].decode())[0] == LATER[0]
    assert result["tracks"]


def test_the_file_is_read_once(menagerie: Path, tmp_path: Path) -> None:
    path = menagerie / "tracks/subtitles.mkv"
    with opened(path) as file:
        texts(file, {}, type("Nowhere", (), {"blob": lambda *_: None})())
        assert file.count < 1.5 * path.stat().st_size


def test_a_track_without_bounds_is_cut_off_and_says_so(
    menagerie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LARGEST_TRACK", 40)
    result, blobs = run(texts, menagerie / "tracks/subtitles.mkv")
    assert [(track["stream"], track["whole"]) for track in result["tracks"]] == [(3, False)]
    assert read(blobs["3.vtt"].decode()) == LATER[:1]


@pytest.mark.parametrize("name", ["garbage.mp4", "playlist.mp4", "empty.mp4"])
def test_no_container_no_texts(menagerie: Path, name: str) -> None:
    with pytest.raises(Unreadable):
        run(texts, menagerie / "damaged" / name)


# --- Files beside ---------------------------------------------------------------------------------------

SRT = "1\r\n00:00:01,000 --> 00:00:02,000\r\nWo ist <b>Jürgen</b>?\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nÜber & unter\r\n"
SAID = [(1000, 2000, "Wo ist <b>Jürgen</b>?"), (3000, 4000, "Über &amp; unter")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "cp850"])
def test_srt_beside_a_film(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "film.srt"
    path.write_bytes(SRT.encode(encoding))
    result, blobs = run(subtitle, path, suffix="srt", language="de")
    assert result == {"cues": 2, "whole": True}
    assert list(blobs) == ["subtitle.vtt"]
    if encoding != "cp850":  # which nobody can tell from others, and which breaks nothing
        assert read(blobs["subtitle.vtt"].decode()) == SAID
    else:
        assert len(read(blobs["subtitle.vtt"].decode())) == 2


@pytest.mark.parametrize("suffix", ["ass", "ssa", ".ASS"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_ass_beside_a_film(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = tmp_path / "film.ass"
    script = f"{HEAD}Dialogue: 0,0:00:01.00,0:00:02.00,Thought,,0,0,0,,Где ты был всю ночь?\n"
    path.write_bytes(script.replace("\n", "\r\n").encode(encoding))
    result, blobs = run(subtitle, path, suffix=suffix)
    assert result["cues"] == 1
    assert read(blobs["subtitle.vtt"].decode()) == [(1000, 2000, "<i>Где ты был всю ночь?</i>")]
    assert blobs["subtitle.ass"].decode() == script


def test_webvtt_beside_a_film(menagerie: Path) -> None:
    (path,) = (menagerie / "names").glob("*.ja.vtt")
    _, blobs = run(subtitle, path, suffix="vtt")
    assert read(blobs["subtitle.vtt"].decode()) == WORDS


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("srt", "WEBVTT\n\n00:01.000 --> 00:02.000\nx\n"),
        ("vtt", "1\n00:00:01,000 --> 00:00:02,000\nx\n"),
        ("srt", f"{HEAD}Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,x\n"),
        ("ass", "1\n00:00:01,000 --> 00:00:02,000\nx\n"),
    ],
)
def test_a_file_under_the_name_of_another_kind(tmp_path: Path, suffix: str, content: str) -> None:
    path = tmp_path / "misnamed"
    path.write_text(content)
    assert read(run(subtitle, path, suffix=suffix)[1]["subtitle.vtt"].decode()) == [(1000, 2000, "x")]


@pytest.mark.parametrize(
    ("suffix", "content"), [("srt", b""), ("vtt", b"WEBVTT\n"), ("ass", b"\x00" * 99), ("sub", b"x")]
)
def test_what_says_nothing_is_unreadable(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / "empty"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        run(subtitle, path, suffix=suffix)


def test_only_so_much_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LARGEST_SIDECAR", 60)
    path = tmp_path / "long.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nx\n\n" * 100)
    result, _ = run(subtitle, path, suffix="srt")
    assert result == {"cues": 1, "whole": False}
