"""The bytes of videos over HTTP: names, sizes, files that change while they are sent, limits, and ending a stream."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import batched
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import trio

from tests.support import Server, connect, exchange, read_head, serving, wait_until
from tests.web.conftest import Environ
from tests.websocket import opened
from trio_stream.library.naming.paths import url_path

MEGABYTE = 1 << 20
LARGE = 64 * MEGABYTE
"""More than a socket buffer can hold, so that a stream of it keeps running if the client does not read."""

AWKWARD = [
    "plain.mp4",
    "with space.mp4",
    "hash#tag.mp4",
    "100%.mp4",
    "percent%20twenty.mp4",
    "what?.mp4",
    "plus+and&ampersand;semicolon.mp4",
    "quote'double\".mp4",
    "日本語 Кириллица العربية.mp4",
    "emoji 🎬.mp4",
    "cafe\u0301.mp4",
    "-dash.mp4",
    "trailing dot..mp4",
    "UPPER.MP4",
    "sub/folder/deep.mkv",
    "sub #2/ü/film.webm",
    "ends in space /a .mp4",
    f"{'n' * 251}.mp4",
    os.fsdecode(b"no utf-8 \xff\xfe.mp4"),
    "tab\tand\nnewline.mp4",
]


def large(videos: Path, name: str = "large.mp4") -> Path:
    path = videos / name
    block = os.urandom(MEGABYTE)
    path.write_bytes(block * (LARGE // MEGABYTE))
    return path


async def begin(server: Server, path: str = "/api/stream/large.mp4", head: str = "") -> trio.SocketStream:
    """A running stream that is not read."""
    stream = await connect(server)
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: t\r\n{head}\r\n".encode())
    head_bytes, _ = await read_head(stream)
    assert b" 200 " in head_bytes or b" 206 " in head_bytes, head_bytes
    return stream


async def read_on(stream: trio.SocketStream) -> bytes:
    """Everything until the server closes, or until the announced length has arrived."""
    data = bytearray()
    with trio.fail_after(60):
        with suppress(trio.BrokenResourceError):  # a reset is an end, too
            while more := await stream.receive_some(MEGABYTE):
                data += more
    return bytes(data)


def test_awkward_names_are_listed_and_streamed(running: Server, videos: Path) -> None:
    for name in AWKWARD:
        path = videos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name) * 100)
    listed = running.get("/api/videos").json()
    assert sorted(listed["videos"]) == sorted(AWKWARD)
    assert [item["name"] for item in listed["items"]] == listed["videos"]
    for item in listed["items"]:
        response = running.get(item["urls"]["stream"])
        assert response.status_code == 200, item
        assert response.content == os.fsencode(item["name"]) * 100
        assert item["size"] == len(response.content)
        assert response.headers["Content-Type"] == item["content_type"]
        assert running.get(item["urls"]["download"]).headers["Content-Disposition"].startswith("attachment;")


def test_the_list_is_in_natural_order(running: Server, videos: Path) -> None:
    for name in ("e10.mp4", "E2.mp4", "e1.mp4", "b/2.mp4", "b/10.mp4", "a.txt", ".hidden.mp4", ".dir/x.mp4"):
        (videos / name).parent.mkdir(exist_ok=True)
        (videos / name).touch()
    assert running.get("/api/videos").json()["videos"] == [
        "b/2.mp4",
        "b/10.mp4",
        "e1.mp4",
        "E2.mp4",
        "e10.mp4",
    ]


def test_the_first_hundred_videos_have_details(running: Server, videos: Path) -> None:
    for number in range(120):
        (videos / f"{number}.mp4").touch()
    response = running.get("/api/videos").json()
    assert response["videos"] == [f"{number}.mp4" for number in range(120)]
    assert [item["name"] for item in response["items"]] == response["videos"][:100]


async def test_names_that_are_not_videos_of_the_library_are_not_found(
    running: Server, videos: Path, tmp_path: Path
) -> None:
    (videos / "real.mp4").write_bytes(b"real")
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    (videos / "folder.mp4").mkdir()
    os.mkfifo(videos / "pipe.mp4")
    (videos / "link-out.mp4").symlink_to(secret)
    (videos / "link-etc.mp4").symlink_to("/etc/passwd")
    (videos / "link-dir").symlink_to(tmp_path)
    (videos / "link-loop.mp4").symlink_to("link-loop.mp4")
    (videos / "link-dead.mp4").symlink_to("nothing.mp4")
    (videos / "device.mp4").symlink_to("/dev/zero")
    (videos / "notes.txt").write_text("notes")
    (videos / ".hidden.mp4").write_bytes(b"hidden")
    (videos / "unreadable.mp4").write_bytes(b"x")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(videos / "socket.mp4"))
    sock.close()
    names = [
        "missing.mp4", "folder.mp4", "pipe.mp4", "socket.mp4", "link-out.mp4", "link-etc.mp4", "link-dir/secret.mp4",
        "link-loop.mp4", "link-dead.mp4", "device.mp4", "notes.txt", ".hidden.mp4", "../secret.mp4", "..%2fsecret.mp4",
        "%2e%2e/secret.mp4", "%2e%2e%2fsecret.mp4", "%252e%252e%252fsecret.mp4", "..%5csecret.mp4", "..\\secret.mp4",
        "x/../../secret.mp4", "x/../real.mp4", "./real.mp4", "real.mp4/", "real.mp4/.", "/real.mp4", "//real.mp4",
        "%2freal.mp4", "%2fetc%2fpasswd", "/etc/passwd", "%00.mp4", "real.mp4%00", "real.mp4%00.mp4", "a%00/real.mp4",
        "%c0%ae%c0%ae/secret.mp4", "%ff%fe.mp4", "..;/secret.mp4", "%u002e%u002e/secret.mp4",
        f"{'n' * 252}.mp4", f"{'n' * 5000}.mp4", "d/" * 2000 + "x.mp4", "%", "%zz.mp4", quote(str(secret)), "real.mp4%20",
        "file:///etc/passwd", "real.mp4?", "real.mp4%3f", ".", "..", "CON.mp4", "~/x.mp4", "$HOME/x.mp4",
    ]  # fmt: skip
    for name in names:
        for route in ("stream", "stream-range"):
            request = f"GET /api/{route}/{name} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode()
            response = await exchange(running, request)
            status = response.split(b" ", 2)[1]
            expected = b"200" if name == "real.mp4?" else b"404"
            assert status == expected, (name, response[:300])
            assert b"secret" not in response.partition(b"\r\n\r\n")[2]
            assert b"root:" not in response
    listed = running.get("/api/videos").json()["videos"]
    assert listed == ["real.mp4", "unreadable.mp4"]


def test_links_inside_the_library_are_videos(running: Server, videos: Path) -> None:
    (videos / "sub").mkdir()
    (videos / "sub" / "a.mp4").write_bytes(b"content")
    (videos / "b.mp4").symlink_to("sub/a.mp4")
    (videos / "again").symlink_to("sub")
    (videos / "sub" / "up").symlink_to("..")
    os.link(videos / "sub" / "a.mp4", videos / "c.mp4")
    for name in ("b.mp4", "again/a.mp4", "c.mp4", "sub/a.mp4"):
        assert running.get(f"/api/stream/{name}").content == b"content"
    names = running.get("/api/videos").json()["videos"]
    assert {"b.mp4", "c.mp4"} < set(names)
    assert len([name for name in names if name.endswith("/a.mp4")]) == 1


def test_an_empty_file_is_a_video_without_bytes(running: Server, videos: Path) -> None:
    (videos / "empty.mp4").touch()
    for fields in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=-5"}):
        response = running.get("/api/stream/empty.mp4", headers=fields)
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Content-Length"] == "0"


def test_a_file_past_4_gib_is_served_to_its_last_byte(running: Server, videos: Path) -> None:
    size = 5 * 1024 * MEGABYTE + 123
    with (videos / "sparse.mp4").open("wb") as file:
        file.truncate(size)
        file.seek(size - 4)
        file.write(b"tail")
        file.seek(1 << 32)
        file.write(b"past")
    with running.client() as client:
        head = client.head("/api/stream/sparse.mp4")
        assert head.headers["Content-Length"] == str(size)
        past = client.get("/api/stream/sparse.mp4", headers={"Range": f"bytes={1 << 32}-{(1 << 32) + 3}"})
        assert (past.status_code, past.content) == (206, b"past")
        last = client.get("/api/stream/sparse.mp4", headers={"Range": "bytes=-4"})
        assert last.content == b"tail"
        assert last.headers["Content-Range"] == f"bytes {size - 4}-{size - 1}/{size}"


def test_the_etag_changes_with_the_content(running: Server, videos: Path) -> None:
    path = videos / "v.mp4"
    path.write_bytes(b"one")
    first = running.get("/api/stream/v.mp4").headers["ETag"]
    assert running.get("/api/stream/v.mp4").headers["ETag"] == first
    path.write_bytes(b"two")
    second = running.get("/api/stream/v.mp4").headers["ETag"]
    other = videos / "other"
    other.write_bytes(b"six")
    os.utime(other, ns=(0, path.stat().st_mtime_ns))
    other.rename(path)
    third = running.get("/api/stream/v.mp4").headers["ETag"]
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("how", ["deleted", "renamed over"])
async def test_a_removed_file_is_streamed_to_its_end(running: Server, videos: Path, how: str) -> None:
    path = large(videos)
    content = path.read_bytes()
    async with await begin(running, head="Connection: close\r\n") as stream:
        if how == "deleted":
            path.unlink()
        else:
            (videos / "other.tmp").write_bytes(b"other")
            (videos / "other.tmp").rename(path)
        rest = await read_on(stream)
    assert len(rest) >= LARGE - 65536
    assert rest == content[-len(rest) :]
    assert running.last_ended()["ended"] == "finished"


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(LARGE // 2)
        file.write(b"changed")


def touch_same_size(path: Path) -> None:
    path.write_bytes(bytes(LARGE))


def truncate(path: Path) -> None:
    os.truncate(path, LARGE // 2 + 1000)


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.fixture(scope="module", params=["sendfile", "views"])
def either(
    request: pytest.FixtureRequest, way: Environ, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that sends files in one of the two ways."""
    folder = tmp_path_factory.mktemp("either")
    (folder / "videos").mkdir()
    form = {"TRIO_STREAM_ZERO_COPY": "1" if request.param == "sendfile" else "0"}
    with serving(folder / "videos", folder, environ=way | form) as server:
        yield server


