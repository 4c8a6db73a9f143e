"""Tracks that begin long after the others, and whose coding only their own packets describe."""

from pathlib import Path

import pytest

from tests.media.making import make, opened, run
from tests.media.remuxing import bounds, carried, outlined, segment_of
from tests.media.test_remux import assert_same
from trio_stream.media.artwork.generate import generate_artwork
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.formats.outline import AudioOutline
from trio_stream.media.remux.demuxing import open_tracks

X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10"
AAC = "-c:a aac -b:a 32k"
CONSTANT = "-b:v 75M -minrate 75M -maxrate 75M -bufsize 8M -x264-params nal-hrd=cbr:filler=1"
"""Video padded to 75 Mbit/s."""


def arguments(late: float, seconds: float = 14) -> str:
    """Video, and audio that begins `late` seconds later."""
    return (
        f"-f lavfi -i testsrc2=size=64x64:rate=10:duration={seconds} -itsoffset {late} "
        f"-f lavfi -i sine=sample_rate=48000:duration={seconds - late} "
    )


LATE = {
    "aac.ts": f"{arguments(9)} {X264} {AAC}",
    "ac3.ts": f"{arguments(8)} {X264} -c:a ac3 -b:a 64k",
    "fast.ts": f"{arguments(2, 2.5)} {X264} {CONSTANT} {AAC}",
    "second.ts": f"{arguments(10)} -f lavfi -i sine=880:sample_rate=48000:duration=14 -map 0 -map 2 -map 1 {X264} {AAC}",
    "disc.m2ts": f"{arguments(9)} {X264} -c:a ac3 -b:a 64k -mpegts_m2ts_mode 1",
    "aac.flv": f"{arguments(9)} {X264} {AAC}",
    "pictures.ts": f"-itsoffset 8.5 -f lavfi -i testsrc2=size=64x64:rate=10:duration=4 "
    f"-f lavfi -i sine=sample_rate=48000:duration=13 {X264} {AAC}",
}


@pytest.fixture(scope="module", params=LATE)
def late(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("late") / request.param, LATE[request.param])


def test_late_tracks_are_described(late: Path) -> None:
    info = MediaInfo.from_json(run(probe, late)[0])
    assert [(track.width, track.height) for track in info.video] == [(64, 64)]
    assert [(track.channels, track.sample_rate) for track in info.audio] == [(1, 48_000)] * len(info.audio)
    assert len(info.audio) == (2 if late.name == "second.ts" else 1)
    found = outlined(late)
    assert [track.track.channels for track in found.audio] == [1] * len(info.audio)
    assert len(carried(found)) == 1 + len(info.audio)


def test_late_tracks_are_played(late: Path) -> None:
    assert_same(late)


def test_late_video_has_a_poster(tmp_path: Path) -> None:
    path = make(tmp_path / "pictures.ts", LATE["pictures.ts"])
    assert run(generate_artwork, path)[0]["poster"] == {"width": 64, "height": 64}


def test_segments_read_no_more_because_of_late_tracks(late: Path) -> None:
    """Building a segment reads no more of the beginning than for other files."""
    with opened(late) as file, open_tracks(file, hasty=True):
        assert file.count <= 6 << 20
    found = outlined(late)
    audio = next(track for track in carried(found) if isinstance(track, AudioOutline))
    start = bounds(found, audio)[-1]
    assert segment_of(late, audio, start, None) == segment_of(late, audio, start, None)
