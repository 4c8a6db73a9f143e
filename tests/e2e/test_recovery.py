"""The network or the server is lost while a video plays: playback continues when it is back."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import (
    VIDEO,
    PageMonitor,
    open_video,
    position_of,
    seek,
    wait_for_position,
    wait_until_playing,
)
from tests.e2e.driving import pause, play, press_every_key, use_every_menu
from tests.support import Server, serving, wait_for

OFFLINE = 5.0
"""Seconds without network."""


def mark_page(page: Page) -> Callable[[], bool]:
    """Mark the page; returns a function that returns whether it has not been reloaded since."""
    page.evaluate("void (window.samePage = true)")
    return lambda: bool(page.evaluate("window.samePage === true"))


def test_playback_continues_after_five_seconds_offline(page: Page) -> None:
    open_video(page, "Long")
    wait_until_playing(page)
    wait_for_position(page, 1)
    is_same_page = mark_page(page)
    page.context.set_offline(True)
    page.evaluate(f"void ({VIDEO}.currentTime = 300)")  # none of this has been received
    page.wait_for_timeout(OFFLINE * 1000)
    assert not page.evaluate(f"{VIDEO}.readyState >= 3")
    page.context.set_offline(False)
    assert wait_for_position(page, 301) < 330
    assert is_same_page()


class RestartableServer:
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
    """A port outside the range of ephemeral ports, so that it stays free while the server is stopped."""
    for port in range(20_000 + os.getpid() % 5_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@pytest.fixture(scope="module")
def restartable(library: Path, tmp_path_factory: pytest.TempPathFactory) -> RestartableServer:
    """A server, stopped, whose background jobs are done."""
    restartable = RestartableServer(library, tmp_path_factory.mktemp("restarted"))
    with restartable.serving() as server:
        wait_for(lambda: is_library_ready(server), 90, "the library to be ready")
    return restartable


def kill(server: Server) -> None:
    """Kill all its processes at once, as in a power failure."""
    family = [
        psutil.Process(server.process.pid),
        *psutil.Process(server.process.pid).children(recursive=True),
    ]
    for process in family:
        with suppress(ProcessLookupError):  # it ended with another one
            os.kill(process.pid, signal.SIGKILL)
    server.process.wait()
    psutil.wait_procs(family, timeout=10)


@pytest.fixture
def visitor(browser: Browser, restartable: RestartableServer) -> Iterator[Page]:
    monitor = PageMonitor(restartable.url)
    with browser.new_context(base_url=restartable.url, locale="en-US") as context:
        context.on("page", monitor.follow)
        yield context.new_page()
    assert monitor.problems == []


def is_library_ready(server: Server) -> bool:
    state = server.get("/api/library").json()
    pending = state["keeping"]["to_probe"] + state["keeping"]["to_extract"]
    return bool(state["videos"] == 7 and not state["look"]["resting"] and not pending)


def lose_server(
    page: Page, restartable: RestartableServer, end: Callable[[Server], object]
) -> Callable[[], bool]:
    """Play a video, and stop the server with `end`; returns a function that returns whether the page was not reloaded."""
    with restartable.serving(stops_with=None) as server:
        open_video(page, "Long")
        wait_until_playing(page)
        wait_for_position(page, 1)
        is_same_page = mark_page(page)
        end(server)
        page.evaluate(f"void ({VIDEO}.currentTime = 300)")
        expect(page.get_by_text("Reconnecting…")).to_be_visible()
    return is_same_page


def wait_until_resumed(page: Page) -> None:
    """Wait until the video plays at the position of the seek."""
    assert wait_for_position(page, 301) < 340
    expect(page.get_by_text("Reconnecting…")).to_be_hidden()


def test_playback_continues_after_a_restart_of_the_server(
    restartable: RestartableServer, visitor: Page
) -> None:
    is_same_page = lose_server(visitor, restartable, Server.stop)
    with restartable.serving():
        wait_until_resumed(visitor)
        assert is_same_page()
        # The playhead is stored, and the other pages work.
        pause(visitor)
        visitor.get_by_role("link", name="Library", exact=True).click()
        region = visitor.get_by_role("region", name="Continue watching")
        expect(region.get_by_role("link", name="Long")).to_be_visible()
        assert is_same_page()
        visitor.goto("about:blank")


@pytest.mark.thorough("large")
def test_every_key_and_menu_works_after_the_server_was_killed(
    restartable: RestartableServer, visitor: Page
) -> None:
    is_same_page = lose_server(visitor, restartable, kill)
    with restartable.serving():
        wait_until_resumed(visitor)
        press_every_key(visitor)
        play(visitor)
        use_every_menu(visitor)
        assert is_same_page()
        visitor.goto("about:blank")


def test_a_paused_video_continues_after_its_connection_was_closed(
    browser: Browser, start: Callable[..., Server], library: Path
) -> None:
    """A browser stops reading when its buffer is full, so the stream times out. The viewer does not notice."""
    server = start(library, environ={"TRIO_STREAM_SEND_TIMEOUT": "1", "TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: is_library_ready(server), 60, "the library to be ready")
    with browser.new_context(base_url=server.url, locale="en-US") as context:
        page = context.new_page()
        open_video(page, "Long")
        wait_until_playing(page)
        pause(page)
        wait_for(lambda: server.ended and server.metrics()["active_streams"] == 0, 20, "its stream to end")
        before = position_of(page)
        play(page)
        wait_for_position(page, before + 1)
        seek(page, 400)
        wait_for_position(page, 401)
        expect(page.get_by_role("alert")).to_have_count(0)
        page.goto("about:blank")
