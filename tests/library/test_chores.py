"""What is written down of a content: its tracks of text wait to be extracted, the others have their reason at once."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.engine import URL

from tests.library import rows
from tests.library.patient import NOTHING
from tests.packaging.test_from_outline import TRACK as PICTURES
from trio_stream.library.records import jobs
from trio_stream.library.records.subtitles import store_subtitle_tracks
from trio_stream.media.formats.media_info import SubtitleTrack
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
    jobs.store_media_info(connection, revision, replace(NOTHING, subtitles=tracks(*codecs)))
    if made:
        found = dict.fromkeys(made, ("0" * 32, None))
        store_subtitle_tracks(connection, revision, found, "the track is empty")
    listed = connection.execute(select(subtitles).order_by(subtitles.c.track)).all()
    state = connection.scalars(select(contents.c.texts)).one()
    return state, [(row.state, row.reason and row.reason.split(" unless ")[0]) for row in listed]


@pytest.mark.parametrize(
    ("codecs", "made", "expected"),
    [
        (("subrip",), (), ("waiting", [("waiting", None)])),
        (("hdmv_pgs_subtitle",), (), ("none", [("failed", "browsers cannot show image subtitles (hdmv_pgs_subtitle)")])),
        (("dvd_subtitle", "ttml"), (), ("none", [("failed", "browsers cannot show image subtitles (dvd_subtitle)"), ("failed", "FFmpeg cannot read TTML subtitles")])),
        (("unknown",), (), ("none", [("failed", "the codec of these subtitles is unknown")])),
        (
            ("dvb_subtitle", "webvtt", "mov_text"),
            (1,),
            ("made", [("failed", "browsers cannot show image subtitles (dvb_subtitle)"), ("made", None), ("failed", "the track is empty")]),
        ),
    ],
)  # fmt: skip
def test_no_track_of_subtitles_is_left_out_without_a_reason(
    database_url: URL, codecs: tuple[str, ...], made: tuple[int, ...], expected: object
) -> None:
    with rows.opened(database_url) as engine, engine.begin() as connection:
        assert kept(connection, *codecs, made=made) == expected


@pytest.mark.parametrize(
    ("changed", "artwork"),
    [
        ({}, "made"),
        ({"subtitles": tracks("subrip"), "title": "Another"}, "made"),
        ({"duration": 9.0}, "waiting"),
        ({"start": 3600.0}, "waiting"),
        ({"video": (replace(PICTURES, index=1),)}, "waiting"),
        ({"video": (replace(PICTURES, rotation=90),)}, "waiting"),
        ({"video": ()}, "none"),
    ],
)
def test_pictures_are_made_anew_only_where_facts_ask_for_others(
    database_url: URL, changed: dict[str, Any], artwork: str
) -> None:
    """Facts are found anew after an update of the server; to draw a whole library takes hours."""
    facts = replace(NOTHING, duration=8.0, video=(PICTURES,))
    with rows.opened(database_url) as engine, engine.begin() as connection:
        rows.add(connection, "film.mkv")
        revision = connection.scalars(select(contents.c.revision)).one()
        jobs.store_media_info(connection, revision, facts)
        connection.execute(update(contents).values(artwork="made"))
        jobs.store_media_info(connection, revision, replace(facts, **changed))
        assert connection.scalars(select(contents.c.artwork)).one() == artwork
