"""GOPs that are larger than the browser's buffer: what fits is played, and a message explains the rest."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import OPTIONS, program
from tests.depth import large
from tests.e2e.conftest import (
    VIDEO,
    open_video,
    position_of,
    until,
    wait_for_library,
    wait_for_position,
    wait_until_playing,
)
from tests.media.making import make
from tests.support import Server, serving

BUFFER_LIMIT = 2
"""Megabytes of video that the browser buffers, instead of its 150."""

NOISE = (
    "-f lavfi -i color=gray:s=256x144:r=10:d=12,noise=alls=100:allf=t -f lavfi -i sine=duration=12 "
    "-map 0 -map 1 -c:v libx264 -preset ultrafast -qp 20 -bf 0 -sc_threshold 0 -pix_fmt yuv420p -c:a aac"
)
"""About half a megabyte per second."""


@pytest.fixture(scope="module")
def film_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of films with one GOP of 6 MB, and of films with three GOPs of 2 MB."""
    folder = tmp_path_factory.mktemp("noise")
    make(folder / "One.mp4", f"{NOISE} -g 9999 -movflags faststart")
    one = ("-i", folder / "One.mp4", "-c", "copy")
    make(
        folder / "Fragments.mp4",
        *one,
        *["-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000"],
    )
    make(folder / "Broadcast.ts", *one)
    make(
        folder / "One dubbed.mp4",
        *one,
        *["-map", "0:0", "-map", "0:1", "-map", "0:1", "-movflags", "faststart"],
    )
    fragments = "-movflags empty_moov+default_base_moof+frag_keyframe"
    make(folder / "Three.mp4", f"{NOISE} -g 40 {fragments}")
    make(folder / "Three dubbed.mp4", f"{NOISE} -map 1 -g 40 -movflags faststart")
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, 6)
        yield server


@pytest.fixture(scope="module")
def browser(browser: Browser) -> Iterator[Browser]:
    """A browser with a small buffer."""
    limit = f"--mse-video-buffer-size-limit-mb={BUFFER_LIMIT}"
    small = browser.browser_type.launch(executable_path=program(), args=[*OPTIONS, limit])
    yield small
    small.close()


def open_socket(page: Page, title: str) -> None:
    open_video(page, title)
    page.get_by_role("link", name="Watch over WebSocket").click()
    page.wait_for_url("**/socket/*")
    page.locator(".socket video").wait_for(state="attached")


@pytest.mark.parametrize("title", ["One", large("Fragments")])
def test_the_page_says_where_playback_over_a_websocket_stops(page: Page, title: str) -> None:
    open_socket(page, title)
    wait_until_playing(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(
        re.compile(r"Playback stops at 0:0\d here: the video between two keyframes")
    )
    end = float(page.evaluate(f"{VIDEO}.buffered.end(0)"))
    page.evaluate(f"{VIDEO}.playbackRate = 4")
    wait_for_position(page, end - 0.5)
    expect(alert).to_be_visible()
    assert not page.evaluate(f"{VIDEO}.ended")
    link = alert.get_by_role("link", name="Watch normally")
    expect(link).to_have_attribute("href", re.compile(r"/watch/\w+\?t=[1-9]"))
    link.click()
    page.wait_for_url("**/watch/*")
    page.locator(".player video").wait_for(state="attached")
    wait_for_position(page, end + 1)


@pytest.mark.thorough("large")
def test_fragments_play_one_at_a_time(page: Page) -> None:
    open_socket(page, "Three")
    wait_until_playing(page)
    until(page, f"{VIDEO}.ended")
    assert position_of(page) >= 11.9
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("title", [large("One dubbed"), large("Three dubbed"), large("Broadcast")])
def test_segments_that_fit_are_played(page: Page, title: str) -> None:
    open_video(page, title)
    wait_until_playing(page)
    until(page, f"{VIDEO}.ended")
    assert position_of(page) >= 11.9


STRICT = """
const append = SourceBuffer.prototype.appendBuffer;
SourceBuffer.prototype.appendBuffer = function (data) {
    if (data.byteLength > 2e6) throw new DOMException('too large', 'QuotaExceededError');
    append.call(this, data);
};
"""
"""Append as in a browser that takes nothing larger than its buffer. Chromium takes it if the buffer is empty."""


@pytest.mark.thorough("large")
def test_the_file_is_played_if_a_segment_is_too_large(page: Page) -> None:
    page.add_init_script(STRICT)
    open_video(page, "One dubbed")
    until(page, f"{VIDEO}?.currentSrc.endsWith('/file')")
    wait_for_position(page, 1)


@pytest.mark.thorough("large")
def test_a_message_says_that_a_segment_is_too_large(page: Page) -> None:
    page.add_init_script(STRICT)
    open_video(page, "Broadcast")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your browser doesn't support MPEG-TS files.")
    expect(alert).to_contain_text("It can't be streamed in segments either: the video between two keyframes")


def test_a_message_says_why_the_server_sends_no_segment(page: Page) -> None:
    problem = {"status": 422, "code": "segment-too-large", "detail": "any text of the server"}
    page.route("**/v0-*/0.m4s", lambda route: route.fulfill(status=422, json=problem))
    open_video(page, "Broadcast")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(
        "It can't be streamed in segments either: the video between two keyframes is larger than the server's"
    )
