"""The way to the server, or the server itself, goes away while somebody watches: it plays on by itself."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import VIDEO, at, open_video, playing, seek, until, wait_at
from tests.support import Server, serving, wait_for

OFFLINE = 5.0
"""Seconds."""


def not_reloaded(page: Page) -> Callable[[], bool]:
    """Whether it is still the page it is now."""
    page.evaluate("void (window.same = true)")
    return lambda: bool(page.evaluate("window.same === true"))


def test_offline_for_five_seconds(page: Page) -> None:
    open_video(page, "Long")
    playing(page)
    wait_at(page, 1)
    same = not_reloaded(page)
    page.context.set_offline(True)
    page.evaluate(f"void ({VIDEO}.currentTime = 300)")  # nothing of that has come yet
    page.wait_for_timeout(OFFLINE * 1000)
    assert not page.evaluate(f"{VIDEO}.readyState >= 3")
    page.context.set_offline(False)
    assert wait_at(page, 301) < 330
    assert same()


class Restarted:
    """A server that can be killed, and started again on the same address and data."""

    def __init__(self, videos: Path, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._videos, self._folder = videos, folder

    def serving(self, stops_with: int | None = 0) -> object:
        return serving(
            self._videos,
            self._folder,
            hypercorn=("--bind", f"127.0.0.1:{self.port}"),
            environ={"TRIO_STREAM_ARTWORK_SHARE": "0"},
            stops_with=stops_with,
        )


@pytest.fixture
def restarted(shelf: Path, tmp_path: Path) -> Restarted:
    return Restarted(shelf, tmp_path / "restarted")


def kill(server: Server) -> None:
    """End all of it at once, as when the power goes."""
    family = [
        psutil.Process(server.process.pid),
        *psutil.Process(server.process.pid).children(recursive=True),
    ]
    for process in family:
        with suppress(ProcessLookupError):  # one goes with another
            os.kill(process.pid, signal.SIGKILL)
    server.process.wait()
    psutil.wait_procs(family, timeout=10)


@pytest.fixture
def visitor(browser: Browser, restarted: Restarted) -> Iterator[Page]:
    with browser.new_context(base_url=restarted.url, locale="en-US") as context:
        yield context.new_page()


def known(server: Server) -> bool:
    server.hurry()
    about = server.get("/api/library").json()
    return bool(about["videos"] == 7 and not about["keeping"]["to_probe"])


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_the_server_is_restarted(restarted: Restarted, visitor: Page, how: str) -> None:
    page = visitor
    with restarted.serving(stops_with=None) as server:  # type: ignore[attr-defined]
        wait_for(lambda: known(server), 60, "the library to be known")
        open_video(page, "Long")
        playing(page)
        wait_at(page, 1)
        same = not_reloaded(page)
        if how == "killed":
            kill(server)
        else:
            server.stop()
        page.evaluate(f"void ({VIDEO}.currentTime = 300)")
        expect(page.get_by_text("Connection lost")).to_be_visible()
    with restarted.serving():  # type: ignore[attr-defined]
        assert wait_at(page, 301) < 340
        expect(page.get_by_text("Connection lost")).to_be_hidden()
        assert same()
        # Everything else works on, too: what is told of the playhead, and the way to other pages.
        page.keyboard.press("k")
        until(page, f"{VIDEO}.paused")
        page.get_by_role("link", name="Library", exact=True).click()
        begun = page.get_by_role("region", name="Continue watching")
        expect(begun.get_by_role("link", name="Long")).to_be_visible(timeout=20_000)
        page.goto("about:blank")


def test_a_paused_viewer_whose_connection_was_ended_goes_on(
    browser: Browser, start: Callable[..., Server], shelf: Path
) -> None:
    """A browser that has buffered enough stops reading, and its stream ends sooner or later: nobody notices."""
    server = start(shelf, environ={"TRIO_STREAM_SEND_TIMEOUT": "1", "TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: known(server), 60, "the library to be known")
    with browser.new_context(base_url=server.url, locale="en-US") as context:
        page = context.new_page()
        open_video(page, "Long")
        playing(page)
        page.keyboard.press("k")
        wait_for(lambda: server.ended and server.metrics()["active_streams"] == 0, 20, "its stream to end")
        before = at(page)
        page.keyboard.press("k")
        wait_at(page, before + 1)
        seek(page, 400)
        wait_at(page, 401)
        expect(page.get_by_role("alert")).to_have_count(0)
        page.goto("about:blank")
