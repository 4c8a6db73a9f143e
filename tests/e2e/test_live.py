"""The operator looks: what the server does shows as it happens, and what it should not do can be ended."""

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
    """Somebody who takes the first bytes of a film and no more, for as long as it lasts."""
    with server.client() as client, client.stream("GET", f"/api/stream/{quote(FILM)}") as response:
        taken = response.iter_raw(1024)  # which closes the response when it is forgotten
        next(taken)
        yield


def test_shows_who_watches_and_what_it_costs(page: Page, films: Server) -> None:
    page.goto("/live")
    expect(page.get_by_role("status")).to_have_text("Connected")
    expect(page.get_by_text("No one is watching")).to_be_visible()
    with watching(films):
        row = page.get_by_role("row", name=re.compile(FILM))
        expect(row).to_contain_text("HTTP")
        for name in ("Throughput", "CPU", "Memory", "Streams"):
            expect(page.get_by_role("img", name=re.compile(f"^{name}: now "))).to_be_visible()
    expect(page.get_by_text("No one is watching")).to_be_visible()


def test_a_stream_is_ended_with_one_press(page: Page, films: Server) -> None:
    page.goto("/live")
    with watching(films):
        page.get_by_role("button", name=f"Stop streaming {FILM} to ").click()
        expect(page.get_by_role("row", name=re.compile(FILM))).to_have_count(0)
        expect(page.get_by_role("alert")).to_have_count(0)
        wait_for(lambda: films.get("/api/streams").json()["streams"] == [], 15, "the stream to be ended")


def test_a_stream_that_could_not_be_ended_is_back(page: Page, films: Server) -> None:
    page.route(
        "**/api/streams/*",
        lambda route: route.fulfill(status=500, json={"code": "x", "detail": "not today"}),
    )
    page.goto("/live")
    with watching(films):
        page.get_by_role("button", name=f"Stop streaming {FILM} to ").click()
        expect(page.get_by_role("alert")).to_contain_text("not today")
        expect(page.get_by_role("row", name=re.compile(FILM))).to_have_count(1)


def test_pictures_are_drawn_anew_in_other_colours(page: Page) -> None:
    colour = """() => {
        const canvas = document.querySelector('.chart canvas');
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Map();
        for (let at = 0; at < pixels.length; at += 4) {
            if (pixels[at + 3] < 255) continue;
            const key = pixels.slice(at, at + 3).join();
            seen.set(key, (seen.get(key) ?? 0) + 1);
        }
        return [...seen].sort((one, other) => other[1] - one[1])[0]?.[0] ?? '';
    }"""
    page.goto("/live")
    expect(page.get_by_role("status")).to_have_text("Connected")
    page.get_by_label("Appearance").select_option("dark")
    until(page, f"({colour})() !== ''")
    dark = page.evaluate(colour)
    page.get_by_label("Appearance").select_option("light")
    wait_for_page(page, f"before => ({colour})() !== before", dark)
