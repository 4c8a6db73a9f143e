"""The MP4 files of the menagerie as HLS: ffmpeg decodes the same from them as from the files, or there is a reason."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.media_cache import place
from tests.menagerie import menagerie
from tests.playback.decoding import decode, renditions
from tests.support import Server, serving, wait_for

REFUSED = {
    "damaged/boundless-box.mp4",
    "damaged/cut-in-index.mp4",
    "damaged/empty.mp4",
    "damaged/garbage.mp4",
    "damaged/no-index.mp4",
    "damaged/playlist.mp4",
}
"""Files that cannot be packaged."""

OTHERWISE = {"damaged/flipped.mp4", "damaged/cut-in-data.mp4"}
"""ffmpeg decodes damaged bytes differently each time; the files are served all the same."""


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the menagerie's MP4 files."""
    animals = menagerie()
    folder = tmp_path_factory.mktemp("zoo")
    library = folder / "videos"
    files = [path.relative_to(animals) for path in animals.rglob("*.mp4") if not path.name.startswith(".")]
    for file in files:
        (library / file).parent.mkdir(parents=True, exist_ok=True)
        place(animals / file, library / file)
    with serving(library, folder, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}) as running:
        wait_for(
            lambda: (
                [item["state"] != "new" for item in running.get("/api/videos?limit=200").json()["items"]]
                == [True] * len(files)
            ),
            90,
            "the menagerie to be recorded",
        )
        yield running


def test_menagerie_files_decode_like_their_segments(zoo: Server) -> None:
    items = zoo.get("/api/videos?limit=200").json()["items"]
    with ThreadPoolExecutor(2) as pool:
        found = dict(
            zip(
                (item["name"] for item in items),
                pool.map(lambda item: examine(zoo, item), items),
                strict=True,
            )
        )
    assert {name for name, reason in found.items() if reason is not None} == REFUSED
    assert all(reason for reason in found.values() if reason is not None)
    assert len(found) > 25


def in_the_file(zoo: Server, item: dict[str, str], tracks: list[str]) -> list[str]:
    """ffmpeg's specifiers of these tracks: audio is served in the order of the media info."""
    served = [track["index"] for track in zoo.get(f"/api/videos/{item['id']}").json()["facts"]["audio"]]
    places = {f"a:{number}": f"a:{sorted(served).index(index)}" for number, index in enumerate(served)}
    return [places.get(track, track) for track in tracks]


def examine(zoo: Server, item: dict[str, str]) -> str | None:
    """Why the video is not packaged; None if it is, and decodes correctly."""
    address = f"/api/videos/{item['id']}/master.m3u8"
    response = zoo.get(address)
    if response.status_code == 422:
        reason: str = response.json()["detail"]
        return reason
    assert response.status_code == 200, item["name"]
    tracks = list(renditions(response.text))
    if item["name"] not in OTHERWISE:
        expected = decode(Path(zoo.videos) / item["name"], in_the_file(zoo, item, tracks))
        for track, was, now in zip(tracks, expected, decode(zoo.url + address, tracks), strict=True):
            assert now.hashes == was.hashes, (item["name"], track, len(now.hashes), len(was.hashes))
            assert now.times == pytest.approx(was.times, abs=0.001), (item["name"], track)
    return None