@pytest.mark.parametrize("change", [rewrite, touch_same_size, truncate, empty])
async def test_a_file_changed_in_place_aborts_its_stream(
    either: Server, change: Callable[[Path], None]
) -> None:
    server, videos = either, either.videos
    server.forget()
    path = large(videos)
    content = path.read_bytes()
    (videos / "bystander.mp4").write_bytes(b"b" * LARGE)
    async with await begin(server, "/api/stream/bystander.mp4") as bystander, await begin(server) as stream:
        change(path)
        got = await read_on(stream)
        assert len(got) < LARGE, "an incomplete response may not look complete"
        block = 4096
        right = (
            at
            for at in range(0, len(got), block)
            if got[at : at + block] != content[at : at + block][: len(got) - at]
        )
        assert len(got) - next(right, len(got)) <= 8 * MEGABYTE, (
            "only bytes that were on their way may be wrong"
        )
        event = server.last_ended()
        assert event["ended"] == "failed"
        assert "file" in event["reason"]
        assert server.metrics()["active_streams"] == 1
        rest = b""
        with trio.fail_after(60):
            while len(rest) < 8 * MEGABYTE:
                rest += await bystander.receive_some(MEGABYTE)
        assert rest == b"b" * len(rest)


async def test_a_stream_is_listed_and_can_be_ended(running: Server, videos: Path) -> None:
    large(videos)
    async with await begin(running, head="Range: bytes=10-\r\n") as stream:
        await wait_until(lambda: running.get("/api/streams").json()["streams"][0]["bytes_sent"] > 0, 5)
        [listed] = running.get("/api/streams").json()["streams"]
        assert listed["name"] == "large.mp4"
        assert listed["owner"] == "127.0.0.1"
        assert (listed["start"], listed["stop"]) == (10, LARGE)
        assert listed["transport"] == "http"
        assert 0 < listed["bytes_sent"] < LARGE
        assert listed["age"] > 0
        assert 0 < listed["peak_buffer"] <= 4 * 4 * MEGABYTE  # four windows, none of them in process memory
        with running.client() as client:
            assert client.delete(f"/api/streams/{listed['id']}").status_code == 204
            await wait_until(
                lambda: running.get("/api/streams").json()["streams"] == [], 0.5, "the stream to end"
            )
            assert client.delete(f"/api/streams/{listed['id']}").status_code == 404
        assert len(await read_on(stream)) < LARGE - 10
    assert running.last_ended()["ended"] == "stopped"
    assert running.last_ended()["reason"] == "ended through the API"


