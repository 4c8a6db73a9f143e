"""Films that come in segments and are damaged, and those of which one way to play them fails: the other one is taken."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, at, playing, until, wait_known
from tests.media.making import make
from tests.support import Server, serving

TWO = (
    "-f lavfi -i testsrc2=size=320x180:rate=25:duration=24 -f lavfi -i sine=440:r=48000:d=24 -map 0 -map 1 -map 1"
    " -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 25 -c:a aac -movflags +faststart"
)
"""A film with two sounds: it comes in segments, for a choice."""

HOLED = ("Alpha.mp4", "Bravo.mp4", "Charlie.mkv", "Delta.mkv", "Echo.ts", "Foxtrot.ts")
"""Of each a twelfth, in its midst, is zeros or noise, in turns."""

ARRANGED = ("Golf.mkv", "Hotel.mp4")
"""Their channels are arranged as no browser takes them in segments."""

UNOPENED = "India.mp4"
"""It has a track of which nothing is said. Neither FFmpeg nor Chromium opens that."""

IN_SEGMENTS = f"{VIDEO}.currentSrc.startsWith('blob:')"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, plain = tmp_path_factory.mktemp("holed"), tmp_path_factory.mktemp("plain")
    for number, name in enumerate(HOLED):
        data = make(plain / name, TWO).read_bytes()
        hole = len(data) // 12
        filling = bytes(hole) if number % 2 == 0 else random.Random(number).randbytes(hole)
        (folder / name).write_bytes(data[: len(data) // 2] + filling + data[len(data) // 2 + hole :])
    for name in ARRANGED:
        make(folder / name, f"{TWO} -af aformat=channel_layouts=6.0 -t 8")
    undescribed = bytearray(make(plain / "two.mp4", f"{TWO} -t 8").read_bytes())
    entries, handler = undescribed.rindex(b"stsd") + 8, undescribed.rindex(b"soun")
    undescribed[entries : entries + 4] = bytes(4)
    undescribed[handler : handler + 4] = b"meta"
    (folder / UNOPENED).write_bytes(undescribed)
    return folder


@pytest.fixture(scope="module")
def films(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        shelf, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_known(server, len(HOLED) + len(ARRANGED) + 1)
        yield server


def _named(page: Page, name: str) -> dict[str, Any]:
    items = page.request.get("/api/videos?limit=99").json()["items"]
    found: dict[str, Any] = next(each for each in items if each["name"] == name)
    return found


@pytest.mark.parametrize("name", [large(each) for each in HOLED])
def test_segments_that_are_damaged_are_passed_over(page: Page, name: str) -> None:
    video = _named(page, name)
    page.goto(f"/watch/{video['id']}?t=9")
    playing(page)
    assert page.evaluate(IN_SEGMENTS)
    page.evaluate(f"{VIDEO}.playbackRate = 4")
    until(page, f"{VIDEO}.ended")
    assert at(page) > 23
    said = page.get_by_role("note").inner_text()
    passed = re.fullmatch(r"Part of this file is damaged: skipping (\d+) seconds\.", said)
    assert passed is not None
    assert int(passed[1]) <= 12  # two segments
    last = page.evaluate(f"{VIDEO}.played.end({VIDEO}.played.length - 1)")
    first = page.evaluate(f"{VIDEO}.played.start({VIDEO}.played.length - 1)")
    assert last - first > 5  # since it was loaded anew, or before that
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate(f"{VIDEO}.playbackRate") == 4
    page.evaluate(f"{VIDEO}.currentTime = 13")  # there is nothing
    page.evaluate(f"{VIDEO}.play()")
    until(page, f"{VIDEO}.ended")


def test_a_paused_film_stays_so_where_what_comes_is_damaged(page: Page) -> None:
    video = _named(page, HOLED[0])
    page.goto(f"/watch/{video['id']}")
    playing(page)
    page.evaluate(f"{VIDEO}.pause()")
    expect(page.get_by_role("note")).to_contain_text("Part of this file is damaged:")
    assert page.evaluate(f"{VIDEO}.paused")


@pytest.mark.parametrize("name", [ARRANGED[0], *map(large, ARRANGED[1:])])
def test_sounds_that_do_not_come_in_segments_are_heard_of_the_file(page: Page, name: str) -> None:
    page.goto(f"/watch/{_named(page, name)['id']}")
    playing(page)
    until(page, f"!{IN_SEGMENTS} && {VIDEO}.webkitAudioDecodedByteCount > 0")
    expect(page.locator(".no-audio-notice")).to_have_count(0)


def test_a_file_that_does_not_open_comes_in_segments(page: Page) -> None:
    page.goto(f"/watch/{_named(page, UNOPENED)['id']}")
    playing(page)
    assert page.evaluate(IN_SEGMENTS)
    expect(page.get_by_role("alert")).to_have_count(0)
