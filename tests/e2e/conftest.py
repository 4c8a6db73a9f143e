"""Fixtures of the browser tests: a real browser, a library of films, and a server for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, JSHandle, Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as PageTimeout

from tests.browser import launched
from tests.media.making import make
from tests.support import Server, serving, wait_for

VIDEO = "document.querySelector('video')"

PLAYING = """() => {
    const video = document.querySelector('video');
    return video !== null && !video.paused && video.readyState >= 3 && video.currentTime > 0;
}"""

SUBTITLES = {"en": "A ball bounces", "de": "Ein Ball hüpft"}
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=10000
title=The beginning
[CHAPTER]
TIMEBASE=1/1000
START=10000
END=30000
title=The rest
"""

COPY = ("-c", "copy")

POLL_INTERVAL = 20
"""Milliseconds between two checks of a condition in a page. Once per animation frame takes long on a busy machine."""

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The distribution's browser; each test opens its own context in it."""
    with launched() as browser:
        yield browser


@dataclass
class PageMonitor:
    """Records errors of pages, and their requests to other hosts."""

    host: str
    problems: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda message: (
                self.problems.append(message.text) if self._is_error(message.type, message.text) else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                self.problems.append(f"requested {request.url}") if self._is_other_host(request.url) else None
            ),
        )

    def _is_other_host(self, url: str) -> bool:
        return not url.startswith((self.host, f"blob:{self.host}"))

    @staticmethod
    def _is_error(kind: str, text: str) -> bool:
        # An error response is not an error of the page. The tests check how the page handles it.
        return kind == "error" and not text.startswith("Failed to load resource")


def delete_watch_state(film_server: Server) -> None:
    """Delete the watch state of all videos."""
    with film_server.client() as client:
        client.delete("/api/history")
        for item in client.get("/api/videos?limit=200").json()["items"]:
            if item["playhead"] is not None:
                client.delete(f"/api/videos/{item['id']}/playhead")


@pytest.fixture
def monitor(film_server: Server) -> PageMonitor:
    return PageMonitor(film_server.url)


@pytest.fixture
def context(browser: Browser, film_server: Server, monitor: PageMonitor) -> Iterator[BrowserContext]:
    """The browser of a new visitor. The test fails if a page in it has an error or makes a request to another host."""
    delete_watch_state(film_server)
    opened = browser.new_context(
        base_url=film_server.url, locale="en-US", viewport={"width": 1280, "height": 800}
    )
    opened.on("page", monitor.follow)
    yield opened
    opened.close()
    assert monitor.problems == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def browser_phone(browser: Browser, film_server: Server) -> Iterator[BrowserContext]:
    """A small phone."""
    size: ViewportSize = {"width": 320, "height": 640}
    with browser.new_context(
        base_url=film_server.url, viewport=size, has_touch=True, is_mobile=True
    ) as context:
        yield context


