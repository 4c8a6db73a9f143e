"""Every key, menu and button of the player does what it says, by whatever it is pressed."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as TooSlow

from tests.e2e.conftest import VIDEO, open_video, playing
from tests.e2e.driving import every_key, every_menu
from tests.support import wait_for


@pytest.mark.parametrize("focus", ["page", "player"])
def test_every_key(page: Page, focus: str) -> None:
    open_video(page, "Long")
    playing(page)
    if focus == "player":
        page.get_by_role("group", name="Media player").focus()
    every_key(page)


def test_every_menu(page: Page) -> None:
    open_video(page, "Long")
    playing(page)
    every_menu(page)


def test_by_touch(browser_phone: BrowserContext) -> None:
    page = browser_phone.new_page()
    open_video(page, "Long")
    playing(page)
    group, pause = page.get_by_role("group", name="Media player"), page.get_by_role("button", name="Pause")

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
