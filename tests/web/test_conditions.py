"""Every route with a short table of conditions and ranges (RFC 9110 sections 13 and 14). All routes with an entity-tag
behave the same, and so do all routes without one. `test_range_table.py` has a long table for one route.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests.depth import large
from tests.support import Server
from tests.web.conftest import EPISODES, FILM
from tests.web.fake_build import ASSETS, COMPRESSED, INDEX
from tests.web.requesting import call, check_problem, video
from trio_stream.web.openapi.document import document

DAY = 86_400
BROWSER = {"Accept": "text/html"}


@dataclass(frozen=True)
class Place:
    """An address of a route, with the fields that a request for it needs."""

    route: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()


def of_the_player() -> list[Place]:
    """The page and its assets; those with a compressed version once with it and once without."""
    pages = {
        "/": "/",
        "/live": "/live",
        "/watch/{id}": "/watch/3f9c1b2e8d7a6054",
        "/socket/{id}": "/socket/3f9c1b2e8d7a6054",
    }
    found = [
        Place(route, url, (*BROWSER.items(), ("Accept-Encoding", "gzip"))) for route, url in pages.items()
    ]
    for name in ASSETS:
        if not name.endswith(".gz"):
            found += [
                Place("/assets/{file}", f"/assets/{name}", (("Accept-Encoding", coding),))
                for coding in ("gzip", "identity")
            ]
    return found


def of_the_library(server: Server) -> list[Place]:
    """All content of a video, and the server's own pages."""
    about = video(server, FILM)
    derived = [about["poster"], about["thumbnails"]["track"], *about["thumbnails"]["sheets"]]
    derived += [
        subtitle[kind] for subtitle in about["subtitles"] for kind in ("url", "original") if subtitle[kind]
    ]
    folder = f"{about['urls']['self']}/"
    master = server.get(about["urls"]["hls"]).text
    playlists = [folder + line for line in master.splitlines() if line.endswith(".m3u8")]
    playlists += [folder + part.partition('"')[0] for part in master.split('URI="')[1:]]
    segments, subtitle_segments = set[str](), set[str]()
    for playlist in playlists:
        text = server.get(playlist).text
        parts = [line for line in text.splitlines() if line and not line.startswith("#")]
        parts += [part.partition('"')[0] for part in text.split('URI="')[1:]]
        (subtitle_segments if parts[0].endswith(".vtt") else segments).update(folder + part for part in parts)
    tag = server.get("/static/page.css").headers["ETag"].strip('"')
    of = "/api/videos/{id}/r/{revision}"
    return [
        Place("/api/stream/{name}", about["urls"]["stream"]),
        Place("/api/stream-range/{name}", about["urls"]["stream"].replace("/stream/", "/stream-range/")),
        Place("/api/videos/{id}/file", about["urls"]["file"]),
        *(Place(f"{of}/{{name}}", url) for url in derived),
        *(Place("/api/videos/{id}/{name}.m3u8", url) for url in (about["urls"]["hls"], *playlists)),
        Place("/api/videos/{id}/manifest.mpd", about["urls"]["dash"]),
        Place("/api/videos/{id}/presentation", folder + "presentation"),
        *(Place(f"{of}/{{rendition}}/{{name}}", url) for url in sorted(segments)),
        *(Place(f"{of}/{{text}}/{{name}}.vtt", url) for url in sorted(subtitle_segments)),
        Place("/docs", "/docs"),
        Place("/openapi.json", "/openapi.json", (("Accept-Encoding", "gzip"),)),
        Place("/static/{file}", "/static/page.css"),
        Place("/static/{file}", f"/static/page.css?v={tag}"),
    ]


WITHOUT: dict[str, str] = {
    "/api/videos": "/api/videos?limit=2",
    "/api/videos/{id}": "",
    "/api/folders": "/api/folders",
    "/api/continue": "/api/continue",
    "/api/history": "/api/history",
    "/api/watch-state": "/api/watch-state",
    "/api/library": "/api/library",
    "/api/library/scan": "/api/library/scan",
    "/api/streams": "/api/streams",
    "/api/metrics": "/api/metrics",
    "/api/live": "/api/live",
    "/metrics": "/metrics",
    "/api/me": "/api/me",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
}
"""Routes whose responses have no entity-tag, with an address for each; empty for the address of a video."""


def fetch(
    client: httpx.Client, method: str, place: Place, fields: dict[str, str]
) -> tuple[httpx.Response, bytes]:
    """The response, and its body without decompression."""
    with client.stream(method, place.url, headers=dict(place.fields) | fields) as response:
        return response, b"".join(response.iter_raw())


@pytest.fixture
def client(stocked: Server) -> Iterator[httpx.Client]:
    with stocked.client() as client:
        yield client


