"""What is written down of a content: its tracks of text wait to be extracted, the others have their reason at once."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.engine import URL

from tests.library import rows
from tests.library.patient import NOTHING
from trio_stream.library import chores
from trio_stream.media.facts import SubtitleTrack
from trio_stream.store.tables import contents, subtitles

TRACK = SubtitleTrack(0, "subrip", True, "en", None, forced=False, hearing_impaired=False, default=False)


def tracks(*codecs: str) -> tuple[SubtitleTrack, ...]:
    words = {"subrip", "webvtt", "mov_text"}
    return tuple(replace(TRACK, index=at, codec=each, text=each in words) for at, each in enumerate(codecs))


def kept(
    connection: Connection, *codecs: str, made: tuple[int, ...] = ()
) -> tuple[str, list[tuple[Any, ...]]]:
    """The state of the texts of a content with these tracks, and of each, after the tracks `made` were extracted."""
    rows.add(connection, "film.mkv")
    revision = connection.scalars(select(contents.c.revision)).one()
    chores.keep_facts(connection, revision, replace(NOTHING, subtitles=tracks(*codecs)))
    if made:
        found = dict.fromkeys(made, ("0" * 32, None))
        chores.keep_texts(connection, revision, found, "nothing is written in it")
    listed = connection.execute(select(subtitles).order_by(subtitles.c.track)).all()
    state = connection.scalars(select(contents.c.texts)).one()
    return state, [(row.state, row.reason and row.reason.split(",")[0]) for row in listed]


@pytest.mark.parametrize(
    ("codecs", "made", "expected"),
    [
        (("subrip",), (), ("waiting", [("waiting", None)])),
        (("hdmv_pgs_subtitle",), (), ("none", [("failed", "they are pictures (hdmv_pgs_subtitle)")])),
        (("dvd_subtitle", "ttml"), (), ("none", [("failed", "they are pictures (dvd_subtitle)"), ("failed", "they are TTML")])),
        (("unknown",), (), ("none", [("failed", "nobody here knows how these subtitles are coded")])),
        (
            ("dvb_subtitle", "webvtt", "mov_text"),
            (1,),
            ("made", [("failed", "they are pictures (dvb_subtitle)"), ("made", None), ("failed", "nothing is written in it")]),
        ),
    ],
)  # fmt: skip
def test_no_track_of_subtitles_is_left_out_without_a_reason(
    database_url: URL, codecs: tuple[str, ...], made: tuple[int, ...], expected: object
) -> None:
    with rows.opened(database_url) as engine, engine.begin() as connection:
        assert kept(connection, *codecs, made=made) == expected
