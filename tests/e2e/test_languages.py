"""Languages in the player, in any notation of a file; and the position of subtitles while the controls are visible."""

# ruff: noqa: RUF001 - a dash separates a language and a title

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, open_video, until, wait_for_library, wait_until_playing
from tests.e2e.driving import SUBTITLES, visible_subtitles
from tests.media.making import make
from tests.support import Server, serving, wait_for

CUE = "1\n00:00:00,000 --> 00:00:20,000\n{}\n"


@pytest.fixture(scope="module")
def multilingual_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A film whose tracks are `por` and `eng`, with sidecar subtitles in `pt`, `en` and `de`."""
    folder = tmp_path_factory.mktemp("tongues")
    inputs = "-f lavfi -i testsrc2=size=320x180:rate=10:duration=20 -f lavfi -i sine=duration=20"
    coded = "-c:v libx264 -pix_fmt yuv420p -g 20 -c:a aac"
    names = "-metadata:s:a:0 language=por -metadata:s:a:1 language=eng -metadata:s:a:1 title=Commentary"
    make(folder / "Film.mkv", f"{inputs} -map 0 -map 1 -map 1 {coded} {names}")
    for name, text in (("pt.forced", "PLACA"), ("en", "{\\an8}Above"), ("de.sdh", "Unten")):
        (folder / f"Film.{name}.srt").write_text(CUE.format(text))
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "1"}
    ) as server:
        wait_for_library(server, 1)
        yield server


@pytest.fixture
def brazilian_page(browser: Browser, multilingual_server: Server) -> Iterator[Page]:
    with browser.new_context(base_url=multilingual_server.url, locale="pt-BR") as context:
        yield context.new_page()


def test_languages_are_named_in_the_language_of_the_page(brazilian_page: Page) -> None:
    open_video(brazilian_page, "Film")
    wait_until_playing(brazilian_page)
    until(brazilian_page, "document.querySelectorAll('.above select option').length === 2")
    audio = brazilian_page.locator(".above select option").all_inner_texts()
    assert audio == ["Português", "Inglês – Commentary"]
    labels = brazilian_page.evaluate(f"{SUBTITLES}.map(t => t.label)")
    assert sorted(labels) == [
        "Alemão (para surdos e ensurdecidos)",
        "Inglês",
        "Português (forçada)",
    ]


def test_forced_subtitles_show_with_audio_of_their_language(brazilian_page: Page) -> None:
    open_video(brazilian_page, "Film")
    wait_until_playing(brazilian_page)
    wait_for(lambda: visible_subtitles(brazilian_page) == ["pt"], 15, "forced subtitles")


@pytest.mark.parametrize("remembered", ["eng", large("en"), large("en_US")])
def test_a_stored_choice_is_found_in_any_notation(brazilian_page: Page, remembered: str) -> None:
    brazilian_page.add_init_script(f"""
        localStorage.setItem('trio-stream.subtitles', '{remembered}');
        localStorage.setItem('trio-stream.sound', '{remembered}');
    """)
    open_video(brazilian_page, "Film")
    wait_until_playing(brazilian_page)
    wait_for(lambda: visible_subtitles(brazilian_page) == ["en"], 15, "English subtitles")
    chosen = "document.querySelector('.above select')?.selectedOptions[0]?.text"
    until(brazilian_page, f"{chosen} === 'Inglês – Commentary'")


def test_subtitles_at_the_top_stay_visible(brazilian_page: Page) -> None:
    """The controls move all subtitles up, and the title covers the top of the video."""
    brazilian_page.add_init_script("localStorage.setItem('trio-stream.subtitles', 'en')")
    open_video(brazilian_page, "Film")
    wait_until_playing(brazilian_page)
    wait_for(lambda: visible_subtitles(brazilian_page) == ["en"], 15, "English subtitles")
    cue = f"{SUBTITLES}.find(t => t.mode === 'showing').activeCues[0]"
    until(brazilian_page, f"{SUBTITLES}.find(t => t.mode === 'showing')?.activeCues?.length === 1")
    brazilian_page.mouse.move(5, 5)
    until(
        brazilian_page,
        f"!document.querySelector('.video-skin').hasAttribute('data-controls-visible') && {cue}.line === 0",
    )
    brazilian_page.evaluate(f"{VIDEO}.pause()")
    expect(brazilian_page.locator(".video-skin[data-controls-visible]")).to_have_count(1)
    height = brazilian_page.locator(".player").bounding_box()["height"]  # type: ignore[index] # it is shown
    lowest = brazilian_page.locator(".above > a").bounding_box()["height"]  # type: ignore[index] # it is shown
    until(brazilian_page, f"{cue}.line > {100 * lowest / height}")
    brazilian_page.evaluate(f"void {VIDEO}.play()")
    until(brazilian_page, f"{cue}.line === 0")
