"""Tests of routes that send bytes run both ways: directly, and through the web framework."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media.making import make
from tests.support import Server, serving, wait_for
from tests.web.fake_build import build

ONE_WAY = (
    "test_contract",
    "test_library",
    "test_metrics",
    "test_openapi",
    "test_compression",
    "test_pages",
    "test_sockets",
)
"""Modules about routes that always go through the web framework, as all WebSockets do."""

MOSTLY_ONE_WAY = (
    "test_conditions",
    "test_no_store",
    "test_derived",
    "test_names",
    "test_orientation",
    "test_playlists",
    "test_presentation",
    "test_promises",
    "test_disconnects",
)
"""Modules about code below both ways. Other modules of this folder compare the two ways in each run."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests once, and not both ways, if only one way serves the routes, or if they run on PostgreSQL."""
    once: list[pytest.Item] = []
    again: list[pytest.Item] = []
    for item in items:
        if "through-quart" in item.name and (item.path.stem in ONE_WAY or "postgresql" in item.name):
            again.append(item)
            continue
        once.append(item)
        if "through-quart" in item.name and item.path.stem in MOSTLY_ONE_WAY:
            item.add_marker(pytest.mark.thorough("both ways"))
    if again:
        config.hook.pytest_deselected(items=again)
        items[:] = once


type Environ = dict[str, str]


@pytest.fixture(scope="session", params=["direct", "through-quart"])
def way(request: pytest.FixtureRequest) -> Environ:
    """The setting that selects the way in which a server sends bytes. Every test that uses it runs with both."""
    return {"TRIO_STREAM_DIRECT": "1" if request.param == "direct" else "0"}


@pytest.fixture(scope="session")
def server(
    database_of_servers: None, way: Environ, footage: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server that most tests share."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "videos").mkdir()
    shutil.copy(footage, folder / "videos" / "sample.mp4")
    with serving(folder / "videos", folder, environ=way) as running:
        running.get("/api/videos")
        yield running


@pytest.fixture(scope="session")
def scratch(
    database_of_servers: None, way: Environ, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server whose library each test fills itself."""
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "videos").mkdir()
    with serving(folder / "videos", folder, environ=way) as running:
        running.get("/api/videos")
        yield running


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small player that is only for tests."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "videos").mkdir()
    environ = {"PLAYER": str(build(folder))}
    with serving(folder / "videos", folder, app="tests.web.player_app:app", environ=environ) as server:
        yield server


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of H.264 and AAC with a subtitle track."""
    folder = tmp_path_factory.mktemp("film")
    words = folder / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nIn the film\n")
    video, audio = "testsrc2=size=128x72:rate=10:duration=5", "sine=duration=5"
    coded = "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -c:a aac -c:s mov_text"
    return make(
        folder / "film.mp4",
        f"-f lavfi -i {video} -f lavfi -i {audio}",
        *("-i", words),
        *f"-map 0 -map 1 -map 2 {coded} -metadata:s:s:0 language=eng".split(),
    )


EPISODES = ("Series/Season 1/1.mp4", "Series/Season 1/2.mp4", "Series/Season 1/10.mp4")
FILM, BROKEN = "Das Leben der Anderen.mp4", "Amélie (2001).mkv"


@pytest.fixture(scope="session")
def library_folder(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of `stocked`: one for all servers, because files must not change for a while before they are added."""
    library = tmp_path_factory.mktemp("library")
    (library / "Series" / "Season 1").mkdir(parents=True)
    shutil.copy(film, library / FILM)
    (library / "Das Leben der Anderen.de.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nGrüße\n")
    (library / "Das Leben der Anderen.en.forced.ass").write_text(ASS)
    for name in EPISODES:
        shutil.copy(film, library / name)
        with (library / name).open("ab") as file:
            file.write(name.encode())
    (library / BROKEN).write_bytes(b"no video")
    return library


@pytest.fixture(scope="session")
def stocked(
    database_of_servers: None, way: Environ, library_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with a scanned library: a film, three episodes with the same frames, and a file that is not a video."""
    environ = way | {"TRIO_STREAM_ARTWORK_SHARE": "1"}
    with serving(library_folder, tmp_path_factory.mktemp("stocked"), environ=environ) as running:

        def is_complete() -> bool:
            about = running.get("/api/library").json()
            return bool(about["videos"] == 5 and about["idle"] and not about["look"]["resting"])

        wait_for(is_complete, 30, "the library to be scanned")
        yield running


ASS = """\
[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hello
"""
