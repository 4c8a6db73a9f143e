"""The way to the server, or the server itself, goes away while somebody watches: it plays on by itself."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import VIDEO, Watched, at, open_video, playing, seek, wait_at
from tests.e2e.driving import every_key, every_menu, pause, play
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
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._videos, self._folder = videos, folder

    def serving(self, stops_with: int | None = 0) -> AbstractContextManager[Server]:
        return serving(
            self._videos,
            self._folder,
            hypercorn=("--bind", f"127.0.0.1:{self.port}"),
            environ={"TRIO_STREAM_ARTWORK_SHARE": "0"},
            stops_with=stops_with,
        )


def free_port() -> int:
    """A port that stays free while nobody listens on it: not one that the system gives to connections."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@pytest.fixture(scope="module")
def restarted(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Restarted:
    """One that knows its videos by the time it is first started."""
    found = Restarted(shelf, tmp_path_factory.mktemp("restarted"))
    with found.serving() as server:
        wait_for(lambda: known(server), 90, "the library to be known")
    return found


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
    watched = Watched(restarted.url)
    with browser.new_context(base_url=restarted.url, locale="en-US") as context:
        context.on("page", watched.follow)
        yield context.new_page()
    assert watched.complaints == []


def known(server: Server) -> bool:
    about = server.get("/api/library").json()
    left = about["keeping"]["to_probe"] + about["keeping"]["to_extract"]
    return bool(about["videos"] == 7 and not about["look"]["resting"] and not left)


def lose_it(page: Page, restarted: Restarted, end: Callable[[Server], object]) -> Callable[[], bool]:
    """Let the server end while a video plays, and start it again; whether the page is still the one it was then."""
    with restarted.serving(stops_with=None) as server:
        open_video(page, "Long")
        playing(page)
        wait_at(page, 1)
        same = not_reloaded(page)
        end(server)
        page.evaluate(f"void ({VIDEO}.currentTime = 300)")
        expect(page.get_by_text("Reconnecting…")).to_be_visible()
    return same


def goes_on(page: Page) -> None:
    """Wait until it plays where it was to."""
    assert wait_at(page, 301) < 340
    expect(page.get_by_text("Reconnecting…")).to_be_hidden()


def test_the_server_is_restarted(restarted: Restarted, visitor: Page) -> None:
    same = lose_it(visitor, restarted, Server.stop)
    with restarted.serving():
        goes_on(visitor)
        assert same()
        # What is told of the playhead arrives, and the other pages are there.
        pause(visitor)
        visitor.get_by_role("link", name="Library", exact=True).click()
        begun = visitor.get_by_role("region", name="Continue watching")
        expect(begun.get_by_role("link", name="Long")).to_be_visible()
        assert same()
        visitor.goto("about:blank")


@pytest.mark.thorough("large")
def test_every_key_and_menu_after_the_server_was_killed(restarted: Restarted, visitor: Page) -> None:
    same = lose_it(visitor, restarted, kill)
    with restarted.serving():
        goes_on(visitor)
        every_key(visitor)
        play(visitor)
        every_menu(visitor)
        assert same()
        visitor.goto("about:blank")


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
        pause(page)
        wait_for(lambda: server.ended and server.metrics()["active_streams"] == 0, 20, "its stream to end")
        before = at(page)
        play(page)
        wait_at(page, before + 1)
        seek(page, 400)
        wait_at(page, 401)
        expect(page.get_by_role("alert")).to_have_count(0)
        page.goto("about:blank")
