"""A person watches: it begins, goes on, is left and taken up again as it should."""

import re

import pytest
from playwright.sync_api import Page, Position, expect

from tests.e2e.conftest import VIDEO, at, find_video, open_video, playing, until, wait_at
from tests.e2e.driving import SUBTITLES, choose, pause, press, says, show_controls, showing
from tests.support import Server, wait_for


def test_plays_at_once_and_seeks_by_the_preview_bar(page: Page) -> None:
    find_video(page, "Film")
    playing(page)
    show_controls(page)
    bar = page.get_by_role("slider", name="Seek").locator("xpath=..")
    box = bar.bounding_box()
    assert box is not None
    where: Position = {"x": box["width"] * 0.7, "y": box["height"] / 2}
    bar.hover(position=where)
    expect(page.locator(".player img[src*='/sheet-']").first).to_be_visible()
    bar.click(position=where)
    assert 18 < wait_at(page, 18) < 25
    playing(page)


def test_only_the_video_is_redrawn_while_it_plays(page: Page) -> None:
    """Whatever moves for ever, even if nobody sees it, has the page drawn sixty times a second."""
    open_video(page, "Film")
    playing(page)
    endless = "document.getAnimations().filter(each => each.effect.getTiming().iterations === Infinity)"
    until(page, f"{endless}.length === 0")
    blurred = "[...document.querySelectorAll('*')].filter(each => getComputedStyle(each).backdropFilter.includes('('))"
    assert page.evaluate(f"{blurred}.map(each => each.className)") == []


def test_chooses_subtitles_and_remembers_the_language(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    assert showing(page) == []
    choose(page, ("Subtitles", "German"))
    assert showing(page) == ["de"]
    says(page, "Ein Ball hüpft")
    for shown in ([], ["de"]):
        page.keyboard.press("c")
        wait_for(lambda: showing(page) == shown, 15, f"{shown}")  # noqa: B023 - called within the turn
    until(page, "localStorage.getItem('trio-stream.subtitles') === 'de'")
    page.reload()
    playing(page)
    wait_for(lambda: showing(page) == ["de"], 15, "German again")


def test_own_languages_come_first(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    labels = page.evaluate(f"{SUBTITLES}.map(t => t.label)")
    assert labels == ["English", "German"]


def test_goes_on_where_it_was_after_a_reload(page: Page) -> None:
    open_video(page, "Long")
    playing(page)
    page.evaluate(f"void ({VIDEO}.currentTime = 100)")
    wait_at(page, 101)
    page.evaluate(
        f"addEventListener('pagehide', () => sessionStorage.setItem('left', {VIDEO}.currentTime), {{ once: true }})"
    )
    page.reload()
    left = float(page.evaluate("sessionStorage.getItem('left')"))
    chip = page.get_by_text("Resumed at")
    expect(chip).to_be_visible()
    minutes, seconds = re.findall(r"\d+", chip.inner_text())
    assert abs(int(minutes) * 60 + int(seconds) - left) <= 2
    playing(page)
    assert at(page) > left - 2
    pause(page)  # and it waits for an answer
    page.get_by_role("button", name="Start over").click()
    until(page, f"{VIDEO}.currentTime < 5")
    expect(chip).to_have_count(0)


def test_a_pause_and_leaving_are_remembered_at_once(page: Page, films: Server) -> None:
    open_video(page, "Film")
    playing(page)
    id_ = page.url.rsplit("/", 1)[1]

    def stored() -> float:
        playhead = films.get(f"/api/videos/{id_}").json()["playhead"]
        return float(playhead["position"]) if playhead else -1.0

    page.evaluate(f"void ({VIDEO}.currentTime = 12)")
    wait_at(page, 12)
    pause(page)
    wait_for(lambda: abs(stored() - at(page)) < 1, 15, "the pause")
    page.evaluate(f"void ({VIDEO}.currentTime = 20)")
    wait_at(page, 20)
    page.get_by_role("link", name="Library", exact=True).click()
    wait_for(lambda: abs(stored() - 20) < 1, 15, "leaving")


def test_an_address_can_name_a_time(page: Page) -> None:
    open_video(page, "Long")
    playing(page)
    page.goto(page.url + "?t=1m30s")
    assert wait_at(page, 90) < 95


def test_plays_to_the_end_and_on_to_the_next(page: Page) -> None:
    open_video(page, "Episode 1")
    playing(page)
    first = page.url
    page.evaluate(f"void ({VIDEO}.currentTime = 6.5)")
    offer = page.get_by_role("region", name="Next")
    expect(offer).to_be_visible()
    expect(offer).to_contain_text("Episode 2")
    page.wait_for_url(lambda url: url != first)
    expect(page.get_by_role("heading", level=1)).to_have_text("Episode 2")
    playing(page)

    # ... unless somebody says no.
    page.evaluate(f"void ({VIDEO}.currentTime = 6.5)")
    offer.get_by_role("button", name="Cancel").click()
    expect(offer).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Episode 2")


def test_the_full_screen_stays_for_the_next(page: Page) -> None:
    open_video(page, "Episode 1")
    playing(page)
    page.keyboard.press("f")
    until(page, "document.fullscreenElement !== null")
    page.keyboard.press("Shift+N")
    expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text("Episode 2")
    playing(page)
    assert page.evaluate("document.fullscreenElement !== null") is True


def test_chapters_lead_where_they_begin(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    page.get_by_role("button", name=re.compile("The rest")).click()
    assert 10 <= wait_at(page, 10) < 13


def test_watched_is_said_and_taken_back(page: Page) -> None:
    chapters = f"[...{VIDEO}.textTracks].find(t => t.kind === 'chapters')?.cues?.length === 2"
    open_video(page, "Film")
    playing(page)
    until(page, chapters)
    page.get_by_role("button", name="Mark as watched").click()
    expect(page.get_by_role("button", name="Mark as unwatched")).to_be_visible()
    until(page, chapters)  # what is learnt of a video takes nothing away
    page.goto("/")
    expect(page.get_by_role("link", name="Film").first).to_contain_text("Watched")


def test_statistics(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    press(page, "Stats for nerds")
    stats = page.locator(".stats")
    for text in (re.compile("640 . 360"), "avc1", "Direct play", re.compile(r"Time to first frame\s*\d+ ms")):
        expect(stats).to_contain_text(text)


def test_the_keys_of_the_system_know_the_video(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    assert page.evaluate("navigator.mediaSession.metadata.title") == "Film"


@pytest.mark.parametrize(
    ("title", "what", "why"),
    [
        ("Foreign", "Your browser can't play this video", "video format: ProRes"),
        ("Broken", "This video can't be played", "the file is damaged or not a video"),
    ],
)
def test_says_what_it_cannot_play_and_why(page: Page, title: str, what: str, why: str) -> None:
    open_video(page, title)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(what)
    expect(alert).to_contain_text(why)
    with page.expect_download() as download:
        alert.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith(title)


def test_a_video_that_is_gone(page: Page) -> None:
    page.goto("/watch/0123456789abcdef")
    expect(page.get_by_role("heading", level=1)).to_have_text("This video is no longer available")
    page.get_by_role("link", name="Go to library").click()
    expect(page.get_by_role("searchbox")).to_be_visible()
