"""Damaged films in segments; and films that can be played only in segments, or only directly."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, position_of, until, wait_for_library, wait_until_playing
from tests.media.making import make
from tests.support import Server, serving

TWO_AUDIO_TRACKS = (
    "-f lavfi -i testsrc2=size=320x180:rate=25:duration=24 -f lavfi -i sine=440:r=48000:d=24 -map 0 -map 1 -map 1"
    " -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 25 -c:a aac -movflags +faststart"
)
"""A film with two audio tracks. It is streamed in segments, so that the viewer can choose."""

HOLED = ("Alpha.mp4", "Bravo.mp4", "Charlie.mkv", "Delta.mkv", "Echo.ts", "Foxtrot.ts")
"""A twelfth of each file, in the middle, is zeros or noise, alternately."""

UNUSUAL_LAYOUT = ("Golf.mkv", "Hotel.mp4")
"""Browsers do not support their channel layout in segments."""

UNOPENED = "India.mp4"
"""It has a track without a sample description. Neither FFmpeg nor Chromium opens it."""

IN_SEGMENTS = f"{VIDEO}.currentSrc.startsWith('blob:')"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, plain = tmp_path_factory.mktemp("holed"), tmp_path_factory.mktemp("plain")
    for number, name in enumerate(HOLED):
        data = make(plain / name, TWO_AUDIO_TRACKS).read_bytes()
        hole = len(data) // 12
        filling = bytes(hole) if number % 2 == 0 else random.Random(number).randbytes(hole)
        (folder / name).write_bytes(data[: len(data) // 2] + filling + data[len(data) // 2 + hole :])
    for name in UNUSUAL_LAYOUT:
        make(folder / name, f"{TWO_AUDIO_TRACKS} -af aformat=channel_layouts=6.0 -t 8")
    undescribed = bytearray(make(plain / "two.mp4", f"{TWO_AUDIO_TRACKS} -t 8").read_bytes())
    entries, handler = undescribed.rindex(b"stsd") + 8, undescribed.rindex(b"soun")
    undescribed[entries : entries + 4] = bytes(4)
    undescribed[handler : handler + 4] = b"meta"
    (folder / UNOPENED).write_bytes(undescribed)
    return folder


@pytest.fixture(scope="module")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        library, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, len(HOLED) + len(UNUSUAL_LAYOUT) + 1)
        yield server


def _video_named(page: Page, name: str) -> dict[str, Any]:
    items = page.request.get("/api/videos?limit=99").json()["items"]
    found: dict[str, Any] = next(item for item in items if item["name"] == name)
    return found


@pytest.mark.parametrize("name", [large(name) for name in HOLED])
def test_damaged_segments_are_skipped(page: Page, name: str) -> None:
    video = _video_named(page, name)
    page.goto(f"/watch/{video['id']}?t=9")
    wait_until_playing(page)
    assert page.evaluate(IN_SEGMENTS)
    page.evaluate(f"{VIDEO}.playbackRate = 4")
    until(page, f"{VIDEO}.ended")
    assert position_of(page) > 23
    note = page.get_by_role("note").inner_text()
    skipped = re.fullmatch(r"Part of this file is damaged: skipping (\d+) seconds\.", note)
    assert skipped is not None
    assert int(skipped[1]) <= 12  # two segments
    last = page.evaluate(f"{VIDEO}.played.end({VIDEO}.played.length - 1)")
    first = page.evaluate(f"{VIDEO}.played.start({VIDEO}.played.length - 1)")
    assert last - first > 5  # since the reload, or before it
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate(f"{VIDEO}.playbackRate") == 4
    page.evaluate(f"{VIDEO}.currentTime = 13")  # in the damaged part
    page.evaluate(f"{VIDEO}.play()")
    until(page, f"{VIDEO}.ended")


def test_a_paused_film_stays_paused_before_a_damaged_part(page: Page) -> None:
    video = _video_named(page, HOLED[0])
    page.goto(f"/watch/{video['id']}")
    wait_until_playing(page)
    page.evaluate(f"{VIDEO}.pause()")
    expect(page.get_by_role("note")).to_contain_text("Part of this file is damaged:")
    assert page.evaluate(f"{VIDEO}.paused")


@pytest.mark.parametrize("name", [UNUSUAL_LAYOUT[0], *map(large, UNUSUAL_LAYOUT[1:])])
def test_audio_that_cannot_be_streamed_in_segments_uses_direct_play(page: Page, name: str) -> None:
    page.goto(f"/watch/{_video_named(page, name)['id']}")
    wait_until_playing(page)
    until(page, f"!{IN_SEGMENTS} && {VIDEO}.webkitAudioDecodedByteCount > 0")
    expect(page.locator(".no-audio-notice")).to_have_count(0)


def test_a_file_that_does_not_open_is_streamed_in_segments(page: Page) -> None:
    page.goto(f"/watch/{_video_named(page, UNOPENED)['id']}")
    wait_until_playing(page)
    assert page.evaluate(IN_SEGMENTS)
    expect(page.get_by_role("alert")).to_have_count(0)
