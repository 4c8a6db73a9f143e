"""Damaged and unusual files: their intact parts play, and parts that did not play do not count as watched."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.depth import large
from tests.e2e.conftest import (
    VIDEO,
    open_video,
    position_of,
    seek,
    until,
    wait_for_library,
    wait_until_playing,
)
from tests.media.making import make
from tests.support import Server, serving, wait_for

FILM = (
    "-f lavfi -i testsrc2=size=320x180:rate=25:duration=24 -f lavfi -i sine=440:r=48000:d=24"
    " -c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 25 -c:a aac"
)
WEBM = (
    "-f lavfi -i testsrc2=size=160x90:rate=25:duration=24 -f lavfi -i sine=440:r=48000:d=24"
    " -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -c:a libopus"
)
FEW_FRAMES = "-f lavfi -i testsrc2=size=160x90:rate=1/6:duration=24 -f lavfi -i sine=440:r=48000:d=24 -c:v mjpeg -c:a aac"
LATE_START = "-movflags frag_keyframe+default_base_moof+frag_discont+delay_moov -output_ts_offset 3600"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, plain = tmp_path_factory.mktemp("damaged"), tmp_path_factory.mktemp("plain")
    film = make(plain / "film.mp4", f"{FILM} -movflags +faststart")
    data = film.read_bytes()
    (folder / "Cut.mp4").write_bytes(data[: len(data) // 2])
    webm = make(plain / "film.webm", WEBM).read_bytes()
    (folder / "Torn.webm").write_bytes(webm[: len(webm) // 2])
    middle = len(data) // 2
    (folder / "Holed.mp4").write_bytes(data[:middle] + bytes(20_000) + data[middle + 20_000 :])
    make(folder / "Slideshow.mp4", FEW_FRAMES)
    make(folder / "Late start.mp4", f"-i {film} -c copy {LATE_START}")
    return folder


@pytest.fixture(scope="module")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        library, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "1"}
    ) as server:
        wait_for_library(server, 5)
        yield server


def _video_titled(page: Page, title: str) -> dict[str, Any]:
    found = page.request.get("/api/videos", params={"q": title}).json()["items"][0]
    details: dict[str, Any] = page.request.get(found["urls"]["self"]).json()
    return details


@pytest.mark.parametrize("title", ["Cut", large("Torn")])
def test_a_missing_end_does_not_count_as_watched(page: Page, title: str) -> None:
    video = _video_titled(page, title)
    assert "the file is truncated" in video["reason"]
    page.goto(f"/watch/{video['id']}?t=20")
    expect(page.get_by_role("note")).to_contain_text("The end of this file is missing: only 0:1")
    wait_until_playing(page)
    assert position_of(page) < 10  # the file ends before second 20
    seek(page, video["facts"]["until"] - 1.5)
    until(page, f"{VIDEO}.ended")
    wait_for(lambda: _video_titled(page, title)["playhead"] is not None, 20, "the playhead")
    playhead = _video_titled(page, title)["playhead"]
    assert playhead["watched"] is False
    assert playhead["position"] <= video["facts"]["until"] + 0.1


def test_the_video_after_a_damaged_part_plays(page: Page) -> None:
    open_video(page, "Holed")
    wait_until_playing(page)
    page.evaluate(f"{VIDEO}.playbackRate = 4")
    until(page, f"{VIDEO}.ended")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_audio_with_a_few_frames_plays_under_the_poster(page: Page) -> None:
    open_video(page, "Slideshow")
    wait_until_playing(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate(f"{VIDEO}.poster") != ""


def test_a_film_begins_at_0_whatever_its_first_timestamp_is(page: Page) -> None:
    video = _video_titled(page, "Late start")
    assert video["facts"]["start"] == pytest.approx(3600, abs=0.1)
    assert video["duration"] == pytest.approx(24, abs=0.2)
    page.goto(f"/watch/{video['id']}?t=20")
    wait_until_playing(page)
    assert 19 < position_of(page) < 24
    until(page, f"{VIDEO}.ended")
    wait_for(
        lambda: (_video_titled(page, "Late start")["playhead"] or {}).get("watched"),
        20,
        "the film to be watched",
    )
