"""`respond`: complete responses."""

import re
from dataclasses import replace
from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, bodies, one_range
from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import PreconditionFailed, RangeNotSatisfiable
from trio_stream.http.bodies import Part, body_length
from trio_stream.http.fields import format_date
from trio_stream.http.preconditions import Validators
from trio_stream.http.ranges import PART_OVERHEAD
from trio_stream.http.representation import FileResponse, Representation, respond

MODIFIED = 1_700_000_000
NOW = MODIFIED + 3600
BOUNDARY = "0123456789abcdef0123456789abcdef"
VIDEO = Representation(
    size=10_000, validators=Validators('"now"', MODIFIED), media_type="video/mp4", filename="Film.mp4"
)
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
METADATA = (("ETag", '"now"'), ("Last-Modified", DATE), ("Cache-Control", "no-cache"))
DOWNLOAD = ("Content-Disposition", "attachment; filename=\"Film.mp4\"; filename*=UTF-8''Film.mp4")


def ask(
    fields: dict[str, str],
    *,
    method: str = "GET",
    video: Representation = VIDEO,
    now: int = NOW,
    download: bool = False,
) -> FileResponse:
    return respond(method, fields, video, now=now, boundary=lambda: BOUNDARY, download=download)


def whole(length: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", "video/mp4"),
        ("Content-Length", str(length)),
        ("Accept-Ranges", "bytes"),
        *METADATA,
        ("X-Content-Type-Options", "nosniff"),
    )


def partial(content_range: str, length: int) -> tuple[tuple[str, str], ...]:
    kind, size, *rest = whole(length)
    return (kind, size, ("Content-Range", content_range), *rest)


EVERYTHING = FileResponse(200, whole(10_000), (one_range(0, 10_000),))


@pytest.mark.parametrize(
    ("fields", "response"),
    [
        ({}, EVERYTHING),
        (
            {"range": "bytes=0-"},
            FileResponse(206, partial("bytes 0-9999/10000", 10_000), (one_range(0, 10_000),)),
        ),
        ({"range": "bytes=5-14"}, FileResponse(206, partial("bytes 5-14/10000", 10), (one_range(5, 10),))),
        (
            {"range": "bytes=-5"},
            FileResponse(206, partial("bytes 9995-9999/10000", 5), (one_range(9995, 5),)),
        ),
        ({"range": "bytes=0-4, 5-9"}, FileResponse(206, partial("bytes 0-9/10000", 10), (one_range(0, 10),))),
        ({"range": "seconds=5-14"}, EVERYTHING),
        ({"range": "bytes=14-5"}, EVERYTHING),
        # If-Range
        (
            {"range": "bytes=5-14", "if-range": '"now"'},
            FileResponse(206, partial("bytes 5-14/10000", 10), (one_range(5, 10),)),
        ),
        ({"range": "bytes=5-14", "if-range": '"old"'}, EVERYTHING),
        ({"range": "bytes=99999-", "if-range": '"old"'}, EVERYTHING),
        ({"if-range": '"now"'}, EVERYTHING),
        # preconditions come before ranges, satisfiable or not
        ({"range": "bytes=5-14", "if-none-match": '"now"'}, FileResponse(304, METADATA, ())),
        ({"range": "bytes=99999-", "if-none-match": '"now"'}, FileResponse(304, METADATA, ())),
        ({"if-modified-since": DATE}, FileResponse(304, METADATA, ())),
        (
            {"range": "bytes=5-14", "if-match": '"now"'},
            FileResponse(206, partial("bytes 5-14/10000", 10), (one_range(5, 10),)),
        ),
    ],
)
def test_responses_to_get(fields: dict[str, str], response: FileResponse) -> None:
    assert ask(fields) == response


def test_a_failed_precondition_has_the_current_validators() -> None:
    for method in ("GET", "HEAD"):
        with pytest.raises(PreconditionFailed) as failed:  # before ranges, satisfiable or not
            ask({"range": "bytes=99999-", "if-match": '"old"'}, method=method)
        assert failed.value.fields == METADATA[:2]  # without Cache-Control


