"""The same video over a WebSocket: it plays, is held back, goes elsewhere, and says what is the matter."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, open_video, playing, seek, until, wait_at, wait_known
from tests.media.making import make
from tests.support import Server, serving, wait_for

STATE = ".stations .word"
OPEN = "Watch over WebSocket"


def open_socket(page: Page, title: str) -> None:
    open_video(page, title)
    page.get_by_role("link", name=OPEN).click()
    page.wait_for_url("**/socket/*")
    page.locator(".socket video").wait_for(state="attached")  # and not that of the page before


def ours(server: Server) -> list[dict[str, object]]:
    streams = server.get("/api/streams").json()["streams"]
    return [each for each in streams if each["transport"] == "websocket"]


def test_plays_from_its_beginning_to_its_end(page: Page, films: Server) -> None:
    open_socket(page, "Episode 1")
    playing(page)
    until(page, f"{VIDEO}.ended")
    expect(page.locator(STATE)).to_have_text("All received")
    wait_for(lambda: ours(films) == [], 15, "the stream to be gone")


def test_is_held_back_and_the_server_stands_still(page: Page, films: Server) -> None:
    open_socket(page, "Long")
    playing(page)
    expect(page.locator(STATE)).to_have_text("Paused: buffer full")
    page.get_by_role("button", name="Pause WebSocket").click()
    expect(page.locator(STATE)).to_have_text("Paused by you")
    (before,) = ours(films)
    wait_at(page, 5)  # what is there plays on
    (after,) = ours(films)
    assert after["bytes_sent"] == before["bytes_sent"]
    page.get_by_role("button", name="Resume WebSocket").click()
    wait_for(lambda: ours(films)[0]["bytes_sent"] != before["bytes_sent"], 15, "more to be sent")


def test_seeks_by_telling_the_server(page: Page, films: Server) -> None:
    open_socket(page, "Long")
    playing(page)
    seek(page, 300)
    wait_at(page, 301)
    seek(page, 20)
    wait_at(page, 21)
    assert len(ours(films)) == 1


def test_seeks_back_while_the_page_is_late(page: Page, films: Server) -> None:
    # As on a busy machine: bytes come sooner than the page looks where the video stands.
    page.add_init_script(
        "const every = setInterval; setInterval = (act, time) => every(act, Math.max(time, 20_000))"
    )
    open_socket(page, "Long")
    playing(page)
    page.evaluate(f"{VIDEO}.pause()")
    seek(page, 300)
    seek(page, 20)
    page.evaluate(f"void {VIDEO}.play()")
    wait_at(page, 21)


def test_a_stream_that_was_ended_can_be_taken_up_again(page: Page, films: Server) -> None:
    open_socket(page, "Long")
    playing(page)
    (stream,) = ours(films)
    with films.client() as client:
        client.delete(f"/api/streams/{stream['id']}").raise_for_status()
    # A message that was cut in the middle leaves no room for the reason.
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile("ended through the API|connection was closed")
    )
    page.get_by_role("button", name="Reconnect").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    wait_for(lambda: len(ours(films)) == 1, 15, "another stream")
    seek(page, 200)
    wait_at(page, 201)


def test_what_is_no_mp4_is_said(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Broken").click()
    page.goto(re.sub("/watch/", "/socket/", page.url))
    expect(page.get_by_role("alert")).to_contain_text("Only MP4 files")
    expect(page.get_by_role("link", name="Watch normally")).to_be_visible()


@pytest.fixture(scope="module")
def absolute(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of films in fragments that say where in the file their samples lie."""
    folder = tmp_path_factory.mktemp("absolute")
    for name, how in (
        ("By keyframe", "-movflags empty_moov+frag_keyframe"),
        ("By time", "-movflags empty_moov -frag_duration 700000"),
        ("Apart", "-movflags empty_moov+frag_keyframe+separate_moof"),
    ):
        make(folder / f"{name}.mp4", "-i", footage, *f"-c copy {how}".split())
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_known(server, 3)
        yield server


