"""A real browser plays a real video from the real server."""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import trio

from tests.e2e.chromium import Page, open_chromium
from tests.support import Server, wait_until

AT_20 = "video.currentTime >= 20 && !video.seeking && video.readyState >= 2"


@pytest.fixture
def library(start: Callable[..., Server], sample: Path, tmp_path: Path) -> Server:
    """A server of three videos; one of them is none."""
    videos = tmp_path / "videos"
    (videos / "folder").mkdir(parents=True)
    shutil.copy(sample, videos / "a.mp4")
    shutil.copy(sample, videos / "folder" / 'b & "c".mp4')
    (videos / "broken.mkv").write_text("prose")
    return start(videos)


def assert_clean(page: Page, server: Server) -> None:
    """Fail if the page complained, or asked anyone else for anything."""
    assert page.errors == []
    asked = [request["url"] for request in page.requests]
    assert asked
    assert [url for url in asked if not url.startswith((f"{server.url}/", "data:"))] == []


async def test_plays_and_seeks(server: Server) -> None:
    async with open_chromium() as page:
        await page.goto(server.url)
        await page.wait_for("video.readyState >= 1")
        assert await page.evaluate("video.duration") >= 30
        await page.evaluate("(video.muted = true, video.play())")
        await page.wait_for("video.currentTime > 1")

        await page.evaluate("void (video.currentTime = 20)")
        await page.wait_for(AT_20)
        await page.wait_for("video.currentTime > 21")
        assert await page.evaluate("video.ended") is False
        assert await page.evaluate("video.paused") is False
        assert await page.evaluate("video.error") is None
        assert await page.evaluate("video.videoWidth") > 0
        assert await page.evaluate("trouble.hidden") is True

        media = [answer for answer in page.responses if "/api/stream/sample.mp4" in answer["url"]]
        assert media
        assert {answer["status"] for answer in media} == {206}
        assert any("Range" in request["headers"] for request in page.requests)
        assert_clean(page, server)


async def test_chooses_without_reloading(library: Server) -> None:
    async with open_chromium() as page:
        await page.goto(library.url)
        await page.wait_for("video.readyState >= 1")
        await page.evaluate("void (window.loaded = 'once')")

        # By keyboard alone: to the last video in the list, and into it.
        await page.evaluate("document.querySelectorAll('a.video')[2].focus()")
        await page.press("Enter")
        await page.wait_for(
            "title.textContent === 'b & \"c\"' && video.readyState >= 2 && video.currentTime > 0"
        )
        assert await page.evaluate("decodeURIComponent(location.search)") == '?v=folder/b & "c".mp4'
        assert await page.evaluate("document.title") == 'b & "c" · Trio Stream'

        await page.evaluate("history.back()")
        await page.wait_for("title.textContent === 'a'")
        assert await page.evaluate("window.loaded") == "once"
        assert_clean(page, library)


async def test_names_after_the_hash_lead_to_videos(library: Server) -> None:
    async with open_chromium() as page:
        await page.goto(f"{library.url}/#{quote('folder/b & "c".mp4')}")
        await page.wait_for("title.textContent === 'b & \"c\"' && video.readyState >= 1")
        await page.evaluate("void (location.hash = 'a.mp4')")
        await page.wait_for("title.textContent === 'a' && video.readyState >= 1")
        assert_clean(page, library)


async def test_finds_by_name(library: Server) -> None:
    async with open_chromium() as page:
        await page.goto(library.url)
        names = (
            "[...document.querySelectorAll('.name')].filter(e => e.checkVisibility()).map(e => e.textContent)"
        )
        assert await page.evaluate(names) == ["a", "broken", 'b & "c"']
        await page.evaluate("document.getElementById('find').focus()")
        await page.type("FOLD b")
        assert await page.evaluate(names) == ['b & "c"']
        await page.type("x")
        assert await page.evaluate("none.checkVisibility()") is True


async def test_says_what_it_cannot_play(library: Server) -> None:
    async with open_chromium() as page:
        await page.goto(f"{library.url}/?v=broken.mkv")
        await page.wait_for("!trouble.hidden")
        assert "does not know its format" in await page.evaluate("trouble.textContent")

        (library.videos / "a.mp4").unlink()
        await page.evaluate("document.querySelector('a.video').click()")
        await page.wait_for("trouble.textContent.includes('there is no such video')")


async def test_fits_on_every_screen(library: Server) -> None:
    async with open_chromium() as page:
        for path in ("/", "/docs"):
            for width, height in ((320, 568), (844, 390), (1280, 800), (3840, 2160)):
                await page.look(width, height)
                await page.goto(library.url + path)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


async def test_a_paused_viewer_whose_connection_was_ended_goes_on(
    start: Callable[..., Server], sample: Path, tmp_path: Path
) -> None:
    """A browser that has buffered enough stops reading: after the send timeout its stream ends, and nobody notices."""
    videos = tmp_path / "videos"
    videos.mkdir()
    loop = ("ffmpeg", "-v", "error", "-stream_loop", "15", "-i", sample, "-c", "copy", videos / "long.mp4")
    await trio.run_process(list(map(str, loop)))
    server = start(videos, environ={"TRIO_STREAM_SEND_TIMEOUT": "1"})
    async with open_chromium() as page:
        await page.goto(server.url)
        await page.wait_for("video.readyState >= 1")
        await page.evaluate("(video.muted = true, video.play())")
        await page.wait_for("video.currentTime > 1")
        await page.evaluate("video.pause()")
        await wait_until(lambda: any(event["ended"] == "stalled" for event in server.ended), 20, "a stall")
        assert await page.evaluate("video.error") is None
        at = await page.evaluate("video.currentTime")

        await page.evaluate("void video.play()")
        await page.wait_for(f"video.currentTime > {at + 1}")
        await page.evaluate("void (video.currentTime = 400)")
        await page.wait_for("video.currentTime > 401")
        assert await page.evaluate("video.error") is None
        assert await page.evaluate("trouble.hidden") is True
