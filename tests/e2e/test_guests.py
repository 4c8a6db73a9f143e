"""What somebody on another machine sees: a guest who may only watch, or a page that says how to open the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import (
    PageMonitor,
    delete_watch_state,
    open_video,
    position_of,
    seek,
    wait_for_position,
    wait_until_playing,
)
from tests.support import Server, serving

ELSEWHERE = {"X-Forwarded-For": "203.0.113.5"}
"""What a proxy adds to the requests of a client on another machine."""


@pytest.fixture
def refused() -> list[str]:
    """The requests of the pages that the server refused."""
    return []


@pytest.fixture
def guest(
    browser: Browser, film_server: Server, monitor: PageMonitor, refused: list[str]
) -> Iterator[BrowserContext]:
    """The browser of a guest. The test fails if a page has an error, or requests what a guest may not do."""
    delete_watch_state(film_server)
    with browser.new_context(
        base_url=film_server.url,
        locale="en-US",
        viewport={"width": 1280, "height": 800},
        extra_http_headers=ELSEWHERE,
    ) as context:
        context.on("page", monitor.follow)
        context.on("response", lambda got: refused.append(got.url) if got.status == 403 else None)
        yield context
    assert monitor.problems == []
    assert refused == []


def test_a_guest_watches_and_the_browser_remembers_where(guest: BrowserContext, film_server: Server) -> None:
    page = guest.new_page()
    open_video(page, "Film")
    wait_until_playing(page)
    expect(page.get_by_role("button", name="Mark as watched")).to_have_count(0)
    seek(page, 12)
    wait_for_position(page, 13)
    page.goto("/")
    expect(page.get_by_role("heading", name="All videos")).to_be_visible()
    expect(page.get_by_role("heading", name="Continue watching")).to_have_count(0)
    open_video(page, "Film")
    wait_until_playing(page)
    assert position_of(page) > 12
    found = film_server.get("/api/videos", params={"q": "Film"}).json()["items"]
    assert found[0]["playhead"] is None


def test_a_guest_gets_no_links_to_what_belongs_to_the_operator(guest: BrowserContext) -> None:
    page = guest.new_page()
    page.goto("/")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link")).to_have_text(["Library"])
    page.goto("/live")
    expect(page.get_by_role("heading", name="Activity is not shown here")).to_be_visible()
    page.get_by_role("link", name="Go to library").click()
    expect(page.get_by_role("heading", name="All videos")).to_be_visible()


def test_the_operator_keeps_the_links(page: Page) -> None:
    page.goto("/")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link")).to_have_text(["Library", "Activity", "API"])


@pytest.mark.parametrize("width", [320, 1280])
def test_a_closed_server_says_how_to_open_it(browser: Browser, tmp_path: Path, width: int) -> None:
    (tmp_path / "videos").mkdir()
    with (
        serving(tmp_path / "videos", tmp_path) as server,
        browser.new_context(
            base_url=server.url, viewport={"width": width, "height": 640}, extra_http_headers=ELSEWHERE
        ) as context,
    ):
        page = context.new_page()
        page.goto("/watch/0123456789abcdef")
        expect(page.get_by_role("heading", name="This server is not open to other devices")).to_be_visible()
        expect(page.get_by_text("TRIO_STREAM_ANONYMOUS=view")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("link", name="Português (Brasil)").click()
        expect(
            page.get_by_role("heading", name="Este servidor não está aberto a outros aparelhos")
        ).to_be_visible()
