"""Ranges and preconditions with a real Hypercorn (RFC 9110 sections 13 and 14).

In the table `SIZE` is 1,000,000 bytes; `{etag}` and `{modified}` are the file's own validators, `{older}` and
`{newer}` dates a day earlier and later. The expected values are a status and, for 200 and 206, slices of the file.
"""

import email.policy
import os
from dataclasses import dataclass
from email.parser import BytesParser
from email.utils import formatdate

import httpx
import pytest

from tests.support import Server

SIZE = 1_000_000
DAY = 86_400
MODIFIED = 1_700_000_000

type Slices = tuple[tuple[int, int], ...]

WHOLE: Slices = ((0, SIZE),)
NONE: Slices = ()


@dataclass(frozen=True)
class Case:
    about: str
    fields: dict[str, str]
    status: int
    slices: Slices = NONE
    method: str = "GET"


def ranged(value: str, status: int, slices: Slices = NONE) -> Case:
    return Case(f"Range {value[:40]}", {"Range": value}, status, slices)


def guarded(status: int, method: str = "GET", **fields: str) -> Case:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    slices = {200: WHOLE, 206: ((0, 10),)}.get(status, NONE)
    return Case(f"{method} {named}", named, status, slices if method == "GET" else NONE, method)


FIRST_TEN = "bytes=0-9"

CASES = [
    # One range (section 14.1.2)
    ranged("bytes=0-9", 206, ((0, 10),)),
    ranged("bytes=0-0", 206, ((0, 1),)),
    ranged("bytes=999999-999999", 206, ((999_999, SIZE),)),
    ranged("bytes=500-", 206, ((500, SIZE),)),
    ranged("bytes=0-", 206, WHOLE),
    ranged("bytes=-1", 206, ((999_999, SIZE),)),
    ranged("bytes=-500", 206, ((999_500, SIZE),)),
    ranged("bytes=-1000000", 206, WHOLE),
    ranged("bytes=-99999999999", 206, WHOLE),
    ranged("bytes=0-1048576", 206, WHOLE),
    ranged("bytes=999990-2000000", 206, ((999_990, SIZE),)),
    ranged("bytes=65535-65536", 206, ((65_535, 65_537),)),
    ranged("bytes=983615-983616", 206, ((983_615, 983_617),)),
    ranged(f"bytes=5-{'9' * 40}", 206, ((5, SIZE),)),
    ranged("Bytes=0-9", 206, ((0, 10),)),
    ranged("bytes= 0-9", 206, ((0, 10),)),
    ranged("bytes=0-9,", 206, ((0, 10),)),
    ranged("bytes=,0-9", 206, ((0, 10),)),
    # Not satisfiable (section 15.5.17)
    ranged("bytes=1000000-", 416),
    ranged("bytes=1000000-1000001", 416),
    ranged(f"bytes={'9' * 40}-", 416),
    ranged("bytes=-0", 416),
    ranged("bytes=1000000-,2000000-", 416),
    ranged("bytes=" + ",".join(f"{at}-{at}" for at in range(0, 900_000, 10_000)), 416),
    # Invalid, so ignored (section 14.2)
    ranged("bytes=9-0", 200, WHOLE),
    ranged("bytes=", 200, WHOLE),
    ranged("bytes=-", 200, WHOLE),
    ranged("bytes=a-b", 200, WHOLE),
    ranged("bytes=0-9-", 200, WHOLE),
    ranged("bytes=0--9", 200, WHOLE),
    ranged("bytes=+0-9", 200, WHOLE),
    ranged("bytes=0x0-0x9", 200, WHOLE),
    ranged("bytes 0-9", 200, WHOLE),
    ranged("bytes", 200, WHOLE),
    ranged("0-9", 200, WHOLE),
    ranged("seconds=0-9", 200, WHOLE),
    ranged("bytes=0-9,9-0", 200, WHOLE),
    ranged("bytes=0-9;10-19", 200, WHOLE),
    ranged("bytes=1.5-9", 200, WHOLE),
    # Several ranges (sections 14.2, 15.3.7.2)
    ranged("bytes=0-9,1000-1009", 206, ((0, 10), (1000, 1010))),
    ranged("bytes=0-9 , 1000-1009", 206, ((0, 10), (1000, 1010))),
    ranged("bytes=1000-1009,0-9", 206, ((0, 10), (1000, 1010))),
    ranged("bytes=0-9,-10", 206, ((0, 10), (999_990, SIZE))),
    ranged("bytes=0-9,5000-5009,500000-,", 206, ((0, 10), (5000, 5010), (500_000, SIZE))),
    ranged("bytes=0-9,10-19", 206, ((0, 20),)),
    ranged("bytes=0-99,50-149", 206, ((0, 150),)),
    ranged("bytes=0-,0-", 206, WHOLE),
    ranged("bytes=0-9,2000000-", 206, ((0, 10),)),
    ranged("bytes=0-99999,200000-299999", 206, ((0, 100_000), (200_000, 300_000))),
    # If-Match, If-Unmodified-Since (sections 13.1.1, 13.1.4)
    guarded(200, If_Match="*"),
    guarded(200, If_Match="{etag}"),
    guarded(200, If_Match='"other", {etag}'),
    guarded(412, If_Match='"other"'),
    guarded(412, If_Match="W/{etag}"),
    guarded(412, If_Match='"other"', Range=FIRST_TEN),
    guarded(206, If_Match="{etag}", Range=FIRST_TEN),
    guarded(200, If_Unmodified_Since="{modified}"),
    guarded(200, If_Unmodified_Since="{newer}"),
    guarded(412, If_Unmodified_Since="{older}"),
    guarded(200, If_Unmodified_Since="no date"),
    guarded(200, If_Match="{etag}", If_Unmodified_Since="{older}"),
    guarded(412, If_Match='"other"', If_Unmodified_Since="{newer}"),
    # If-None-Match, If-Modified-Since (sections 13.1.2, 13.1.3)
    guarded(304, If_None_Match="{etag}"),
    guarded(304, If_None_Match="W/{etag}"),
    guarded(304, If_None_Match="*"),
    guarded(304, If_None_Match='"other", {etag}'),
    guarded(200, If_None_Match='"other"'),
    guarded(304, If_None_Match="{etag}", Range=FIRST_TEN),
    guarded(304, If_Modified_Since="{modified}"),
    guarded(304, If_Modified_Since="{newer}"),
    guarded(200, If_Modified_Since="{older}"),
    guarded(200, If_Modified_Since="yesterday"),
    guarded(200, If_None_Match='"other"', If_Modified_Since="{modified}"),
    guarded(304, If_None_Match="{etag}", If_Modified_Since="{older}"),
    guarded(412, If_Match='"other"', If_None_Match="{etag}"),
    guarded(304, If_Match="{etag}", If_None_Match="{etag}"),
    # If-Range (section 13.1.5)
    guarded(206, If_Range="{etag}", Range=FIRST_TEN),
    guarded(200, If_Range='"other"', Range=FIRST_TEN),
    guarded(200, If_Range="W/{etag}", Range=FIRST_TEN),
    guarded(206, If_Range="{modified}", Range=FIRST_TEN),
    guarded(200, If_Range="{older}", Range=FIRST_TEN),
    guarded(200, If_Range="{newer}", Range=FIRST_TEN),
    guarded(200, If_Range="nonsense", Range=FIRST_TEN),
    guarded(200, If_Range="{etag}"),
    guarded(200, If_Range='"other"', Range="bytes=2000000-"),
    # HEAD (sections 9.3.2, 14.2)
    guarded(200, "HEAD"),
    guarded(200, "HEAD", Range=FIRST_TEN),
    guarded(200, "HEAD", Range="bytes=2000000-"),
    guarded(304, "HEAD", If_None_Match="{etag}"),
    guarded(412, "HEAD", If_Match='"other"'),
    guarded(304, "HEAD", If_Modified_Since="{modified}"),
]