async def test_the_limit_of_streams_returns_503(
    start: Callable[..., Server], videos: Path, way: Environ
) -> None:
    large(videos)
    server = start(videos, environ=way | {"TRIO_STREAM_MAX_STREAMS": "2"})
    async with await begin(server), await begin(server):
        response = server.get("/api/stream/large.mp4")
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert response.json()["code"] == "too-many-streams"
        with server.client() as client:
            assert client.head("/api/stream/large.mp4").status_code == 200
        assert server.metrics()["streams_refused"] == 1
    await wait_until(lambda: server.metrics()["active_streams"] == 0, 2)
    assert server.get("/api/stream/large.mp4", headers={"Range": "bytes=0-9"}).status_code == 206


async def test_a_stalled_client_is_disconnected(
    start: Callable[..., Server], videos: Path, way: Environ
) -> None:
    large(videos)
    server = start(videos, environ=way | {"TRIO_STREAM_SEND_TIMEOUT": "1"})
    async with await begin(server) as stream, opened(server, "/api/ws/stream/large.mp4"):
        await wait_until(lambda: len(server.ended) == 2, 5, "the stalled streams to end")
        assert [ended["ended"] for ended in server.ended] == ["stalled", "stalled"]
        assert server.metrics()["active_streams"] == 0
        assert len(await read_on(stream)) < LARGE


