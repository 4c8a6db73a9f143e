"""Other players play the server's HLS and DASH: hls.js, Shaka Player, dash.js and Chromium's own HLS.

`players.js` drives them, in a page that the test adds to the server's origin. One page per player watches all films,
several at a time. Each test then checks the report of one film.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from tests.browser import program
from tests.e2e.conftest import PageMonitor
from tests.media.making import make
from tests.media_cache import place
from tests.playback.specimens import AAC, X264, specimens, tone, video_source
from tests.support import Server, serving, wait_for

# Many films play at once, and players stall if the machine has other work.
pytestmark = pytest.mark.alone

MODULES = Path(__file__).parents[2] / "trio_stream" / "player" / "node_modules"

SCRIPTS = {
    "hls.js": MODULES / "hls.js" / "dist" / "hls.js",
    "shaka.js": MODULES / "shaka-player" / "dist" / "shaka-player.compiled.js",
    "dash.js": MODULES / "dashjs" / "dist" / "modern" / "umd" / "dash.all.min.js",
    "players.js": Path(__file__).parent / "players.js",
}
PAGE = (
    "<!doctype html><meta charset=utf-8><title>Players</title><link rel=icon href=data:,>"
    + "".join(f"<script src={name}></script>" for name in SCRIPTS)
    + "<body></body>"
)

PLAYERS = {
    "hls.js": ("hls.js", "master.m3u8"),
    "Shaka Player, HLS": ("shaka", "master.m3u8"),
    "Shaka Player, DASH": ("shaka", "manifest.mpd"),
    "dash.js": ("dash.js", "manifest.mpd"),
    "Chromium": ("native", "master.m3u8"),
}
"""The driver of each player in `players.js`, and the manifest that it plays."""

TONE, OTHER_TONE = 440, 880
PACKAGED: dict[str, dict[str, Any]] = {
    "b-frames": {},
    "open-gops": {},
    "ntsc": {},
    "fragmented": {},
    "fragmented-by-time": {},
    "cut-by-copying": {},
    "two-sounds": {"hertz": [TONE, OTHER_TONE]},
    "late-sound": {},
    "late-pictures": {},
    "long-sound": {"back": 0.05},
    "short-sound": {"hertz": []},
    "sound-only": {},
    "pictures-only": {"hertz": []},
    "vp9-opus": {},
    "av1-opus": {},
    "flac": {},
}
"""Specimens, with options for the driver. By default it listens for a tone of 440 Hz."""

REMUXED = {"open-gops": "matroska.mkv", "vp9-opus": "web.webm"}
EVERYTHING = "Everything"
FILMS = (*PACKAGED, *REMUXED.values(), EVERYTHING)

QUICK = ("b-frames", "fragmented", "two-sounds", "late-sound", REMUXED["open-gops"], EVERYTHING)
"""Films of a quick run. `--thorough` adds the others."""

CONCURRENT = 10
"""Films that play at the same time."""


def _make_everything(folder: Path) -> None:
    """A film in two sizes with two audio and two subtitle tracks, too long to be buffered at once."""
    audio = tone(TONE, seconds=40) + tone(OTHER_TONE, seconds=40)
    coded = f"-map 0 -map 1 -map 2 {X264} -g 20 -sc_threshold 0 {AAC}"
    languages = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=por"
    for height, size in ((144, "256x144"), (288, "512x288")):
        name = f"{EVERYTHING}.{height}p"
        make(folder / f"{name}.mp4", f"{video_source('10', 40)} {audio} {coded} -s {size} {languages}")
        for language, text in (("en", "A ball"), ("de", "Ein Ball")):
            (folder / f"{name}.{language}.srt").write_text(f"1\n00:00:00,500 --> 00:00:39,000\n{text}\n")


def _make_beeps(folder: Path) -> None:
    """Films with a tone that begins at 5.7 seconds. One track of each is late."""
    coded = f"-map 0 -map 1 -fps_mode passthrough {X264} -bf 2 -g 48 {AAC}"
    for name, video_offset, audio_offset in (
        ("Beep late audio", "", "-itsoffset 0.7"),
        ("Beep late video", "-itsoffset 0.7", ""),
    ):
        silent = "-af volume=0:enable=lt(t\\,5.7)"
        make(
            folder / f"{name}.mp4",
            f"{video_offset} {video_source(seconds=9)} {audio_offset} {tone(seconds=9)} {silent} {coded}",
        )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("players")
    sources = specimens()
    for name in PACKAGED:
        place(sources / f"{name}.mp4", folder / f"{name}.mp4")
    for name, remuxed in REMUXED.items():
        make(folder / remuxed, "-i", sources / f"{name}.mp4", "-c", "copy")
    _make_everything(folder)
    _make_beeps(folder)
    return folder


@pytest.fixture(scope="module")
def film_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has probed the films."""
    count = sum(path.suffix != ".srt" for path in library.iterdir()) - 1  # one film has two files
    settings = {"TRIO_STREAM_ARTWORK_SHARE": "0"}
    with serving(library, tmp_path_factory.mktemp("films"), environ=settings) as server:

        def is_probed() -> bool:
            items = server.get("/api/videos?limit=200").json()["items"]
            best = [item["id"] for item in items if item["name"] == f"{EVERYTHING}.288p.mp4"]
            subtitles = [track for id_ in best for track in _subtitles_of(server, id_)]
            return (
                len(items) == count
                and all(item["state"] == "probed" for item in items)
                and len(subtitles) == 2
            )

        wait_for(is_probed, 60, "the films to be probed")
        yield server


