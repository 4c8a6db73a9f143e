"""One choice of tracks, whoever asks: the probe, the pictures, the outline, and the index of MP4 files."""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.media.making import make, run, size
from tests.media.remuxing import outlined
from trio_stream.media.artwork.generate import generate_artwork
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.formats.track_choice import AudioTraits, VideoTraits, main_video
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import read_index

FILM = VideoTraits("h264", rate=Fraction(25))
JPEGS = VideoTraits("mjpeg", rate=Fraction(1, 2), default=True)


@pytest.mark.parametrize(
    ("tracks", "has_audio", "chosen"),
    [
        ([JPEGS, FILM], True, 1),
        ([JPEGS, FILM], False, 1),
        ([JPEGS], True, None),
        ([JPEGS], False, 0),
        ([VideoTraits("png")], True, None),  # nobody knows its rate
        ([VideoTraits("mjpeg", rate=Fraction(25))], True, 0),  # a camera's film
        ([VideoTraits("mjpeg", rate=Fraction(30), count=1)], True, None),
        ([VideoTraits("mjpeg", rate=Fraction(25)), VideoTraits("mpeg2video", default=True)], True, 1),
        ([VideoTraits("mpeg2video", default=True), FILM], True, 1),  # no browser plays the first
        ([FILM, VideoTraits("h264", default=True)], True, 1),
        ([FILM, FILM], True, 0),
        ([VideoTraits("unknown", default=True), VideoTraits("prores")], True, 1),
        ([VideoTraits("mjpeg", attached=True)], False, None),
        ([VideoTraits("png", attached=True), JPEGS], False, 1),
        ([], False, None),
    ],
)
def test_the_film_is_what_moves_and_plays(
    tracks: list[VideoTraits], has_audio: bool, chosen: int | None
) -> None:
    assert main_video(range(len(tracks)), tracks.__getitem__, has_audio=has_audio) == chosen


def test_sounds_begin_with_the_default_that_is_no_commentary() -> None:
    commentary, main, other = (
        AudioTraits(default=True, secondary=True),
        AudioTraits(default=True),
        AudioTraits(),
    )
    assert sorted([commentary, other, main], key=lambda each: each.rank) == [main, other, commentary]


TEST = "-f lavfi -i testsrc2=size=%s:rate=%s:duration=3"
H264 = "-preset ultrafast -pix_fmt yuv420p -g 25"
TWO_SIZES = f"{TEST % ('128x72', 25)} {TEST % ('256x144', 25)} -map 0 -map 1 -c:v libx264 {H264}"
TONES = "-f lavfi -i sine=300:duration=3 -f lavfi -i sine=900:duration=3"
TWO_SOUNDS = f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -map 2 -c:v libx264 {H264} -c:a aac"
THUMBNAILS = f"{TEST % ('64x36', '1/2')} {TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -map 2 -c:a aac"


def _facts(path: Path) -> MediaInfo:
    return MediaInfo.from_json(run(probe, path)[0])


def _served(path: Path) -> Presentation:
    """As the server presents it: MP4 by its own index, all else remuxed."""
    if path.suffix in {".mp4", ".m4v", ".m4a"}:
        with path.open("rb") as file:
            return read_index(file.fileno(), path.stat().st_size).presentation
    return present_outline(outlined(path))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize(("flags", "width"), [("0 default", 256), ("default 0", 128)])
def test_everybody_chooses_the_same_pictures(tmp_path: Path, suffix: str, flags: str, width: int) -> None:
    first, second = flags.split()
    path = make(tmp_path / f"two.{suffix}", f"{TWO_SIZES} -disposition:v:0 {first} -disposition:v:1 {second}")
    facts, served = _facts(path), _served(path)
    assert [each.width for each in facts.video] == [width, 384 - width]
    assert facts.keyframes is not None
    assert facts.keyframes.track == facts.video[0].index
    assert served.video is not None
    assert served.video.width == width
    assert [each.kind for each in served.omitted] == ["video"]
    result, blobs = run(generate_artwork, path)
    assert result["poster"]["width"] == width
    poster = tmp_path / "poster.jpg"
    poster.write_bytes(blobs["poster.jpg"])
    assert size(poster)[0] == width


