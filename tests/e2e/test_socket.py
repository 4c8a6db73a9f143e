"""Videos over a WebSocket: playback, backpressure, seeking, and messages about problems."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import (
    VIDEO,
    open_video,
    seek,
    until,
    wait_for_library,
    wait_for_position,
    wait_until_playing,
)
from tests.media.making import make
from tests.support import Server, serving, wait_for

STATE = ".stations .word"
OPEN = "Watch over WebSocket"


def open_socket(page: Page, title: str) -> None:
    open_video(page, title)
    page.get_by_role("link", name=OPEN).click()
    page.wait_for_url("**/socket/*")
    page.locator(".socket video").wait_for(state="attached")  # not the one of the previous page


def websocket_streams(server: Server) -> list[dict[str, object]]:
    streams = server.get("/api/streams").json()["streams"]
    return [stream for stream in streams if stream["transport"] == "websocket"]


def test_a_video_plays_from_beginning_to_end(page: Page, film_server: Server) -> None:
    open_socket(page, "Episode 1")
    wait_until_playing(page)
    until(page, f"{VIDEO}.ended")
    expect(page.locator(STATE)).to_have_text("All received")
    wait_for(lambda: websocket_streams(film_server) == [], 15, "the stream to end")


def test_a_full_buffer_or_a_pause_stops_the_server(page: Page, film_server: Server) -> None:
    open_socket(page, "Long")
    wait_until_playing(page)
    expect(page.locator(STATE)).to_have_text("Paused: buffer full")
    page.get_by_role("button", name="Pause WebSocket").click()
    expect(page.locator(STATE)).to_have_text("Paused by you")
    (before,) = websocket_streams(film_server)
    wait_for_position(page, 5)  # the buffered part plays
    (after,) = websocket_streams(film_server)
    assert after["bytes_sent"] == before["bytes_sent"]
    page.get_by_role("button", name="Resume WebSocket").click()
    wait_for(
        lambda: websocket_streams(film_server)[0]["bytes_sent"] != before["bytes_sent"], 15, "more bytes"
    )


def test_seeks_use_the_same_stream(page: Page, film_server: Server) -> None:
    open_socket(page, "Long")
    wait_until_playing(page)
    seek(page, 300)
    wait_for_position(page, 301)
    seek(page, 20)
    wait_for_position(page, 21)
    assert len(websocket_streams(film_server)) == 1


def test_a_slow_page_can_seek_back(page: Page, film_server: Server) -> None:
    # As on a busy machine: bytes arrive before the page checks the position of the video.
    page.add_init_script(
        "const original = setInterval; setInterval = (run, delay) => original(run, Math.max(delay, 20_000))"
    )
    open_socket(page, "Long")
    wait_until_playing(page)
    page.evaluate(f"{VIDEO}.pause()")
    seek(page, 300)
    seek(page, 20)
    page.evaluate(f"void {VIDEO}.play()")
    wait_for_position(page, 21)


def test_a_stopped_stream_can_be_reconnected(page: Page, film_server: Server) -> None:
    open_socket(page, "Long")
    wait_until_playing(page)
    (stream,) = websocket_streams(film_server)
    with film_server.client() as client:
        client.delete(f"/api/streams/{stream['id']}").raise_for_status()
    # If the connection was closed in the middle of a message, there is no reason.
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile("ended through the API|connection was closed")
    )
    page.get_by_role("button", name="Reconnect").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    wait_for(lambda: len(websocket_streams(film_server)) == 1, 15, "another stream")
    seek(page, 200)
    wait_for_position(page, 201)


def test_a_message_says_that_a_file_is_not_mp4(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Broken").click()
    page.goto(re.sub("/watch/", "/socket/", page.url))
    expect(page.get_by_role("alert")).to_contain_text("Only MP4 files")
    expect(page.get_by_role("link", name="Watch normally")).to_be_visible()


@pytest.fixture(scope="module")
def absolute_server(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of films in fragments with absolute offsets of their samples in the file."""
    folder = tmp_path_factory.mktemp("absolute")
    for name, arguments in (
        ("By keyframe", "-movflags empty_moov+frag_keyframe"),
        ("By time", "-movflags empty_moov -frag_duration 700000"),
        ("Apart", "-movflags empty_moov+frag_keyframe+separate_moof"),
    ):
        make(folder / f"{name}.mp4", "-i", footage, *f"-c copy {arguments}".split())
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, 3)
        yield server


