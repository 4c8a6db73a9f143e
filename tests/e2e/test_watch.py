"""A person watches: everything they press does what it says."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as TooSlow

from tests.e2e.conftest import VIDEO, at, open_video, playing, seek, wait_at
from tests.support import Server, wait_for

FINGER = 150
"""Milliseconds: the player's own idea of what its video does lags behind by less."""


def controls(page: Page) -> None:
    """Move the mouse, so that the controls show."""
    page.mouse.move(600, 300)
    page.mouse.move(620, 320)


def done(page: Page, look: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until it is so, and for as long as a person's finger takes to the next key."""
    wait_for(look, seconds, what)
    page.wait_for_timeout(FINGER)


def choose(page: Page, menu: str, choice: str) -> None:
    """Choose from a menu of the player's settings."""
    controls(page)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name=menu).click()
    page.get_by_role("menuitemradio", name=choice).click()
    for _ in range(5):
        if page.locator("[role=menu]:visible").count() == 0:
            break
        page.keyboard.press("Escape")
        page.wait_for_timeout(FINGER)
    expect(page.locator("[role=menu]:visible")).to_have_count(0)
    page.wait_for_timeout(FINGER)


def showing(page: Page) -> list[str]:
    """The languages of the subtitles that show."""
    found: list[str] = page.evaluate(
        f"[...{VIDEO}.textTracks].filter(t => t.kind === 'subtitles' && t.mode === 'showing').map(t => t.language)"
    )
    return found