async def test_a_slow_client_is_not_a_stalled_client(
    start: Callable[..., Server], videos: Path, way: Environ
) -> None:
    large(videos)
    server = start(videos, environ=way | {"TRIO_STREAM_SEND_TIMEOUT": "1"})
    async with await begin(server, head="Range: bytes=0-20000000\r\n") as stream:
        began = trio.current_time()
        left = 20_000_001 - 65536
        with trio.fail_after(60):
            while left > 0:
                data = await stream.receive_some(2 * MEGABYTE)
                assert data
                left -= len(data)
                await trio.sleep(0.02)
        assert trio.current_time() - began > 0.2
    assert server.last_ended()["ended"] in ("finished", "client left")


async def test_stopping_the_server_ends_stalled_streams(
    start: Callable[..., Server], videos: Path, way: Environ
) -> None:
    large(videos)
    server = start(videos, environ=way, hypercorn=("--graceful-timeout", "1"))
    async with await begin(server), await begin(server):
        began = trio.current_time()
        assert await trio.to_thread.run_sync(server.stop) == 0
        assert trio.current_time() - began < 4
    assert [event["ended"] for event in server.ended] == ["stopped", "stopped"]


async def test_keep_alive_continues_and_close_closes(running: Server, videos: Path) -> None:
    (videos / "v.mp4").write_bytes(b"v" * 100_000)
    async with await connect(running) as stream:
        for _ in range(3):
            await stream.send_all(b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
            _, body = await read_head(stream)
            while len(body) < 100_000:
                body += await stream.receive_some(MEGABYTE)
            assert body == b"v" * 100_000
        await stream.send_all(b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        assert (await read_on(stream)).endswith(b"v" * 100_000)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\nRange: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\nBad Header: x\r\n\r\n",
        b"GET /api/stream/v.mp4 HTTP/1.1\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: t\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: t\r\n\r\n",
        b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    ],
    ids=["range", "target", "name", "host", "no target", "tls", "authority", "length", "many"],
)
async def test_absurd_heads_get_a_clear_4xx(running: Server, videos: Path, head: bytes) -> None:
    (videos / "v.mp4").write_bytes(b"v")
    async with await connect(running) as stream:
        with trio.fail_after(60):
            with suppress(trio.BrokenResourceError):  # the server responded before it had read everything
                await stream.send_all(head)
            first = (await stream.receive_some(65536)).split(b"\r\n", 1)[0]
    assert first.split(b" ")[1].startswith(b"4"), first
    assert running.get("/healthz").status_code == 200