@pytest.mark.parametrize("title", ["By keyframe", large("By time"), large("Apart")])
def test_fragments_with_absolute_offsets_play(browser: Browser, absolute_server: Server, title: str) -> None:
    with browser.new_context(base_url=absolute_server.url) as context:
        page = context.new_page()
        open_socket(page, title)
        wait_until_playing(page)
        wait_for_position(page, 1)
        seek(page, 5)
        wait_for_position(page, 6)
        seek(page, 0)
        wait_for_position(page, 1)
        assert page.evaluate(f"{VIDEO}.webkitAudioDecodedByteCount") > 0


APART = 100
"""Seconds from one keyframe of a film to the next. A source buffer can begin only at keyframes."""

FAR_APART = (
    f"-f lavfi -i testsrc2=size=64x36:rate=10:duration={2.5 * APART} -f lavfi -i sine=duration={2.5 * APART} "
    f"-c:v libx264 -preset ultrafast -bf 2 -g 9999 -sc_threshold 0 -force_key_frames expr:gte(t,n_forced*{APART}) "
    "-pix_fmt yuv420p -c:a aac -b:a 32k"
)


@pytest.fixture(scope="module")
def far_apart_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two films whose keyframes are far apart: unfragmented, and in fragments of a second."""
    folder = tmp_path_factory.mktemp("far")
    make(folder / "Far.mp4", FAR_APART, "-movflags", "faststart")
    make(
        folder / "Fragments.mp4",
        "-i",
        folder / "Far.mp4",
        "-c",
        "copy",
        "-movflags",
        "empty_moov+default_base_moof",
        "-frag_duration",
        "1000000",
    )
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "1"}
    ) as server:
        wait_for_library(server, 2)
        yield server


@pytest.mark.parametrize("title", [large("Far"), "Fragments"])
def test_the_buffer_keeps_the_frames_since_the_last_keyframe(
    browser: Browser, far_apart_server: Server, title: str
) -> None:
    with browser.new_context(base_url=far_apart_server.url) as context:
        page = context.new_page()
        open_socket(page, title)
        wait_until_playing(page)
        page.evaluate(f"{VIDEO}.playbackRate = 8")
        wait_for_position(page, 0.7 * APART)
        seek(page, 1.8 * APART)
        wait_for_position(page, 1.85 * APART)
        seek(page, 0.8 * APART)
        wait_for_position(page, 1.4 * APART)
        # Video before that keyframe is removed. Audio is removed continuously.
        until(page, f"{VIDEO}.buffered.start(0) >= {APART - 1}")
        start, position = page.evaluate(f"[{VIDEO}.buffered.start(0), {VIDEO}.currentTime]")
        assert start <= position - 30
        seek(page, 0.2 * APART)
        wait_for_position(page, 0.25 * APART)


@pytest.fixture(scope="module")
def late_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of three films with one late track: the gap is smaller or larger than the one that a browser skips."""
    folder = tmp_path_factory.mktemp("late")
    video, audio = "-f lavfi -i testsrc2=size=64x36:rate=25:duration=9", "-f lavfi -i sine=duration=9"
    coded = "-map 0 -map 1 -fps_mode passthrough -c:v libx264 -preset ultrafast -bf 2 -g 50 -pix_fmt yuv420p -c:a aac"
    make(folder / "Late audio.mp4", f"{video} -itsoffset 0.7 {audio} {coded}")
    make(folder / "Very late audio.mp4", f"{video} -itsoffset 3 {audio} {coded}")
    make(folder / "Very late video.mp4", f"-itsoffset 3 {video} {audio} {coded}")
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, 3)
        yield server


@pytest.mark.parametrize(
    ("title", "begins"), [("Late audio", 0.7), ("Very late audio", 3), ("Very late video", 3)]
)
def test_a_late_track_is_in_sync(browser: Browser, late_server: Server, title: str, begins: float) -> None:
    with browser.new_context(base_url=late_server.url) as context:
        page = context.new_page()
        open_socket(page, title)
        wait_until_playing(page)
        assert page.evaluate(f"{VIDEO}.buffered.start(0)") == pytest.approx(begins, abs=0.05)
        page.evaluate(f"{VIDEO}.pause()")
        seek(page, 5)
        seek(page, 0.1)  # one track has nothing here, so playback continues where both begin
        page.evaluate(f"void {VIDEO}.play()")
        wait_for_position(page, begins + 0.5)