def test_one_of_several_representations_has_vary_and_coding() -> None:
    compressed = replace(VIDEO, vary="Accept-Encoding", coding="gzip")
    chosen = ("Vary", "Accept-Encoding")
    for fields, status in (({}, 200), ({"range": "bytes=5-14"}, 206)):
        headers = ask(fields, video=compressed).headers
        assert {chosen, ("Content-Encoding", "gzip")} < set(headers)
        assert ask(fields, video=compressed).status == status
    assert ask({"if-none-match": '"now"'}, video=compressed).headers == (*METADATA[:2], chosen, METADATA[2])
    with pytest.raises(PreconditionFailed) as failed:
        ask({"if-match": '"old"'}, video=compressed)
    assert failed.value.fields == (*METADATA[:2], chosen)


@pytest.mark.parametrize("name", ["if-modified-since", "if-unmodified-since", "if-range"])
@pytest.mark.parametrize("date", [DATE, "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_conditions_about_dates_are_ignored_without_a_date(name: str, date: str) -> None:
    undated = replace(VIDEO, validators=Validators('"now"', None))
    response = ask({name: date, "range": "bytes=5-14"}, video=undated)
    assert response.status == (200 if name == "if-range" else 206)
    assert "Last-Modified" not in dict(response.headers)


def test_several_ranges() -> None:
    response = ask({"range": "bytes=9000-9004, 0-1"})
    assert response.status == 206
    assert [part for part in response.parts if isinstance(part, ByteRanges)] == [
        one_range(0, 2),
        one_range(9000, 5),
    ]
    names = [name for name, _ in response.headers]
    assert len(names) == len(set(names))
    assert "Content-Range" not in names
    assert dict(response.headers)["Content-Type"] == f"multipart/byteranges; boundary={BOUNDARY}"


def test_an_unsatisfiable_range_is_refused() -> None:
    with pytest.raises(RangeNotSatisfiable) as raised:
        ask({"range": "bytes=10000-"})
    assert raised.value.size == 10_000


@pytest.mark.parametrize("download", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"if-none-match": '"now"'},
        {"if-unmodified-since": DATE},
    ],
)
def test_head_equals_get_without_parts(fields: dict[str, str], download: bool) -> None:
    get, head = ask(fields, download=download), ask(fields, method="HEAD", download=download)
    assert (head.status, head.headers, head.parts) == (get.status, get.headers, ())


@pytest.mark.parametrize(
    "extra",
    [{"range": "bytes=5-14"}, {"range": "bytes=99999-"}, {"range": "bytes=5-14", "if-range": '"now"'}],
)
def test_head_ignores_ranges(extra: dict[str, str]) -> None:
    assert ask(extra, method="HEAD") == FileResponse(200, EVERYTHING.headers, ())


def test_an_empty_file() -> None:
    empty = Representation(0, VIDEO.validators, "video/mp4", "Film.mp4")
    assert ask({}, video=empty) == ask({"range": "bytes=0-"}, video=empty) == FileResponse(200, whole(0), ())


@pytest.mark.parametrize("fields", [{}, {"range": "bytes=5-14"}, {"range": "bytes=0-1, 9000-"}])
def test_a_download_has_a_file_name(fields: dict[str, str]) -> None:
    shown, saved = ask(fields), ask(fields, download=True)
    assert saved.headers == (*shown.headers, DOWNLOAD)
    assert saved.parts == shown.parts


@pytest.mark.parametrize(
    ("now", "written"), [(NOW, MODIFIED), (MODIFIED, MODIFIED), (MODIFIED - 60, MODIFIED - 60)]
)
def test_last_modified_is_never_in_the_future(now: int, written: int) -> None:
    assert dict(ask({}, now=now).headers)["Last-Modified"] == format_date(written)
    assert dict(ask({"if-none-match": "*"}, now=now).headers)["Last-Modified"] == format_date(written)


def received(response: FileResponse, content: bytes) -> list[tuple[str | None, bytes]]:
    """The Content-Range and the bytes of each part, as a client reads them."""
    headers = dict(response.headers)
    body = assemble(response.parts, content)
    assert int(headers["Content-Length"]) == len(body) == body_length(response.parts)
    if not headers["Content-Type"].startswith("multipart/"):
        return [(headers.get("Content-Range"), body)]
    message = message_from_bytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    received_parts: list[tuple[str | None, bytes]] = []
    for part in list(message.walk())[1:]:
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        received_parts.append((part["Content-Range"], payload))
    return received_parts


