"""Films whose pictures begin long after their sound: they play from the beginning on, and wherever one goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.depth import large
from tests.e2e.conftest import VIDEO, at, playing, seek, until, wait_at, wait_known
from tests.media.making import make
from tests.support import Server, serving

CODED = "-map 0 -map 1 -map 1 -fps_mode passthrough -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 40 -c:a aac"

FILMS = {"six.mkv": 6, "fifteen.mp4": 15, "fifteen.mkv": 15, "seven.ts": 7, "minute.mp4": 60}
"""Names of films, and the seconds after which their pictures begin."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with two sounds each, so that they come in segments."""
    folder = tmp_path_factory.mktemp("late")
    for name, late in FILMS.items():
        pictures = f"-itsoffset {late} -f lavfi -i testsrc2=size=160x90:rate=20:duration=12"
        make(folder / name, f"{pictures} -f lavfi -i sine=d={late + 12} {CODED}")
    return folder


@pytest.fixture(scope="module")
def films(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows what is in them."""
    with serving(
        shelf, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_known(server, len(FILMS))
        yield server


@pytest.mark.parametrize(
    "name", ["fifteen.mp4", large("six.mkv"), large("fifteen.mkv"), large("seven.ts"), large("minute.mp4")]
)
def test_every_place_of_it_is_reached(page: Page, films: Server, name: str) -> None:
    late = FILMS[name]
    found = films.get("/api/videos?limit=9").json()["items"]
    page.goto(f"/watch/{next(each['id'] for each in found if each['name'] == name)}")
    playing(page)
    until(page, f"{VIDEO}.videoWidth === 160")  # the first picture is there from the beginning on
    assert page.evaluate(f"{VIDEO}.currentSrc.startsWith('blob:')")
    for place in (late + 8, 0, late / 3, late - 1, late, late + 5):
        seek(page, place)
        assert place - 0.1 <= at(page) < place + 2
        wait_at(page, place + 0.5)
    assert page.evaluate(f"{VIDEO}.error") is None
