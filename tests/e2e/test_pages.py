"""The library page: search, sorting, folders, languages, themes, remote control keys; and all pages on any screen."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import find_video, seek, wait_for_position, wait_until_playing
from tests.support import Server, wait_for

CARDS = ".grid .card .name"


def titles(page: Page) -> list[str]:
    return page.locator(CARDS).all_text_contents()


def test_search_results_change_while_typing(page: Page) -> None:
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(7)
    page.keyboard.press("/")
    page.keyboard.type("epis 2")
    expect(page.locator(CARDS)).to_have_text(["Episode 2"])
    assert "q=epis+2" in page.url
    page.keyboard.type("zzz")
    expect(page.get_by_role("heading", name="No results for")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(CARDS)).to_have_count(7)


def test_videos_can_be_sorted(page: Page) -> None:
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(7)
    by_name = titles(page)
    page.get_by_label("Sort by").select_option("duration")
    page.wait_for_url("**/?sort=duration")
    page.get_by_role("button", name="Ascending").click()
    expect(page.locator(CARDS).first).to_have_text("Long")
    page.go_back()
    page.go_back()
    expect(page.locator(CARDS)).to_have_text(by_name)


def test_folders_can_be_browsed(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Series", exact=True).click()
    page.get_by_role("link", name=re.compile("^Season 1")).click()
    expect(page.locator(CARDS)).to_have_text(["Episode 1", "Episode 2", "Episode 3"])
    page.get_by_role("navigation", name="Folders").get_by_role("link", name="All videos").click()
    expect(page.locator(CARDS)).to_have_count(7)


def test_a_started_video_is_listed_to_continue(page: Page) -> None:
    find_video(page, "Long")
    wait_until_playing(page)
    seek(page, 200)
    wait_for_position(page, 201)
    page.get_by_role("link", name="Library", exact=True).click()
    region = page.get_by_role("region", name="Continue watching")
    expect(region.get_by_role("link", name="Long")).to_contain_text("left")


def test_each_poster_is_requested_once(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".grid img.shown")).to_have_count(6)  # the unreadable file has none
    requests = page.evaluate(
        "performance.getEntriesByType('resource').filter(entry => entry.name.includes('/poster-')).length"
    )
    assert requests == 6


def test_the_language_is_the_one_of_the_browser_or_the_chosen_one(
    browser: Browser, film_server: Server
) -> None:
    with browser.new_context(base_url=film_server.url, locale="pt-BR") as context:
        page = context.new_page()
        page.goto("/")
        expect(page.get_by_role("heading", name="Todos os vídeos")).to_be_visible()
        assert page.evaluate("document.documentElement.lang") == "pt-BR"
        page.get_by_label("Idioma").select_option("en")
        expect(page.get_by_role("heading", name="All videos")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="All videos")).to_be_visible()


def test_the_theme_is_the_one_of_the_system_or_the_chosen_one(browser: Browser, film_server: Server) -> None:
    def background(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    colours = {}
    for scheme in ("light", "dark"):
        with browser.new_context(base_url=film_server.url, color_scheme=scheme) as context:
            page = context.new_page()
            page.goto("/")
            colours[scheme] = background(page)
            other = "dark" if scheme == "light" else "light"
            page.get_by_label("Appearance").select_option(other)
            wait_for(lambda: background(page) != colours[scheme], 15, other)  # noqa: B023 - called in the same iteration
            colours[f"{scheme} then {other}"] = background(page)
    assert colours["light"] != colours["dark"]
    assert colours["light then dark"] == colours["dark"]
    assert colours["dark then light"] == colours["light"]


def test_arrow_keys_are_enough(page: Page) -> None:
    page.goto("/")
    expect(page.locator(CARDS)).to_have_count(7)

    def focused() -> str:
        return str(page.evaluate("document.activeElement.textContent"))

    for _ in range(12):
        page.keyboard.press("ArrowDown")
        if page.evaluate("document.activeElement.classList.contains('card')"):
            break
    first = focused()
    page.keyboard.press("ArrowRight")
    assert focused() != first
    page.keyboard.press("ArrowLeft")
    assert focused() == first
    page.keyboard.press("Enter")
    page.wait_for_url("**/watch/*")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("path", ["/", "/live", "/docs"])
def test_pages_fit_on_every_screen(page: Page, film_server: Server, path: str, language: str) -> None:
    page.context.add_cookies([{"name": "trio-stream-language", "value": language, "url": film_server.url}])
    for width in (320, 768, 1280, 3840):
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(path)
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_empty_library_says_where_to_put_videos(
    browser: Browser, start: Callable[..., Server], tmp_path: Path, sample: Path
) -> None:
    server = start()
    with browser.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.goto("/")
        expect(page.get_by_role("heading", name="No videos yet")).to_be_visible()
        expect(page.locator("code")).to_have_text(str(server.videos))
        (server.videos / "First.mp4").write_bytes(sample.read_bytes())
        expect(page.get_by_role("link", name="First")).to_be_visible(timeout=20_000)


def test_a_failed_request_is_shown_and_can_be_repeated(
    browser: Browser, start: Callable[..., Server], context: BrowserContext, page: Page
) -> None:
    page.route(
        "**/api/videos?*", lambda route: route.fulfill(status=400, json={"detail": "broken", "code": "x"})
    )
    page.goto("/")
    expect(page.get_by_role("alert")).to_contain_text("broken")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(CARDS)).to_have_count(7)
