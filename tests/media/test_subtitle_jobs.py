"""The jobs convert subtitle tracks of real files, and subtitle files."""

import subprocess
from pathlib import Path

import pytest

from tests.media.making import make, opened, run
from tests.media.test_subtitles import HEAD, read
from tests.mp4 import making as mp4
from trio_stream.media.containers.probe import probe
from trio_stream.media.jobs import Unreadable
from trio_stream.media.subtitles import extract
from trio_stream.media.subtitles.extract import convert_file, extract_tracks

WORDS = [
    (200, 1400, "First words, <i>slanted</i>"),
    (1500, 2800, 'Größe &amp; 日本語 -- "quoted"'),
]
"""The subtitles that scripts/menagerie writes."""

LATER = [(start + 21, stop + 21, text) for start, stop, text in WORDS]
"""The same in Matroska, where FFmpeg shifts all tracks by the priming of AAC, which is before zero."""

PLAIN = [(start, stop, text.replace("<i>", "").replace("</i>", "")) for start, stop, text in WORDS]


def test_subtitle_tracks_of_matroska_are_extracted(menagerie: Path) -> None:
    result, blobs = run(extract_tracks, menagerie / "tracks/subtitles.mkv")
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


def test_the_ass_file_equals_that_of_ffmpeg(menagerie: Path, tmp_path: Path) -> None:
    path = menagerie / "tracks/subtitles.mkv"
    whole = tmp_path / "whole.ass"
    subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:4", "-c", "copy", whole], check=True)
    ours = run(extract_tracks, path)[1]["4.ass"].decode()
    assert [line.strip() for line in ours.split("\n") if line.strip()] == [
        line.strip() for line in whole.read_text().split("\n") if line.strip()
    ]


def test_subtitle_tracks_of_mp4_are_extracted(menagerie: Path) -> None:
    result, blobs = run(extract_tracks, menagerie / "tracks/languages-chapters.mp4")
    assert [(track["stream"], track["codec"]) for track in result["tracks"]] == [
        (4, "mov_text"),
        (5, "mov_text"),
    ]
    assert read(blobs["4.vtt"].decode()) == read(blobs["5.vtt"].decode()) == PLAIN


@pytest.mark.parametrize("container", ["mkv", "webm", "mp4", "ts"])
def test_text_subtitles_of_other_containers_are_extracted(tmp_path: Path, container: str) -> None:
    """They have the same three cues; a transport stream cannot carry text, so it has none."""
    source = tmp_path / "source.vtt"
    source.write_text(
        "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\n<v Ann>One & two\n\n00:02.500 --> 00:03.000\na < b\n\n"
        "00:04.000 --> 00:05.000\nlast\n"
    )
    generated = "-f lavfi -i testsrc2=size=64x36:rate=5:duration=6"
    codec = {"mkv": "copy", "webm": "copy", "mp4": "mov_text", "ts": "copy"}[container]
    video = "libvpx" if container == "webm" else "libx264"
    tracks = f"-map 0 -map 1 -c:s {codec}" if container != "ts" else "-map 0"
    path = make(tmp_path / f"film.{container}", f"{generated} -i {source} {tracks} -c:v {video}")
    result, blobs = run(extract_tracks, path)
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


