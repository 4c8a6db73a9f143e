"""Players that others made play what the server packages: hls.js, Shaka Player, dash.js and Chromium's own HLS.

They are driven by `players.js`, in a page that stands on the server's own origin and is not the server's. All films of
a player are watched in one page, some at a time; each test then looks at the report of one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from tests.browser import program
from tests.e2e.conftest import Watched
from tests.media.making import make
from tests.media_cache import place
from tests.playback.specimens import AAC, X264, specimens, tone, video_source
from tests.support import Server, serving, wait_for

pytestmark = (
    pytest.mark.alone
)  # many films play at once: what else the machine does would make players stumble

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
"""What drives each, and the manifest it is given."""

TONE, OTHER = 440, 880
PACKAGED: dict[str, dict[str, Any]] = {
    "b-frames": {},
    "open-gops": {},
    "ntsc": {},
    "fragmented": {},
    "fragmented-by-time": {},
    "cut-by-copying": {},
    "two-sounds": {"hertz": [TONE, OTHER]},
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
"""Specimens, with what is to be looked for in them; a tone of 440 Hz, where nothing else is said."""

REMUXED = {"open-gops": "matroska.mkv", "vp9-opus": "web.webm"}
EVERYTHING = "Everything"
FILMS = (*PACKAGED, *REMUXED.values(), EVERYTHING)

EACH_TIME = ("b-frames", "fragmented", "two-sounds", "late-sound", REMUXED["open-gops"], EVERYTHING)
"""Films that are watched in a quick run; the others with `--thorough`."""

TOGETHER = 10
"""Films that are watched at a time."""


def _everything(folder: Path) -> None:
    """A film in two sizes, with two sounds and two texts, too long to be fetched at once."""
    sounds = tone(TONE, seconds=40) + tone(OTHER, seconds=40)
    coded = f"-map 0 -map 1 -map 2 {X264} -g 20 -sc_threshold 0 {AAC}"
    languages = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=por"
    for lines, size in ((144, "256x144"), (288, "512x288")):
        name = f"{EVERYTHING}.{lines}p"
        make(folder / f"{name}.mp4", f"{video_source('10', 40)} {sounds} {coded} -s {size} {languages}")
        for language, words in (("en", "A ball"), ("de", "Ein Ball")):
            (folder / f"{name}.{language}.srt").write_text(f"1\n00:00:00,500 --> 00:00:39,000\n{words}\n")


def _beeps(folder: Path) -> None:
    """A tone begins when the film has lasted for so long, whichever track comes late."""
    coded = f"-map 0 -map 1 -fps_mode passthrough {X264} -bf 2 -g 48 {AAC}"
    for name, before, between in (
        ("Beep late sound", "", "-itsoffset 0.7"),
        ("Beep late pictures", "-itsoffset 0.7", ""),
    ):
        silent = "-af volume=0:enable=lt(t\\,5.7)"
        make(
            folder / f"{name}.mp4",
            f"{before} {video_source(seconds=9)} {between} {tone(seconds=9)} {silent} {coded}",
        )


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("players")
    made = specimens()
    for name in PACKAGED:
        place(made / f"{name}.mp4", folder / f"{name}.mp4")
    for name, other in REMUXED.items():
        make(folder / other, "-i", made / f"{name}.mp4", "-c", "copy")
    _everything(folder)
    _beeps(folder)
    return folder


@pytest.fixture(scope="module")
def cinema(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows them."""
    count = sum(path.suffix != ".srt" for path in shelf.iterdir()) - 1  # one has two sizes
    settings = {"TRIO_STREAM_ARTWORK_SHARE": "0"}
    with serving(shelf, tmp_path_factory.mktemp("cinema"), environ=settings) as server:

        def known() -> bool:
            items = server.get("/api/videos?limit=200").json()["items"]
            best = [item["id"] for item in items if item["name"] == f"{EVERYTHING}.288p.mp4"]
            texts = [text for id_ in best for text in _texts(server, id_)]
            return (
                len(items) == count and all(item["state"] == "probed" for item in items) and len(texts) == 2
            )

        wait_for(known, 60, "the films to be known")
        yield server


def _texts(server: Server, id_: str) -> list[Any]:
    found: list[Any] = server.get(f"/api/videos/{id_}").json()["subtitles"]
    return found


@pytest.fixture(scope="module")
def addresses(cinema: Server) -> dict[str, str]:
    """Where the manifests of each film are."""
    items = cinema.get("/api/videos?limit=200").json()["items"]
    found = {item["name"]: f"{cinema.url}/api/videos/{item['id']}" for item in items}
    found |= {name.removesuffix(".mp4"): url for name, url in found.items()}
    return found | {EVERYTHING: found[f"{EVERYTHING}.288p"]}


HOLES = ("bufferAppendNoProgress", "bufferSeekOverHole", "bufferNudgeOnStall", "bufferStalledError")
"""What hls.js says where a track has nothing to present for a while."""

WITH_HOLES = (
    *("cut-by-copying", "late-sound", "late-pictures", "fragmented", "fragmented-by-time"),
    *("open-gops", "matroska.mkv"),
)
"""Films that begin with pictures which hang on others that are not presented, or without one of their tracks (in fragments
as FFmpeg writes them, nothing says that pictures which are decoded before they are shown begin no later than the sound);
and those with open groups of pictures, where a segment fetched after a seek has no use for the first of them."""


