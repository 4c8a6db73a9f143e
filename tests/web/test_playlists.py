"""HLS and DASH over HTTP: caching, addresses that are not found, and videos that cannot be packaged."""

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import m3u8
import psutil
import pytest

from tests.media.making import make
from tests.support import Server, children_of, wait_for
from tests.web.conftest import EPISODES, FILM
from tests.web.requesting import IMMUTABLE, call, check_immutable, check_problem, video
from trio_stream.packaging.cutting import in_address

ASK_FIRST = "no-cache"

HLS, DASH = "application/vnd.apple.mpegurl", "application/dash+xml"


@pytest.fixture
def folder(stocked: Server) -> str:
    """The folder of the playlists of a video: keyframes every second, one audio track and three subtitles."""
    return f"/api/videos/{video(stocked, FILM)['id']}"


def playlist(server: Server, address: str) -> m3u8.M3U8:
    response = server.get(address)
    assert response.status_code == 200, response.text
    return m3u8.loads(response.text)


def stocked_video(server: Server, folder: str) -> dict[str, str]:
    """The addresses of segments that are built on request, by their kind."""
    master = playlist(server, f"{folder}/master.m3u8")
    subtitle_lists = [track.uri for track in master.media if track.type == "SUBTITLES"]
    video_list, audio_list = playlist(server, f"{folder}/v1.m3u8"), playlist(server, f"{folder}/a2.m3u8")
    keys, subtitles = (
        playlist(server, f"{folder}/v1-keys.m3u8"),
        playlist(server, f"{folder}/{subtitle_lists[0]}"),
    )
    found = {
        "init of video": video_list.segment_map[0].uri,
        "video": video_list.segments[0].uri,
        "last video": video_list.segments[-1].uri,
        "init of audio": audio_list.segment_map[0].uri,
        "audio": audio_list.segments[0].uri,
        "keyframe": keys.segments[1].uri,
        "subtitles": subtitles.segments[0].uri,
    }
    return {name: f"{folder}/{uri}" for name, uri in found.items()}


@pytest.fixture
def urls(stocked: Server, folder: str) -> dict[str, str]:
    return stocked_video(stocked, folder)


# --- Playlists and manifests ----------------------------------------------------------------------------


def test_playlists_are_revalidated(stocked: Server, folder: str) -> None:
    master = playlist(stocked, f"{folder}/master.m3u8")
    names = ["master", "v1", "a2", "v1-keys", *(track.uri.removesuffix(".m3u8") for track in master.media)]
    for address, kind in [(f"{folder}/{name}.m3u8", HLS) for name in names] + [
        (f"{folder}/manifest.mpd", DASH)
    ]:
        response = stocked.get(address)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == kind
        assert response.headers["Cache-Control"] == ASK_FIRST
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Last-Modified" in response.headers
        tag = response.headers["ETag"]
        assert stocked.get(address).headers["ETag"] == tag
        again = stocked.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        head = call(stocked, "HEAD", address)
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["Content-Length"]) == len(response.content)


def test_subtitles_of_a_video_are_offered(stocked: Server, folder: str) -> None:
    master = playlist(stocked, f"{folder}/master.m3u8")
    subtitle_lists = {track.name: track for track in master.media if track.type == "SUBTITLES"}
    assert len(subtitle_lists) == 3
    assert sorted(track.language or "" for track in subtitle_lists.values()) == ["de", "en", "en"]
    assert [track.forced for track in subtitle_lists.values()].count("YES") == 1
    subtitle_texts = []
    for track in subtitle_lists.values():
        found = playlist(stocked, f"{folder}/{track.uri}")
        bodies = [stocked.get(f"{folder}/{segment.uri}").text for segment in found.segments]
        assert all(
            body.startswith("WEBVTT") and "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000" in body
            for body in bodies
        )
        subtitle_texts.append("".join(bodies))
    for words in ("In the film", "Grüße", "Hello"):
        assert sum(words in track for track in subtitle_texts) == 1
    mpd = stocked.get(f"{folder}/manifest.mpd").text
    wholes = re.findall(r"<BaseURL>(.*?)</BaseURL>", mpd)
    assert len(wholes) == 3
    for whole in wholes:
        assert stocked.get(f"{folder}/{whole}").headers["Content-Type"] == "text/vtt; charset=utf-8"


