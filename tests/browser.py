"""The distribution's Chromium, for whatever drives a real browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

QUIETLY = ("--no-sandbox", "--force-device-scale-factor=0.5")
"""As root there is no sandbox of its own. Half as many points across draw a page that plays in half the time."""


def program() -> str:
    """Where it is."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found is not None, "no Chromium in PATH; scripts/test installs it"
    return found


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """One that runs for the length of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*QUIETLY, *arguments])
        yield browser
        browser.close()