def test_bitmap_subtitles_are_not_extracted(menagerie: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.srt"
    source.write_text("1\n00:00:01,000 --> 00:00:02,000\nx\n")
    path = make(
        tmp_path / "film.mkv", f"-f lavfi -i sine=duration=3 -i {source} -map 0 -map 1 -c:s srt -c:a flac"
    )
    assert run(extract_tracks, path)[0]["tracks"][0]["cues"] == 1
    assert run(extract_tracks, menagerie / "tracks/cover.mp4") == ({"tracks": [], "reason": None}, {})


def test_a_truncated_file_gives_the_subtitles_up_to_its_end(menagerie: Path, tmp_path: Path) -> None:
    data = (menagerie / "tracks/subtitles.mkv").read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    result, blobs = run(extract_tracks, path)
    assert read(blobs["3.vtt"].decode())[0] == LATER[0]
    assert result["tracks"]


def test_the_file_is_read_only_once(menagerie: Path, tmp_path: Path) -> None:
    path = menagerie / "tracks/subtitles.mkv"
    with opened(path) as file:
        extract_tracks(file, {}, type("Nowhere", (), {"blob": lambda *_: None})())
        assert file.count < 1.5 * path.stat().st_size


def test_a_too_long_track_is_truncated_and_marked(menagerie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "MAX_TRACK", 40)
    result, blobs = run(extract_tracks, menagerie / "tracks/subtitles.mkv")
    assert [(track["stream"], track["whole"]) for track in result["tracks"]] == [(3, False)]
    assert read(blobs["3.vtt"].decode()) == LATER[:1]


@pytest.mark.parametrize("name", ["garbage.mp4", "playlist.mp4", "empty.mp4"])
def test_a_file_that_is_no_container_is_unreadable(menagerie: Path, name: str) -> None:
    with pytest.raises(Unreadable):
        run(extract_tracks, menagerie / "damaged" / name)


# --- Subtitle files ---------------------------------------------------------------------------------------

SRT = "1\r\n00:00:01,000 --> 00:00:02,000\r\nWo ist <b>Jürgen</b>?\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nÜber & unter\r\n"
SENTENCES = [(1000, 2000, "Wo ist <b>Jürgen</b>?"), (3000, 4000, "Über &amp; unter")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "cp850", "mac_roman"]
)
def test_an_srt_file_is_converted(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "film.srt"
    path.write_bytes(SRT.encode(encoding))
    result, blobs = run(convert_file, path, suffix="srt", language="de")
    assert result == {"cues": 2, "whole": True}
    assert list(blobs) == ["subtitle.vtt"]
    if encoding != "cp850":  # one word is not enough to distinguish it from Mac Roman, and it does no harm
        assert read(blobs["subtitle.vtt"].decode()) == SENTENCES
    else:
        assert len(read(blobs["subtitle.vtt"].decode())) == 2


@pytest.mark.parametrize("suffix", ["ass", "ssa", ".ASS"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_an_ass_file_is_converted(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = tmp_path / "film.ass"
    script = f"{HEAD}Dialogue: 0,0:00:01.00,0:00:02.00,Thought,,0,0,0,,Где ты был всю ночь?\n"
    path.write_bytes(script.replace("\n", "\r\n").encode(encoding))
    result, blobs = run(convert_file, path, suffix=suffix)
    assert result["cues"] == 1
    assert read(blobs["subtitle.vtt"].decode()) == [(1000, 2000, "<i>Где ты был всю ночь?</i>")]
    assert blobs["subtitle.ass"].decode() == script


def test_a_webvtt_file_is_converted(menagerie: Path) -> None:
    (path,) = (menagerie / "names").glob("*.ja.vtt")
    _, blobs = run(convert_file, path, suffix="vtt")
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
def test_a_file_with_the_suffix_of_another_format_is_recognised(
    tmp_path: Path, suffix: str, content: str
) -> None:
    path = tmp_path / "misnamed"
    path.write_text(content)
    assert read(run(convert_file, path, suffix=suffix)[1]["subtitle.vtt"].decode()) == [(1000, 2000, "x")]


@pytest.mark.parametrize(
    ("suffix", "content"), [("srt", b""), ("vtt", b"WEBVTT\n"), ("ass", b"\x00" * 99), ("sub", b"x")]
)
def test_a_file_without_cues_is_unreadable(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / "empty"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        run(convert_file, path, suffix=suffix)


def test_a_subtitle_file_is_read_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "MAX_SIDECAR", 60)
    path = tmp_path / "long.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nx\n\n" * 100)
    result, _ = run(convert_file, path, suffix="srt")
    assert result == {"cues": 1, "whole": False}


# --- WebVTT inside MP4 ----------------------------------------------------------------------------------

SCALE = 1000


def cue(text: str, settings: str = "", number: str = "") -> bytes:
    """ISO/IEC 14496-30 section 7.4."""
    return mp4.box(
        "vttc",
        mp4.box("iden", number.encode()) if number else b"",
        mp4.box("sttg", settings.encode()) if settings else b"",
        mp4.box("payl", text.encode()),
    )


NOTHING = mp4.box("vtte")


def with_text(
    video_file: Path,
    samples: list[tuple[int, bytes]],
    *,
    handler: str = "text",
    entry: str = "wvtt",
    header: str = "WEBVTT",
    language: int = 0x41F2,
    edits: tuple[mp4.Edit, ...] = (),
) -> bytes:
    """Add a track to the video, with samples of these durations in milliseconds; its index is at the end."""
    data = video_file.read_bytes()
    at = data.rindex(b"moov") - 4
    track = mp4.TrackSpec(
        samples=tuple(mp4.Sample(len(content), duration) for duration, content in samples),
        chunks=(len(samples),),
        id=9,
        handler=handler,
        timescale=SCALE,
        edits=edits,
        language=language,
        name="Said",
        entries=(mp4.box(entry, bytes(6), b"\0\1", mp4.box("vttC", header.encode())),),
    )
    content = mp4.box("mdat", *(content for _, content in samples))
    return data[:at] + content + mp4.box("moov", data[at + 8 :], mp4.trak(track, [at + 8]))


@pytest.fixture
def video_file(tmp_path: Path) -> Path:
    return make(
        tmp_path / "plain.mp4", "-f lavfi -i testsrc2=size=64x36:rate=5:duration=6 -c:v libx264 -bf 0"
    )


@pytest.mark.parametrize("handler", ["text", "subt", "sbtl"])
def test_webvtt_in_mp4_is_extracted(video_file: Path, tmp_path: Path, handler: str) -> None:
    """A cue is in every sample of its time, alone or with others; samples between them have none."""
    long = cue("<v Ann>Long</v> & <i>slanted</i>", "line:0 align:middle nonsense:1", "7")
    samples = [
        (1000, NOTHING), (500, long), (500, long + cue("Zwei\r\nZeilen, Größe")), (1000, NOTHING),
        (1000, cue("a <- b")), (2000, NOTHING),
    ]  # fmt: skip
    path = tmp_path / "text.mp4"
    path.write_bytes(with_text(video_file, samples, handler=handler))
    result, blobs = run(extract_tracks, path)
    assert result["tracks"] == [{"stream": 1, "codec": "wvtt", "cues": 3, "ass": False, "whole": True}]
    assert read(blobs["1.vtt"].decode()) == [
        (1000, 2000, "<v Ann>Long</v> &amp; <i>slanted</i>"),
        (1500, 2000, "Zwei\nZeilen, Größe"),
        (3000, 4000, "a &lt;- b"),
    ]
    assert "00:00:01.000 --> 00:00:02.000 line:0 align:center\n" in blobs["1.vtt"].decode()
    (track,) = run(probe, path)[0]["subtitles"]
    assert (track["index"], track["codec"], track["text"], track["language"]) == (1, "webvtt", True, "pt")


def test_webvtt_in_mp4_keeps_its_regions(video_file: Path, tmp_path: Path) -> None:
    header = "WEBVTT\n\nREGION\nid:up\nlines:2\n\nSTYLE\n::cue { color: red }\n"
    path = tmp_path / "text.mp4"
    path.write_bytes(
        with_text(video_file, [(1000, cue("x", "region:up")), (1000, cue("y", "region:down"))], header=header)
    )
    subtitles = run(extract_tracks, path)[1]["1.vtt"].decode()
    assert read(subtitles) == [(0, 1000, "x"), (1000, 2000, "y")]
    assert "REGION\nid:up\nlines:2\n" in subtitles
    assert " --> 00:00:01.000 region:up\n" in subtitles
    assert "region:down" not in subtitles


def test_webvtt_in_mp4_with_an_edit_list_is_shifted(video_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    edits = (mp4.Edit(2000, -1), mp4.Edit(1000, 0))
    path.write_bytes(with_text(video_file, [(1000, cue("x"))], edits=edits))
    assert read(run(extract_tracks, path)[1]["1.vtt"].decode()) == [(2000, 3000, "x")]


@pytest.mark.parametrize(
    "sample",
    [
        b"",
        b"\0\0\0\x05vttc",
        mp4.box("vttc")[:7],
        mp4.box("vttc", b"\xff" * 9),
        cue("\x00--> \ufffe"),
        mp4.box("xxxx"),
    ],
)
def test_damaged_webvtt_in_mp4_is_read_as_far_as_possible(
    video_file: Path, tmp_path: Path, sample: bytes
) -> None:
    """The undamaged part is read."""
    path = tmp_path / "text.mp4"
    path.write_bytes(with_text(video_file, [(1000, cue("one")), (1000, sample), (1000, cue("two"))]))
    found = read(run(extract_tracks, path)[1]["1.vtt"].decode())
    assert [entry for entry in found if entry[2] in {"one", "two"}] == [(0, 1000, "one"), (2000, 3000, "two")]


def test_ttml_in_mp4_is_listed_but_not_extracted(video_file: Path, tmp_path: Path) -> None:
    """FFmpeg has no decoder for it."""
    path = tmp_path / "text.mp4"
    path.write_bytes(with_text(video_file, [(1000, b"<tt/>")], handler="subt", entry="stpp"))
    assert run(extract_tracks, path) == ({"tracks": [], "reason": None}, {})
    (track,) = run(probe, path)[0]["subtitles"]
    assert (track["codec"], track["text"]) == ("ttml", False)