SPELLINGS = (
    "/api/%73tream/v.mp4",
    "/api/stream/%76%2Emp4",
    "/%61pi/stream-range/v.mp4",
)


@pytest.mark.parametrize("path", SPELLINGS)
async def test_another_spelling_of_a_path_is_that_path(running: Server, videos: Path, path: str) -> None:
    """RFC 3986 section 6.2.2. Most clients normalise paths, so the request is written by hand."""
    (videos / "v.mp4").write_bytes(b"video")
    response = await exchange(
        running, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    )
    assert response.startswith(b"HTTP/1.1 200"), response[:200]
    assert response.endswith(b"\r\n\r\nvideo")


LONG_PATHS, LONG = 2000, 15_000
ON_ONE_CONNECTION = 500
"""Requests per connection: Hypercorn closes one after a thousand."""


async def test_invented_paths_are_not_cached(running: Server) -> None:
    async def send(numbers: range) -> None:
        for some in batched(numbers, ON_ONE_CONNECTION):
            async with await connect(running) as stream:
                for number in some:
                    path = f"/api/stream/{number:05}{'x' * LONG}.mp4"
                    await stream.send_all(f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                    head, _ = await read_head(stream)
                    assert b" 404 " in head

    await send(range(100))
    before = running.private_memory()
    await send(range(100, 100 + LONG_PATHS))
    growth = running.private_memory() - before
    assert growth < LONG_PATHS * LONG / 4, f"{growth} bytes of {LONG_PATHS * LONG}"


def test_unsupported_methods_are_refused(running: Server, videos: Path) -> None:
    (videos / "v.mp4").write_bytes(b"v")
    with running.client() as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            response = client.request(method, "/api/stream/v.mp4", content=b"x")
            assert response.status_code == 405
            assert {"GET", "HEAD"} <= set(response.headers["Allow"].replace(" ", "").split(","))
            assert response.headers["Content-Type"] == "application/problem+json"
        assert client.get("/api/nothing").status_code == 404
        assert client.get("/api/nothing").json()["code"] == "not-found"


def test_names_in_urls_read_back(running: Server, videos: Path) -> None:
    (videos / "a b#c?d%e.mp4").write_bytes(b"x")
    assert httpx.get(f"{running.url}/api/stream/{url_path('a b#c?d%e.mp4')}").content == b"x"


async def test_the_client_address_is_taken_from_a_trusted_proxy(
    start: Callable[..., Server], videos: Path, way: Environ
) -> None:
    (videos / "v.mp4").write_bytes(b"v")
    settings = {"TRIO_STREAM_TRUSTED_PROXIES": "127.0.0.0/8", "TRIO_STREAM_ANONYMOUS": "view"}
    server = start(videos, environ=way | settings)
    lines = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "198.51.100.7")]
    server.get("/api/stream/v.mp4", headers=lines)
    assert server.last_ended()["owner"] == "198.51.100.7"


def test_the_client_address_is_not_taken_from_an_untrusted_client(
    start: Callable[..., Server], videos: Path, way: Environ
) -> None:
    (videos / "v.mp4").write_bytes(b"v")
    server = start(videos, environ=way | {"TRIO_STREAM_ANONYMOUS": "view"})
    server.get("/api/stream/v.mp4", headers={"X-Forwarded-For": "198.51.100.7"})
    assert server.last_ended()["owner"] == "127.0.0.1"
