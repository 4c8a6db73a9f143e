"""The distribution's Chromium, for code that drives a real browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

OPTIONS = ("--no-sandbox", "--force-device-scale-factor=0.5")
"""Chromium has no sandbox as root. At half the resolution, a page with a video renders in half the time."""


def program() -> str:
    """The path of Chromium."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path is not None, "no Chromium in PATH; scripts/test installs it"
    return path


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """A browser that runs during the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*OPTIONS, *arguments])
        yield browser
        browser.close()
