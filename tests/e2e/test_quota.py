"""Groups of pictures that are larger than what a browser keeps of a video: what can be played is, and the rest is said."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import QUIETLY, program
from tests.depth import large
from tests.e2e.conftest import VIDEO, at, open_video, playing, until, wait_at, wait_known
from tests.media.making import make
from tests.support import Server, serving

KEPT = 2
"""Megabytes of pictures that the browser keeps, in place of its 150."""

NOISE = (
    "-f lavfi -i color=gray:s=256x144:r=10:d=12,noise=alls=100:allf=t -f lavfi -i sine=duration=12 "
    "-map 0 -map 1 -c:v libx264 -preset ultrafast -qp 20 -bf 0 -sc_threshold 0 -pix_fmt yuv420p -c:a aac"
)
"""About half a megabyte a second."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of films with one group of pictures of 6 MB, with two, and with three of 2 MB in fragments."""
    folder = tmp_path_factory.mktemp("noise")
    make(folder / "One.mp4", f"{NOISE} -g 9999 -movflags faststart")
    one = ("-i", folder / "One.mp4", "-c", "copy")
    make(
        folder / "Pieces.mp4",
        *one,
        *["-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000"],
    )
    make(folder / "Broadcast.ts", *one)
    make(
        folder / "Two sounds.mp4",
        *one,
        *["-map", "0:0", "-map", "0:1", "-map", "0:1", "-movflags", "faststart"],
    )
    fragments = "-movflags empty_moov+default_base_moof+frag_keyframe"
    make(folder / "Three.mp4", f"{NOISE} -g 40 {fragments}")
    make(folder / "Three sounds.mp4", f"{NOISE} -map 1 -g 40 -movflags faststart")
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_known(server, 6)
        yield server


@pytest.fixture(scope="module")
def browser(browser: Browser) -> Iterator[Browser]:
    """A browser that keeps little."""
    limit = f"--mse-video-buffer-size-limit-mb={KEPT}"
    small = browser.browser_type.launch(executable_path=program(), args=[*QUIETLY, limit])
    yield small
    small.close()


def open_socket(page: Page, title: str) -> None:
    open_video(page, title)
    page.get_by_role("link", name="Watch over WebSocket").click()
    page.wait_for_url("**/socket/*")
    page.locator(".socket video").wait_for(state="attached")


@pytest.mark.parametrize("title", ["One", large("Pieces")])
def test_says_up_to_where_it_plays_over_a_websocket(page: Page, title: str) -> None:
    open_socket(page, title)
    playing(page)
    said = page.get_by_role("alert")
    expect(said).to_contain_text(re.compile(r"Playback stops at 0:0\d here: the video between two keyframes"))
    end = float(page.evaluate(f"{VIDEO}.buffered.end(0)"))
    page.evaluate(f"{VIDEO}.playbackRate = 4")
    wait_at(page, end - 0.5)
    expect(said).to_be_visible()
    assert not page.evaluate(f"{VIDEO}.ended")
    usual = said.get_by_role("link", name="Watch normally")
    expect(usual).to_have_attribute("href", re.compile(r"/watch/\w+\?t=[1-9]"))
    usual.click()
    page.wait_for_url("**/watch/*")
    page.locator(".player video").wait_for(state="attached")
    wait_at(page, end + 1)


@pytest.mark.thorough("large")
def test_plays_fragments_one_at_a_time(page: Page) -> None:
    open_socket(page, "Three")
    playing(page)
    until(page, f"{VIDEO}.ended")
    assert at(page) >= 11.9
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("title", [large("Two sounds"), large("Three sounds"), large("Broadcast")])
def test_plays_in_segments_what_the_browser_takes(page: Page, title: str) -> None:
    open_video(page, title)
    playing(page)
    until(page, f"{VIDEO}.ended")
    assert at(page) >= 11.9


STRICT = """
const append = SourceBuffer.prototype.appendBuffer;
SourceBuffer.prototype.appendBuffer = function (data) {
    if (data.byteLength > 2e6) throw new DOMException('too large', 'QuotaExceededError');
    append.call(this, data);
};
"""
"""As in a browser that takes nothing larger than what it keeps: Chromium does where it keeps nothing else."""


@pytest.mark.thorough("large")
def test_plays_the_file_where_a_segment_is_too_large(page: Page) -> None:
    page.add_init_script(STRICT)
    open_video(page, "Two sounds")
    until(page, f"{VIDEO}?.currentSrc.endsWith('/file')")
    wait_at(page, 1)


@pytest.mark.thorough("large")
def test_says_that_a_segment_is_too_large(page: Page) -> None:
    page.add_init_script(STRICT)
    open_video(page, "Broadcast")
    said = page.get_by_role("alert")
    expect(said).to_contain_text("Your browser doesn't support MPEG-TS files.")
    expect(said).to_contain_text("It can't be streamed in segments either: the video between two keyframes")


def test_says_why_a_segment_is_not_sent(page: Page) -> None:
    problem = {"status": 422, "code": "segment-too-large", "detail": "whatever the server says of it"}
    page.route("**/v0-*/0.m4s", lambda route: route.fulfill(status=422, json=problem))
    open_video(page, "Broadcast")
    said = page.get_by_role("alert")
    expect(said).to_contain_text(
        "It can't be streamed in segments either: the video between two keyframes is larger than the server's"
    )
