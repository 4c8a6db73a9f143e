"""Audio that the browser does not support: another track is chosen, or a notice says why there is no audio."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.depth import large
from tests.e2e.conftest import VIDEO, wait_for_library, wait_for_position
from tests.media.making import make
from tests.support import Server, serving

VIDEO_INPUT = "-f lavfi -i testsrc2=size=160x90:rate=12:duration=8"
AUDIO_INPUT = "-f lavfi -i sine=440:r=48000:d=8"
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
"""Names of films, and how their only audio track is encoded."""

SEVERAL = {
    "dolby first.mkv": "-c:a:0 ac3 -c:a:1 aac",
    "broadcast first.mov": "-c:a:0 mp2 -c:a:1 aac",
    "dolby second.ts": "-c:a:0 aac -c:a:1 eac3",
    "studio first.mov": "-c:a:0 pcm_s16le -c:a:1 aac",
}

IN_SEGMENTS = f"{VIDEO}.currentSrc.startsWith('blob:')"
AUDIO_DECODED = f"{VIDEO}.webkitAudioDecodedByteCount > 0"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films with audio in many formats."""
    folder = tmp_path_factory.mktemp("audio")
    for name, coding in FILMS.items():
        make(folder / name, f"{VIDEO_INPUT} {AUDIO_INPUT} -map 0 -map 1 {CODED} {coding}")
    for name, coding in SEVERAL.items():
        make(folder / name, f"{VIDEO_INPUT} {AUDIO_INPUT} -map 0 -map 1 -map 1 {CODED} {coding}")
    make(
        folder / "unknown.mkv",
        "-f lavfi -i testsrc2=size=160x90:rate=12:duration=4",
        *AUDIO_INPUT.split(),
        *["-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", "aac"],
    )
    return folder


@pytest.fixture(scope="module")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has probed the films."""
    with serving(
        library, tmp_path_factory.mktemp("films"), environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}
    ) as server:
        wait_for_library(server, len(FILMS) + len(SEVERAL) + 1)
        yield server


def open_film(page: Page, film_server: Server, name: str) -> None:
    """Open the film whose file has this name."""
    found = film_server.get("/api/videos?limit=99").json()["items"]
    page.goto(f"/watch/{next(item['id'] for item in found if item['name'] == name)}")


@pytest.mark.parametrize(
    ("name", "audio_format"),
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
def test_a_notice_says_why_there_is_no_audio(
    page: Page, film_server: Server, name: str, audio_format: str
) -> None:
    open_film(page, film_server, name)
    notice = page.locator(".no-audio-notice")
    expect(notice).to_contain_text(
        f"No audio\nYour browser doesn't support this audio format: {audio_format}.", use_inner_text=True
    )
    expect(page.locator(".no-audio-overlay")).to_contain_text(audio_format)
    expect(notice.get_by_role("link", name="Download")).to_be_visible()
    wait_for_position(page, 1)  # the video plays
    assert page.evaluate(f"{VIDEO}.videoWidth") == 160
    assert not page.evaluate(AUDIO_DECODED)


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
def test_there_is_no_notice_if_audio_plays(page: Page, film_server: Server, name: str) -> None:
    open_film(page, film_server, name)
    wait_for_position(page, 4)
    assert page.evaluate(AUDIO_DECODED)
    expect(page.locator(".no-audio-notice, .no-audio-overlay")).to_have_count(0)
    assert page.evaluate(IN_SEGMENTS) == (name not in ("studio.mov", "free.mkv", "studio first.mov"))


def test_a_notice_names_audio_that_cannot_be_streamed_in_segments(page: Page, film_server: Server) -> None:
    open_film(page, film_server, "mobile.ts")
    wait_for_position(page, 1)
    notice = page.locator(".no-audio-notice")
    if not page.evaluate(AUDIO_DECODED):
        expect(notice).to_contain_text("This audio format can't be streamed in segments: AAC (LATM).")
    else:
        expect(notice).to_have_count(0)


def test_the_overlay_can_be_closed(page: Page, film_server: Server) -> None:
    open_film(page, film_server, "dolby.mp4")
    page.locator(".no-audio-overlay").get_by_role("button", name="Close").click()
    expect(page.locator(".no-audio-overlay")).to_have_count(0)
    expect(page.locator(".no-audio-notice")).to_be_visible()


def test_the_notice_is_in_portuguese(browser: Browser, film_server: Server) -> None:
    with browser.new_context(base_url=film_server.url, locale="pt-BR") as context:
        page = context.new_page()
        open_film(page, film_server, "dolby.mp4")
        expect(page.locator(".no-audio-notice")).to_contain_text(
            "Seu navegador não é compatível com este formato de áudio: AC-3."
        )


def test_unsupported_video_is_not_reported_as_damaged(page: Page, film_server: Server) -> None:
    open_film(page, film_server, "unknown.mkv")
    expect(page.get_by_role("alert")).to_contain_text("Your browser doesn't support this video format: FFV1.")