@pytest.mark.parametrize("title", ["By keyframe", large("By time"), large("Apart")])
def test_fragments_that_lie_at_places_of_the_file(browser: Browser, absolute: Server, title: str) -> None:
    with browser.new_context(base_url=absolute.url) as context:
        page = context.new_page()
        open_socket(page, title)
        playing(page)
        wait_at(page, 1)
        seek(page, 5)
        wait_at(page, 6)
        seek(page, 0)
        wait_at(page, 1)
        assert page.evaluate(f"{VIDEO}.webkitAudioDecodedByteCount") > 0


APART = 100
"""Seconds from one sync sample of a film to the next, in which a source buffer has no other place to begin."""

FAR_APART = (
    f"-f lavfi -i testsrc2=size=64x36:rate=10:duration={2.5 * APART} -f lavfi -i sine=duration={2.5 * APART} "
    f"-c:v libx264 -preset ultrafast -bf 2 -g 9999 -sc_threshold 0 -force_key_frames expr:gte(t,n_forced*{APART}) "
    "-pix_fmt yuv420p -c:a aac -b:a 32k"
)


@pytest.fixture(scope="module")
def far_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two films whose sync samples are far apart: in one piece, and in fragments of a second."""
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
        wait_known(server, 2)
        yield server


@pytest.mark.parametrize("title", [large("Far"), "Fragments"])
def test_keeps_what_leads_up_to_the_picture(browser: Browser, far_apart: Server, title: str) -> None:
    with browser.new_context(base_url=far_apart.url) as context:
        page = context.new_page()
        open_socket(page, title)
        playing(page)
        page.evaluate(f"{VIDEO}.playbackRate = 8")
        wait_at(page, 0.7 * APART)
        seek(page, 1.8 * APART)
        wait_at(page, 1.85 * APART)
        seek(page, 0.8 * APART)
        wait_at(page, 1.4 * APART)
        # What came before that sync sample is let go; of the sounds more goes with every second.
        until(page, f"{VIDEO}.buffered.start(0) >= {APART - 1}")
        kept, there = page.evaluate(f"[{VIDEO}.buffered.start(0), {VIDEO}.currentTime]")
        assert kept <= there - 30
        seek(page, 0.2 * APART)
        wait_at(page, 0.25 * APART)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of three films of which one track begins late: by less than a browser passes over, and by more."""
    folder = tmp_path_factory.mktemp("late")
    picture, sound = "-f lavfi -i testsrc2=size=64x36:rate=25:duration=9", "-f lavfi -i sine=duration=9"
    coded = "-map 0 -map 1 -fps_mode passthrough -c:v libx264 -preset ultrafast -bf 2 -g 50 -pix_fmt yuv420p -c:a aac"
    make(folder / "Late sound.mp4", f"{picture} -itsoffset 0.7 {sound} {coded}")
    make(folder / "Very late sound.mp4", f"{picture} -itsoffset 3 {sound} {coded}")
    make(folder / "Very late pictures.mp4", f"-itsoffset 3 {picture} {sound} {coded}")
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_known(server, 3)
        yield server


@pytest.mark.parametrize(
    ("title", "begins"), [("Late sound", 0.7), ("Very late sound", 3), ("Very late pictures", 3)]
)
def test_a_track_that_begins_late_is_in_step(
    browser: Browser, late: Server, title: str, begins: float
) -> None:
    with browser.new_context(base_url=late.url) as context:
        page = context.new_page()
        open_socket(page, title)
        playing(page)
        assert page.evaluate(f"{VIDEO}.buffered.start(0)") == pytest.approx(begins, abs=0.05)
        page.evaluate(f"{VIDEO}.pause()")
        seek(page, 5)
        seek(page, 0.1)  # there is nothing of one of them, and it goes on where there is
        page.evaluate(f"void {VIDEO}.play()")
        wait_at(page, begins + 0.5)
