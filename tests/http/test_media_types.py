"""Files are recognised as videos by their suffix."""

import pytest

from trio_stream.http.media_types import media_type


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.mp4", "video/mp4"),
        ("FILM.MP4", "video/mp4"),
        ("film.M4v", "video/mp4"),
        ("film.mov", "video/quicktime"),
        ("film.mkv", "video/x-matroska"),
        ("film.webm", "video/webm"),
        ("film.avi", "video/x-msvideo"),
        ("film.ts", "video/mp2t"),
        ("00000.m2ts", "video/mp2t"),
        ("film.mpg", "video/mpeg"),
        ("VTS_01_1.VOB", "video/mpeg"),
        ("film.ogv", "video/ogg"),
        ("film.flv", "video/x-flv"),
        ("film.wmv", "video/x-ms-wmv"),
        ("film.3gp", "video/3gpp"),
        ("film.mxf", "application/mxf"),
        ("a.b.c.mp4", "video/mp4"),
        ("series/1x01.mkv", "video/x-matroska"),
        ("été.mkv", "video/x-matroska"),
        ("\udcff.mkv", "video/x-matroska"),
        ("film.srt", None),
        ("film.mp3", None),
        ("film.jpg", None),
        ("film.html", None),
        ("film.svg", None),
        ("film.mp4.part", None),
        ("film.mp4 ", None),
        ("film.", None),
        ("film", None),
        ("mp4", None),
        (".mp4", None),
        ("series/.mp4", None),
        ("series.mp4/readme", None),
        ("", None),
    ],
)
def test_media_type(name: str, expected: str | None) -> None:
    assert media_type(name) == expected