def test_plays_at_once_and_seeks_by_the_preview_bar(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    controls(page)
    slider = page.get_by_role("slider", name="Seek")
    box = slider.locator("xpath=..").bounding_box()
    assert box is not None
    where = {"x": box["x"] + box["width"] * 0.7, "y": box["y"] + box["height"] / 2}
    page.mouse.move(where["x"], where["y"])
    preview = page.locator(".player img[src*='/sheet-']")
    expect(preview.first).to_be_visible()
    page.mouse.click(where["x"], where["y"])
    wait_at(page, 18)
    assert at(page) < 25
    playing(page)


def test_chooses_subtitles_and_remembers_the_language(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    assert showing(page) == []
    choose(page, "Captions", "German")
    page.wait_for_function(f"[...{VIDEO}.textTracks].some(t => t.mode === 'showing' && t.activeCues?.length)")
    assert showing(page) == ["de"]
    cue = page.evaluate(
        f"[...{VIDEO}.textTracks].find(t => t.kind === 'subtitles' && t.mode === 'showing').activeCues[0].text"
    )
    assert cue == "Ein Ball hüpft"
    page.keyboard.press("c")
    done(page, lambda: showing(page) == [], 5, "none")
    page.keyboard.press("c")
    done(page, lambda: showing(page) == ["de"], 5, "German again")
    wait_for(lambda: page.evaluate("localStorage.getItem('trio-stream.subtitles')") == "de", 5)
    page.reload()
    playing(page)
    wait_for(lambda: showing(page) == ["de"], 5)


def test_own_languages_come_first(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    labels = page.evaluate(f"[...{VIDEO}.textTracks].filter(t => t.kind === 'subtitles').map(t => t.label)")
    assert labels == ["English", "German"]


def test_changes_speed(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    choose(page, "Speed", "1.5")
    assert page.evaluate(f"{VIDEO}.playbackRate") == 1.5


@pytest.mark.parametrize("focus", ["page", "player"])
def test_every_key(page: Page, focus: str) -> None:
    open_video(page, "Long")
    playing(page)
    if focus == "player":
        page.get_by_role("group", name="Media player").focus()

    def value(what: str) -> object:
        return page.evaluate(f"{VIDEO}.{what}")

    button = page.locator(".media-play-button")
    for key in ("k", "Space"):
        page.keyboard.press(key)
        expect(button).to_have_attribute("aria-label", "Play")
        page.keyboard.press(key)
        expect(button).to_have_attribute("aria-label", "Pause")
    page.keyboard.press("k")
    expect(button).to_have_attribute("aria-label", "Play")
    for key, step in (("l", 10), ("j", -10), ("ArrowRight", 5), ("ArrowLeft", -5)):
        before = at(page) if step > 0 else 30.0
        seek(page, before)
        page.wait_for_timeout(FINGER)
        page.keyboard.press(key)
        done(page, lambda: abs(at(page) - before - step) < 1.5, 5, key)  # noqa: B023
    page.evaluate(f"void ({VIDEO}.volume = 0.5)")
    page.keyboard.press("ArrowUp")
    done(page, lambda: float(str(value("volume"))) > 0.5, 5, "louder")
    page.keyboard.press("ArrowDown")
    done(page, lambda: float(str(value("volume"))) < 0.51, 5, "quieter")
    page.keyboard.press("m")
    done(page, lambda: value("muted") is True, 5, "m")
    page.keyboard.press("m")
    done(page, lambda: value("muted") is False, 5, "m")
    page.keyboard.press(">")
    done(page, lambda: float(str(value("playbackRate"))) > 1, 5, ">")
    page.keyboard.press("<")
    done(page, lambda: value("playbackRate") == 1, 5, "<")
    for digit in (5, 0, 9):
        page.keyboard.press(str(digit))
        done(page, lambda: abs(at(page) - digit * 48) < 5, 5, str(digit))  # noqa: B023
    before = at(page)
    page.keyboard.press(".")
    done(page, lambda: 0 < at(page) - before < 0.2, 5, "one picture on")
    page.keyboard.press(",")
    done(page, lambda: abs(at(page) - before) < 0.01, 5, "and back")
    page.keyboard.press("f")
    done(page, lambda: page.evaluate("document.fullscreenElement !== null") is True, 5, "f")
    expect(page.locator(".media-fullscreen-button")).to_have_attribute("aria-label", re.compile("Exit"))
    page.keyboard.press("f")
    done(page, lambda: page.evaluate("document.fullscreenElement === null") is True, 5, "f")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_goes_on_where_it_was_after_a_reload(page: Page, films: Server) -> None:
    open_video(page, "Long")
    playing(page)
    page.evaluate(f"void ({VIDEO}.currentTime = 100)")
    wait_at(page, 101)
    before = at(page)
    page.reload()
    playing(page)
    chip = page.get_by_text("Resumed at")
    expect(chip).to_be_visible()
    minutes, seconds = re.findall(r"\d+", chip.inner_text())
    assert abs(int(minutes) * 60 + int(seconds) - before) <= 2
    wait_at(page, before - 2)
    page.get_by_role("button", name="From the beginning").click()
    wait_for(lambda: at(page) < 5, 5, "the beginning")


def test_a_pause_and_leaving_are_remembered_at_once(page: Page, films: Server) -> None:
    open_video(page, "Film")
    playing(page)
    id_ = page.url.rsplit("/", 1)[1]

    def stored() -> float:
        playhead = films.get(f"/api/videos/{id_}").json()["playhead"]
        return float(playhead["position"]) if playhead else -1.0

    page.evaluate(f"void ({VIDEO}.currentTime = 12)")
    wait_at(page, 12)
    page.keyboard.press("k")
    wait_for(lambda: abs(stored() - at(page)) < 1, 5, "the pause")
    page.evaluate(f"void ({VIDEO}.currentTime = 20)")
    wait_at(page, 20)
    page.get_by_role("link", name="Library", exact=True).click()
    wait_for(lambda: abs(stored() - 20) < 1, 5, "leaving")


def test_an_address_can_name_a_time(page: Page) -> None:
    open_video(page, "Long")
    playing(page)
    page.goto(page.url + "?t=1m30s")
    wait_at(page, 90)
    assert at(page) < 95


def test_plays_to_the_end_and_on_to_the_next(page: Page) -> None:
    open_video(page, "Episode 1")
    playing(page)
    first = page.url
    page.evaluate(f"void ({VIDEO}.currentTime = 6.5)")
    offer = page.get_by_role("region", name="Next")
    expect(offer).to_be_visible()
    expect(offer).to_contain_text("Episode 2")
    page.wait_for_url(lambda url: url != first, timeout=15_000)
    playing(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Episode 2")

    # ... unless somebody says no.
    page.evaluate(f"void ({VIDEO}.currentTime = 6.5)")
    page.get_by_role("region", name="Next").get_by_role("button", name="Cancel").click()
    expect(offer).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Episode 2")


def test_the_full_screen_stays_for_the_next(page: Page) -> None:
    open_video(page, "Episode 1")
    playing(page)
    page.keyboard.press("f")
    wait_for(lambda: page.evaluate("document.fullscreenElement !== null") is True, 5)
    page.keyboard.press("Shift+N")
    expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text("Episode 2")
    playing(page)
    assert page.evaluate("document.fullscreenElement !== null") is True


def test_chapters_lead_where_they_begin(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    page.get_by_role("button", name=re.compile("The rest")).click()
    wait_at(page, 10)
    assert at(page) < 13


def test_watched_is_said_and_taken_back(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    page.get_by_role("button", name="Mark as watched").click()
    expect(page.get_by_role("button", name="Mark as not watched")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("link", name="Film").first).to_contain_text("Watched")


def test_statistics(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    controls(page)
    page.get_by_role("button", name="Stats for nerds").click()
    stats = page.locator(".stats")
    for text in (re.compile("1920 . 1080"), "avc1", "direct", re.compile(r"First picture after\s*\d+ ms")):
        expect(stats).to_contain_text(text)


def test_the_keys_of_the_system_know_the_video(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    assert page.evaluate("navigator.mediaSession.metadata.title") == "Film"


@pytest.mark.parametrize(
    ("title", "why"),
    [("Foreign", "picture's format, PRORES"), ("Broken", "seems to be damaged")],
)
def test_says_what_it_cannot_play_and_why(page: Page, title: str, why: str) -> None:
    open_video(page, title)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This browser cannot play this video")
    expect(alert).to_contain_text(why)
    with page.expect_download() as download:
        alert.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith(title)


def test_a_video_that_is_gone(page: Page) -> None:
    page.goto("/watch/0123456789abcdef")
    expect(page.get_by_role("heading", level=1)).to_have_text("This video is not there any more")
    page.get_by_role("link", name="To the library").click()
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_by_touch(browser_phone: BrowserContext) -> None:
    page = browser_phone.new_page()
    open_video(page, "Long")
    playing(page)
    for _ in range(5):  # the controls hide again from a finger that is slow
        page.get_by_role("group", name="Media player").tap()
        with suppress(TooSlow):
            page.get_by_role("button", name="Pause").tap(timeout=2000)
            break
    wait_for(lambda: page.evaluate(f"{VIDEO}.paused") is True, 5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
