"""Accessibility: axe has no serious or critical findings on any page, in any of its states, menus and dialogs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import (
    VIDEO,
    delete_watch_state,
    open_video,
    seek,
    wait_for_position,
    wait_until_playing,
)
from tests.e2e.driving import pause, press, show_controls, wait_for_animations, wait_for_subtitle
from tests.e2e.test_live import FILM, watching
from tests.support import Server

AXE = Path(__file__).parents[2] / "trio_stream" / "player" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(params=["light", large("dark")])
def checked_page(
    request: pytest.FixtureRequest, browser: Browser, film_server: Server
) -> Iterator[tuple[Page, Callable[..., None]]]:
    """A page, and a function that fails if axe has a serious or critical finding in its current state."""
    # The other rules do not depend on colours.
    rules = {"runOnly": ["color-contrast", "link-in-text-block"]} if request.param == "dark" else {}
    # A video that cannot be read never has the metadata that axe waits for.
    options = {
        "resultTypes": ["violations"],
        "preload": {"assets": ["cssom", "media"], "timeout": 1000},
        **rules,
    }
    source = AXE.read_text()
    delete_watch_state(film_server)
    with browser.new_context(base_url=film_server.url, color_scheme=request.param, locale="en-US") as context:
        page = context.new_page()

        def check(state: str, part: str = ":root") -> None:
            wait_for_animations(page)
            if not page.evaluate("'axe' in window"):
                page.evaluate(source)
            report = page.evaluate("([part, options]) => axe.run(part, options)", [part, options])
            findings = [
                (rule["id"], [node["html"][:200] for node in rule["nodes"]])
                for rule in report["violations"]
                if rule["impact"] in ("serious", "critical")
            ]
            assert findings == [], state

        yield page, check


def test_pages_are_accessible(checked_page: tuple[Page, Callable[..., None]], film_server: Server) -> None:
    page, check = checked_page
    page.goto("/")
    expect(page.locator(".grid img.shown")).to_have_count(6)
    check("library")
    page.goto("/?folder=Series")
    expect(page.get_by_role("link", name=re.compile("^Season 1"))).to_be_visible()
    check("folder")
    page.goto("/?q=nothinglikethis")
    expect(page.get_by_role("heading", name="No results for")).to_be_visible()
    check("nothing found")
    page.route("**/api/videos?*", lambda route: route.fulfill(status=400, json={"detail": "no", "code": "x"}))
    page.goto("/")
    expect(page.get_by_role("alert")).to_be_visible()
    check("failed")
    page.unroute_all()
    page.goto("/live")
    expect(page.get_by_text("No one is watching")).to_be_visible()
    check("activity without streams")
    with watching(film_server):
        expect(page.get_by_role("row", name=re.compile(FILM))).to_be_visible()
        check("activity with a stream")
    open_video(page, "Foreign")
    expect(page.get_by_role("alert")).to_be_visible()
    check("cannot be played")
    page.goto(re.sub("/watch/", "/socket/", page.url))
    expect(page.get_by_role("heading", name="This video can't be watched over WebSocket")).to_be_visible()
    check("not available over WebSocket")
    page.goto("/watch/0123456789abcdef")
    expect(page.get_by_role("heading", name="This video is no longer available")).to_be_visible()
    check("gone")
    page.evaluate("history.pushState(null, '', '/nosuchpage')")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    check("no such page")
    page.goto("/docs")
    check("API")


def test_the_player_is_accessible(checked_page: tuple[Page, Callable[..., None]]) -> None:
    page, check = checked_page
    open_video(page, "Film")
    wait_for_position(page, 1)
    pause(page)
    check("watch")
    press(page, "Settings")
    for menu in ("Subtitles", "Speed"):
        item = page.get_by_role("menuitem", name=menu)
        expect(item).to_be_visible()
        check("settings", ".player")
        item.click()
        expect(page.get_by_role("menuitemradio").first).to_be_visible()
        check(menu, ".player")
        page.keyboard.press("Escape")
        expect(page.get_by_role("menuitemradio")).to_have_count(0)
        expect(item).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    show_controls(page)
    page.get_by_role("button", name="Mute").hover()
    expect(page.get_by_role("slider", name="Volume")).to_be_visible()
    check("volume", ".player")
    page.keyboard.press("c")
    wait_for_subtitle(page, "A ball bounces")
    press(page, "Stats for nerds")
    expect(page.locator(".stats")).to_be_visible()
    check("subtitles and stats", ".player")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    check("keys")
    page.keyboard.press("Escape")
    with page.expect_response(lambda response: response.url.endswith("/playhead")):
        seek(page, 20)
    page.reload()
    expect(page.get_by_text("Resumed at")).to_be_visible()
    check("resumed", ".resumed")
    open_video(page, "Episode 1")
    wait_until_playing(page)
    page.evaluate(f"void ({VIDEO}.currentTime = 7.5)")
    expect(page.get_by_role("region", name="Next")).to_be_visible()
    check("next", ".next-up")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="Watch over WebSocket").click()
    expect(page.locator(".stations .word")).to_have_text("All received")
    page.evaluate(f"{VIDEO}.pause()")
    check("WebSocket")