def test_other_playlists_are_not_found(stocked: Server, folder: str) -> None:
    for name in (
        "v2",
        "a1",
        "a2-keys",
        "keys",
        "v1-keys-keys",
        "-keys",
        "V1",
        "v1%2e",
        "s-0",
        "s-" + "0" * 32,
        "",
    ):
        response = stocked.get(f"{folder}/{name}.m3u8")
        assert response.status_code == 404, name
        assert response.json()["code"] in ("file-not-found", "video-not-found", "not-found"), name
    for address in (
        f"{folder}/master.mpd",
        f"{folder}/manifest.m3u8",
        f"{folder}/manifest.mpd/",
        f"{folder}/x.mpd",
    ):
        assert stocked.get(address).status_code == 404
    for unknown in ("0" * 16, "f" * 15, "G" * 16):
        for name in ("master.m3u8", "manifest.mpd", "v1.m3u8"):
            check_problem(stocked.get(f"/api/videos/{unknown}/{name}"), 404, "video-not-found")


# --- Segments -------------------------------------------------------------------------------------------


def test_segments_are_cached_forever(stocked: Server, urls: dict[str, str]) -> None:
    kinds = {
        "video": "video/mp4",
        "keyframe": "video/mp4",
        "audio": "audio/mp4",
        "subtitles": "text/vtt; charset=utf-8",
    }
    tags = set()
    for name, url in urls.items():
        response = stocked.get(url)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == IMMUTABLE
        assert response.headers["Content-Type"] == kinds[name.split()[-1]]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert int(response.headers["Content-Length"]) == len(response.content)
        tags.add(response.headers["ETag"])
        kind = response.content[4:8]
        assert kind == (b"ftyp" if "init" in name else b"styp" if name != "subtitles" else b"TT\nX")
    assert len(tags) == len(urls)


def test_head_ranges_and_conditions(stocked: Server, urls: dict[str, str]) -> None:
    for url in urls.values():
        check_immutable(stocked, url)


def test_several_ranges(stocked: Server, urls: dict[str, str]) -> None:
    """Ranges of the generated head, and of samples that are scattered in the file."""
    for name in ("video", "audio"):
        content = stocked.get(urls[name]).content
        spans = [(0, 99), (900, 1099), (len(content) - 700, len(content) - 600)]
        ranges = ",".join(f"{first}-{last}" for first, last in spans)
        response = stocked.get(urls[name], headers={"Range": f"bytes={ranges}"})
        assert response.status_code == 206
        assert response.headers["Content-Type"].startswith("multipart/byteranges")
        assert int(response.headers["Content-Length"]) == len(response.content)
        for first, last in spans:
            lead = f"Content-Range: bytes {first}-{last}/{len(content)}\r\n\r\n".encode()
            assert lead + content[first : last + 1] + b"\r\n--" in response.content


