"""Films whose video begins long after their audio: they play from the beginning and from any position."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.depth import large
from tests.e2e.conftest import (
    VIDEO,
    position_of,
    seek,
    until,
    wait_for_library,
    wait_for_position,
    wait_until_playing,
)
from tests.media.making import make
from tests.support import Server, serving

CODED = "-map 0 -map 1 -map 1 -fps_mode passthrough -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 40 -c:a aac"

FILMS = {"six.mkv": 6, "fifteen.mp4": 15, "fifteen.mkv": 15, "seven.ts": 7, "minute.mp4": 60}
"""Names of films, and the seconds after which their video begins."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with two audio tracks each, so that they are streamed in segments."""
    folder = tmp_path_factory.mktemp("late")
    for name, late in FILMS.items():
        video = f"-itsoffset {late} -f lavfi -i testsrc2=size=160x90:rate=20:duration=12"
        make(folder / name, f"{video} -f lavfi -i sine=d={late + 12} {CODED}")
    return folder


@pytest.fixture(scope="module")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has probed the films."""
    with serving(
        library, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, len(FILMS))
        yield server


@pytest.mark.parametrize(
    "name", ["fifteen.mp4", large("six.mkv"), large("fifteen.mkv"), large("seven.ts"), large("minute.mp4")]
)
def test_every_position_can_be_reached(page: Page, film_server: Server, name: str) -> None:
    late = FILMS[name]
    found = film_server.get("/api/videos?limit=9").json()["items"]
    page.goto(f"/watch/{next(item['id'] for item in found if item['name'] == name)}")
    wait_until_playing(page)
    until(page, f"{VIDEO}.videoWidth === 160")  # the first frame is shown from the beginning
    assert page.evaluate(f"{VIDEO}.currentSrc.startsWith('blob:')")
    for position in (late + 8, 0, late / 3, late - 1, late, late + 5):
        seek(page, position)
        assert position - 0.1 <= position_of(page) < position + 2
        wait_for_position(page, position + 0.5)
    assert page.evaluate(f"{VIDEO}.error") is None
