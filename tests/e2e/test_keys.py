"""Every key, menu and button of the player does what it says, by whatever it is pressed."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as TooSlow

from tests.e2e.conftest import VIDEO, at, open_video, playing, until, wait_at
from tests.e2e.driving import every_key, every_menu, pause, show_controls
from tests.support import wait_for


@pytest.mark.parametrize("focus", ["page", "player"])
def test_every_key(page: Page, focus: str) -> None:
    open_video(page, "Long")
    playing(page)
    if focus == "player":
        page.get_by_role("group", name="Video player").focus()
    every_key(page)


def test_every_menu(page: Page) -> None:
    open_video(page, "Long")
    playing(page)
    every_menu(page)


def test_the_controls_stay_while_the_mouse_is_on_them(page: Page) -> None:
    shown = page.locator(".video-skin[data-controls-visible]")
    open_video(page, "Film")
    playing(page)
    show_controls(page)
    wait_at(page, at(page) + 3)  # they hide after two seconds
    expect(shown).to_have_count(1)
    page.mouse.move(640, 300)
    expect(shown).to_have_count(0)


def test_keys_are_heard_as_soon_as_their_list_is_closed(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    for muted in ("true", "false"):
        page.keyboard.press("?")
        expect(keys).to_be_visible()
        for key in ("Escape", "m", "?", "Escape"):
            page.keyboard.press(key)
        until(page, f"{VIDEO}.muted === {muted}")
        expect(keys).to_be_hidden()


def test_a_picture_in_picture_that_is_refused_does_no_harm(page: Page) -> None:
    open_video(page, "Film")
    playing(page)
    page.evaluate(
        """() => {
            window.asked = 0;
            HTMLVideoElement.prototype.requestPictureInPicture = async () => {
                window.asked += 1;
                throw new DOMException('Not here', 'NotAllowedError');
            };
        }"""
    )
    for asked in (1, 2):
        page.keyboard.press("i")
        until(page, f"window.asked === {asked}")
    expect(page.get_by_role("button", name="Enter picture-in-picture")).to_have_count(1)
    wait_at(page, 1)
    pause(page)


def test_by_touch(browser_phone: BrowserContext) -> None:
    page = browser_phone.new_page()
    open_video(page, "Long")
    playing(page)
    group, pause = page.get_by_role("group", name="Video player"), page.get_by_role("button", name="Pause")

    def paused() -> bool:
        """A touch shows the controls, for a while: a slow machine may need more than one."""
        group.tap()
        try:
            pause.tap(timeout=2000)
            expect(page.get_by_role("button", name="Play")).to_have_count(1, timeout=2000)
        except (TooSlow, AssertionError):
            return False
        return True

    wait_for(paused, 60, "a touch that pauses")
    assert page.evaluate(f"{VIDEO}.paused") is True
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