def test_other_segments_are_not_found(stocked: Server, urls: dict[str, str]) -> None:
    """Change each part of each address."""
    other = video(stocked, EPISODES[0])
    for url in urls.values():
        _, _, _, id_, _, revision, name, file = url.split("/")
        number, _, suffix = file.rpartition(".")
        plain, _, scheme = name.rpartition("-")
        assert in_address(plain) == name
        names = ("v2", "a1", f"{plain}-keys", "s-" + "0" * 32, "V1")
        wrong = [
            url.replace(id_, other["id"]),
            url.replace(id_, "0" * 16),
            url.replace(revision, other["revision"]),
            url.replace(revision, "0" * 24),
            url.replace(revision, revision.upper()) if revision.upper() != revision else url,
            *(url.replace(f"/{name}/", f"/{other}/") for other in (*map(in_address, names), "x", "..")),
            *(
                url.replace(f"/{name}/", f"/{plain}{other}/")
                for other in (
                    "",
                    "-",
                    f"-{int(scheme) + 1}",
                    f"-{int(scheme) - 1}",
                    f"-0{scheme}",
                    f"-{scheme}-1",
                )
            ),
            *(
                url.replace(f"/{file}", f"/{other}.{suffix}")
                for other in (
                    "99",
                    "999999999",
                    "9999999999",
                    "-1",
                    "1e0",
                    "k99",
                    "k-1",
                    "kk0",
                    "init0",
                    "",
                    f"{number}x",
                )
            ),
            *(url.replace(file, f"{number}.{other}") for other in ("m4v", "ts", "")),
            url.replace(f"/{file}", "/init.m4s"),
            f"{url}x",
            f"{url}%0A",
            f"{url}/",
            url.rpartition("/")[0] + "/",
        ]
        for address in wrong:
            if address != url:
                response = stocked.get(address)
                assert response.status_code == 404, address
                assert response.json()["code"] in ("file-not-found", "video-not-found", "not-found"), address