def _subtitles_of(server: Server, id_: str) -> list[Any]:
    tracks: list[Any] = server.get(f"/api/videos/{id_}").json()["subtitles"]
    return tracks


@pytest.fixture(scope="module")
def base_urls(film_server: Server) -> dict[str, str]:
    """The URL of each film, which its manifests are below."""
    items = film_server.get("/api/videos?limit=200").json()["items"]
    urls = {item["name"]: f"{film_server.url}/api/videos/{item['id']}" for item in items}
    urls |= {name.removesuffix(".mp4"): url for name, url in urls.items()}
    return urls | {EVERYTHING: urls[f"{EVERYTHING}.288p"]}


GAP_ERRORS = ("bufferAppendNoProgress", "bufferSeekOverHole", "bufferNudgeOnStall", "bufferStalledError")
"""Errors of hls.js where a track has a gap."""

WITH_GAPS = (
    *("cut-by-copying", "late-sound", "late-pictures", "fragmented", "fragmented-by-time"),
    *("open-gops", "matroska.mkv"),
)
"""Films whose first frames depend on frames that are not presented, or that begin without one of their tracks (fragments
of FFmpeg do not say that video whose frames are decoded before they are shown begins no later than the audio); and films
with open GOPs: after a seek, the first frames of a segment cannot be decoded."""


def faults_in(film: str, report: dict[str, Any]) -> list[str]:
    """The errors of a player that are not caused by a gap in the film."""
    has_gaps = film in WITH_GAPS or film.startswith("Beep")
    return [error for error in report["errors"] if not (has_gaps and error.startswith(GAP_ERRORS))]


type Reports = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def run_player(
    film_server: Server, browser: Browser
) -> Callable[..., tuple[Reports, PageMonitor, list[str]]]:
    """A function that lets a player play films in a new page; it returns the reports, the monitor and the requests.

    A film that failed is tried once more without the others, because the machine may have been too slow.
    """

    def run(action: str, player: str, films: dict[str, tuple[str, Any]], within: Browser = browser) -> Any:
        monitor, requests = PageMonitor(film_server.url), list[str]()
        with within.new_context(base_url=film_server.url) as context:
            page = context.new_page()
            monitor.follow(page)
            page.on("request", lambda request: requests.append(request.url))
            page.route("**/players/*", serve_script)
            page.goto("/players/page.html")
            call = f"([player, films, concurrent]) => runAll({action}, player, films, concurrent)"
            reports = page.evaluate(call, [player, films, CONCURRENT])
            again = {name: films[name] for name, report in reports.items() if faults_in(name, report)}
            reports |= page.evaluate(call, [player, again, 1])
        return reports, monitor, requests

    return run


