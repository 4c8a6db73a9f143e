"""A real browser, and a library worth looking at."""

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

SOON = 20
"""Milliseconds between two looks at a page: on a busy machine its next picture, the other choice, may take long."""

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The distribution's browser; each test has a context of its own in it."""
    with launched() as running:
        yield running


@dataclass
class Watched:
    """What pages said and asked for, that they should not have."""

    host: str
    complaints: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if self._is_bad(said.type, said.text) else None,
        )
        page.on(
            "request",
            lambda asked: (
                self.complaints.append(f"asked {asked.url}") if self._is_foreign(asked.url) else None
            ),
        )

    def _is_foreign(self, url: str) -> bool:
        return not url.startswith((self.host, f"blob:{self.host}"))

    @staticmethod
    def _is_bad(kind: str, text: str) -> bool:
        # That an address answered with an error is no complaint of the page's; what it makes of that is tested.
        return kind == "error" and not text.startswith("Failed to load resource")


def forget(films: Server) -> None:
    """Let nobody have watched anything."""
    with films.client() as client:
        client.delete("/api/history")
        for item in client.get("/api/videos?limit=200").json()["items"]:
            if item["playhead"] is not None:
                client.delete(f"/api/videos/{item['id']}/playhead")


@pytest.fixture
def watched(films: Server) -> Watched:
    return Watched(films.url)


@pytest.fixture
def context(browser: Browser, films: Server, watched: Watched) -> Iterator[BrowserContext]:
    """A browser of nobody who was here before. Fails when a page in it complained, or asked any other host."""
    forget(films)
    opened = browser.new_context(base_url=films.url, locale="en-US", viewport={"width": 1280, "height": 800})
    opened.on("page", watched.follow)
    yield opened
    opened.close()
    assert watched.complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def browser_phone(browser: Browser, films: Server) -> Iterator[BrowserContext]:
    """A small phone."""
    size: ViewportSize = {"width": 320, "height": 640}
    with browser.new_context(base_url=films.url, viewport=size, has_touch=True, is_mobile=True) as context:
        yield context


@pytest.fixture(scope="session")
def shelf(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with chapters and subtitles, three episodes, a long one, and two that no browser plays."""
    folder = tmp_path_factory.mktemp("shelf")
    season = folder / "Series" / "Season 1"
    season.mkdir(parents=True)
    (folder / "chapters").write_text(CHAPTERS)
    chapters = ("-i", folder / "chapters", "-map", "0", "-map_chapters", "1")
    make(folder / "Film.mp4", "-stream_loop 2 -i", footage, *chapters, *COPY)
    (folder / "chapters").unlink()
    for language, text in SUBTITLES.items():
        for film, end in (("Film", "00:00:29,000"), ("Long", "00:08:00,000")):
            (folder / f"{film}.{language}.srt").write_text(f"1\n00:00:00,500 --> {end}\n{text}\n")
    for number in (1, 2, 3):
        make(season / f"Episode {number}.mp4", "-i", footage, "-t", "8", *COPY)
        with (season / f"Episode {number}.mp4").open("ab") as file:
            file.write(b"\0\0\0\x0cfree" + f"{number:4}".encode())
    make(folder / "Long.mp4", "-stream_loop 47 -i", footage, *COPY)
    make(folder / "Foreign.mov", "-f lavfi -i testsrc2=size=320x180:rate=10:duration=2 -c:v prores_ks")
    (folder / "Broken.mkv").write_text("prose")
    return folder


@pytest.fixture(scope="session")
def films(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of `shelf` that knows all of it."""
    with serving(
        shelf, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "1"}
    ) as server:
        wait_known(server, 7)
        yield server


def wait_known(server: Server, videos: int) -> None:
    """Wait until a server knows all of a library of so many videos, and has made what there is to be made."""

    def whole() -> bool:
        about = server.get("/api/library").json()
        return bool(about["videos"] == videos and about["idle"] and not about["look"]["resting"])

    wait_for(whole, 90, "the library to be known")


def find_video(page: Page, title: str) -> None:
    """Find a video as a person would, and open it."""
    page.goto("/")
    with page.expect_response(lambda answer: "/api/videos?" in answer.url and "q=" in answer.url):
        page.get_by_role("searchbox").fill(title)
    expect(page.locator(".folders, .strip")).to_have_count(0)
    expect(page.locator(".grid .card").first).to_contain_text(title)  # and nothing moves any more
    page.get_by_role("link", name=title).first.click()
    page.wait_for_url("**/watch/*")


def open_video(page: Page, title: str) -> None:
    """Open a video by its address, as from a bookmark."""
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
        asked: performance.getEntriesByType('resource').slice(-12).map(
            each => [each.name, each.startTime, each.responseEnd, each.transferSize]) };
}"""
"""What a video does, for those who have to find out why it does not what it should."""


def wait_for_page(page: Page, function: str, argument: object = None) -> JSHandle:
    """Wait until a function of the page returns something true; where it does not, fail with what the video does."""
    try:
        return page.wait_for_function(function, arg=argument, polling=SOON)
    except PageTimeout:
        pytest.fail(f"waited for {function}\n{page.evaluate(STATE)}")


def until(page: Page, condition: str) -> None:
    """Wait until an expression is true in the page.

    It becomes a function: what the page would have to evaluate at each look, its policy refuses at the second.
    """
    wait_for_page(page, f"() => {condition}")


def playing(page: Page) -> None:
    """Wait until it plays."""
    wait_for_page(page, PLAYING)


def at(page: Page) -> float:
    """Where it is, in seconds."""
    return float(page.evaluate(f"{VIDEO}.currentTime"))


def seek(page: Page, seconds: float) -> None:
    """Go there by no key and no button, and wait for the picture."""
    page.evaluate(f"where => void ({VIDEO}.currentTime = where)", seconds)
    until(page, f"!{VIDEO}.seeking && {VIDEO}.readyState >= 2")


def wait_at(page: Page, seconds: float) -> float:
    """Wait until it has played up to there; where it was then."""
    there = wait_for_page(
        page,
        """wanted => {
            const video = document.querySelector('video');
            const there = video !== null && video.currentTime >= wanted && video.readyState >= 2 && !video.seeking;
            return there && video.currentTime;
        }""",
        seconds,
    )
    return float(there.json_value())
