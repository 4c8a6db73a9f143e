"""Derived files are cached forever or not found; and bytes by id are the same as by name."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.media.making import size
from tests.support import Server, wait_for
from tests.web.conftest import ASS, EPISODES, FILM
from tests.web.requesting import IMMUTABLE, call, check_immutable, check_problem, video


def derived_video(server: Server, name: str = FILM) -> dict[str, str]:
    """The addresses of the derived files of a video, by their kind."""
    found = video(server, name)
    urls = {"poster": found["poster"], "track": found["thumbnails"]["track"]}
    urls["sheet"] = found["thumbnails"]["sheets"][0]
    for subtitle in found["subtitles"]:
        urls[f"subtitle {subtitle['name'] or subtitle['track']}"] = subtitle["url"]
        if subtitle["original"]:
            urls["original"] = subtitle["original"]
    return urls


@pytest.fixture
def urls(stocked: Server) -> dict[str, str]:
    return derived_video(stocked)


def test_derived_files_are_cached_forever(stocked: Server, urls: dict[str, str], tmp_path: Path) -> None:
    types = {"jpg": "image/jpeg", "vtt": "text/vtt; charset=utf-8", "ass": "text/x-ssa; charset=utf-8"}
    assert len(urls) == 7
    for url in urls.values():
        response = stocked.get(url)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == IMMUTABLE
        assert response.headers["Content-Type"] == types[url.rpartition(".")[2]]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["ETag"].strip('"') in url
        assert int(response.headers["Content-Length"]) == len(response.content)
        assert "Last-Modified" in response.headers


def test_media_types_of_derived_files(stocked: Server, urls: dict[str, str], tmp_path: Path) -> None:
    for name, expected in (("poster", (128, 72)), ("sheet", (5 * 320, 180))):
        image = tmp_path / f"{name}.jpg"
        image.write_bytes(stocked.get(urls[name]).content)
        assert size(image) == expected
    assert "Grüße" in stocked.get(urls["subtitle Das Leben der Anderen.de.srt"]).text
    assert "In the film" in stocked.get(urls["subtitle 2"]).text
    assert "Hello" in stocked.get(urls["subtitle Das Leben der Anderen.en.forced.ass"]).text
    assert stocked.get(urls["original"]).text.split() == ASS.split()
    track = stocked.get(urls["track"])
    sheets = set(re.findall(r"^(sheet-\S+)#xywh=", track.text, re.MULTILINE))
    assert {str(httpx.URL(urls["track"]).join(sheet)) for sheet in sheets} == {urls["sheet"]}


def test_head_ranges_and_conditions(stocked: Server, urls: dict[str, str]) -> None:
    for url in urls.values():
        content = check_immutable(stocked, url)
        several = stocked.get(url, headers={"Range": "bytes=0-1,-2"})
        assert several.status_code == 206
        assert int(several.headers["Content-Length"]) == len(several.content)
        if len(content) > 300:  # the ranges of a small file are merged
            assert several.headers["Content-Type"].startswith("multipart/byteranges")
            assert several.content.count(b"Content-Range: bytes ") == 2
            assert f"bytes {len(content) - 2}-".encode() in several.content


def test_other_addresses_are_not_found(stocked: Server, urls: dict[str, str]) -> None:
    """Change each part of each address."""
    other = video(stocked, EPISODES[0])
    for url in urls.values():
        _, _, _, id_, _, revision, name = url.split("/")
        kind, digest, suffix = re.split(r"[-.]", name)
        wrong = [
            url.replace(id_, other["id"]),
            url.replace(id_, "0" * 16),
            url.replace(revision, other["revision"]),
            url.replace(revision, "0" * 24),
            url.replace(digest, "0" * 32),
            url.replace(digest, digest[:-1]),
            url.replace(digest, digest.upper()),
            *(
                url.replace(f"/{kind}-", f"/{other}-")
                for other in ("poster", "sheet", "thumbnails", "subtitle", "x", "")
            ),
            *(url.replace(f".{suffix}", f".{other}") for other in ("jpg", "vtt", "ass", "mp4", "")),
            url.replace(name, f"%2e%2e%2f{name}"),
            f"{url}x",
            f"{url}%0A",
            f"{url}/",
            url.rpartition("/")[0] + "/",
        ]
        for address in wrong:
            if address != url:
                response = stocked.get(address)
                assert response.status_code == 404, address
                assert response.json()["code"] in ("file-not-found", "not-found"), address


def test_derived_files_are_read_only(stocked: Server, urls: dict[str, str]) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        check_problem(call(stocked, method, urls["poster"]), 405, "method-not-allowed")


def test_changing_a_file_ends_the_old_addresses(stocked: Server) -> None:
    name = EPISODES[1]
    before = derived_video(stocked, name)
    revision = video(stocked, name)["revision"]
    content = stocked.get(before["poster"]).content
    with (stocked.videos / name).open("ab") as file:
        file.write(b"more")
    wait_for(lambda: video(stocked, name)["revision"] != revision, 6, "the changed file to be scanned")
    for url in before.values():
        check_problem(stocked.get(url), 404, "file-not-found")
    wait_for(lambda: video(stocked, name)["poster"], 10, "its artwork")
    wait_for(lambda: stocked.get("/api/library").json()["idle"], 10, "all derived files")
    after = derived_video(stocked, name)
    assert set(before.values()).isdisjoint(after.values())
    assert stocked.get(after["poster"]).content == content, "the same artwork"


def test_bytes_by_id_are_the_same_as_by_name(stocked: Server) -> None:
    urls = video(stocked, FILM)["urls"]
    content = (stocked.videos / FILM).read_bytes()
    for method in ("GET", "HEAD"):
        for fields in (
            {},
            {"Range": "bytes=0-99"},
            {"Range": "bytes=5-9,100-199"},
            {"Range": f"bytes={len(content)}-"},
            {"If-None-Match": "*"},
            {"If-Match": '"other"'},
        ):
            one, other = (call(stocked, method, urls[name], headers=fields) for name in ("file", "stream"))
            assert one.status_code == other.status_code
            same = {"content-length", "content-range", "etag", "last-modified", "cache-control"}
            assert {name: one.headers.get(name) for name in same} == {
                name: other.headers.get(name) for name in same
            }
            if "multipart" not in one.headers.get("content-type", ""):
                assert one.content == other.content
    assert stocked.get(urls["file"]).content == content
    assert stocked.get(f"{urls['file']}?download=1").headers["Content-Disposition"].startswith("attachment")


@pytest.fixture
def full(start: Callable[..., Server], film: Path, tmp_path: Path) -> Iterator[Server]:
    """A server that has reached its limit of one stream."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "film.mp4").write_bytes(film.read_bytes())
    with (videos / "long.mp4").open("wb") as file:
        file.truncate(1 << 30)
    server = start(videos, environ={"TRIO_STREAM_MAX_STREAMS": "1"})
    wait_for(lambda: server.get("/api/videos?q=film").json()["items"], 10, "the film")
    wait_for(lambda: server.get("/api/library").json()["idle"], 20, "its artwork")
    with httpx.stream("GET", f"{server.url}/api/stream/long.mp4"):
        yield server


def test_derived_files_do_not_count_as_streams(full: Server) -> None:
    found = video(full, "film.mp4")
    check_problem(full.get(found["urls"]["file"]), 503, "too-many-streams")
    assert full.get(found["poster"]).status_code == 200
    assert full.get(found["subtitles"][0]["url"]).status_code == 200
    assert full.get(found["thumbnails"]["track"]).status_code == 200
    assert full.metrics()["active_streams"] == 1


def test_derived_files_of_a_removed_video_are_not_found(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    (tmp_path / "videos").mkdir()
    path = tmp_path / "videos" / "film.mp4"
    path.write_bytes(film.read_bytes())
    server = start(tmp_path / "videos")
    wait_for(lambda: server.get("/api/videos?q=film").json()["items"], 10, "the film")
    wait_for(lambda: server.get("/api/library").json()["idle"], 20, "its artwork")
    poster = derived_video(server, "film.mp4")["poster"]
    path.rename(tmp_path / "aside")
    wait_for(lambda: server.get(poster).status_code == 404, 5, "the poster to go")
    os.rename(tmp_path / "aside", path)
    wait_for(lambda: server.get(poster).status_code == 200, 5, "the poster to come back")
