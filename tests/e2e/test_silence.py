"""Sound that this browser does not play: another one is chosen, or it is said that there is none, and why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, wait_at, wait_known
from tests.media.making import make
from tests.support import Server, serving

PICTURES = "-f lavfi -i testsrc2=size=160x90:rate=12:duration=8"
SOUND = "-f lavfi -i sine=440:r=48000:d=8"
CODED = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 12 -strict -2"

FILMS = {
    "dolby.mp4": "-c:a ac3",
    "dolby plus.ts": "-c:a eac3",
    "lossless.mov": "-c:a alac",
    "theatre.mkv": "-c:a dca",
    "broadcast.ts": "-c:a mp2",
    "broadcast.mkv": "-c:a mp2",
    "signed.mov": "-c:a pcm_s8",
    "studio.mov": "-c:a pcm_s24be",
    "free.mkv": "-c:a libvorbis",
    "disc.mkv": "-c:a truehd",
    "mobile.ts": "-c:a aac -mpegts_flags latm",
}
"""Names of films, and how their only sound is coded."""

SEVERAL = {
    "dolby first.mkv": "-c:a:0 ac3 -c:a:1 aac",
    "broadcast first.mov": "-c:a:0 mp2 -c:a:1 aac",
    "dolby second.ts": "-c:a:0 aac -c:a:1 eac3",
    "studio first.mov": "-c:a:0 pcm_s16le -c:a:1 aac",
}

IN_SEGMENTS = f"{VIDEO}.currentSrc.startsWith('blob:')"
HEARD = f"{VIDEO}.webkitAudioDecodedByteCount > 0"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with sounds of all kinds."""
    folder = tmp_path_factory.mktemp("sounds")
    for name, coding in FILMS.items():
        make(folder / name, f"{PICTURES} {SOUND} -map 0 -map 1 {CODED} {coding}")
    for name, coding in SEVERAL.items():
        make(folder / name, f"{PICTURES} {SOUND} -map 0 -map 1 -map 1 {CODED} {coding}")
    make(
        folder / "unknown.mkv",
        "-f lavfi -i testsrc2=size=160x90:rate=12:duration=4",
        *SOUND.split(),
        *["-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", "aac"],
    )
    return folder


@pytest.fixture(scope="module")
def films(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows what is in them."""
    with serving(
        shelf, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_known(server, len(FILMS) + len(SEVERAL) + 1)
        yield server


def open_film(page: Page, films: Server, name: str) -> None:
    """Open the film whose file has that name."""
    found = films.get("/api/videos?limit=99").json()["items"]
    page.goto(f"/watch/{next(each['id'] for each in found if each['name'] == name)}")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("dolby.mp4", "AC-3"),
        large("dolby plus.ts", "E-AC-3"),
        large("broadcast.mkv", "MP2"),
        large("lossless.mov", "Apple Lossless"),
        large("theatre.mkv", "DTS"),
        large("broadcast.ts", "MP2"),
        large("signed.mov", "PCM"),
        large("disc.mkv", "Dolby TrueHD"),
    ],
)
def test_silence_is_said_with_its_reason(page: Page, films: Server, name: str, form: str) -> None:
    open_film(page, films, name)
    below = page.locator(".no-audio-notice")
    expect(below).to_contain_text(
        f"No audio\nYour browser doesn't support this audio format: {form}.", use_inner_text=True
    )
    expect(page.locator(".no-audio-overlay")).to_contain_text(form)
    expect(below.get_by_role("link", name="Download")).to_be_visible()
    wait_at(page, 1)  # the pictures play
    assert page.evaluate(f"{VIDEO}.videoWidth") == 160
    assert not page.evaluate(HEARD)


@pytest.mark.parametrize(
    "name",
    [
        large("studio.mov"),
        large("free.mkv"),
        "dolby first.mkv",
        large("broadcast first.mov"),
        large("dolby second.ts"),
        large("studio first.mov"),
    ],
)
def test_nothing_is_said_where_a_sound_is_heard(page: Page, films: Server, name: str) -> None:
    open_film(page, films, name)
    wait_at(page, 4)
    assert page.evaluate(HEARD)
    expect(page.locator(".no-audio-notice, .no-audio-overlay")).to_have_count(0)
    assert page.evaluate(IN_SEGMENTS) == (name not in ("studio.mov", "free.mkv", "studio first.mov"))


def test_sound_that_does_not_come_in_segments_is_said(page: Page, films: Server) -> None:
    open_film(page, films, "mobile.ts")
    wait_at(page, 1)
    heard, said = page.evaluate(HEARD), page.locator(".no-audio-notice")
    if not heard:
        expect(said).to_contain_text("This audio format can't be streamed in segments: AAC (LATM).")
    else:
        expect(said).to_have_count(0)


def test_the_word_over_the_picture_can_be_put_away(page: Page, films: Server) -> None:
    open_film(page, films, "dolby.mp4")
    page.locator(".no-audio-overlay").get_by_role("button", name="Close").click()
    expect(page.locator(".no-audio-overlay")).to_have_count(0)
    expect(page.locator(".no-audio-notice")).to_be_visible()


def test_it_is_said_in_portuguese(browser: Browser, films: Server) -> None:
    with browser.new_context(base_url=films.url, locale="pt-BR") as context:
        page = context.new_page()
        open_film(page, films, "dolby.mp4")
        expect(page.locator(".no-audio-notice")).to_contain_text(
            "Seu navegador não é compatível com este formato de áudio: AC-3."
        )


def test_a_picture_that_nobody_can_name_is_no_damage(page: Page, films: Server) -> None:
    open_film(page, films, "unknown.mkv")
    expect(page.get_by_role("alert")).to_contain_text("Your browser doesn't support this video format: FFV1.")