@pytest.mark.parametrize(
    ("suffix", "flags", "order"),
    [
        *((suffix, "0 default", [2, 1]) for suffix in ("mkv", "mp4", "mov")),
        *((suffix, "default 0", [1, 2]) for suffix in ("mkv", "mp4", "mov")),
        *((suffix, "default+comment 0", [2, 1]) for suffix in ("mkv", "mp4")),  # QuickTime has no such flags
        *((suffix, "visual_impaired+descriptions 0", [2, 1]) for suffix in ("mkv", "mp4")),
        ("mkv", "hearing_impaired default", [2, 1]),
    ],
)
def test_everybody_begins_with_the_same_sound(
    tmp_path: Path, suffix: str, flags: str, order: list[int]
) -> None:
    first, second = flags.split()
    path = make(
        tmp_path / f"two.{suffix}", f"{TWO_SOUNDS} -disposition:a:0 {first} -disposition:a:1 {second}"
    )
    facts, served = _facts(path), _served(path)
    assert [each.index for each in facts.audio] == order
    base = 1 if suffix == "mp4" else 0  # MP4 numbers its tracks from 1
    assert [each.track - base for each in served.audio] == order
    assert [each.default for each in served.audio] == [True, False]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("drone.mp4", "mjpeg"), ("drone.mkv", "png"), ("drone.mov", "mjpeg"), ("drone.mkv", "mjpeg")],
)
def test_thumbnails_are_no_film(tmp_path: Path, name: str, codec: str) -> None:
    path = make(tmp_path / name, f"{THUMBNAILS} -c:v:0 {codec} -c:v:1 libx264 {H264}")
    facts, served = _facts(path), _served(path)
    assert [(each.codec, each.width) for each in facts.video] == [("h264", 128)]
    assert facts.cover == 0
    assert served.video is not None
    assert (served.video.width, served.video.height) == (128, 72)
    assert [(each.kind, "still images" in each.reason) for each in served.omitted] == [("video", True)]
    assert run(generate_artwork, path)[0]["poster"] == {"width": 128, "height": 72}


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("podcast.mp4", "mjpeg"),
        ("podcast.mkv", "mjpeg"),
        ("podcast.mov", "png"),
        ("podcast.mkv", "png"),
        ("podcast.mp4", "png"),
    ],
)
def test_sound_with_pictures_of_its_chapters_plays(tmp_path: Path, name: str, codec: str) -> None:
    path = make(tmp_path / name, f"{TEST % ('128x72', '1/2')} {TONES} -map 0 -map 1 -c:v {codec} -c:a aac")
    facts, served = _facts(path), _served(path)
    assert facts.video == ()
    assert facts.cover == 0
    assert facts.keyframes is None
    assert [each.kind for each in served.renditions] == ["audio"]
    assert [(each.kind, "still images" in each.reason) for each in served.omitted] == [("video", True)]
    assert served.renditions[0].end == pytest.approx(3, abs=0.1)
    result, _ = run(generate_artwork, path)
    assert result["poster"] == {"width": 128, "height": 72}
    assert result["tiles"] is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("camera.avi", f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -c:v mjpeg -c:a pcm_s16le"),
        ("camera.mov", f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -c:v mjpeg -c:a aac"),
        ("slow.avi", f"{TEST % ('128x72', 1)} -c:v mjpeg"),  # nothing else is to be played
    ],
)
def test_what_cameras_make_of_jpegs_is_a_film(tmp_path: Path, name: str, arguments: str) -> None:
    path = make(tmp_path / name, arguments)
    facts = _facts(path)
    assert [each.codec for each in facts.video] == ["mjpeg"]
    assert facts.keyframes is not None
    assert run(generate_artwork, path)[0]["tiles"] is not None


CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=2000
title=One
[CHAPTER]
TIMEBASE=1/1000
START=2000
END=9000
title=Two
[CHAPTER]
TIMEBASE=1/1000
START=9000
END=12000
title=Behind the end
"""


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mka"])
def test_no_chapter_goes_on_behind_the_end(tmp_path: Path, suffix: str) -> None:
    words = tmp_path / "chapters.txt"
    words.write_text(CHAPTERS)
    plain = make(
        tmp_path / "plain.mkv", f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -c:v libx264 {H264} -c:a aac"
    )
    path = make(tmp_path / f"film.{suffix}", f"-i {plain} -f ffmetadata -i {words} -map_chapters 1 -c copy")
    facts = _facts(path)
    assert facts.duration is not None
    assert [(each.title, each.end <= facts.duration) for each in facts.chapters] == [
        ("One", True),
        ("Two", True),
    ]
    assert facts.chapters[-1].end == facts.duration
