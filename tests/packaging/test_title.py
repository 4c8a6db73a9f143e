"""Titles: the names of tracks, and the segment boundaries of audio and subtitles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packaging.making import audio, segments, title, video
from trio_stream.packaging.presentation import Presentation
from trio_stream.packaging.title import Source, Title, names, printable, segment_boundaries, subtitle_label


@pytest.mark.parametrize(
    ("labels", "languages", "expected"),
    [
        ([], [], []),
        ([None], [None], ["Audio 1"]),
        (["Loud", None, None], ["en", "tlh", None], ["Loud", "tlh", "Audio 3"]),
        ([None, None], ["en", "en"], ["English", "English (2)"]),
        ([None, "Dub", None], ["pt-BR", "pt-PT", "zh-TW"], ["Brazilian Portuguese", "Dub", "Chinese (TW)"]),
        (["A", "A", "A (2)"], [None] * 3, ["A", "A (2)", "A (2) (3)"]),
        (["A (3)", "A", "A"], [None] * 3, ["A (3)", "A", "A (3) (3)"]),
        (['The "best"'], [None], ["The 'best'"]),
        (["a\nb\0c\ud800"], [None], ["abc"]),
        ([" \n"], ["en"], ["English"]),
    ],
)
def test_names(labels: list[str | None], languages: list[str | None], expected: list[str]) -> None:
    assert names(labels, languages, "Audio") == expected


@pytest.mark.parametrize(
    ("label", "language", "kinds", "expected"),
    [
        ("", None, "", None),
        ("", "de", "", "German"),
        ("", "de", "forced", "German (forced)"),
        ("", None, "forced hearing_impaired", "Forced, SDH"),
        ("Director", "pt-BR", "hearing_impaired", "Brazilian Portuguese - Director (SDH)"),
        ("English (Forced)", "en", "forced", "English (Forced)"),
        ("ENGLISH SDH", "en", "hearing_impaired", "ENGLISH SDH"),
        ("Signs", None, "forced", "Signs (forced)"),
    ],
)
def test_subtitle_names(label: str, language: str | None, kinds: str, expected: str | None) -> None:
    """Words in the label are not repeated."""
    flags = {kind: kind in kinds.split() for kind in ("forced", "hearing_impaired")}
    assert subtitle_label(label, language, **flags) == expected


@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=3), st.none() | st.sampled_from(["a", "a (2)", "b"])),
        max_size=8,
    )
)
def test_track_names_are_unique(tracks: list[tuple[str | None, str | None]]) -> None:
    called = names([label for label, _ in tracks], [language for _, language in tracks], "Audio")
    assert len(called) == len(tracks) == len(set(called))
    assert all(called)
    assert called == [printable(name) for name in called]


def test_sources() -> None:
    small = Source("../x/", "../x/r/y", Presentation((video(height=360), audio("a9"))))
    whole_title = title(video(), audio(), more=(small,))
    assert [rendition.height for _, rendition in whole_title.videos] == [720, 360]
    assert whole_title.main is whole_title.sources[0].presentation
    assert Title((small,)).target_duration == 6
    assert title(audio()).videos == []


def test_all_audio_is_from_the_first_file_that_has_some() -> None:
    mute = Source("../m/", "../m/r/z", Presentation((video(height=1080),)))
    small = Source("../x/", "../x/r/y", Presentation((video(height=360), audio("a9"))))
    large = Source("", "r/z", Presentation((video(), audio("a2"), audio("a3"))))
    assert [(source, audio_track.name) for source, audio_track in Title((mute, large, small)).audio] == [
        (large, "a2"),
        (large, "a3"),
    ]
    assert Title((mute,)).audio == []


def test_segment_boundaries_of_a_title() -> None:
    assert segment_boundaries(Presentation((video(), audio()))) == [0, 2, 6, 12, 769_024 / 48_000]
    assert segment_boundaries(Presentation((video(),))) == [0, 2, 6, 12, 16]
    assert segment_boundaries(Presentation((audio(segments=segments([48_000, 96_000], [1, 1], 4800)),))) == [
        0.1,
        1.1,
        3.1,
    ]
