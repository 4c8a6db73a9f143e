"""Posters and thumbnails are upright, and have the right shape and the right time."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.media.making import gray, make, run, size
from trio_stream.media.artwork.generate import Pace, generate_artwork
from trio_stream.media.jobs import Unreadable

SECONDS = "geq=lum='16+floor(T)*4':cb=128:cr=128"
"""A video whose brightness shows the second: four steps per second, from 16 on."""

X264 = "-c:v libx264 -preset ultrafast -qp 4 -pix_fmt yuv420p -sc_threshold 0"


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty seconds, with a keyframe every three seconds."""
    path = tmp_path_factory.mktemp("clock") / "clock.mp4"
    return make(path, f"-f lavfi -i color=size=64x36:rate=5:duration=50 -vf {SECONDS} {X264} -g 15 -bf 0")


def seconds_shown(tmp_path: Path, sheet: bytes, result: dict[str, Any]) -> list[float]:
    """Return which second each thumbnail of a sheet shows, in order."""
    path = tmp_path / "sheet.jpg"
    path.write_bytes(sheet)
    thumbnails = result["tiles"]
    width, height = thumbnails["width"], thumbnails["height"]
    assert size(path) == (width * thumbnails["columns"], height * thumbnails["rows"])
    light = gray(path)
    row = width * thumbnails["columns"]
    middles = [
        light[(y * height + height // 2) * row + x * width + width // 2]
        for y in range(thumbnails["rows"])
        for x in range(thumbnails["columns"])
    ]
    return [(value * 219 / 255) / 4 for value in middles[: thumbnails["count"]]]


@pytest.mark.parametrize(
    ("name", "remux"),
    [
        ("clock.mp4", ""),
        ("clock.mkv", "-c copy"),
        ("reordered.mp4", "-c:v libx264 -preset ultrafast -qp 4 -g 15 -sc_threshold 0 -bf 3"),
        ("clock.ts", "-c copy"),
        ("fragments.mp4", "-c copy -movflags frag_keyframe+empty_moov"),
        ("clock.flv", "-c copy"),
        ("clock.avi", "-c:v mpeg4 -q:v 1 -g 15 -sc_threshold 1000000000"),
        ("no-cues.mkv", "-c copy -live 1"),
        ("later.ts", "-c copy -output_ts_offset 3600"),
    ],
)
def test_a_thumbnail_shows_the_last_keyframe_before_its_time(
    clock: Path, tmp_path: Path, name: str, remux: str
) -> None:
    path = make(tmp_path / name, f"-i {clock} {remux}") if remux else clock
    result, blobs = run(generate_artwork, path, duration=50)
    assert result["tiles"] == {
        "interval": 1, "count": 50, "width": 320, "height": 180, "columns": 10, "rows": 5, "sheets": 1
    }  # fmt: skip
    assert result["reason"] is None
    assert sorted(blobs) == ["poster.jpg", "sheet-0.jpg"]
    shown = seconds_shown(tmp_path, blobs["sheet-0.jpg"], result)
    assert shown == pytest.approx([second // 3 * 3 for second in range(50)], abs=0.6)


def test_distant_keyframes_are_found_without_an_index(tmp_path: Path) -> None:
    path = make(
        tmp_path / "sparse.ts",
        "-f lavfi -i color=size=64x36:rate=2:duration=300"
        f" -vf geq=lum='16+floor(T/8)*4':cb=128:cr=128 {X264} -g 16 -bf 0",
    )
    result, blobs = run(generate_artwork, path, duration=300)
    shown = seconds_shown(tmp_path, blobs["sheet-0.jpg"], result)
    assert result["tiles"]["interval"] == 3
    assert shown == pytest.approx([second // 8 for second in range(0, 300, 3)], abs=0.6)


def test_a_single_keyframe_is_repeated_in_all_thumbnails(tmp_path: Path) -> None:
    path = make(
        tmp_path / "one.mp4",
        f"-f lavfi -i color=size=64x36:rate=5:duration=30 -vf {SECONDS} {X264} -g 10000 -movflags +faststart",
    )
    result, blobs = run(generate_artwork, path)
    assert seconds_shown(tmp_path, blobs["sheet-0.jpg"], result) == pytest.approx([0] * 30, abs=0.6)


def test_a_long_video_has_several_sheets_and_the_last_is_only_as_high_as_needed(tmp_path: Path) -> None:
    path = make(
        tmp_path / "long.mp4",
        f"-f lavfi -i testsrc2=size=64x36:rate=1/5:duration=1230 {X264} -g 2",
    )
    result, blobs = run(generate_artwork, path)
    assert result["tiles"] == {
        "interval": 10, "count": 123, "width": 320, "height": 180, "columns": 10, "rows": 10, "sheets": 2
    }  # fmt: skip
    sizes = []
    for name in ("sheet-0.jpg", "sheet-1.jpg"):
        (tmp_path / name).write_bytes(blobs[name])
        sizes.append(size(tmp_path / name))
    assert sizes == [(3200, 1800), (3200, 540)]


@pytest.mark.parametrize(
    ("specimen", "poster", "tile"),
    [
        ("codecs/h264-baseline.mp4", (320, 180), (320, 180)),
        ("tracks/ROTATED.MOV", (180, 320), (320, 568)),
        ("codecs/mpeg2-anamorphic-mp2.mpg", (384, 288), (320, 240)),
        ("pictures/tall-gray.mp4", (180, 320), (320, 568)),
        ("pictures/one-frame.mp4", (640, 360), (320, 180)),
        ("codecs/h263-aac.3gp", (176, 144), (320, 262)),
        ("tracks/cover.mp4", (320, 180), (320, 180)),
        ("codecs/av1-opus.mp4", (320, 180), (320, 180)),
        ("codecs/vp9-opus.webm", (320, 180), (320, 180)),
        ("codecs/sorenson-mp3.flv", (320, 180), (320, 180)),
        ("codecs/theora-vorbis.ogv", (320, 180), (320, 180)),
        ("codecs/prores-pcm-timecode.mov", (320, 180), (320, 180)),
        ("codecs/mpeg4-asp-mp3.avi", (320, 180), (320, 180)),
        ("codecs/hevc-hev1-ac3.mp4", (320, 180), (320, 180)),
        ("containers/clock-wraps.m2ts", (320, 180), (320, 180)),
        ("timing/open-gop.mp4", (320, 180), (320, 180)),
        ("damaged/cut-in-data.mp4", (320, 180), (320, 180)),
        ("damaged/flipped.mp4", (320, 180), (320, 180)),
    ],
)
def test_artwork_has_the_shape_that_a_player_shows(
    menagerie: Path, tmp_path: Path, specimen: str, poster: tuple[int, int], tile: tuple[int, int]
) -> None:
    result, blobs = run(generate_artwork, menagerie / specimen)
    (tmp_path / "poster.jpg").write_bytes(blobs["poster.jpg"])
    assert size(tmp_path / "poster.jpg") == poster
    assert result["poster"] == {"width": poster[0], "height": poster[1]}
    assert (result["tiles"]["width"], result["tiles"]["height"]) == tile
    assert len(result["blurhash"]) == 28
    assert result["blurhash"][0] == ("L" if poster[0] > poster[1] else "T")


@pytest.mark.parametrize(
    ("matrix", "filters"),
    [
        ((0, 1, -1, 0), "transpose=clock"),
        ((0, -1, 1, 0), "transpose=cclock"),
        ((-1, 0, 0, -1), "hflip,vflip"),
        ((-1, 0, 0, 1), "hflip"),
        ((1, 0, 0, -1), "vflip"),
        ((0, 1, 1, 0), "transpose=cclock_flip"),
        ((0, -1, -1, 0), "transpose=clock_flip"),
    ],
)
def test_posters_are_upright(
    menagerie: Path, tmp_path: Path, matrix: tuple[int, int, int, int], filters: str
) -> None:
    data = (menagerie / "codecs/h264-baseline.mp4").read_bytes()
    tkhd = data.index(b"tkhd")
    at = tkhd - 4 + int.from_bytes(data[tkhd - 4 : tkhd]) - 44
    a, b, c, d = (value << 16 for value in matrix)
    values = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(
        data[:at] + b"".join(value.to_bytes(4, signed=True) for value in values) + data[at + 36 :]
    )
    poster = tmp_path / "poster.jpg"
    poster.write_bytes(run(generate_artwork, turned)[1]["poster.jpg"])
    straight = tmp_path / "straight.jpg"
    straight.write_bytes(run(generate_artwork, menagerie / "codecs/h264-baseline.mp4")[1]["poster.jpg"])
    ours, expected = gray(poster, "-vf", "scale=40:40"), gray(straight, "-vf", f"{filters},scale=40:40")
    assert sum(abs(one - other) for one, other in zip(ours, expected, strict=True)) / 1600 < 6


def test_a_poster_is_not_blank(tmp_path: Path) -> None:
    """The video is black first, then shows something, then is white: the poster must come from the middle."""
    path = make(
        tmp_path / "fades.mp4",
        "-f lavfi -i color=black:size=320x180:rate=5:duration=14 -f lavfi -i testsrc2=size=320x180:rate=5:duration=2"
        " -f lavfi -i color=white:size=320x180:rate=5:duration=24 -filter_complex [0][1][2]concat=n=3"
        f" {X264} -g 5",
    )
    (tmp_path / "poster.jpg").write_bytes(run(generate_artwork, path)[1]["poster.jpg"])
    light = gray(tmp_path / "poster.jpg")
    assert max(light) - min(light) > 100


def test_a_video_that_fades_in_after_its_only_keyframe_has_a_poster(tmp_path: Path) -> None:
    path = make(
        tmp_path / "fade.mp4",
        f"-f lavfi -i testsrc2=size=320x180:rate=10:duration=8 -vf fade=in:0:30 {X264} -g 1000",
    )
    (tmp_path / "poster.jpg").write_bytes(run(generate_artwork, path)[1]["poster.jpg"])
    assert max(gray(tmp_path / "poster.jpg")) > 150


@pytest.mark.parametrize(("curve", "white"), [("smpte2084", 0.58), ("arib-std-b67", 0.75)])
def test_hdr_reference_white_is_nearly_white(tmp_path: Path, curve: str, white: float) -> None:
    """ITU-R BT.2408: diffuse white is 58 % of the signal in PQ and 75 % in HLG."""
    luma = 64 + round(white * 876)
    path = make(
        tmp_path / "white.mkv",
        "-f lavfi -i color=black:size=64x36:rate=5:duration=1 -vf"
        f" format=yuv420p10le,geq=lum='if(gt(X,32),{luma},64)':cb=512:cr=512 -c:v ffv1"
        f" -color_trc {curve} -color_primaries bt2020 -colorspace bt2020nc -color_range tv",
    )
    (tmp_path / "poster.jpg").write_bytes(run(generate_artwork, path)[1]["poster.jpg"])
    light = gray(tmp_path / "poster.jpg")
    assert 200 <= max(light) <= 245
    assert min(light) <= 8


def test_audio_has_no_poster_but_a_reason(menagerie: Path) -> None:
    result, blobs = run(generate_artwork, menagerie / "codecs/sound-only.mp4")
    assert blobs == {}
    assert result == {
        "poster": None, "blurhash": None, "tiles": None, "reason": "the file has only audio"
    }  # fmt: skip


def test_audio_with_a_cover_has_it_as_poster(tmp_path: Path) -> None:
    cover = make(tmp_path / "cover.png", "-f lavfi -i testsrc2=size=800x600:rate=1:duration=1 -frames:v 1")
    path = make(
        tmp_path / "music.mp4",
        f"-f lavfi -i sine=duration=2 -i {cover} -map 0 -map 1 -c:a aac -c:v png -disposition:v attached_pic",
    )
    result, blobs = run(generate_artwork, path)
    assert result["poster"] == {"width": 640, "height": 480}
    assert result["tiles"] is None
    assert result["reason"] == "the file has only audio; the poster is the cover image"
    assert list(blobs) == ["poster.jpg"]


@pytest.mark.parametrize(
    "name", ["cut-in-index", "empty", "garbage", "no-index", "playlist", "boundless-box"]
)
def test_an_unreadable_file_has_a_reason(menagerie: Path, name: str) -> None:
    with pytest.raises(Unreadable, match=r"\w+ \w+"):
        run(generate_artwork, menagerie / f"damaged/{name}.mp4")


def test_a_damaged_file_gives_artwork_or_a_reason(clock: Path, tmp_path: Path) -> None:
    chance, data = random.Random(4), clock.read_bytes()
    path = tmp_path / "damaged.mp4"
    for _ in range(40):
        spoilt = bytearray(data)
        for _ in range(chance.choice((1, 20, 400))):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        path.write_bytes(bytes(spoilt[: chance.choice((len(spoilt), chance.randrange(len(spoilt))))]))
        try:
            result, _ = run(generate_artwork, path)
        except Unreadable:
            continue
        assert result["poster"] or result["reason"]


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.ts"])
def test_a_truncated_file_has_thumbnails_up_to_its_end(clock: Path, tmp_path: Path, name: str) -> None:
    whole = make(tmp_path / name, f"-i {clock} -c copy -movflags +faststart")
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 6 // 10])
    result, blobs = run(generate_artwork, whole, duration=50)
    count = result["tiles"]["count"]
    assert result["reason"] == "the file ends earlier than its duration"
    assert 20 < count < 42
    shown = seconds_shown(tmp_path, blobs["sheet-0.jpg"], result)
    assert shown[:18] == pytest.approx([second // 3 * 3 for second in range(18)], abs=0.6)


def test_a_false_duration_adds_no_thumbnails_after_the_last_frame(clock: Path) -> None:
    result, blobs = run(generate_artwork, clock, duration=2**63)
    assert result["tiles"]["count"] < 6
    assert list(blobs) == ["poster.jpg", "sheet-0.jpg"]


def test_a_job_out_of_time_returns_the_thumbnails_so_far(clock: Path) -> None:
    result, blobs = run(generate_artwork, clock, seconds=1e-9)
    assert result["poster"]
    assert result["tiles"] is None
    assert result["reason"] == "generating the thumbnails took too long"
    assert list(blobs) == ["poster.jpg"]


def test_the_pace_keeps_to_its_share() -> None:
    """Other programs can only reduce the share. Sleeping itself takes a little."""
    pace = Pace(0.25)
    for _ in range(5):
        sum(range(200_000))
        pace.rest()
    assert pace.used / pace.elapsed < 0.3
