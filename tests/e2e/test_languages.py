"""Languages in the player, however a file writes them; and where subtitles stand while the controls show."""

# ruff: noqa: RUF001 - a dash stands between a language and a title

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, open_video, playing, until, wait_known
from tests.e2e.driving import SUBTITLES, showing
from tests.media.making import make
from tests.support import Server, serving, wait_for

SAID = "1\n00:00:00,000 --> 00:00:20,000\n{}\n"


@pytest.fixture(scope="module")
def tongues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A film whose tracks are `por` and `eng`, with subtitles beside it that are `pt`, `en` and `de`."""
    folder = tmp_path_factory.mktemp("tongues")
    made = "-f lavfi -i testsrc2=size=320x180:rate=10:duration=20 -f lavfi -i sine=duration=20"
    coded = "-c:v libx264 -pix_fmt yuv420p -g 20 -c:a aac"
    names = "-metadata:s:a:0 language=por -metadata:s:a:1 language=eng -metadata:s:a:1 title=Commentary"
    make(folder / "Film.mkv", f"{made} -map 0 -map 1 -map 1 {coded} {names}")
    for name, text in (("pt.forced", "PLACA"), ("en", "{\\an8}Above"), ("de.sdh", "Unten")):
        (folder / f"Film.{name}.srt").write_text(SAID.format(text))
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "1"}
    ) as server:
        wait_known(server, 1)
        yield server


@pytest.fixture
def brazilian(browser: Browser, tongues: Server) -> Iterator[Page]:
    with browser.new_context(base_url=tongues.url, locale="pt-BR") as context:
        yield context.new_page()


def test_languages_are_named_in_the_language_of_the_page(brazilian: Page) -> None:
    open_video(brazilian, "Film")
    playing(brazilian)
    until(brazilian, "document.querySelectorAll('.above select option').length === 2")
    sounds = brazilian.locator(".above select option").all_inner_texts()
    assert sounds == ["Português", "Inglês – Commentary"]
    labels = brazilian.evaluate(f"{SUBTITLES}.map(t => t.label)")
    assert sorted(labels) == [
        "Alemão (para surdos e ensurdecidos)",
        "Inglês",
        "Português (forçada)",
    ]


def test_forced_subtitles_show_with_the_sound_they_belong_to(brazilian: Page) -> None:
    open_video(brazilian, "Film")
    playing(brazilian)
    wait_for(lambda: showing(brazilian) == ["pt"], 15, "what is written in the picture")


@pytest.mark.parametrize("remembered", ["eng", large("en"), large("en_US")])
def test_what_was_chosen_is_found_however_it_was_written(brazilian: Page, remembered: str) -> None:
    brazilian.add_init_script(f"""
        localStorage.setItem('trio-stream.subtitles', '{remembered}');
        localStorage.setItem('trio-stream.sound', '{remembered}');
    """)
    open_video(brazilian, "Film")
    playing(brazilian)
    wait_for(lambda: showing(brazilian) == ["en"], 15, "English subtitles")
    chosen = "document.querySelector('.above select')?.selectedOptions[0]?.text"
    until(brazilian, f"{chosen} === 'Inglês – Commentary'")


def test_subtitles_at_the_top_stay_in_the_picture(brazilian: Page) -> None:
    """Where the controls lift all of them, and a title lies over the picture."""
    brazilian.add_init_script("localStorage.setItem('trio-stream.subtitles', 'en')")
    open_video(brazilian, "Film")
    playing(brazilian)
    wait_for(lambda: showing(brazilian) == ["en"], 15, "English subtitles")
    cue = f"{SUBTITLES}.find(t => t.mode === 'showing').activeCues[0]"
    until(brazilian, f"{SUBTITLES}.find(t => t.mode === 'showing')?.activeCues?.length === 1")
    brazilian.mouse.move(5, 5)
    until(
        brazilian,
        f"!document.querySelector('.video-skin').hasAttribute('data-controls-visible') && {cue}.line === 0",
    )
    brazilian.evaluate(f"{VIDEO}.pause()")
    expect(brazilian.locator(".video-skin[data-controls-visible]")).to_have_count(1)
    height = brazilian.locator(".player").bounding_box()["height"]  # type: ignore[index] # it is shown
    lowest = brazilian.locator(".above > a").bounding_box()["height"]  # type: ignore[index] # it is shown
    until(brazilian, f"{cue}.line > {100 * lowest / height}")
    brazilian.evaluate(f"void {VIDEO}.play()")
    until(brazilian, f"{cue}.line === 0")
