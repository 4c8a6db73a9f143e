"""The probe, artwork, the outline and the index of MP4 files all choose the same tracks."""

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

VIDEO = VideoTraits("h264", rate=Fraction(25))
JPEGS = VideoTraits("mjpeg", rate=Fraction(1, 2), default=True)


@pytest.mark.parametrize(
    ("tracks", "has_audio", "chosen"),
    [
        ([JPEGS, VIDEO], True, 1),
        ([JPEGS, VIDEO], False, 1),
        ([JPEGS], True, None),
        ([JPEGS], False, 0),
        ([VideoTraits("png")], True, None),  # its rate is unknown
        ([VideoTraits("mjpeg", rate=Fraction(25))], True, 0),  # video of a camera
        ([VideoTraits("mjpeg", rate=Fraction(30), count=1)], True, None),
        ([VideoTraits("mjpeg", rate=Fraction(25)), VideoTraits("mpeg2video", default=True)], True, 1),
        ([VideoTraits("mpeg2video", default=True), VIDEO], True, 1),  # no browser plays the first
        ([VIDEO, VideoTraits("h264", default=True)], True, 1),
        ([VIDEO, VIDEO], True, 0),
        ([VideoTraits("unknown", default=True), VideoTraits("prores")], True, 1),
        ([VideoTraits("mjpeg", attached=True)], False, None),
        ([VideoTraits("png", attached=True), JPEGS], False, 1),
        ([], False, None),
    ],
)
def test_the_main_video_is_motion_video_that_browsers_play(
    tracks: list[VideoTraits], has_audio: bool, chosen: int | None
) -> None:
    assert main_video(range(len(tracks)), tracks.__getitem__, has_audio=has_audio) == chosen


def test_the_first_audio_track_is_the_default_without_commentaries() -> None:
    commentary, main, other = (
        AudioTraits(default=True, secondary=True),
        AudioTraits(default=True),
        AudioTraits(),
    )
    assert sorted([commentary, other, main], key=lambda traits: traits.rank) == [main, other, commentary]


TEST = "-f lavfi -i testsrc2=size=%s:rate=%s:duration=3"
H264 = "-preset ultrafast -pix_fmt yuv420p -g 25"
TWO_SIZES = f"{TEST % ('128x72', 25)} {TEST % ('256x144', 25)} -map 0 -map 1 -c:v libx264 {H264}"
TONES = "-f lavfi -i sine=300:duration=3 -f lavfi -i sine=900:duration=3"
TWO_AUDIO_TRACKS = f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -map 2 -c:v libx264 {H264} -c:a aac"
THUMBNAILS = f"{TEST % ('64x36', '1/2')} {TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -map 2 -c:a aac"


def _media_info(path: Path) -> MediaInfo:
    return MediaInfo.from_json(run(probe, path)[0])


def _served(path: Path) -> Presentation:
    """Return the presentation of the server: MP4 from its own index, other files remuxed."""
    if path.suffix in {".mp4", ".m4v", ".m4a"}:
        with path.open("rb") as file:
            return read_index(file.fileno(), path.stat().st_size).presentation
    return present_outline(outlined(path))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize(("flags", "width"), [("0 default", 256), ("default 0", 128)])
def test_all_choose_the_same_video_track(tmp_path: Path, suffix: str, flags: str, width: int) -> None:
    first, second = flags.split()
    path = make(tmp_path / f"two.{suffix}", f"{TWO_SIZES} -disposition:v:0 {first} -disposition:v:1 {second}")
    info, served = _media_info(path), _served(path)
    assert [track.width for track in info.video] == [width, 384 - width]
    assert info.keyframes is not None
    assert info.keyframes.track == info.video[0].index
    assert served.video is not None
    assert served.video.width == width
    assert [omission.kind for omission in served.omitted] == ["video"]
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
def test_all_begin_with_the_same_audio_track(
    tmp_path: Path, suffix: str, flags: str, order: list[int]
) -> None:
    first, second = flags.split()
    path = make(
        tmp_path / f"two.{suffix}", f"{TWO_AUDIO_TRACKS} -disposition:a:0 {first} -disposition:a:1 {second}"
    )
    info, served = _media_info(path), _served(path)
    assert [track.index for track in info.audio] == order
    base = 1 if suffix == "mp4" else 0  # MP4 numbers its tracks from 1
    assert [track.track - base for track in served.audio] == order
    assert [track.default for track in served.audio] == [True, False]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("drone.mp4", "mjpeg"), ("drone.mkv", "png"), ("drone.mov", "mjpeg"), ("drone.mkv", "mjpeg")],
)
def test_a_track_of_thumbnails_is_left_out(tmp_path: Path, name: str, codec: str) -> None:
    path = make(tmp_path / name, f"{THUMBNAILS} -c:v:0 {codec} -c:v:1 libx264 {H264}")
    info, served = _media_info(path), _served(path)
    assert [(track.codec, track.width) for track in info.video] == [("h264", 128)]
    assert info.cover == 0
    assert served.video is not None
    assert (served.video.width, served.video.height) == (128, 72)
    assert [(omission.kind, "still images" in omission.reason) for omission in served.omitted] == [
        ("video", True)
    ]
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
def test_audio_with_chapter_images_plays(tmp_path: Path, name: str, codec: str) -> None:
    path = make(tmp_path / name, f"{TEST % ('128x72', '1/2')} {TONES} -map 0 -map 1 -c:v {codec} -c:a aac")
    info, served = _media_info(path), _served(path)
    assert info.video == ()
    assert info.cover == 0
    assert info.keyframes is None
    assert [rendition.kind for rendition in served.renditions] == ["audio"]
    assert [(omission.kind, "still images" in omission.reason) for omission in served.omitted] == [
        ("video", True)
    ]
    assert served.renditions[0].end == pytest.approx(3, abs=0.1)
    result, _ = run(generate_artwork, path)
    assert result["poster"] == {"width": 128, "height": 72}
    assert result["tiles"] is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("camera.avi", f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -c:v mjpeg -c:a pcm_s16le"),
        ("camera.mov", f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -c:v mjpeg -c:a aac"),
        ("slow.avi", f"{TEST % ('128x72', 1)} -c:v mjpeg"),  # there is nothing else to play
    ],
)
def test_motion_jpeg_of_cameras_plays(tmp_path: Path, name: str, arguments: str) -> None:
    path = make(tmp_path / name, arguments)
    info = _media_info(path)
    assert [track.codec for track in info.video] == ["mjpeg"]
    assert info.keyframes is not None
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
def test_no_chapter_continues_after_the_end(tmp_path: Path, suffix: str) -> None:
    words = tmp_path / "chapters.txt"
    words.write_text(CHAPTERS)
    plain = make(
        tmp_path / "plain.mkv", f"{TEST % ('128x72', 25)} {TONES} -map 0 -map 1 -c:v libx264 {H264} -c:a aac"
    )
    path = make(tmp_path / f"film.{suffix}", f"-i {plain} -f ffmetadata -i {words} -map_chapters 1 -c copy")
    info = _media_info(path)
    assert info.duration is not None
    assert [(chapter.title, chapter.end <= info.duration) for chapter in info.chapters] == [
        ("One", True),
        ("Two", True),
    ]
    assert info.chapters[-1].end == info.duration