def test_playlists_and_segments_are_read_only(stocked: Server, folder: str, urls: dict[str, str]) -> None:
    for address in (urls["video"], urls["subtitles"], f"{folder}/master.m3u8", f"{folder}/manifest.mpd"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            check_problem(call(stocked, method, address), 405, "method-not-allowed")


def test_a_segment_counts_as_a_stream(stocked: Server, urls: dict[str, str]) -> None:
    before = stocked.metrics()
    content = stocked.get(urls["video"]).content
    stocked.get(urls["init of video"])
    wait_for(lambda: stocked.metrics()["active_streams"] == 0, 5)
    after = stocked.metrics()
    assert (
        after["streams_started"] - before["streams_started"] == 1
    )  # an init segment does not count as a stream
    assert after["bytes_sent"] - before["bytes_sent"] == len(content)


# --- Files that change ----------------------------------------------------------------------------------


@pytest.fixture
def changing_server(start: Callable[..., Server], film: Path, tmp_path: Path) -> Server:
    """A server with one video, which the test can change."""
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(film, videos / "film.mp4")
    server = start(videos, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: server.get("/api/videos?q=film").json()["items"], 10, "the film")
    wait_for(lambda: server.get("/api/library").json()["idle"], 20, "its subtitles")
    return server


def test_changing_a_file_ends_the_old_addresses(changing_server: Server) -> None:
    folder = f"/api/videos/{video(changing_server, 'film.mp4')['id']}"
    before = stocked_video(changing_server, folder)
    segments = [url for name, url in before.items() if name != "subtitles"]
    contents = [changing_server.get(url).content for url in segments]
    with (changing_server.videos / "film.mp4").open("ab") as file:
        file.write(b"\0\0\0\x0cfreemore")
    for url in segments:  # at once: the open file shows that it has changed
        check_problem(changing_server.get(url), 404, "video-not-found")

    def new() -> Any:
        after = stocked_video(changing_server, folder)
        return after if set(after.values()).isdisjoint(before.values()) else None

    after = wait_for(new, 10, "the playlists to name the new file")
    assert [
        changing_server.get(url).content for name, url in after.items() if name != "subtitles"
    ] == contents


def test_a_moved_video_keeps_its_addresses(changing_server: Server) -> None:
    folder = f"/api/videos/{video(changing_server, 'film.mp4')['id']}"
    before = stocked_video(changing_server, folder)
    content = changing_server.get(before["video"]).content
    os.rename(changing_server.videos / "film.mp4", changing_server.videos / "Moved.mp4")
    wait_for(
        lambda: changing_server.get(before["video"]).status_code == 200, 10, "the video to be found again"
    )
    assert changing_server.get(before["video"]).content == content
    assert stocked_video(changing_server, folder) == before


def test_segments_of_a_removed_video_are_not_found(changing_server: Server, tmp_path: Path) -> None:
    folder = f"/api/videos/{video(changing_server, 'film.mp4')['id']}"
    urls = stocked_video(changing_server, folder)
    os.rename(changing_server.videos / "film.mp4", tmp_path / "aside")
    for url in urls.values():
        wait_for(lambda url=url: changing_server.get(url).status_code == 404, 5, "the segments to be removed")  # type: ignore[misc] # mypy: a default in a lambda has no type
    wait_for(
        lambda: changing_server.get(f"{folder}/master.m3u8").status_code == 404,
        5,
        "the playlist to be removed",
    )
    os.rename(tmp_path / "aside", changing_server.videos / "film.mp4")
    wait_for(lambda: changing_server.get(urls["video"]).status_code == 200, 10, "the segments to come back")


def test_playlists_are_the_same_after_a_restart(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    """The cuts of a video are stored: the next server uses them without reading the index."""
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(film, videos / "film.mp4")
    data = {"TRIO_STREAM_ARTWORK_SHARE": "0", "TRIO_STREAM_DATA": str(tmp_path / "data")}
    playlists = []
    for _ in range(2):
        server = start(videos, environ=data)
        wait_for(lambda server=server: server.get("/api/videos?q=film").json()["items"], 10, "the film")  # type: ignore[misc] # mypy: a default in a lambda has no type
        wait_for(lambda server=server: server.get("/api/library").json()["idle"], 20, "its subtitles")  # type: ignore[misc] # mypy: a default in a lambda has no type
        folder = f"/api/videos/{video(server, 'film.mp4')['id']}"
        playlists.append(
            [
                server.get(f"{folder}/{name}").text
                for name in ("master.m3u8", "v1.m3u8", "a2.m3u8", "manifest.mpd")
            ]
        )
        assert server.get(stocked_video(server, folder)["video"]).status_code == 200
        server.stop()
    assert playlists[0] == playlists[1]


# --- Early disconnects ----------------------------------------------------------------------------------


def test_a_disconnect_cancels_the_segment_being_built(start: Callable[..., Server], tmp_path: Path) -> None:
    """The sandbox does not respond, so nothing is sent, and no send can fail."""
    videos = tmp_path / "videos"
    videos.mkdir()
    source = "-f lavfi -i testsrc2=size=128x72:rate=25:duration=3"
    make(videos / "film.mkv", f"{source} -c:v libx264 -preset ultrafast -g 25")
    server = start(videos, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: server.get("/api/library").json()["videos"] == 1, 20, "the film")
    folder = f"/api/videos/{video(server, 'film.mkv')['id']}"
    address = f"{folder}/{playlist(server, f'{folder}/v0.m3u8').segments[0].uri}"
    [reader] = [psutil.Process(child) for child in children_of(server.pid)]
    reader.suspend()
    try:
        with server.client() as client, pytest.raises(httpx.ReadTimeout):
            client.get(address, timeout=httpx.Timeout(5, read=0.5))
        wait_for(lambda: server.metrics()["open_files"] == 0, 4, "it to be cancelled")
    finally:
        reader.resume()
    assert server.get(address).status_code == 200


# --- What cannot be packaged ----------------------------------------------------------------------------


def test_the_reason_why_a_video_is_not_packaged(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    whole = film.read_bytes()
    index = whole.index(b"moov") - 4
    bad = {
        "garbage.mp4": (b"no video at all", "it has no index (moov)"),
        "empty.mp4": (b"", "it has no index (moov)"),
        "cut.mp4": (whole[: index + 400], "the box moov: the file ends inside it"),
        "encrypted.mp4": (
            whole.replace(b"avc1\0\0\0\0\0\0", b"encv\0\0\0\0\0\0"),
            "the box moov: it is encrypted",
        ),
    }
    for name, (data, _) in bad.items():
        (videos / name).write_bytes(data)
    server = start(videos, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: server.get("/api/library").json()["videos"] == len(bad), 20, "the videos")
    for item in server.get("/api/videos?limit=50").json()["items"]:
        folder = f"/api/videos/{item['id']}"
        code = "encrypted" if item["name"] == "encrypted.mp4" else "unpackageable"
        for name in ("master.m3u8", "manifest.mpd", "v1.m3u8"):
            detail = check_problem(server.get(f"{folder}/{name}"), 422, code)
            assert detail == bad[item["name"]][1], item["name"]
        revision = server.get(folder).json()["revision"]
        check_problem(server.get(f"{folder}/r/{revision}/{in_address('v1')}/0.m4s"), 422, code)
        if item["name"] != "empty.mp4":
            assert server.get(item["urls"]["file"]).status_code == 200  # the file itself can be streamed


# --- Files that belong together ---------------------------------------------------------------------------


def test_files_with_different_resolutions_are_one_title(start: Callable[..., Server], tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    audio = "-f lavfi -i sine=duration=9 -c:a aac -shortest"
    for name, size, keys in (
        ("Film.720p.mp4", "256x144", 24),
        ("Film.360p.mp4", "128x72", 24),
        ("Other.720p.mp4", "256x144", 24),
        ("Other.360p.mp4", "128x72", 40),
        ("Film.1080p.txt.mp4", "128x72", 24),
    ):
        frames = f"-f lavfi -i testsrc2=size={size}:rate=12:duration=9"
        make(
            videos / name,
            f"{frames} {audio} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0 -g {keys}",
        )
    for name in ("Song.720p.mp4", "Song.360p.mp4"):
        make(videos / name, "-f lavfi -i sine=duration=9 -c:a aac")
    (videos / "small").mkdir()
    for name, listed in (("Film.720p.mp4", "hd.mp4"), ("Film.360p.mp4", "small/sd.mp4")):
        shutil.copyfile(videos / name, videos / listed)
    (videos / "By hand.title.toml").write_text('files = ["hd.mp4", "small/sd.mp4"]')
    (videos / "bad.title.toml").write_text('files = ["../hd.mp4"]')
    server = start(videos, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})

    def titles() -> dict[str, str]:
        items = server.get("/api/videos?limit=50").json()["items"]
        return {item["name"]: item["title"] for item in items if item["state"] != "new"}

    expected = {
        "Film.720p.mp4": "Film",
        "Film.1080p.txt.mp4": "Film 1080p txt",
        "hd.mp4": "By hand",
        "Other.720p.mp4": "Other",
        "Song.720p.mp4": "Song",
    }
    wait_for(lambda: titles() == expected, 20, "the titles")
    library = server.get("/api/library").json()
    assert library["videos"] == len(expected)
    assert [problem["name"] for problem in library["problems"]] == ["bad.title.toml"]
    assert len(server.get("/api/videos").json()["videos"]) == 9, "the changed files"
    ids: dict[str, str] = {}
    for item in server.get("/api/videos?limit=50").json()["items"]:
        ids[item["name"]] = item["id"]
        versions = server.get(item["urls"]["self"]).json()["versions"]
        ids |= {version["name"]: version["id"] for version in versions}
        assert [version["leads"] for version in versions] == [True, False][: len(versions)]
    assert len(ids) == 9

    def variants(name: str) -> list[tuple[tuple[int, int], str]]:
        found = playlist(server, f"/api/videos/{ids[name]}/master.m3u8")
        return [(variant.stream_info.resolution, variant.uri) for variant in found.playlists]

    low, high = ids["Film.360p.mp4"], ids["Film.720p.mp4"]
    assert variants("Film.720p.mp4") == [((256, 144), "v1.m3u8"), ((128, 72), f"../{low}/v1.m3u8")]
    assert variants("Film.360p.mp4") == [((256, 144), f"../{high}/v1.m3u8"), ((128, 72), "v1.m3u8")]
    assert variants("hd.mp4") == [((256, 144), "v1.m3u8"), ((128, 72), f"../{ids['small/sd.mp4']}/v1.m3u8")]
    targets = {playlist(server, f"/api/videos/{id_}/v1.m3u8").target_duration for id_ in (low, high)}
    assert len(targets) == 1
    base = httpx.URL(f"{server.url}/api/videos/{high}/master.m3u8")
    for _, uri in variants("Film.720p.mp4"):
        found = m3u8.loads(server.get(str(base.join(uri).path)).text)
        address = base.join(uri).join(found.segments[0].uri)
        assert server.get(str(address.path)).status_code == 200
    mpd = server.get(f"/api/videos/{high}/manifest.mpd").text
    assert mpd.count('contentType="video"') == 1
    assert mpd.count("<Representation ") == 3

    # keyframes that do not match, and names that do not match, either
    assert variants("Other.720p.mp4") == [((256, 144), "v1.m3u8")]
    assert "files of one title have different keyframes" in server.log
    assert variants("Other.360p.mp4") == [((128, 72), "v1.m3u8")], "it is served by its own id"
    assert [uri for _, uri in variants("Film.1080p.txt.mp4")] == ["v1.m3u8"]
    # audio has no resolution
    assert [uri for _, uri in variants("Song.360p.mp4")] == ["a1.m3u8"]


def test_a_version_that_cannot_be_packaged_is_omitted(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    """It is logged once, for any number of requests."""
    videos = tmp_path / "videos"
    videos.mkdir()
    names = ["Film.720p.mp4", "Film.360p.mp4"]
    for name in names:
        shutil.copyfile(film, videos / name)
    (videos / "Film.1080p.mp4").write_bytes(b"no film")
    server = start(videos, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})

    def ids_by_name() -> dict[str, str]:
        items = server.get("/api/videos?limit=50").json()["items"]
        versions = server.get(items[0]["urls"]["self"]).json()["versions"] if len(items) == 1 else []
        return {version["name"]: version["id"] for version in versions}

    wait_for(lambda: len(server.get("/api/videos").json()["videos"]) == 3, 20, "the files")
    wait_for(lambda: len(ids_by_name()) == 3, 20, "the title")
    ids = ids_by_name()
    for name in names:
        assert len(playlist(server, f"/api/videos/{ids[name]}/master.m3u8").playlists) == 2
    assert server.log.count("a file of a title is left out") == 1


# --- Remuxed files --------------------------------------------------------------------------------------


def test_many_clients_request_remuxed_segments_at_once(running: Server, videos: Path) -> None:
    """A file is opened once for all requests: each uses the shared file and not the one that it opened itself."""
    film = make(
        videos / "film.mkv",
        "-f lavfi -i testsrc2=size=128x72:rate=25:duration=4 -f lavfi -i sine=duration=4 "
        "-c:v libx264 -preset ultrafast -g 25 -c:a aac",
    )
    running.wait_for_video(film.name, film.stat().st_size)
    folder = f"/api/videos/{video(running, film.name)['id']}"
    lists = [playlist(running, f"{folder}/{name}.m3u8") for name in ("v0", "a1")]
    wanted = [
        uri for media in lists for uri in (media.segment_map[0].uri, *(seg.uri for seg in media.segments))
    ]
    with ThreadPoolExecutor(len(wanted)) as pool:
        responses = list(pool.map(lambda uri: running.get(f"{folder}/{uri}"), wanted))
    assert [(response.status_code, response.content[4:8]) for response in responses] == [
        (200, b"ftyp" if uri.endswith("init.mp4") else b"styp") for uri in wanted
    ]