position = st.integers(0, 2500).map(str)
spec = st.one_of(
    st.tuples(st.integers(0, 2000), st.integers(0, 99)).map(lambda it: f"{it[0]}-{it[0] + it[1]}"),
    position.map("-".__add__),
    position.map(lambda first: f"{first}-"),
)


@given(
    content=st.randoms().map(lambda random: random.randbytes(2000)),
    specs=st.lists(spec, min_size=1, max_size=9),
)
def test_the_received_bytes_are_those_of_the_file(content: bytes, specs: list[str]) -> None:
    video = Representation(len(content), VIDEO.validators, VIDEO.media_type, VIDEO.filename)
    try:
        response = ask({"range": "bytes=" + ",".join(specs)}, video=video)
    except RangeNotSatisfiable:
        assert all(
            spec == "-0" or (spec[0] != "-" and int(spec.split("-")[0]) >= len(content)) for spec in specs
        )
        return

    assert response.status == 206
    stop_before = -PART_OVERHEAD
    for content_range, data in received(response, content):
        numbers = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/2000", content_range or "")
        assert numbers is not None
        start, last = int(numbers[1]), int(numbers[2])
        assert data == content[start : last + 1]
        assert start - stop_before >= PART_OVERHEAD
        stop_before = last + 1


SEGMENT = Representation(
    2000,
    VIDEO.validators,
    "video/mp4",
    "1.m4s",
    parts=(b"moof" * 50, ByteRanges(tuple((at, 60) for at in range(0, 3000, 100)))),
)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({}, SEGMENT.parts),
        ({"if-range": '"old"', "range": "bytes=0-1"}, SEGMENT.parts),
        ({"range": "bytes=0-"}, SEGMENT.parts),
        ({"range": "bytes=198-201"}, (b"of", ByteRanges(((0, 2),)))),
        ({"range": "bytes=-1"}, (ByteRanges(((2959, 1),)),)),
    ],
)
def test_a_composite_behaves_like_a_file(fields: dict[str, str], parts: tuple[Part, ...]) -> None:
    response = ask(fields, video=SEGMENT)
    plain = ask(fields, video=replace(SEGMENT, parts=None))
    assert (response.status, response.headers) == (plain.status, plain.headers)
    assert response.parts == parts
    head = ask(fields, video=SEGMENT, method="HEAD")
    assert (head.status, head.parts) == (200, ())
    assert ask(fields | {"if-none-match": '"now"'}, video=SEGMENT) == FileResponse(304, METADATA, ())
    with pytest.raises(PreconditionFailed):
        ask(fields | {"if-match": '"old"'}, video=SEGMENT)
    with pytest.raises(RangeNotSatisfiable) as raised:
        ask({"range": "bytes=2000-"}, video=SEGMENT)
    assert raised.value.size == 2000


@given(
    parts=bodies(3000, 500),
    specs=st.lists(spec, min_size=1, max_size=9),
    method=st.sampled_from(["GET", "HEAD"]),
)
def test_the_received_bytes_are_those_of_a_composite(
    parts: list[Part], specs: list[str], method: str
) -> None:
    content = bytes(number * number % 251 for number in range(3000))
    whole_body = assemble(parts, content)
    composite = replace(SEGMENT, size=len(whole_body), parts=tuple(parts))
    plain = replace(composite, parts=None)
    fields = {"range": "bytes=" + ",".join(specs)}
    try:
        expected = ask(fields, video=plain, method=method)
    except RangeNotSatisfiable:
        with pytest.raises(RangeNotSatisfiable):
            ask(fields, video=composite, method=method)
        return
    response = ask(fields, video=composite, method=method)
    assert (response.status, response.headers) == (expected.status, expected.headers)
    assert assemble(response.parts, content) == assemble(expected.parts, whole_body)


@given(
    method=st.sampled_from(["GET", "HEAD"]),
    value=st.text(),
    name=st.sampled_from(["range", "if-range", "if-match"]),
)
def test_any_text_has_a_response(method: str, value: str, name: str) -> None:
    try:
        response = ask({"range": "bytes=1-2"} | {name: value}, method=method)
    except PreconditionFailed:
        return
    assert response.status in {200, 206}
    assert (response.parts == ()) == (method == "HEAD")
    assert "Content-Length" in dict(response.headers)
