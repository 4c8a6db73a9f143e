"""Files that belong together, by their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.playback.siblings import title_and_height


@pytest.mark.parametrize(
    ("name", "title", "height"),
    [
        ("Film.1080p.mp4", "film", 1080),
        ("Film.720p.mp4", "film", 720),
        ("Film 480p.mkv", "film", 480),
        ("Film_2160P.mp4", "film", 2160),
        ("Film-576i.mp4", "film", 576),
        ("Film - 720p.mp4", "film", 720),
        ("Film (720p).mp4", "film", 720),
        ("Film [1080p].mp4", "film", 1080),
        ("Film(1080p).mp4", "film", 1080),
        ("FILM.1080p.MP4", "film", 1080),
        ("Straße.1080p.mp4", "strasse", 1080),
        ("Series/Season 1/Episode 1.1080p.mp4", "series/season 1/episode 1", 1080),
        ("Film.2019.1080p.mp4", "film.2019", 1080),
    ],
)
def test_names_that_say_a_size(name: str, title: str, height: int) -> None:
    assert title_and_height(name) == (title, height)


@pytest.mark.parametrize(
    "name",
    [
        "Film.mp4",
        "1080p.mp4",
        "Films/1080p.mp4",
        ".1080p.mp4",
        "Films/ 720p.mp4",
        "Film1080p.mp4",
        "Film.1080p.x264.mp4",
        "Film.1080.mp4",
        "Film.90p.mp4",
        "Film.10800p.mp4",
        "Film.1080p/part.mp4",
        "Film (1080p.mp4",
        "Film.1080px.mp4",
        "",
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert title_and_height(name) is None


@given(st.text("aB (/).-_1080p[]\n\udc80", max_size=40))
def test_any_name_is_a_title_or_none(name: str) -> None:
    found = title_and_height(name)
    if found is not None:
        title, height = found
        assert 100 <= height <= 9999
        assert title
        assert not title.endswith("/")
        assert name.casefold().startswith(title)
