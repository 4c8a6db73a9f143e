"""Fixtures for the tests of playback: a server with the specimen videos."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media_cache import place
from tests.playback.specimens import SPECIMENS, specimens
from tests.support import Server, serving, wait_for


@pytest.fixture(scope="session")
def films() -> Path:
    """The folder of the videos."""
    return specimens()


@pytest.fixture(scope="session")
def cinema(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has scanned the videos. It generates no artwork for them."""
    folder = tmp_path_factory.mktemp("cinema")
    library = folder / "videos"
    library.mkdir()
    for specimen in SPECIMENS:
        place(films / specimen.file, library / specimen.file)
    with serving(library, folder, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}) as running:
        wait_for(
            lambda: running.get("/api/library").json()["videos"] == len(SPECIMENS),
            30,
            "the videos to be recorded",
        )
        yield running


@pytest.fixture(scope="session")
def addresses(cinema: Server) -> dict[str, str]:
    """The base URL of each video's playlists, by its name."""
    items = cinema.get("/api/videos?limit=200").json()["items"]
    return {item["name"].rpartition(".")[0]: f"/api/videos/{item['id']}" for item in items}
