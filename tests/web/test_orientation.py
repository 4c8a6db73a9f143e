"""Video that the file rotates or mirrors: posters, thumbnails and segments look the same as in ffmpeg."""

from collections.abc import Iterator
from pathlib import Path

import m3u8
import pytest

from tests.depth import large
from tests.media.making import gray, make
from tests.media.turning import WAYS, turned_mkv, turned_mp4
from tests.support import Server, is_done, serving, wait_for
from tests.web.requesting import video

TEST_IMAGE = (
    "-f lavfi -i testsrc=size=128x72:rate=10:duration=3 -vf trim=end_frame=1,loop=loop=29:size=1 "
    "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p"
)
FILMS = [f"{way}.{suffix}" for way in WAYS for suffix in ("mp4", "mkv")]


@pytest.fixture(scope="module")
def turned(way: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("turned")
    film = make(folder / "straight.mp4", TEST_IMAGE)
    for name, (matrix, pose, _, _) in WAYS.items():
        for suffix, content in (
            ("mp4", turned_mp4(film.read_bytes(), matrix)),
            ("mkv", turned_mkv(film, **pose)),
        ):
            path = folder / "videos" / suffix / f"{name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    with serving(folder / "videos", folder, environ=way | {"TRIO_STREAM_ARTWORK_SHARE": "1"}) as server:
        wait_for(lambda: server.get("/api/library").json()["videos"] == len(FILMS), 20, "the videos")
        wait_for(lambda: is_done(server.get("/api/library").json()), 60, "their posters")
        yield server


@pytest.mark.parametrize(
    "film", [film if film.startswith("sideways") and film.endswith("mp4") else large(film) for film in FILMS]
)
def test_frames_are_shown_in_the_orientation_of_the_file(turned: Server, tmp_path: Path, film: str) -> None:
    way, _, suffix = film.rpartition(".")
    _, _, filters, degrees = WAYS[way]
    about = video(turned, f"{suffix}/{film}")
    assert about["facts"]["video"][0]["rotation"] == degrees
    size = (72, 128) if degrees % 180 else (128, 72)
    assert (about["width"], about["height"]) == size
    master = m3u8.loads(turned.get(about["urls"]["hls"]).text)
    assert master.playlists[0].stream_info.resolution == size
    here = about["urls"]["self"]
    media = m3u8.loads(turned.get(f"{here}/{master.playlists[0].uri}").text)
    parts = [turned.get(f"{here}/{uri}").content for uri in (media.segment_map[0].uri, media.segments[0].uri)]
    (tmp_path / "sent.mp4").write_bytes(b"".join(parts))
    (tmp_path / "poster.jpg").write_bytes(turned.get(about["poster"]).content)
    first = ("-frames:v", "1", "-vf")
    straight = turned.videos.parent / "straight.mp4"
    expected = gray(straight, *first, f"{filters},scale=40:40")
    whole = turned.videos / suffix / film
    for shown in (whole, tmp_path / "sent.mp4", tmp_path / "poster.jpg"):
        ours = gray(shown, *first, "scale=40:40")
        assert sum(abs(one - other) for one, other in zip(ours, expected, strict=True)) / 1600 < 6, shown
