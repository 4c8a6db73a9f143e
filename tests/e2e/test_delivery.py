"""Films that are streamed in segments, because direct play would not offer all their tracks and versions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import VIDEO, open_video, seek, until, wait_for_position, wait_until_playing
from tests.e2e.driving import press, show_controls
from tests.media.making import make
from tests.support import Server, serving, wait_for

VIDEO_INPUT = "-f lavfi -i testsrc2=size=320x180:rate=24:duration=30"
AUDIO_INPUTS = "-f lavfi -i sine=440:r=48000:d=30 -f lavfi -i sine=880:r=48000:d=30"
CODED = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 48 -sc_threshold 0 -c:a aac"
IN_SEGMENTS = f"{VIDEO}.currentSrc.startsWith('blob:')"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with two audio tracks, with two sizes, with two sizes whose keyframes differ, and a plain film."""
    folder = tmp_path_factory.mktemp("packaged")
    languages = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=por"
    make(folder / "Dubbed.mp4", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 -map 2 {CODED} {languages}")
    make(folder / "Sized.180p.mp4", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 {CODED}")
    make(folder / "Sized.360p.mp4", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 {CODED} -s 640x360")
    make(folder / "hd.mp4", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 {CODED} -s 640x360")
    make(folder / "sd.mp4", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 {CODED} -g 36")
    (folder / "Uneven.title.toml").write_text('files = ["hd.mp4", "sd.mp4"]')
    make(folder / "Plain.mp4", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 {CODED}")
    return folder


@pytest.fixture(scope="module")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has probed the films."""
    with serving(
        library, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:

        def is_probed() -> bool:
            items = server.get("/api/videos?limit=9").json()["items"]
            return len(items) == 4 and all(item["state"] == "probed" for item in items)

        wait_for(is_probed, 60, "the films to be probed")
        yield server


def delivery_of(page: Page) -> str:
    """How the video is delivered, according to the statistics."""
    if page.locator(".stats").count() == 0:
        press(page, "Stats for nerds")
    return page.locator(".stats dd").last.inner_text()


def test_a_plain_file_uses_direct_play(page: Page) -> None:
    open_video(page, "Plain")
    wait_until_playing(page)
    assert not page.evaluate(IN_SEGMENTS)
    assert delivery_of(page) == "Direct play"
    expect(page.locator(".above select")).to_have_count(0)


def test_the_choice_of_an_audio_track_is_remembered(page: Page) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    open_video(page, "Dubbed")
    wait_until_playing(page)
    assert page.evaluate(IN_SEGMENTS)
    assert delivery_of(page) == "Segments: more than one audio track"
    audio = page.get_by_role("combobox", name="Audio")
    assert audio.locator("option").all_inner_texts() == ["English", "Portuguese"]
    assert not any("/a3-" in url for url in urls)

    show_controls(page)
    with page.expect_request("**/a3-*/init.mp4"):
        audio.select_option("Portuguese")
    wait_for_position(page, page.evaluate(f"{VIDEO}.currentTime") + 1)
    seek(page, 20)
    wait_for_position(page, 21)
    assert page.evaluate(f"{VIDEO}.error") is None

    page.reload()
    wait_until_playing(page)
    until(page, "document.querySelector('.above select')?.selectedOptions[0]?.text === 'Portuguese'")


@pytest.mark.parametrize(("locale", "first"), [("en-US", "English"), ("pt-BR", "Português")])
def test_audio_in_the_language_of_the_browser_comes_first(
    browser: Browser, film_server: Server, locale: str, first: str
) -> None:
    with browser.new_context(base_url=film_server.url, locale=locale) as context:
        page = context.new_page()
        open_video(page, "Dubbed")
        wait_until_playing(page)
        expect(page.locator(".above select option").first).to_have_text(first)


def test_a_quality_can_be_chosen(page: Page) -> None:
    open_video(page, "Sized")
    wait_until_playing(page)
    assert delivery_of(page) == "Segments: quality adapts to the connection"
    quality = page.get_by_label("Quality")
    assert quality.locator("option").all_inner_texts() == ["Auto", "360p", "180p"]
    for height, position in ((180, 2), (360, 25)):
        show_controls(page)
        quality.select_option(f"{height}p")
        seek(page, position)
        until(page, f"{VIDEO}.videoHeight === {height}")
    wait_for_position(page, 26)


def test_a_version_can_be_chosen_if_the_player_cannot_switch(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Uneven").click()
    wait_until_playing(page)
    until(page, f"{VIDEO}.videoHeight === 360")
    expect(page.get_by_label("Quality")).to_have_count(0)
    seek(page, 12)
    wait_for_position(page, 13)
    page.get_by_role("navigation", name="Versions").get_by_role("link", name="180p").click()
    until(page, f"{VIDEO}.videoHeight === 180")
    wait_for_position(page, 13)  # the versions of a film share the playhead
    expect(page.get_by_role("link", name="180p")).to_have_attribute("aria-current", "page")


def test_segments_play_to_the_end(page: Page) -> None:
    open_video(page, "Dubbed")
    wait_until_playing(page)
    seek(page, 28)
    until(page, f"{VIDEO}.ended")
    assert abs(page.evaluate(f"{VIDEO}.duration") - 30) < 0.1


def test_segments_continue_after_the_network_was_lost(page: Page) -> None:
    open_video(page, "Dubbed")
    wait_until_playing(page)
    page.evaluate("void (window.samePage = true)")
    page.context.set_offline(True)
    until(page, "!navigator.onLine")
    page.evaluate(f"void ({VIDEO}.currentTime = 29)")
    page.context.set_offline(False)
    wait_for_position(page, 29.2)
    assert page.evaluate("window.samePage === true")
