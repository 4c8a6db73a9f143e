"""The watch page: playback, resuming, subtitles, chapters, the next episode, and messages about problems."""

import re

import pytest
from playwright.sync_api import Page, Position, expect

from tests.e2e.conftest import (
    VIDEO,
    find_video,
    open_video,
    position_of,
    until,
    wait_for_position,
    wait_until_playing,
)
from tests.e2e.driving import (
    SUBTITLES,
    choose,
    pause,
    press,
    show_controls,
    visible_subtitles,
    wait_for_subtitle,
)
from tests.support import Server, wait_for


def test_a_video_plays_at_once_and_the_seek_bar_has_previews(page: Page) -> None:
    find_video(page, "Film")
    wait_until_playing(page)
    show_controls(page)
    bar = page.get_by_role("slider", name="Seek").locator("xpath=..")
    box = bar.bounding_box()
    assert box is not None
    position: Position = {"x": box["width"] * 0.7, "y": box["height"] / 2}
    bar.hover(position=position)
    expect(page.locator(".player img[src*='/sheet-']").first).to_be_visible()
    bar.click(position=position)
    assert 18 < wait_for_position(page, 18) < 25
    wait_until_playing(page)


def test_only_the_video_is_redrawn_while_it_plays(page: Page) -> None:
    """An endless animation, even an invisible one, makes the browser redraw the page 60 times per second."""
    open_video(page, "Film")
    wait_until_playing(page)
    endless = "document.getAnimations().filter(it => it.effect.getTiming().iterations === Infinity)"
    until(page, f"{endless}.length === 0")
    blurred = (
        "[...document.querySelectorAll('*')].filter(it => getComputedStyle(it).backdropFilter.includes('('))"
    )
    assert page.evaluate(f"{blurred}.map(it => it.className)") == []


