"""Types of the wire accept valid values and refuse all others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.errors import BadRequest
from trio_stream.http import json_text
from trio_stream.library.records.editing import VideoEdit
from trio_stream.library.records.exports import Entry
from trio_stream.library.records.pages import SORTS
from trio_stream.library.records.watch_state import LONGEST, Playhead, StoredPlayhead
from trio_stream.media.formats import media_info as probed
from trio_stream.streaming.stream import Ending
from trio_stream.web.api.wire import media_info
from trio_stream.web.api.wire.figures import StreamsEnded
from trio_stream.web.api.wire.library import TitleProblem
from trio_stream.web.api.wire.parts import read_body, read_query
from trio_stream.web.api.wire.requests import FoldersQuery, VideoChange, VideosQuery
from trio_stream.web.api.wire.watching import PlayheadChange, WatchState


def playhead(data: object) -> Playhead:
    return read_body(PlayheadChange, json.dumps(data)).read()


def change(data: object) -> VideoEdit:
    return read_body(VideoChange, json.dumps(data)).read()


def export(data: object) -> list[Entry]:
    return read_body(WatchState, json.dumps(data)).read()


NO_PLAYHEADS: list[Any] = [
    *(None, [], 5, "5", {}, {"duration": 5}, {"position": None}, {"position": "5"}, {"position": True}),
    *({"position": -1}, {"position": -0.001}, {"position": float("nan")}, {"position": float("inf")}),
    *({"position": 10**7 + 1}, {"position": 10**400}, {"position": [5]}, {"position": 5, "user": "x"}),
    *({"position": 5, "duration": -1}, {"position": 5, "duration": "x"}, {"position": 5, "duration": False}),
    *(
        {"position": 5, "duration": 10**400},
        {"position": 5, "watched": 1},
        {"position": 5, "watched": "true"},
    ),
]


@pytest.mark.parametrize("data", NO_PLAYHEADS, ids=range(len(NO_PLAYHEADS)))
def test_invalid_playheads_are_refused(data: object) -> None:
    with pytest.raises(BadRequest, match=r"position|watched|seconds"):
        playhead(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["position", "duration", "watched"]),
)
def test_every_value_in_a_playhead_is_refused_or_valid(value: object, name: str) -> None:
    try:
        found = playhead({"position": 1, name: value})
    except BadRequest:
        return
    assert 0 <= found.position <= LONGEST
    assert found.duration is None or 0 < found.duration <= LONGEST


def test_a_playhead_without_a_duration() -> None:
    assert playhead({"position": 5, "duration": 0}) == Playhead(5)
    assert playhead({"position": 5, "duration": None, "watched": None}) == Playhead(5)


ENTRY: dict[str, Any] = {
    "name": "a.mp4",
    "fingerprint": "0" * 24,
    "position": 5,
    "duration": None,
    "watched": False,
    "plays": 0,
    "updated": "2026-01-01T00:00:00+00:00",
}

WRONG: list[dict[str, Any]] = [
    *({"name": ""}, {"name": 5}, {"name": "a\0"}, {"name": "\ud800"}, {"name": "x" * 5000}),
    *({"fingerprint": ""}, {"fingerprint": "\0" * 24}, {"fingerprint": "g" * 24}, {"fingerprint": None}),
    *({"position": -1}, {"position": None}, {"position": 10**400}, {"position": float("nan")}),
    *({"duration": -1}, {"duration": "x"}, {"watched": None}, {"watched": 1}),
    *({"plays": -1}, {"plays": True}, {"plays": 1.5}, {"plays": 10**10}, {"plays": None}),
    *({"updated": 5}, {"updated": None}, {"updated": ""}, {"updated": "yesterday"}),
    *({"updated": "2026-01-01"}, {"updated": "2026-01-01T00:00:00"}),
    {"user": "x"},
]
NO_ENTRIES: list[Any] = [None, 5, {}, []]
NO_EXPORTS: list[Any] = [
    *(None, [], 5, "x", {}, {"version": 1}, {"version": 2, "entries": []}, {"version": "1", "entries": []}),
    *({"version": 1, "entries": {}}, {"version": 1, "entries": None}, {"entries": []}),
    *({"version": True, "entries": []}, {"version": 1, "entries": [], "user": "x"}),
    *({"version": 1, "entries": [entry]} for entry in NO_ENTRIES),
    *({"version": 1, "entries": [ENTRY, ENTRY | wrong]} for wrong in WRONG),
]


def test_numbers_and_dates_are_parsed_as_in_json_and_rfc_3339() -> None:
    entry = ENTRY | {"plays": 785.0, "updated": "1969-12-31T23:59:59z"}
    (read,) = export({"version": 1.0, "entries": [entry]})
    assert (read.playhead.plays, type(read.playhead.plays), read.playhead.updated_at) == (785, int, 0)


@pytest.mark.parametrize("data", NO_EXPORTS, ids=range(len(NO_EXPORTS)))
def test_invalid_exports_are_refused(data: object) -> None:
    with pytest.raises(BadRequest, match=r"export|entry [01] "):
        export(data)


@pytest.mark.parametrize(
    "data",
    [
        *(None, [], "x", 5, {}, {"titel": "x"}, {"title": "x", "id": "y"}),
        *({"title": 5}, {"title": ["x"]}, {"title": "x" * 501}, {"title": "a\0b"}, {"title": "\ud800"}),
        *({"description": None}, {"description": "x" * 20_001}, {"description": "\0"}),
        *({"tags": None}, {"tags": "x"}, {"tags": ["x"] * 101}, {"tags": ["x" * 101]}, {"tags": [None]}),
        *({"tags": ["\udfff"]}, {"tags": [["x"]]}, {"tags": {"a": 1}}),
    ],
)
def test_invalid_changes_of_a_video_are_refused(data: object) -> None:
    with pytest.raises(BadRequest, match=r"title|description|tags"):
        change(data)


def test_changes_of_a_video() -> None:
    assert change({"title": "  x  ", "tags": [" a ", "a", " ", "b"]}) == VideoEdit(title="x", tags=("a", "b"))
    assert change({"title": None}).title is None
    assert change({"description": "line\nline 🎬"}) == VideoEdit(description="line\nline 🎬")


def test_an_export_reads_back() -> None:
    """Numbers to the last digit, and names whose bytes are not UTF-8."""
    playhead_row = StoredPlayhead(
        position=1 / 3, duration=None, watched=True, plays=10**9, updated_at=1_700_000_000_123
    )
    entries = [
        Entry(name, "0" * 24, playhead_row)
        for name in ("a.mp4", "caf\udce9 \udcff.mp4", "\u2028\U0001f3ac.mp4")
    ]
    written = json_text.encode(WatchState.of(entries))
    assert read_body(WatchState, written).read() == entries


@pytest.mark.parametrize("query", [VideosQuery, FoldersQuery])
@pytest.mark.parametrize(
    "limit", ["", "0", "-1", "x", "201", "1.5", "1e1", "007", " 1", "+1", "\u0663", "9" * 5000]
)
def test_an_invalid_limit_is_refused(query: type[VideosQuery | FoldersQuery], limit: str) -> None:
    with pytest.raises(BadRequest, match="at limit: Items per page, up to 200"):
        read_query(query, {"limit": limit})


@pytest.mark.parametrize("sort", ["", "colour", "\udcff"])
def test_an_invalid_sort_is_refused_with_the_valid_ones(sort: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_query(VideosQuery, {"sort": sort})
    assert all(sort in str(caught.value) for sort in SORTS)


def test_a_folder_can_have_any_name() -> None:
    for name in ("null", "0", "\udcff", ""):
        assert read_query(VideosQuery, {"folder": name, "\udcff": "x", "user": "x"}).folder == name
        assert read_query(FoldersQuery, {"in": name}).inside == name


@pytest.mark.parametrize("kind", ["VideoTrack", "AudioTrack", "SubtitleTrack", "Chapter"])
def test_tracks_have_the_members_of_probed_tracks(kind: str) -> None:
    assert list(getattr(media_info, kind).__struct_fields__) == list(getattr(probed, kind).__slots__)


def test_every_ending_is_counted() -> None:
    assert set(StreamsEnded.__struct_encode_fields__) == {str(ending) for ending in Ending}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(st.characters()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_both_json_encoders_give_the_same_values(value: object) -> None:
    assert json.loads(json_text.encode(value)) == json.loads(json.dumps(value))
    assert json_text.encode_ascii(value).isascii()


@pytest.mark.parametrize("name", ["\udcff", "caf\udce9.mp4", "\udc80\udcff", "\U0001f3ac\udcff"])
def test_bytes_that_are_not_utf_8_are_escaped(name: str) -> None:
    written = json_text.encode(TitleProblem(name=name, reason="\u00e9"))
    assert written.isascii()
    assert json.loads(written) == {"name": name, "reason": "\u00e9"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("785.0", 785), ("1e2", 100), ("-0.0", 0), ("0.5", 0.5), ("1e999", float("inf")), ('"1.0"', "1.0")],
)
def test_json_has_one_kind_of_number(text: str, value: Any) -> None:
    found = json_text.decode(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["", "x", "[", "9" * 5000, b"\xff", b"[" * 900_000])
def test_invalid_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadRequest, match="must be JSON"):
        read_body(PlayheadChange, text)


@given(st.dictionaries(st.text(st.characters()), st.integers()))
def test_names_of_members_can_be_encoded_as_utf_8(value: dict[str, int]) -> None:
    found = json_text.decode(json.dumps(value))
    assert all(name.encode() for name in found if name)
    assert {name: item for name, item in value.items() if name.isascii()}.items() <= found.items()