def serve_script(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    if name == "page.html":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(path=SCRIPTS[name], content_type="text/javascript")


@pytest.fixture(scope="module", params=PLAYERS)
def player_run(
    request: pytest.FixtureRequest,
    browser: Browser,
    run_player: Callable[..., Any],
    base_urls: dict[str, str],
) -> tuple[str, Reports, PageMonitor, list[str]]:
    """The reports of a player about the films of this run."""
    player, manifest = PLAYERS[request.param]
    requested = {
        item.callspec.params.get("film") for item in request.session.items if hasattr(item, "callspec")
    }
    films = {
        name: (f"{base_urls[name]}/{manifest}", {"hertz": [TONE], **PACKAGED.get(name, {})})
        for name in FILMS
        if name in requested or name in QUICK
    }
    films[EVERYTHING][1]["hertz"] = [TONE, OTHER_TONE]
    if player == "native":  # an audio track can be chosen only if a feature is enabled
        # It first plays what it has buffered of the old track: all of a short film, ten seconds of a long one.
        films["two-sounds"][1]["hertz"] = [TONE]
        films[EVERYTHING][1]["hertz"] = [0, OTHER_TONE]
        options = ["--no-sandbox", "--enable-blink-features=AudioVideoTracks"]
        with browser.browser_type.launch(executable_path=program(), args=options) as with_feature:
            return request.param, *run_player("watch", player, films, with_feature)
    return request.param, *run_player("watch", player, films)


END_TOLERANCE = {
    ("Chromium", "late-sound"): 0.7,
    ("Chromium", "late-pictures"): 0.5,
    ("Chromium", "cut-by-copying"): 1.5,
    ("Shaka Player, HLS", "cut-by-copying"): 1.5,
}
"""Seconds by which the end may differ from the duration. In HLS, Chromium lets every playlist begin at 0, and both
Chromium and Shaka Player ignore edit lists that hide a part."""


@pytest.mark.parametrize(
    "film",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.thorough("players")) for name in FILMS],
)
def test_a_film_plays_completely(player_run: tuple[str, Reports, PageMonitor, list[str]], film: str) -> None:
    """It plays from the beginning, after seeks, and to the end, without errors."""
    player, reports, _, _ = player_run
    report = reports[film]
    assert faults_in(film, report) == []
    assert report["bufferedToEnd"]
    assert report["position"] == pytest.approx(report["duration"], abs=END_TOLERANCE.get((player, film), 0.1))
    assert (report["frames"] > 0) is (film != "sound-only")
    if film == EVERYTHING and player != "Chromium":
        assert not report["seekWasBuffered"][0], "the film was buffered at once"


def test_the_page_has_no_errors_and_no_requests_to_other_hosts(
    player_run: tuple[str, Reports, PageMonitor, list[str]],
) -> None:
    assert player_run[2].problems == []


def test_every_track_and_size_can_be_chosen(player_run: tuple[str, Reports, PageMonitor, list[str]]) -> None:
    """The chosen audio track, size and subtitles are played."""
    player, reports, _, _ = player_run
    report = reports[EVERYTHING]
    assert report["audioLanguages"] == ["en", "pt"]
    assert report["tones"] == ([OTHER_TONE] if player == "Chromium" else [OTHER_TONE, TONE])
    if player == "Chromium":  # it chooses sizes automatically, and has no subtitles
        assert (report["shownHeights"], report["subtitleLanguages"]) == ([], [])
    else:
        assert report["shownHeights"] == [144, 288]
        assert sorted(report["cues"]) == ["A ball", "Ein Ball"]


@pytest.mark.parametrize("player", [player for player in PLAYERS if player != "Chromium"])
def test_video_and_audio_are_in_sync(
    run_player: Callable[..., Any], base_urls: dict[str, str], player: str
) -> None:
    """One of them begins late. Without Chromium's own HLS, which lets every playlist begin at 0."""
    name, manifest = PLAYERS[player]
    films = {
        film: (f"{base_urls[film]}/{manifest}", {"from": 4.5})
        for film in base_urls
        if film.startswith("Beep") and not film.endswith(".mp4")
    }
    reports, monitor, _ = run_player("beep", name, films)
    assert len(reports) == 2
    for film, report in reports.items():
        assert report["onset"] == pytest.approx(5.7, abs=0.1), film
        assert report["begins"] == pytest.approx(0.7, abs=0.03), film
        assert faults_in(film, report) == []
    assert monitor.problems == []