def test_the_chosen_subtitle_language_is_remembered(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    assert visible_subtitles(page) == []
    choose(page, ("Subtitles", "German"))
    assert visible_subtitles(page) == ["de"]
    wait_for_subtitle(page, "Ein Ball hüpft")
    for shown in ([], ["de"]):
        page.keyboard.press("c")
        wait_for(lambda: visible_subtitles(page) == shown, 15, f"{shown}")  # noqa: B023 - called in the same iteration
    until(page, "localStorage.getItem('trio-stream.subtitles') === 'de'")
    page.reload()
    wait_until_playing(page)
    wait_for(lambda: visible_subtitles(page) == ["de"], 15, "German again")


def test_subtitles_in_the_language_of_the_browser_come_first(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    labels = page.evaluate(f"{SUBTITLES}.map(t => t.label)")
    assert labels == ["English", "German"]


def test_playback_resumes_after_a_reload(page: Page) -> None:
    open_video(page, "Long")
    wait_until_playing(page)
    page.evaluate(f"void ({VIDEO}.currentTime = 100)")
    wait_for_position(page, 101)
    page.evaluate(
        f"addEventListener('pagehide', () => sessionStorage.setItem('left', {VIDEO}.currentTime), {{ once: true }})"
    )
    page.reload()
    left = float(page.evaluate("sessionStorage.getItem('left')"))
    chip = page.get_by_text("Resumed at")
    expect(chip).to_be_visible()
    minutes, seconds = re.findall(r"\d+", chip.inner_text())
    assert abs(int(minutes) * 60 + int(seconds) - left) <= 2
    wait_until_playing(page)
    assert position_of(page) > left - 2
    pause(page)  # the offer to start over stays
    page.get_by_role("button", name="Start over").click()
    until(page, f"{VIDEO}.currentTime < 5")
    expect(chip).to_have_count(0)


def test_a_pause_and_leaving_store_the_playhead_at_once(page: Page, film_server: Server) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    id_ = page.url.rsplit("/", 1)[1]

    def stored() -> float:
        playhead = film_server.get(f"/api/videos/{id_}").json()["playhead"]
        return float(playhead["position"]) if playhead else -1.0

    page.evaluate(f"void ({VIDEO}.currentTime = 12)")
    wait_for_position(page, 12)
    pause(page)
    wait_for(lambda: abs(stored() - position_of(page)) < 1, 15, "the playhead of the pause")
    page.evaluate(f"void ({VIDEO}.currentTime = 20)")
    wait_for_position(page, 20)
    page.get_by_role("link", name="Library", exact=True).click()
    wait_for(lambda: abs(stored() - 20) < 1, 15, "the playhead of leaving")


def test_a_url_can_have_a_start_time(page: Page) -> None:
    open_video(page, "Long")
    wait_until_playing(page)
    page.goto(page.url + "?t=1m30s")
    assert wait_for_position(page, 90) < 95


def test_the_next_episode_follows_unless_it_is_cancelled(page: Page) -> None:
    open_video(page, "Episode 1")
    wait_until_playing(page)
    first = page.url
    page.evaluate(f"void ({VIDEO}.currentTime = 6.5)")
    offer = page.get_by_role("region", name="Next")
    expect(offer).to_be_visible()
    expect(offer).to_contain_text("Episode 2")
    page.wait_for_url(lambda url: url != first)
    expect(page.get_by_role("heading", level=1)).to_have_text("Episode 2")
    wait_until_playing(page)

    # ... unless the viewer cancels it.
    page.evaluate(f"void ({VIDEO}.currentTime = 6.5)")
    offer.get_by_role("button", name="Cancel").click()
    expect(offer).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Episode 2")


def test_the_next_episode_stays_in_full_screen(page: Page) -> None:
    open_video(page, "Episode 1")
    wait_until_playing(page)
    page.keyboard.press("f")
    until(page, "document.fullscreenElement !== null")
    page.keyboard.press("Shift+N")
    expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text("Episode 2")
    wait_until_playing(page)
    assert page.evaluate("document.fullscreenElement !== null") is True


def test_a_chapter_seeks_to_its_start(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    page.get_by_role("button", name=re.compile("The rest")).click()
    assert 10 <= wait_for_position(page, 10) < 13


def test_a_video_can_be_marked_as_watched(page: Page) -> None:
    chapters = f"[...{VIDEO}.textTracks].find(t => t.kind === 'chapters')?.cues?.length === 2"
    open_video(page, "Film")
    wait_until_playing(page)
    until(page, chapters)
    page.get_by_role("button", name="Mark as watched").click()
    expect(page.get_by_role("button", name="Mark as unwatched")).to_be_visible()
    until(page, chapters)  # the update of the video does not remove the chapters
    page.goto("/")
    expect(page.get_by_role("link", name="Film").first).to_contain_text("Watched")


def test_statistics_are_shown(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    press(page, "Stats for nerds")
    stats = page.locator(".stats")
    for text in (re.compile("640 . 360"), "avc1", "Direct play", re.compile(r"Time to first frame\s*\d+ ms")):
        expect(stats).to_contain_text(text)


def test_the_media_session_has_the_title(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    assert page.evaluate("navigator.mediaSession.metadata.title") == "Film"


@pytest.mark.parametrize(
    ("title", "heading", "reason"),
    [
        ("Foreign", "Your browser can't play this video", "video format: ProRes"),
        ("Broken", "This video can't be played", "the file is damaged or not a video"),
    ],
)
def test_a_message_says_why_a_video_cannot_be_played(
    page: Page, title: str, heading: str, reason: str
) -> None:
    open_video(page, title)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(heading)
    expect(alert).to_contain_text(reason)
    with page.expect_download() as download:
        alert.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith(title)


def test_the_page_of_a_removed_video_links_to_the_library(page: Page) -> None:
    page.goto("/watch/0123456789abcdef")
    expect(page.get_by_role("heading", level=1)).to_have_text("This video is no longer available")
    page.get_by_role("link", name="Go to library").click()
    expect(page.get_by_role("searchbox")).to_be_visible()
