"""Every key, menu and button of the player works, with keyboard, mouse and touch."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as PageTimeout

from tests.e2e.conftest import VIDEO, open_video, position_of, until, wait_for_position, wait_until_playing
from tests.e2e.driving import pause, press_every_key, show_controls, use_every_menu
from tests.support import wait_for


@pytest.mark.parametrize("focus", ["page", "player"])
def test_every_key_works(page: Page, focus: str) -> None:
    open_video(page, "Long")
    wait_until_playing(page)
    if focus == "player":
        page.get_by_role("group", name="Video player").focus()
    press_every_key(page)


def test_every_menu_works(page: Page) -> None:
    open_video(page, "Long")
    wait_until_playing(page)
    use_every_menu(page)


def test_the_controls_stay_while_the_mouse_is_on_them(page: Page) -> None:
    shown = page.locator(".video-skin[data-controls-visible]")
    open_video(page, "Film")
    wait_until_playing(page)
    show_controls(page)
    wait_for_position(page, position_of(page) + 3)  # they hide after two seconds
    expect(shown).to_have_count(1)
    page.mouse.move(640, 300)
    expect(shown).to_have_count(0)


def test_keys_work_as_soon_as_the_list_of_shortcuts_is_closed(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    for muted in ("true", "false"):
        page.keyboard.press("?")
        expect(keys).to_be_visible()
        for key in ("Escape", "m", "?", "Escape"):
            page.keyboard.press(key)
        until(page, f"{VIDEO}.muted === {muted}")
        expect(keys).to_be_hidden()


def test_a_refused_pip_request_does_no_harm(page: Page) -> None:
    open_video(page, "Film")
    wait_until_playing(page)
    page.evaluate(
        """() => {
            window.requests = 0;
            HTMLVideoElement.prototype.requestPictureInPicture = async () => {
                window.requests += 1;
                throw new DOMException('Not here', 'NotAllowedError');
            };
        }"""
    )
    for requests in (1, 2):
        page.keyboard.press("i")
        until(page, f"window.requests === {requests}")
    expect(page.get_by_role("button", name="Enter picture-in-picture")).to_have_count(1)
    wait_for_position(page, 1)
    pause(page)


def test_a_touch_pauses(browser_phone: BrowserContext) -> None:
    page = browser_phone.new_page()
    open_video(page, "Long")
    wait_until_playing(page)
    group, pause = page.get_by_role("group", name="Video player"), page.get_by_role("button", name="Pause")

    def pauses() -> bool:
        """A touch shows the controls for a short time, so a slow machine may need more than one."""
        group.tap()
        try:
            pause.tap(timeout=2000)
            expect(page.get_by_role("button", name="Play")).to_have_count(1, timeout=2000)
        except (PageTimeout, AssertionError):
            return False
        return True

    wait_for(pauses, 60, "a touch that pauses")
    assert page.evaluate(f"{VIDEO}.paused") is True
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