@pytest.mark.parametrize("limit", [1, large(1000)])
def test_every_route_with_an_entity_tag_supports_conditions(
    stocked: Server, client: httpx.Client, limit: int
) -> None:
    """For at most `limit` addresses of each kind of content of a route."""
    places = of_the_library(stocked)
    checked = Counter[tuple[str, str]]()
    for place in places:
        kind = re.sub("[0-9a-f-]{2,}|[0-9]", "", place.url.rpartition("/")[2])
        checked[place.route, kind] += 1
        if checked[place.route, kind] <= limit:
            check(client, place)
    assert {place.route for place in (*places, *of_the_player())} | set(WITHOUT) == routes_with("get")


@pytest.mark.parametrize("place", of_the_player(), ids=lambda place: f"{place.url} {place.fields[0][1]}")
def test_the_player_supports_conditions(built: Server, place: Place) -> None:
    with built.client() as client:
        check(client, place)


def check(client: httpx.Client, place: Place) -> None:
    """Fail unless `place` has an entity-tag and handles conditions and ranges as in RFC 9110."""
    whole, content = fetch(client, "GET", place, {})
    size, tag = len(content), whole.headers["ETag"]
    first = content[:3]
    head = {name: whole.headers.get(name) for name in ("ETag", "Last-Modified", "Vary", "Cache-Control")}
    same = ("Content-Type", "Content-Length", "Content-Encoding", "Accept-Ranges", *head)
    cases: list[tuple[str, dict[str, str], int, bytes]] = [
        ("GET", {}, 200, content),
        ("GET", {"Range": "bytes=0-2"}, 206, first),
        ("GET", {"Range": "bytes=-1"}, 206, content[-1:]),
        ("GET", {"Range": "bytes=0-"}, 206, content),
        ("GET", {"Range": f"bytes={size}-"}, 416, b""),
        ("GET", {"Range": "lines=0-2"}, 200, content),
        ("GET", {"If-Range": tag, "Range": "bytes=0-2"}, 206, first),
        ("GET", {"If-Range": f"W/{tag}", "Range": "bytes=0-2"}, 200, content),
        ("GET", {"If-Range": '"other"', "Range": "bytes=0-2"}, 200, content),
        ("GET", {"If-Range": '"other"', "Range": f"bytes={size}-"}, 200, content),
        ("GET", {"If-Match": tag}, 200, content),
        ("GET", {"If-Match": "*"}, 200, content),
        ("GET", {"If-Match": f'"other", {tag}', "Range": "bytes=0-2"}, 206, first),
        ("GET", {"If-Match": '"other"'}, 412, b""),
        ("GET", {"If-Match": f"W/{tag}"}, 412, b""),
        ("GET", {"If-Match": '"other"', "If-None-Match": tag}, 412, b""),
        ("GET", {"If-Match": '"other"', "Range": f"bytes={size}-"}, 412, b""),
        ("GET", {"If-None-Match": tag}, 304, b""),
        ("GET", {"If-None-Match": f"W/{tag}"}, 304, b""),
        ("GET", {"If-None-Match": "*"}, 304, b""),
        ("GET", {"If-None-Match": tag, "Range": "bytes=0-2"}, 304, b""),
        ("GET", {"If-None-Match": '"other"'}, 200, content),
        ("HEAD", {}, 200, b""),
        ("HEAD", {"Range": "bytes=0-2"}, 200, b""),
        ("HEAD", {"If-None-Match": tag}, 304, b""),
        ("HEAD", {"If-Match": '"other"'}, 412, b""),
        *dated(whole, content),
    ]
    for method, fields, status, expected in cases:
        response, body = fetch(client, method, place, fields)
        about = (place, method, fields, response.headers)
        assert response.status_code == status, about
        if status < 400:
            assert {name: response.headers.get(name) for name in head} == head, about
            assert body == expected, about
        else:
            assert response.headers["Content-Type"] == "application/problem+json", about
            assert response.headers["Cache-Control"] == "no-store", about
        if status == 412:
            assert (response.headers["ETag"], response.headers.get("Vary")) == (tag, head["Vary"]), about
        if status == 416:
            assert response.headers["Content-Range"] == f"bytes */{size}", about
        if status == 206:
            assert response.headers["Content-Range"].endswith(f"/{size}"), about
            assert response.headers.get("Content-Encoding") == whole.headers.get("Content-Encoding"), about
        if status == 200:
            assert {name: response.headers.get(name) for name in same} == {
                name: whole.headers.get(name) for name in same
            }, about
            assert response.headers["Accept-Ranges"] == "bytes", about