def faults(film: str, report: dict[str, Any]) -> list[str]:
    """What a player said that has nothing to do with a hole in the film."""
    holes = film in WITH_HOLES or film.startswith("Beep")
    return [said for said in report["complaints"] if not (holes and said.startswith(HOLES))]


type Reports = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def asked(cinema: Server, browser: Browser) -> Callable[..., tuple[Reports, Watched, list[str]]]:
    """Lets a player do something with films, in a page of its own: the reports, what the page said, what it asked for.

    A film that was found fault with among others is tried once more by itself: then it is the film, and not the machine.
    """

    def ask(action: str, player: str, films: dict[str, tuple[str, Any]], within: Browser = browser) -> Any:
        watched, requests = Watched(cinema.url), list[str]()
        with within.new_context(base_url=cinema.url) as context:
            page = context.new_page()
            watched.follow(page)
            page.on("request", lambda request: requests.append(request.url))
            page.route("**/players/*", _serve)
            page.goto("/players/page.html")
            call = f"([player, films, together]) => all({action}, player, films, together)"
            reports = page.evaluate(call, [player, films, TOGETHER])
            again = {name: films[name] for name, report in reports.items() if faults(name, report)}
            reports |= page.evaluate(call, [player, again, 1])
        return reports, watched, requests

    return ask


def _serve(route: Route) -> None:
    name = route.request.url.rpartition("/")[2]
    if name == "page.html":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(path=SCRIPTS[name], content_type="text/javascript")


@pytest.fixture(scope="module", params=PLAYERS)
def seen(
    request: pytest.FixtureRequest, browser: Browser, asked: Callable[..., Any], addresses: dict[str, str]
) -> tuple[str, Reports, Watched, list[str]]:
    """What a player said of the films of this run."""
    player, manifest = PLAYERS[request.param]
    asked_for = {
        item.callspec.params.get("film") for item in request.session.items if hasattr(item, "callspec")
    }
    films = {
        name: (f"{addresses[name]}/{manifest}", {"hertz": [TONE], **PACKAGED.get(name, {})})
        for name in FILMS
        if name in asked_for or name in EACH_TIME
    }
    films[EVERYTHING][1]["hertz"] = [TONE, OTHER]
    if player == "native":  # the choice of a sound is hidden behind a feature there
        # It goes on with what it has of the old one first: the whole of a short film, ten seconds of a long one.
        films["two-sounds"][1]["hertz"] = [TONE]
        films[EVERYTHING][1]["hertz"] = [0, OTHER]
        options = ["--no-sandbox", "--enable-blink-features=AudioVideoTracks"]
        with browser.browser_type.launch(executable_path=program(), args=options) as other:
            return request.param, *asked("watch", player, films, other)
    return request.param, *asked("watch", player, films)


ASTRAY = {
    ("Chromium", "late-sound"): 0.7,
    ("Chromium", "late-pictures"): 0.5,
    ("Chromium", "cut-by-copying"): 1.5,
    ("Shaka Player, HLS", "cut-by-copying"): 1.5,
}
"""Seconds by which the end may come when it is not due: Chromium's own HLS lets every playlist begin at 0, and both it and
Shaka Player overlook in HLS that an edit list hides something."""


@pytest.mark.parametrize(
    "film",
    [
        name if name in EACH_TIME else pytest.param(name, marks=pytest.mark.thorough("players"))
        for name in FILMS
    ],
)
def test_plays_it_all(seen: tuple[str, Reports, Watched, list[str]], film: str) -> None:
    """From the beginning, after seeks, and on to the end, without a word of complaint."""
    player, reports, _, _ = seen
    report = reports[film]
    assert faults(film, report) == []
    assert report["whole"]
    assert report["at"] == pytest.approx(report["duration"], abs=ASTRAY.get((player, film), 0.1))
    assert (report["frames"] > 0) is (film != "sound-only")
    if film == EVERYTHING and player != "Chromium":
        assert not report["seeks"][0], "it had all of it at once"


def test_says_and_asks_nothing_it_should_not(seen: tuple[str, Reports, Watched, list[str]]) -> None:
    assert seen[2].complaints == []


def test_every_choice_is_there(seen: tuple[str, Reports, Watched, list[str]]) -> None:
    """Sounds, sizes and texts: what is chosen is heard, seen and read."""
    player, reports, _, _ = seen
    report = reports[EVERYTHING]
    assert report["sounds"] == ["en", "pt"]
    assert report["heard"] == ([OTHER] if player == "Chromium" else [OTHER, TONE])
    if player == "Chromium":  # chooses sizes by itself, and shows no texts
        assert (report["lines"], report["texts"]) == ([], [])
    else:
        assert report["lines"] == [144, 288]
        assert sorted(report["cues"]) == ["A ball", "Ein Ball"]


@pytest.mark.parametrize("player", [each for each in PLAYERS if each != "Chromium"])
def test_pictures_and_sound_stay_together(
    asked: Callable[..., Any], addresses: dict[str, str], player: str
) -> None:
    """Where one of them begins late; Chromium's own HLS lets every playlist begin at 0."""
    name, manifest = PLAYERS[player]
    films = {
        film: (f"{addresses[film]}/{manifest}", {"from": 4.5})
        for film in addresses
        if film.startswith("Beep") and not film.endswith(".mp4")
    }
    reports, watched, _ = asked("beep", name, films)
    assert len(reports) == 2
    for film, report in reports.items():
        assert report["onset"] == pytest.approx(5.7, abs=0.1), film
        assert report["begins"] == pytest.approx(0.7, abs=0.03), film
        assert faults(film, report) == []
    assert watched.complaints == []