@pytest.fixture(scope="session")
def library(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with chapters and subtitles, three episodes, a long film, and two files that no browser plays."""
    folder = tmp_path_factory.mktemp("library")
    season = folder / "Series" / "Season 1"
    season.mkdir(parents=True)
    (folder / "chapters").write_text(CHAPTERS)
    chapters = ("-i", folder / "chapters", "-map", "0", "-map_chapters", "1")
    make(folder / "Film.mp4", "-stream_loop 2 -i", footage, *chapters, *COPY)
    (folder / "chapters").unlink()
    for language, text in SUBTITLES.items():
        for title, end in (("Film", "00:00:29,000"), ("Long", "00:08:00,000")):
            (folder / f"{title}.{language}.srt").write_text(f"1\n00:00:00,500 --> {end}\n{text}\n")
    for number in (1, 2, 3):
        make(season / f"Episode {number}.mp4", "-i", footage, "-t", "8", *COPY)
        with (season / f"Episode {number}.mp4").open("ab") as file:
            file.write(b"\0\0\0\x0cfree" + f"{number:4}".encode())
    make(folder / "Long.mp4", "-stream_loop 47 -i", footage, *COPY)
    make(folder / "Foreign.mov", "-f lavfi -i testsrc2=size=320x180:rate=10:duration=2 -c:v prores_ks")
    (folder / "Broken.mkv").write_text("prose")
    return folder


@pytest.fixture(scope="session")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of `library` whose background jobs are done."""
    settings = {"TRIO_STREAM_ARTWORK_SHARE": "1", "TRIO_STREAM_ANONYMOUS": "view"}
    with serving(library, tmp_path_factory.mktemp("films"), environ=settings) as server:
        wait_for_library(server, 7)
        yield server


def wait_for_library(server: Server, videos: int) -> None:
    """Wait until the library of a server has that many videos, all files are settled and no jobs are pending."""

    def is_complete() -> bool:
        state = server.get("/api/library").json()
        return bool(state["videos"] == videos and state["idle"] and not state["look"]["resting"])

    wait_for(is_complete, 90, "the library to be complete")


def find_video(page: Page, title: str) -> None:
    """Search for a video, and open it."""
    page.goto("/")
    with page.expect_response(lambda response: "/api/videos?" in response.url and "q=" in response.url):
        page.get_by_role("searchbox").fill(title)
    expect(page.locator(".folders, .strip")).to_have_count(0)
    expect(page.locator(".grid .card").first).to_contain_text(title)  # the list no longer changes
    page.get_by_role("link", name=title).first.click()
    page.wait_for_url("**/watch/*")


def open_video(page: Page, title: str) -> None:
    """Open a video by its URL, as from a bookmark."""
    found = page.request.get("/api/videos", params={"q": title}).json()["items"]
    page.goto(f"/watch/{found[0]['id']}")


STATE = """() => {
    const video = document.querySelector('video');
    if (video === null) return 'no video in ' + document.body.innerText;
    const { paused, muted, seeking, ended, readyState, networkState, currentTime, currentSrc } = video;
    const buffered = [...Array(video.buffered.length).keys()].map(i => [video.buffered.start(i), video.buffered.end(i)]);
    const error = video.error && [video.error.code, video.error.message];
    return { paused, muted, seeking, ended, readyState, networkState, currentTime, currentSrc, buffered, error,
        hidden: document.hidden, activated: navigator.userActivation.hasBeenActive,
        requests: performance.getEntriesByType('resource').slice(-12).map(
            entry => [entry.name, entry.startTime, entry.responseEnd, entry.transferSize]) };
}"""
"""The state of the video element, to debug a failed test."""


def wait_for_page(page: Page, function: str, argument: object = None) -> JSHandle:
    """Wait until a JavaScript function returns something true. On a timeout, fail with the state of the video."""
    try:
        return page.wait_for_function(function, arg=argument, polling=POLL_INTERVAL)
    except PageTimeout:
        pytest.fail(f"waited for {function}\n{page.evaluate(STATE)}")


def until(page: Page, condition: str) -> None:
    """Wait until an expression is true in the page.

    It is wrapped in a function because the page's Content-Security-Policy does not allow an expression to be evaluated
    again and again.
    """
    wait_for_page(page, f"() => {condition}")


def wait_until_playing(page: Page) -> None:
    """Wait until the video plays."""
    wait_for_page(page, PLAYING)


def position_of(page: Page) -> float:
    """The position of the video, in seconds."""
    return float(page.evaluate(f"{VIDEO}.currentTime"))


def seek(page: Page, seconds: float) -> None:
    """Seek without keys or buttons, and wait for the frame."""
    page.evaluate(f"position => void ({VIDEO}.currentTime = position)", seconds)
    until(page, f"!{VIDEO}.seeking && {VIDEO}.readyState >= 2")


def wait_for_position(page: Page, seconds: float) -> float:
    """Wait until the video has reached this position, and return its position."""
    reached = wait_for_page(
        page,
        """seconds => {
            const video = document.querySelector('video');
            const reached = video !== null && video.currentTime >= seconds && video.readyState >= 2 && !video.seeking;
            return reached && video.currentTime;
        }""",
        seconds,
    )
    return float(reached.json_value())
