"""The activity page shows what the server does as it happens, and can stop streams."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.e2e.conftest import until, wait_for_page
from tests.support import Server, wait_for

FILM = "Long.mp4"


@contextmanager
def watching(server: Server) -> Iterator[None]:
    """A client that reads only the first bytes of a film, during the block."""
    with server.client() as client, client.stream("GET", f"/api/stream/{quote(FILM)}") as response:
        chunks = response.iter_raw(1024)  # a variable, because the response closes when this is collected
        next(chunks)
        yield


def test_the_page_shows_streams_and_their_cost(page: Page, film_server: Server) -> None:
    page.goto("/live")
    expect(page.get_by_role("status")).to_have_text("Connected")
    expect(page.get_by_text("No one is watching")).to_be_visible()
    with watching(film_server):
        row = page.get_by_role("row", name=re.compile(FILM))
        expect(row).to_contain_text("HTTP")
        for name in ("Throughput", "CPU", "Memory", "Streams"):
            expect(page.get_by_role("img", name=re.compile(f"^{name}: now "))).to_be_visible()
    expect(page.get_by_text("No one is watching")).to_be_visible()


def test_one_click_stops_a_stream(page: Page, film_server: Server) -> None:
    page.goto("/live")
    with watching(film_server):
        page.get_by_role("button", name=f"Stop streaming {FILM} to ").click()
        expect(page.get_by_role("row", name=re.compile(FILM))).to_have_count(0)
        expect(page.get_by_role("alert")).to_have_count(0)
        wait_for(lambda: film_server.get("/api/streams").json()["streams"] == [], 15, "the stream to end")


def test_a_stream_that_could_not_be_stopped_is_listed_again(page: Page, film_server: Server) -> None:
    page.route(
        "**/api/streams/*",
        lambda route: route.fulfill(status=500, json={"code": "x", "detail": "not today"}),
    )
    page.goto("/live")
    with watching(film_server):
        page.get_by_role("button", name=f"Stop streaming {FILM} to ").click()
        expect(page.get_by_role("alert")).to_contain_text("not today")
        expect(page.get_by_role("row", name=re.compile(FILM))).to_have_count(1)


def test_charts_are_drawn_again_in_other_colours(page: Page) -> None:
    colour = """() => {
        const canvas = document.querySelector('.chart canvas');
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const counts = new Map();
        for (let at = 0; at < pixels.length; at += 4) {
            if (pixels[at + 3] < 255) continue;
            const key = pixels.slice(at, at + 3).join();
            counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0] ?? '';
    }"""
    page.goto("/live")
    expect(page.get_by_role("status")).to_have_text("Connected")
    page.get_by_label("Appearance").select_option("dark")
    until(page, f"({colour})() !== ''")
    dark = page.evaluate(colour)
    page.get_by_label("Appearance").select_option("light")
    wait_for_page(page, f"before => ({colour})() !== before", dark)