@pytest.fixture(scope="module")
def content(server: Server) -> bytes:
    """The bytes of `table.mp4`; every four bytes contain their position."""
    data = b"".join(at.to_bytes(4, "big") for at in range(SIZE // 4))
    path = server.videos / "table.mp4"
    path.write_bytes(data)
    os.utime(path, (MODIFIED, MODIFIED))
    return data


@pytest.fixture(scope="module")
def names(server: Server, content: bytes) -> dict[str, str]:
    etag = server.get("/api/stream/table.mp4").headers["ETag"]
    return {
        "etag": etag,
        "modified": formatdate(MODIFIED, usegmt=True),
        "older": formatdate(MODIFIED - DAY, usegmt=True),
        "newer": formatdate(MODIFIED + DAY, usegmt=True),
    }


def test_the_table_has_the_promised_length() -> None:
    assert len(CASES) >= 60
    assert len({(case.method, *sorted(case.fields.items())) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("route", ["stream", "stream-range"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_case(server: Server, content: bytes, names: dict[str, str], route: str, case: Case) -> None:
    fields = {name: value.format(**names) for name, value in case.fields.items()}
    with server.client() as client:
        response = client.request(case.method, f"/api/{route}/table.mp4", headers=fields)
    assert response.status_code == case.status
    if case.status in (200, 206, 304, 412):
        assert response.headers["ETag"] == names["etag"]
        assert response.headers["Last-Modified"] == names["modified"]
    if case.status in (200, 206):
        assert response.headers["Accept-Ranges"] == "bytes"
    if case.status == 416:
        assert response.headers["Content-Range"] == f"bytes */{SIZE}"
        assert response.headers["Content-Type"] == "application/problem+json"
    if case.status == 304:
        assert response.content == b""
        assert "Content-Length" not in response.headers
    if case.method == "HEAD":
        assert response.content == b""
        assert case.status != 200 or response.headers["Content-Length"] == str(SIZE)
    elif case.status in (200, 206):
        assert int(response.headers["Content-Length"]) == len(response.content)
        check_slices(response, content, case.slices)


def check_slices(response: httpx.Response, content: bytes, slices: Slices) -> None:
    if len(slices) == 1:
        [(start, stop)] = slices
        assert response.headers["Content-Type"] == "video/mp4"
        assert response.content == content[start:stop]
        expected = f"bytes {start}-{stop - 1}/{SIZE}" if response.status_code == 206 else None
        assert response.headers.get("Content-Range") == expected
        return
    kind = response.headers["Content-Type"]
    assert kind.startswith("multipart/byteranges")
    assert "Content-Range" not in response.headers
    message = BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + response.content
    )
    parts = list(message.iter_parts())
    assert [part["Content-Range"] for part in parts] == [
        f"bytes {start}-{stop - 1}/{SIZE}" for start, stop in slices
    ]
    assert [part.get_payload(decode=True) for part in parts] == [
        content[start:stop] for start, stop in slices
    ]


def test_repeated_range_fields_are_joined(server: Server, content: bytes) -> None:
    with server.client() as client:
        response = client.get(
            "/api/stream/table.mp4", headers=[("Range", "bytes=0-9"), ("Range", "1000-1009")]
        )
    assert response.status_code == 206
    check_slices(response, content, ((0, 10), (1000, 1010)))
