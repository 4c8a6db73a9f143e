"""The list of omitted tracks of a film, and reasons that are readable on a phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, find_video, open_video, until, wait_for_library, wait_until_playing
from tests.media.making import make
from tests.support import Server, serving

VIDEO_INPUT = (
    "-f lavfi -i testsrc2=size=160x90:rate=12:duration=8 -f lavfi -i testsrc=size=96x54:rate=12:duration=8"
)
AUDIO_INPUTS = "-f lavfi -i sine=440:r=48000:d=8 -f lavfi -i sine=660:r=48000:d=8"
CODED = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 12"
LANGUAGES = (
    "-metadata:s:a:0",
    "language=eng",
    "-metadata:s:a:1",
    "language=por",
    "-metadata:s:a:1",
    "title=Director",
)


@pytest.fixture(scope="module")
def film_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of films with more tracks than can be played, and of one whose video no browser supports."""
    folder = tmp_path_factory.mktemp("tracks")
    inputs = f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 1 -map 2 -map 3 {CODED}"
    make(folder / "Cameras.mkv", f"{inputs} -c:a:0 aac -c:a:1 eac3", *LANGUAGES)
    make(folder / "Broadcast.mkv", f"{inputs} -c:a:0 aac -c:a:1 mp2", *LANGUAGES)
    make(folder / "Plain.mkv", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 2 {CODED} -c:a aac")
    make(folder / "Archive.mkv", f"{VIDEO_INPUT} {AUDIO_INPUTS} -map 0 -map 2 -c:v ffv1 -c:a aac")
    with serving(
        folder, tmp_path_factory.mktemp("data"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, 4)
        yield server


@pytest.mark.parametrize(
    ("title", "audio"),
    [
        (
            "Cameras",
            "Audio · Portuguese \N{EN DASH} Director · E-AC-3\nYour browser doesn't support this format.",
        ),
        large(
            "Broadcast",
            "Audio · Portuguese \N{EN DASH} Director · MP2\nThis format can't be streamed in segments.",
        ),
    ],
)
def test_omitted_tracks_are_listed(page: Page, title: str, audio: str) -> None:
    open_video(page, title)
    wait_until_playing(page)
    tracks = page.locator(".omitted li")
    expect(tracks).to_have_text(
        [
            re.compile("^Video · H.264\nOnly one video track can be shown at a time.$"),
            re.compile(f"^{re.escape(audio)}$"),
        ],
        use_inner_text=True,
    )


@pytest.mark.thorough("large")
def test_nothing_is_listed_if_all_tracks_can_be_played(page: Page) -> None:
    open_video(page, "Plain")
    wait_until_playing(page)
    expect(page.locator("#details")).to_be_visible()
    expect(page.locator(".omitted")).to_have_count(0)


@pytest.mark.thorough("large")
def test_the_list_is_in_portuguese(browser: Browser, film_server: Server) -> None:
    with browser.new_context(base_url=film_server.url, locale="pt-BR") as context:
        page = context.new_page()
        open_video(page, "Cameras")
        expect(page.locator(".omitted")).to_have_text(
            "Faixas indisponíveis\n"
            "Vídeo · H.264\nSó é possível exibir uma faixa de vídeo por vez.\n"
            "Áudio · Português \N{EN DASH} Director · E-AC-3\nSeu navegador não é compatível com este formato.",
            use_inner_text=True,
        )


def test_a_phone_shows_why_a_video_cannot_be_played(browser_phone: BrowserContext) -> None:
    page = browser_phone.new_page()
    open_video(page, "Archive")
    message = page.locator(".unplayable")
    expect(message).to_contain_text("Your browser doesn't support this video format: FFV1.")
    height, visible = message.evaluate("message => [message.scrollHeight, message.clientHeight]")
    assert 200 < height <= visible
    button = message.get_by_role("link", name="Download")
    assert button.evaluate(
        "button => { const { x, y, width, height } = button.getBoundingClientRect();"
        " return button.contains(document.elementFromPoint(x + width / 2, y + height / 2)); }"
    )


def test_audio_of_an_unsupported_video_is_paused(page: Page) -> None:
    find_video(page, "Archive")  # after a click, when the browser would allow audio
    expect(page.get_by_role("alert")).to_contain_text("FFV1")
    until(page, f"{VIDEO}.paused")
    assert page.evaluate(f"{VIDEO}.currentTime") < 4
