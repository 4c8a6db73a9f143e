"""Files whose names contain characters that are special in other systems, shells, URLs or playlists."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import m3u8
import pytest

from tests.media.making import make
from tests.support import Server, serving, wait_for
from tests.web.requesting import call, check_problem, video
from tests.websocket import opened
from trio_stream.library.naming.paths import url_path

RECIPE = (
    "-f lavfi -i testsrc2=size=64x36:rate=10:duration=2 -f lavfi -i sine=duration=2 "
    "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -c:a aac"
)

NAMES = [
    b"Queen\\Live.mp4",
    b"rock\\metal/Song.mkv",
    b"rock\\metal/in\\side/Encore.mp4",
    b"Windows\\..\\System.mp4",
    b"D:\\Films\\Last.mkv",
    b"\\Root.mp4",
    b"End\\.mp4",
    b"shut\\/Inside.mp4",
    b"two\nlines.mkv",
    b"carriage\rreturn.mp4",
    b"red\x1b[31m.mp4",
    b"zero\x01one.mp4",
    b"colon: a film.mp4",
    b"dots. . .mp4",
    b" space before.mp4",
    b"folder. /Within.mp4",
    b"Caf\xe9.mp4",
    b"right\xe2\x80\xaeto left.mp4",
    b"line\xe2\x80\xa8separator.mp4",
    b"per%5Ccent.mp4",
    b"hash#ask?.mp4",
    b"aux.mp4",
    b"l" * 251 + b".mp4",
]
"""Names of files as bytes. No two of the following have the same character at the same position."""

HIDDEN = [b"..\\above.mp4", b".\\here.mp4", b".hid\\den/x.mp4", b"Film.mp4\\", b"Film.mp4 ", b"Film.mp4\n"]
"""Names that are omitted, as the README says: a file or folder with a leading dot, and no suffix of a video."""

VIDEO_OF = {b"Queen\\Live.en.srt": 0, b"rock\\metal/Song.srt": 1, b"End\\.de.srt": 6, b"two\nlines.fr.srt": 8}


@pytest.fixture(scope="module")
def odd(way: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("names")
    films = {suffix: make(folder / f"film{suffix}", RECIPE).read_bytes() for suffix in (".mp4", ".mkv")}
    root = os.fsencode(folder / "videos")
    for number, name in enumerate([*NAMES, *HIDDEN]):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(films[".mkv" if name.endswith(b"mkv") else ".mp4"] + b"\0\0\0\x0cfree%04d" % number)
    for name in VIDEO_OF:
        with open(os.path.join(root, name), "wb") as file:
            file.write(b"1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    environ = way | {"TRIO_STREAM_ARTWORK_SHARE": "0"}
    with serving(folder / "videos", folder, environ=environ) as server:
        wait_for(lambda: server.get("/api/library").json()["videos"] == len(NAMES), 20, "the videos")
        wait_for(lambda: server.get("/api/library").json()["idle"], 20, "all their details")
        yield server


def raw(server: Server, path: str) -> httpx.Response:
    """GET of a path as it is spelt: no client makes another of it."""
    with httpx.Client() as client:
        url = httpx.URL(scheme="http", host=server.host, port=server.port, raw_path=path.encode())
        return client.get(url)


def content(server: Server, name: bytes) -> bytes:
    with open(os.path.join(os.fsencode(server.videos), name), "rb") as file:
        return file.read()


def test_all_names_are_listed(odd: Server) -> None:
    names = {os.fsdecode(name) for name in NAMES}
    assert set(odd.get("/api/videos").json()["videos"]) == names
    assert {item["name"] for item in odd.get("/api/videos?limit=200").json()["items"]} == names
    look = odd.get("/api/library").json()["look"]
    assert look["unread"] == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_every_name_can_be_requested(odd: Server, name: bytes) -> None:
    about = video(odd, os.fsdecode(name))
    whole = content(odd, name)
    urls = about["urls"]
    assert urls["stream"] == f"/api/stream/{url_path(os.fsdecode(name))}"
    spellings = [urls["stream"], urls["file"], "/api/stream/" + "".join(f"%{octet:02x}" for octet in name)]
    for path in spellings:
        response = raw(odd, path)
        assert (response.status_code, response.content) == (200, whole), path
    saved = raw(odd, urls["download"]).headers["Content-Disposition"]
    assert saved.startswith("attachment; ")
    assert not {"\\", "\n", "\r", "\x1b"} & {*saved}
    query = urlencode({"q": about["title"], "limit": 200})
    assert about["id"] in {item["id"] for item in odd.get(f"/api/videos?{query}").json()["items"]}
    folder = os.path.dirname(name)
    inside = odd.get(f"/api/videos?limit=200&folder={quote(folder)}").json()["items"]
    assert about["id"] in {item["id"] for item in inside}


@pytest.mark.parametrize("name", NAMES[:9], ids=ascii)
async def test_every_name_can_be_sent_in_segments_and_over_a_websocket(odd: Server, name: bytes) -> None:
    about = video(odd, os.fsdecode(name))
    master = m3u8.loads(odd.get(about["urls"]["hls"]).text)
    folder = about["urls"]["self"]
    media = m3u8.loads(odd.get(f"{folder}/{master.playlists[0].uri}").text)
    for uri in (media.segment_map[0].uri, media.segments[0].uri):
        assert odd.get(f"{folder}/{uri}").content[4:8] in (b"ftyp", b"styp")
    async with opened(odd, about["urls"]["websocket"]) as socket:
        data, _, closed = await socket.everything()
    assert (data, closed.code) == (content(odd, name), 1000)


@pytest.mark.parametrize("name", VIDEO_OF, ids=ascii)
def test_subtitle_files_next_to_a_video_belong_to_it(odd: Server, name: bytes) -> None:
    [subtitle] = video(odd, os.fsdecode(NAMES[VIDEO_OF[name]]))["subtitles"]
    assert (subtitle["name"], subtitle["state"]) == (os.fsdecode(name), "made")
    assert "Hello" in odd.get(subtitle["url"]).text


def test_folders_are_listed(odd: Server) -> None:
    folders = {folder["name"]: folder["videos"] for folder in odd.get("/api/folders").json()["folders"]}
    assert folders == {"rock\\metal": 1, "shut\\": 1, "folder. ": 1}
    inner = odd.get(f"/api/folders?{urlencode({'in': 'rock\\metal'})}").json()["folders"]
    assert [folder["name"] for folder in inner] == ["rock\\metal/in\\side"]


@pytest.mark.parametrize("name", [*HIDDEN, b"rock/metal/Song.mkv", b"Queen/Live.mp4"], ids=ascii)
def test_names_that_are_omitted_and_names_that_differ(odd: Server, name: bytes) -> None:
    check_problem(raw(odd, f"/api/stream/{quote(name)}"), 404, "video-not-found")


@pytest.mark.parametrize(
    "path", ["..%5Csecret.mp4", "%2e%2e%5Csecret.mp4", "rock%5C..%5C..%5C..%5Csecret.mp4"]
)
def test_a_backslash_is_not_a_separator(odd: Server, path: str) -> None:
    outside = odd.videos.parent / "secret.mp4"
    outside.write_bytes(b"secret")
    try:
        for route in ("stream", "stream-range"):
            check_problem(raw(odd, f"/api/{route}/{path}"), 404, "video-not-found")
    finally:
        outside.unlink()


def test_playheads_can_be_exported_and_imported(odd: Server) -> None:
    for name in NAMES[:3]:
        about = video(odd, os.fsdecode(name))
        call(odd, "PUT", f"{about['urls']['self']}/playhead", {"position": 1})
    exported = odd.get("/api/watch-state").json()
    assert {os.fsdecode(name) for name in NAMES[:3]} <= {entry["name"] for entry in exported["entries"]}
    for name in NAMES[:3]:
        call(odd, "DELETE", f"{video(odd, os.fsdecode(name))['urls']['self']}/playhead")
    assert call(odd, "PUT", "/api/watch-state", exported).json()["imported"] == len(exported["entries"])
    for name in NAMES[:3]:
        about = video(odd, os.fsdecode(name))
        assert about["playhead"]["position"] == 1
        call(odd, "DELETE", f"{about['urls']['self']}/playhead")


def test_a_file_that_is_added_and_renamed_while_the_server_runs(odd: Server, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.path.join(os.fsencode(odd.videos), b"rock\\metal")))
    make(folder / "la\\te.mp4", RECIPE)
    with suppress(FileNotFoundError):
        (folder / "la\\ter.mp4").unlink()

    def id_of(name: str) -> str | None:
        items = odd.get(f"/api/videos?limit=200&folder={quote('rock\\metal')}").json()["items"]
        return next((item["id"] for item in items if item["name"] == name), None)

    try:
        id_ = wait_for(lambda: id_of("rock\\metal/la\\te.mp4"), 20, "the new video")
        (folder / "la\\te.mp4").rename(folder / "la\\ter.mp4")
        assert wait_for(lambda: id_of("rock\\metal/la\\ter.mp4"), 20, "its new name") == id_
    finally:
        for name in ("la\\te.mp4", "la\\ter.mp4"):
            (folder / name).unlink(missing_ok=True)
        wait_for(lambda: odd.get("/api/library").json()["videos"] == len(NAMES), 20, "it to be removed")


def test_a_title_with_two_files(odd: Server) -> None:
    whole = content(odd, NAMES[0])
    for height in ("360p", "720p"):
        (odd.videos / f"Kill\\Bill.{height}.mp4").write_bytes(whole + height.encode())
    (odd.videos / "Both.title.toml").write_text("files = ['End\\.mp4', '\\Root.mp4']")
    try:
        found = wait_for(lambda: _versions(odd, "Kill\\Bill.720p.mp4"), 20, "both files")
        assert [version["name"] for version in found] == ["Kill\\Bill.720p.mp4", "Kill\\Bill.360p.mp4"]
        found = wait_for(lambda: _versions(odd, "End\\.mp4"), 20, "the title of the file")
        assert [version["name"] for version in found] == ["End\\.mp4", "\\Root.mp4"]
    finally:
        for height in ("360p", "720p"):
            (odd.videos / f"Kill\\Bill.{height}.mp4").unlink()
        (odd.videos / "Both.title.toml").unlink()
        wait_for(lambda: odd.get("/api/library").json()["videos"] == len(NAMES), 20, "them to be removed")


def _versions(server: Server, name: str) -> list[dict[str, str]]:
    for item in server.get("/api/videos?limit=200").json()["items"]:
        if item["name"] == name:
            found: list[dict[str, str]] = server.get(item["urls"]["self"]).json()["versions"]
            return found
    return []