def dated(whole: httpx.Response, content: bytes) -> list[tuple[str, dict[str, str], int, bytes]]:
    """The cases with dates, which are ignored if the content has none."""
    modified = whole.headers.get("Last-Modified")
    if modified is None:
        at = formatdate(0, usegmt=True)
        later = formatdate(2_000_000_000, usegmt=True)
        return [
            ("GET", {"If-Modified-Since": later}, 200, content),
            ("GET", {"If-Unmodified-Since": at}, 200, content),
            ("GET", {"If-Range": at, "Range": "bytes=0-2"}, 200, content),
        ]
    seconds = parsedate_to_datetime(modified).timestamp()
    older, newer = (formatdate(seconds + days * DAY, usegmt=True) for days in (-1, 1))
    return [
        ("GET", {"If-Modified-Since": modified}, 304, b""),
        ("HEAD", {"If-Modified-Since": newer}, 304, b""),
        ("GET", {"If-Modified-Since": older}, 200, content),
        ("GET", {"If-Unmodified-Since": modified}, 200, content),
        ("GET", {"If-Unmodified-Since": older}, 412, b""),
        ("HEAD", {"If-Unmodified-Since": older}, 412, b""),
        ("GET", {"If-Range": older, "Range": "bytes=0-2"}, 200, content),
    ]


@pytest.mark.parametrize("route", WITHOUT)
def test_routes_without_an_entity_tag_match_none(stocked: Server, client: httpx.Client, route: str) -> None:
    url = WITHOUT[route] or video(stocked, FILM)["urls"]["self"]
    for fields in (
        {"Range": "bytes=0-2"},
        {"Range": "bytes=0-2", "If-Range": '"other"'},
        {"If-Match": "*"},
        {"If-None-Match": '"other"'},
        {"If-Modified-Since": formatdate(2_000_000_000, usegmt=True)},
        {"If-Unmodified-Since": formatdate(0, usegmt=True)},
    ):
        with client.stream("GET", url, headers=fields) as response:
            assert response.status_code == 200, fields
            assert not {"ETag", "Accept-Ranges", "Content-Range"} & {*response.headers}
    for value in ('"other"', '"a", W/"b"', "", "nonsense"):
        with client.stream("GET", url, headers={"If-Match": value}) as response:
            assert response.status_code == 412  # before the body is read, because events never end
            response.read()
        check_problem(response, 412, "precondition-failed")
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("PATCH", "", {"title": "Another"}),
        ("PUT", "/playhead", {"position": 2}),
        ("DELETE", "/playhead", None),
        ("PUT", "/api/watch-state", {"version": 1, "entries": []}),
        ("DELETE", "/api/history", None),
        ("POST", "/api/library/scan", None),
        ("DELETE", "/api/streams/8e83768fea6f800f", None),
    ],
)
def test_a_change_with_a_failing_condition_changes_nothing(
    stocked: Server, method: str, path: str, data: Any
) -> None:
    about = video(stocked, EPISODES[0])
    url = path if path.startswith("/api/") else about["urls"]["self"] + path
    check_problem(
        call(stocked, method, url, data, headers={"If-Match": '"other"'}), 412, "precondition-failed"
    )
    now = video(stocked, EPISODES[0])
    assert (now["title"], now["playhead"]) == (about["title"], about["playhead"])
    assert call(stocked, method, url, data, headers={"If-Match": "*"}).status_code != 412
    call(stocked, "DELETE", f"{about['urls']['self']}/playhead")
    call(stocked, "PATCH", about["urls"]["self"], {"title": None})


def test_ranges_refer_to_the_bytes_that_are_sent(built: Server) -> None:
    """Of compressed content they are ranges of the compressed bytes, and its validator differs from the plain one."""
    url = "/assets/index-a1b2.js"
    compressed, plain = (Place("", url, (("Accept-Encoding", coding),)) for coding in ("gzip", "identity"))
    with built.client() as client:
        tags = [fetch(client, "GET", place, {})[0].headers["ETag"] for place in (compressed, plain)]
        response, body = fetch(client, "GET", compressed, {"Range": "bytes=2-9"})
        assert (response.status_code, body) == (206, COMPRESSED[2:10])
        assert response.headers["Content-Range"] == f"bytes 2-9/{len(COMPRESSED)}"
        assert response.headers["Content-Encoding"] == "gzip"
        crossed = {"Range": "bytes=2-9", "If-Range": tags[0]}
        assert fetch(client, "GET", plain, crossed)[0].status_code == 200
        assert fetch(client, "GET", plain, {"If-Match": tags[0]})[0].status_code == 412
        assert fetch(client, "GET", plain, {"If-None-Match": tags[0]})[0].status_code == 200
        page, body = fetch(client, "GET", Place("", "/", tuple(BROWSER.items())), {"Range": "bytes=0-8"})
        assert (page.status_code, body) == (206, INDEX[:9])


def routes_with(method: str) -> set[str]:
    return {path for path, about in document()["paths"].items() if method in about}
