"""Nobody is shut out: axe has no serious or critical finding on any page, in any state, menu or dialog of it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, forget, open_video, playing, seek, wait_at
from tests.e2e.driving import is_still, pause, press, says, show_controls
from tests.e2e.test_live import FILM, watching
from tests.support import Server

AXE = Path(__file__).parents[2] / "trio_stream" / "player" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(params=["light", large("dark")])
def unhindered(
    request: pytest.FixtureRequest, browser: Browser, films: Server
) -> Iterator[tuple[Page, Callable[..., None]]]:
    """A page, and what fails where axe has a serious or critical finding in it as it is."""
    # What does not depend on colours is the same in any.
    rules = {"runOnly": ["color-contrast", "link-in-text-block"]} if request.param == "dark" else {}
    # A video that cannot be read never has the metadata that axe waits for.
    options = {
        "resultTypes": ["violations"],
        "preload": {"assets": ["cssom", "media"], "timeout": 1000},
        **rules,
    }
    source = AXE.read_text()
    forget(films)
    with browser.new_context(base_url=films.url, color_scheme=request.param, locale="en-US") as context:
        page = context.new_page()

        def check(what: str, part: str = ":root") -> None:
            is_still(page)
            if not page.evaluate("'axe' in window"):
                page.evaluate(source)
            found = page.evaluate("([part, options]) => axe.run(part, options)", [part, options])
            grave = [
                (each["id"], [node["html"][:200] for node in each["nodes"]])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert grave == [], what

        yield page, check


def test_pages(unhindered: tuple[Page, Callable[..., None]], films: Server) -> None:
    page, check = unhindered
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
    check("live, nobody")
    with watching(films):
        expect(page.get_by_role("row", name=re.compile(FILM))).to_be_visible()
        check("live, somebody")
    open_video(page, "Foreign")
    expect(page.get_by_role("alert")).to_be_visible()
    check("cannot be played")
    page.goto(re.sub("/watch/", "/socket/", page.url))
    expect(page.get_by_role("heading", name="This video can't be watched over WebSocket")).to_be_visible()
    check("no WebSocket for it")
    page.goto("/watch/0123456789abcdef")
    expect(page.get_by_role("heading", name="This video is no longer available")).to_be_visible()
    check("gone")
    page.evaluate("history.pushState(null, '', '/nosuchpage')")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    check("no such page")
    page.goto("/docs")
    check("API")


def test_player(unhindered: tuple[Page, Callable[..., None]]) -> None:
    page, check = unhindered
    open_video(page, "Film")
    wait_at(page, 1)
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
    says(page, "A ball bounces")
    press(page, "Stats for nerds")
    expect(page.locator(".stats")).to_be_visible()
    check("subtitles and stats", ".player")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    check("keys")
    page.keyboard.press("Escape")
    with page.expect_response(lambda answer: answer.url.endswith("/playhead")):
        seek(page, 20)
    page.reload()
    expect(page.get_by_text("Resumed at")).to_be_visible()
    check("resumed", ".resumed")
    open_video(page, "Episode 1")
    playing(page)
    page.evaluate(f"void ({VIDEO}.currentTime = 7.5)")
    expect(page.get_by_role("region", name="Next")).to_be_visible()
    check("next", ".next-up")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="Watch over WebSocket").click()
    expect(page.locator(".stations .word")).to_have_text("All received")
    page.evaluate(f"{VIDEO}.pause()")
    check("WebSocket")
