"""The recorded jobs of a content: text tracks wait to be extracted, other subtitle tracks get a reason at once."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.engine import URL

from tests.library import rows
from tests.library.slow_probe import NOTHING
from tests.packaging.test_from_outline import TRACK as VIDEO_TRACK
from trio_stream.library.records import jobs
from trio_stream.library.records.subtitles import store_subtitle_tracks
from trio_stream.media.formats.media_info import SubtitleTrack
from trio_stream.store.tables import contents, subtitles

TRACK = SubtitleTrack(0, "subrip", True, "en", None, forced=False, hearing_impaired=False, default=False)


def tracks(*codecs: str) -> tuple[SubtitleTrack, ...]:
    text_codecs = {"subrip", "webvtt", "mov_text"}
    return tuple(
        replace(TRACK, index=at, codec=codec, text=codec in text_codecs) for at, codec in enumerate(codecs)
    )


def stored_states(
    connection: Connection, *codecs: str, extracted: tuple[int, ...] = ()
) -> tuple[str, list[tuple[Any, ...]]]:
    """The states of a content with these subtitle tracks, and of each track, after `extracted` ones were stored."""
    rows.add(connection, "film.mkv")
    revision = connection.scalars(select(contents.c.revision)).one()
    jobs.store_media_info(connection, revision, replace(NOTHING, subtitles=tracks(*codecs)))
    if extracted:
        derived = dict.fromkeys(extracted, ("0" * 32, None))
        store_subtitle_tracks(connection, revision, derived, "the track is empty")
    listed = connection.execute(select(subtitles).order_by(subtitles.c.track)).all()
    state = connection.scalars(select(contents.c.texts)).one()
    return state, [(row.state, row.reason and row.reason.split(" unless ")[0]) for row in listed]


@pytest.mark.parametrize(
    ("codecs", "extracted", "expected"),
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
def test_every_omitted_subtitle_track_has_a_reason(
    database_url: URL, codecs: tuple[str, ...], extracted: tuple[int, ...], expected: object
) -> None:
    with rows.opened(database_url) as engine, engine.begin() as connection:
        assert stored_states(connection, *codecs, extracted=extracted) == expected


@pytest.mark.parametrize(
    ("changed", "artwork"),
    [
        ({}, "made"),
        ({"subtitles": tracks("subrip"), "title": "Another"}, "made"),
        ({"duration": 9.0}, "waiting"),
        ({"start": 3600.0}, "waiting"),
        ({"video": (replace(VIDEO_TRACK, index=1),)}, "waiting"),
        ({"video": (replace(VIDEO_TRACK, rotation=90),)}, "waiting"),
        ({"video": ()}, "none"),
    ],
)
def test_artwork_is_generated_again_only_if_relevant_media_info_changed(
    database_url: URL, changed: dict[str, Any], artwork: str
) -> None:
    """An update of the server may probe all files again, but generating all artwork again would take hours."""
    media_info = replace(NOTHING, duration=8.0, video=(VIDEO_TRACK,))
    with rows.opened(database_url) as engine, engine.begin() as connection:
        rows.add(connection, "film.mkv")
        revision = connection.scalars(select(contents.c.revision)).one()
        jobs.store_media_info(connection, revision, media_info)
        connection.execute(update(contents).values(artwork="made"))
        jobs.store_media_info(connection, revision, replace(media_info, **changed))
        assert connection.scalars(select(contents.c.artwork)).one() == artwork
