"""Films that come in segments, because the file as it is would not give a person all there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import VIDEO, open_video, playing, seek, until, wait_at
from tests.e2e.driving import press, show_controls
from tests.media.making import make
from tests.support import Server, serving, wait_for

PICTURES = "-f lavfi -i testsrc2=size=320x180:rate=24:duration=30"
SOUNDS = "-f lavfi -i sine=440:r=48000:d=30 -f lavfi -i sine=880:r=48000:d=30"
CODED = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 48 -sc_threshold 0 -c:a aac"
IN_SEGMENTS = f"{VIDEO}.currentSrc.startsWith('blob:')"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with two sounds, one in two sizes, one in two that are cut elsewhere, and one as any."""
    folder = tmp_path_factory.mktemp("packaged")
    languages = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=por"
    make(folder / "Dubbed.mp4", f"{PICTURES} {SOUNDS} -map 0 -map 1 -map 2 {CODED} {languages}")
    make(folder / "Sized.180p.mp4", f"{PICTURES} {SOUNDS} -map 0 -map 1 {CODED}")
    make(folder / "Sized.360p.mp4", f"{PICTURES} {SOUNDS} -map 0 -map 1 {CODED} -s 640x360")
    make(folder / "hd.mp4", f"{PICTURES} {SOUNDS} -map 0 -map 1 {CODED} -s 640x360")
    make(folder / "sd.mp4", f"{PICTURES} {SOUNDS} -map 0 -map 1 {CODED} -g 36")
    (folder / "Uneven.title.toml").write_text('files = ["hd.mp4", "sd.mp4"]')
    make(folder / "Plain.mp4", f"{PICTURES} {SOUNDS} -map 0 -map 1 {CODED}")
    return folder


@pytest.fixture(scope="module")
def films(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows what is in them."""
    with serving(
        shelf, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:

        def known() -> bool:
            items = server.get("/api/videos?limit=9").json()["items"]
            return len(items) == 4 and all(item["state"] == "probed" for item in items)

        wait_for(known, 60, "the films to be known")
        yield server


def delivery(page: Page) -> str:
    """What the statistics say of how it comes."""
    if page.locator(".stats").count() == 0:
        press(page, "Stats for nerds")
    return page.locator(".stats dd").last.inner_text()


def test_a_file_that_says_it_all_comes_as_it_is(page: Page) -> None:
    open_video(page, "Plain")
    playing(page)
    assert not page.evaluate(IN_SEGMENTS)
    assert delivery(page) == "Direct play"
    expect(page.locator(".above select")).to_have_count(0)


def test_a_sound_is_chosen_and_remembered(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_video(page, "Dubbed")
    playing(page)
    assert page.evaluate(IN_SEGMENTS)
    assert delivery(page) == "Segments: more than one audio track"
    sound = page.get_by_role("combobox", name="Audio")
    assert sound.locator("option").all_inner_texts() == ["English", "Portuguese"]
    assert not any("/a3-" in url for url in asked)

    show_controls(page)
    with page.expect_request("**/a3-*/init.mp4"):
        sound.select_option("Portuguese")
    wait_at(page, page.evaluate(f"{VIDEO}.currentTime") + 1)
    seek(page, 20)
    wait_at(page, 21)
    assert page.evaluate(f"{VIDEO}.error") is None

    page.reload()
    playing(page)
    until(page, "document.querySelector('.above select')?.selectedOptions[0]?.text === 'Portuguese'")


@pytest.mark.parametrize(("locale", "first"), [("en-US", "English"), ("pt-BR", "Português")])
def test_sounds_in_ones_own_language_come_first(
    browser: Browser, films: Server, locale: str, first: str
) -> None:
    with browser.new_context(base_url=films.url, locale=locale) as context:
        page = context.new_page()
        open_video(page, "Dubbed")
        playing(page)
        expect(page.locator(".above select option").first).to_have_text(first)


def test_a_size_is_chosen(page: Page) -> None:
    open_video(page, "Sized")
    playing(page)
    assert delivery(page) == "Segments: quality adapts to the connection"
    quality = page.get_by_label("Quality")
    assert quality.locator("option").all_inner_texts() == ["Auto", "360p", "180p"]
    for lines, place in ((180, 2), (360, 25)):
        show_controls(page)
        quality.select_option(f"{lines}p")
        seek(page, place)
        until(page, f"{VIDEO}.videoHeight === {lines}")
    wait_at(page, 26)


def test_a_version_is_chosen_where_the_player_cannot_change(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Uneven").click()
    playing(page)
    until(page, f"{VIDEO}.videoHeight === 360")
    expect(page.get_by_label("Quality")).to_have_count(0)
    seek(page, 12)
    wait_at(page, 13)
    page.get_by_role("navigation", name="Versions").get_by_role("link", name="180p").click()
    until(page, f"{VIDEO}.videoHeight === 180")
    wait_at(page, 13)  # where one stopped is the film's, whichever of its files it was
    expect(page.get_by_role("link", name="180p")).to_have_attribute("aria-current", "page")


def test_plays_to_the_end(page: Page) -> None:
    open_video(page, "Dubbed")
    playing(page)
    seek(page, 28)
    until(page, f"{VIDEO}.ended")
    assert abs(page.evaluate(f"{VIDEO}.duration") - 30) < 0.1


def test_goes_on_after_the_line_was_cut(page: Page) -> None:
    open_video(page, "Dubbed")
    playing(page)
    page.evaluate("void (window.same = true)")
    page.context.set_offline(True)
    until(page, "!navigator.onLine")
    page.evaluate(f"void ({VIDEO}.currentTime = 29)")
    page.context.set_offline(False)
    wait_at(page, 29.2)
    assert page.evaluate("window.same === true")
