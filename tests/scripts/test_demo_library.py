"""The scenes of the demo library can be repeated, and its films have what they should."""

import math
import re
import shutil
import sys
from pathlib import Path

import av
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from drawing import letters, library, scenes  # type: ignore[import-not-found] # noqa: E402
from drawing.films import Film  # type: ignore[import-not-found] # noqa: E402

SCENES = scenes.all_scenes()


def value(expression: str, t: float) -> float:
    """What FFmpeg makes of an expression at a time."""
    names = {
        "PI": math.pi,
        "t": t,
        "sin": math.sin,
        "mod": math.fmod,
        "lt": lambda a, b: a < b,
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "between": lambda x, least, most: least <= x <= most,
    }
    return float(eval(expression, {"__builtins__": {}}, names))


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_ends_where_it_began(name: str) -> None:
    for layer in SCENES[name]:
        for expression in (layer.x, layer.y):
            assert value(expression, scenes.PERIOD) == pytest.approx(value(expression, 0), abs=0.01)
        if layer.when:
            value(layer.when, 1.5)


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_has_one_title(name: str) -> None:
    assert [layer.title for layer in SCENES[name]].count(True) == 1


def test_drawing_is_the_same_each_time() -> None:
    assert scenes.all_scenes() == SCENES


def test_each_letter_has_its_width() -> None:
    for char, (width, strokes) in letters.GLYPHS.items():
        assert all(-2 <= x <= width + 2 for stroke in strokes for x, _ in stroke), char


def test_films_are_of_scenes_and_show_their_title_first() -> None:
    """The poster is a frame of the first half."""
    for film in library.FILMS:
        assert film.scene in SCENES
        assert film.parts[0] > sum(film.parts) / 2


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="there is no FFmpeg")
def test_a_film_is_encoded(tmp_path: Path) -> None:
    languages, chapters = ("eng", "por"), ("One", "Two")
    films = [
        Film("a.mp4", "lanterns", (2, 1, 1), 144, languages=languages, subtitles=("en",), chapters=chapters),
        Film("in/b.mkv", "lanterns", (1, 0, 0), 144, subtitles=("en", "pt-BR")),
    ]
    library.make(tmp_path, films)
    assert re.match(r"1\n00:00:00,400 --> 00:00:03,400\n", (tmp_path / "a.en.srt").read_text())
    with av.open(str(tmp_path / "a.mp4")) as first:
        assert first.duration == pytest.approx(4 * scenes.PERIOD * 1_000_000, abs=100_000)
        assert [stream.language for stream in first.streams.audio] == ["eng", "por"]
        assert [chapter["metadata"]["title"] for chapter in first.chapters()] == ["One", "Two"]
        (video,) = first.streams.video
        assert (video.width, video.height) == (256, 144)
        assert sum(1 for _ in first.decode(video=0)) == 4 * scenes.PERIOD * 24
    with av.open(str(tmp_path / "in" / "b.mkv")) as second:
        assert [stream.language for stream in second.streams.subtitles] == ["eng", "por"]
