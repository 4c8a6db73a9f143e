"""Players play files that consist of several parts, and seek forwards and back across the joins."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import PageMonitor
from tests.e2e.test_players import PLAYERS, serve_script
from tests.media.joined import change_audio, clip, join
from tests.support import Server, serving, wait_for

pytestmark = pytest.mark.alone

LOW, HIGH = 440, 880

PLAY = """
async ([name, url, intervals]) => {
  const video = document.createElement("video"), problems = [], results = [];
  document.body.append(video);
  const player = await PLAYERS[name](video, url, (problem) => problems.push(problem));
  const audio = new AudioContext(), analyser = audio.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  audio.createMediaElementSource(video).connect(analyser).connect(audio.destination);
  for (const [from, to] of intervals) {
    if (from !== null) video.currentTime = from;
    await video.play();
    await until(`${to} s`, () => video.currentTime >= to || video.ended || video.error);
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    const loudest = levels.indexOf(Math.max(...levels));
    results.push([video.currentTime, (loudest * audio.sampleRate) / analyser.fftSize, video.videoWidth]);
  }
  const report = { results, problems, error: video.error?.message, duration: video.duration, buffered: ranges(video.buffered) };
  player.close();
  return report;
}
"""
"""Play each interval, and report the position, the frequency of the loudest tone and the width of the video at its end."""


@pytest.fixture(scope="module")
def film_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, clips = tmp_path_factory.mktemp("parts"), tmp_path_factory.mktemp("clips")
    parts = [
        clip(clips / "a.ts", seconds=6, size="256x144", hertz=LOW),
        clip(clips / "b.ts", seconds=6, size="128x72", hertz=HIGH, audio="-c:a aac -ar 32000 -ac 2"),
    ]
    join(folder / "joined.ts", parts)
    before = clip(clips / "c.ts", seconds=12, size="256x144", hertz=LOW, more="-muxdelay 0")
    after = clip(
        clips / "d.ts", seconds=12, size="256x144", hertz=HIGH, audio="-c:a aac -ac 2", more="-muxdelay 0"
    )
    change_audio(folder / "changing.ts", before, after, 6.45)
    with serving(folder, tmp_path_factory.mktemp("films")) as server:

        def is_probed() -> bool:
            items = server.get("/api/videos?limit=200").json()["items"]
            return len(items) == 2 and all(item["state"] == "probed" for item in items)

        wait_for(is_probed, 60, "the films to be probed")
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
def test_players_play_all_parts(film_server: Server, browser: Browser, player: str, film: str) -> None:
    name, manifest = PLAYERS[player]
    items = film_server.get("/api/videos?limit=200").json()["items"]
    [item] = [item for item in items if item["name"] == film]
    assert item["duration"] == pytest.approx(12, abs=0.1)
    monitor = PageMonitor(film_server.url)
    with browser.new_context(base_url=film_server.url) as context:
        page = context.new_page()
        monitor.follow(page)
        page.route("**/players/*", serve_script)
        page.goto("/players/page.html")
        intervals = [(4.5, 5.5), (None, 8), (10, 11), (1, 2), (9, 10)]
        url = f"{film_server.url}/api/videos/{item['id']}/{manifest}"
        report: dict[str, Any] = page.evaluate(PLAY, [name, url, intervals])
    assert (report["problems"], report["error"], monitor.problems) == ([], None, [])
    assert report["duration"] == pytest.approx(12, abs=0.1)
    tones = [LOW, HIGH, HIGH, LOW, HIGH]
    assert [tone for _, tone, _ in report["results"]] == pytest.approx(tones, abs=10)
    second = 128 if film == "joined.ts" else 256
    assert [width for _, _, width in report["results"]] == [256, second, second, 256, second]
    assert all(position <= 12.2 for position, _, _ in report["results"])
