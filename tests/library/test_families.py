"""Videos that are versions of one title, by their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.library.naming.families import (
    membership_by_name,
    membership_by_title_file,
    title_and_height,
    title_file_of,
)
from trio_stream.library.naming.paths import place


@pytest.mark.parametrize(
    ("name", "title", "height"),
    [
        ("Film.1080p.mp4", "Film.mp4", 1080),
        ("Film.720p.mp4", "Film.mp4", 720),
        ("Film 480p.mkv", "Film.mkv", 480),
        ("Film_2160P.mp4", "Film.mp4", 2160),
        ("Film-576i.mp4", "Film.mp4", 576),
        ("Film - 720p.mp4", "Film.mp4", 720),
        ("Film (720p).mp4", "Film.mp4", 720),
        ("Film [1080p].mp4", "Film.mp4", 1080),
        ("Film(1080p).mp4", "Film.mp4", 1080),
        ("FILM.1080p.MP4", "FILM.MP4", 1080),
        ("Series/Season 1/Episode 1.1080p.mp4", "Series/Season 1/Episode 1.mp4", 1080),
        ("Film.2019.1080p.mp4", "Film.2019.mp4", 1080),
    ],
)
def test_names_with_a_size(name: str, title: str, height: int) -> None:
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
def test_names_without_a_size(name: str) -> None:
    assert title_and_height(name) is None


NAMES = st.text("aB (/).-_1080p[]\n\udc80", max_size=40)


@given(NAMES)
def test_any_name_has_a_size_or_none(name: str) -> None:
    found = title_and_height(name)
    membership = membership_by_name(name)
    assert (found is None) is (membership is None)
    if found is not None and membership is not None:
        title, height = found
        assert 100 <= height <= 9999
        assert membership.rank == -height
        assert title.rpartition("/")[2]
        assert title.rpartition("/")[0] == name.rpartition("/")[0]
        assert title_file_of(membership.family) is None


@pytest.mark.parametrize(
    ("one", "other", "same_family"),
    [
        ("Film.1080p.mp4", "Film.720p.mp4", True),
        ("Film.1080p.mp4", "film (720p).mkv", True),
        ("Straße.1080p.mp4", "STRASSE.720p.mp4", True),
        ("a/Film.1080p.mp4", "a/Film.720p.mp4", True),
        ("a/Film.1080p.mp4", "Film.720p.mp4", False),
        ("a/Film.1080p.mp4", "A/Film.720p.mp4", False),
        ("a/b.1080p.mp4", "a b.720p.mp4", False),
        ("Film.1080p.mp4", "Film 2.720p.mp4", False),
    ],
)
def test_families_by_name(one: str, other: str, same_family: bool) -> None:
    mine, theirs = membership_by_name(one), membership_by_name(other)
    assert mine is not None
    assert theirs is not None
    assert (mine.family == theirs.family) is same_family
    assert mine.rank < theirs.rank, "the larger one leads"


def test_families_by_title_file() -> None:
    key = place("Film.title.toml")
    assert membership_by_title_file(key, 0).family == membership_by_title_file(key, 1).family
    assert title_file_of(membership_by_title_file(key, 0).family) == key
    assert membership_by_title_file(key, 0).rank < membership_by_title_file(key, 1).rank
