"""Players play files of several parts: over where they meet, and forwards and back over it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import Watched
from tests.e2e.test_players import PLAYERS, _serve
from tests.media.joined import change_audio, clip, join
from tests.support import Server, serving, wait_for

pytestmark = pytest.mark.alone

LOW, HIGH = 440, 880

LOOK = """
async ([name, url, places]) => {
  const video = document.createElement("video"), said = [], found = [];
  document.body.append(video);
  const player = await PLAYERS[name](video, url, (what) => said.push(what));
  const audio = new AudioContext(), analyser = audio.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  audio.createMediaElementSource(video).connect(analyser).connect(audio.destination);
  for (const [from, to] of places) {
    if (from !== null) video.currentTime = from;
    await video.play();
    await until(`${to} s`, () => video.currentTime >= to || video.ended || video.error);
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    found.push([video.currentTime, (loudest * audio.sampleRate) / analyser.fftSize, video.videoWidth]);
  }
  const report = { found, said, error: video.error?.message, duration: video.duration, buffered: ranges(video.buffered) };
  player.close();
  return report;
}
"""
"""Plays from place to place: when, which tone is the loudest, and how wide the picture is."""


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, made = tmp_path_factory.mktemp("parts"), tmp_path_factory.mktemp("clips")
    parts = [
        clip(made / "a.ts", seconds=6, size="256x144", hertz=LOW),
        clip(made / "b.ts", seconds=6, size="128x72", hertz=HIGH, audio="-c:a aac -ar 32000 -ac 2"),
    ]
    join(folder / "joined.ts", parts)
    before = clip(made / "c.ts", seconds=12, size="256x144", hertz=LOW, more="-muxdelay 0")
    after = clip(
        made / "d.ts", seconds=12, size="256x144", hertz=HIGH, audio="-c:a aac -ac 2", more="-muxdelay 0"
    )
    change_audio(folder / "changing.ts", before, after, 6.45)
    with serving(folder, tmp_path_factory.mktemp("cinema")) as server:

        def known() -> bool:
            items = server.get("/api/videos?limit=200").json()["items"]
            return len(items) == 2 and all(item["state"] == "probed" for item in items)

        wait_for(known, 60, "the films to be known")
        yield server


@pytest.mark.parametrize(
    ("player", "film"),
    [
        ("hls.js", "joined.ts"),
        *(
            pytest.param(player, film, marks=pytest.mark.thorough("players"))
            for player in PLAYERS
            for film in ("joined.ts", "changing.ts")
            if (player, film) != ("hls.js", "joined.ts")
        ),
    ],
)
def test_plays_all_parts(cinema: Server, browser: Browser, player: str, film: str) -> None:
    name, manifest = PLAYERS[player]
    items = cinema.get("/api/videos?limit=200").json()["items"]
    [item] = [each for each in items if each["name"] == film]
    assert item["duration"] == pytest.approx(12, abs=0.1)
    watched = Watched(cinema.url)
    with browser.new_context(base_url=cinema.url) as context:
        page = context.new_page()
        watched.follow(page)
        page.route("**/players/*", _serve)
        page.goto("/players/page.html")
        places = [(4.5, 5.5), (None, 8), (10, 11), (1, 2), (9, 10)]
        url = f"{cinema.url}/api/videos/{item['id']}/{manifest}"
        report: dict[str, Any] = page.evaluate(LOOK, [name, url, places])
    assert (report["said"], report["error"], watched.complaints) == ([], None, [])
    assert report["duration"] == pytest.approx(12, abs=0.1)
    tones = [LOW, HIGH, HIGH, LOW, HIGH]
    assert [tone for _, tone, _ in report["found"]] == pytest.approx(tones, abs=10)
    narrow = 128 if film == "joined.ts" else 256
    assert [width for _, _, width in report["found"]] == [256, narrow, narrow, 256, narrow]
    assert all(at <= 12.2 for at, _, _ in report["found"])
