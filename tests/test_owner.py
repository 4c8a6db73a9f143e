"""One process owns the data: other servers are refused, workers and commands reach the owner, and a worker takes over."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import m3u8
import psutil
import pytest
import trio
from sqlalchemy.engine import make_url

from tests.databases import locked
from tests.media.making import make
from tests.support import (
    COMMAND_LINE,
    MEDIA_WORKER,
    Server,
    children_of,
    connect_to_other_worker,
    settings_of,
    url_in,
    wait_for,
)
from trio_stream.accounts.grants import NOBODY
from trio_stream.errors import BadRequest
from trio_stream.ownership import LOCK, SOCKET, open_ownership
from trio_stream.services import DATABASE, Services, open_services
from trio_stream.settings import Settings
from trio_stream.web.asgi.owner import forward_to_owner

PROGRAM = str(Path(sys.executable).with_name("trio-stream"))


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program with the settings of a server, running or not."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TRIO_STREAM_")}
    return subprocess.run(
        [PROGRAM, *arguments],
        env={**inherited, **server.settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="session")
def film(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one video. All tests share it, because a file must settle before it is added."""
    videos = tmp_path_factory.mktemp("film")
    shutil.copy(footage, videos / "film.mp4")
    return videos


def video_ids(server: Server) -> dict[str, str]:
    """The ids of the server's videos, by name."""
    items = server.get("/api/videos?limit=50").json()["items"]
    return {item["name"]: item["id"] for item in items}


def test_a_second_server_on_the_same_data_names_the_first(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    first = start(film)
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "hypercorn",
            "trio_stream.app:app",
            "-k",
            "trio",
            "--bind",
            "127.0.0.1:0",
            "-w",
            "0",
        ],
        env={**os.environ, **first.settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode != 0
    assert f"in use by process {first.pid}" in ended.stdout + ended.stderr
    assert first.get("/readyz").status_code == 200


def test_another_worker_does_everything_the_owner_does(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, hypercorn=("-w", "2"))
    wait_for(lambda: video_ids(server), 10, "the film")
    id_ = video_ids(server)["film.mp4"]
    with connect_to_other_worker(server, tmp_path / "server-0" / "data") as client:
        for position in range(3):
            response = client.put(f"/api/videos/{id_}/playhead", json={"position": position})
            assert (response.status_code, response.json()["position"]) == (200, position)
            assert client.get(f"/api/videos/{id_}").json()["playhead"]["position"] == position
        refused = client.put(f"/api/videos/{id_}/playhead", json={"position": -1})
        assert (refused.status_code, refused.json()["code"]) == (400, "bad-request")
        assert client.delete(f"/api/videos/{id_}/playhead").status_code == 204
        assert client.patch(f"/api/videos/{id_}", json={"title": "É"}).json()["title"] == "É"
        for taken in ("gzip", "identity"):
            about = {"description": "Long. " * 500}
            long = client.patch(f"/api/videos/{id_}", json=about, headers={"Accept-Encoding": taken})
            assert long.headers.get("Content-Encoding", "identity") == taken
            assert long.headers["Vary"] == "Accept-Encoding"
            assert long.json()["description"] == about["description"]
        assert client.get("/api/videos", params={"q": "e"}).json()["videos"] == ["film.mp4"]
        assert client.get("/api/library").json()["videos"] == 1
        assert len(client.get(f"/api/videos/{id_}/file").content) == (film / "film.mp4").stat().st_size
        assert client.post("/api/library/scan").status_code == 202
        for odd in ("bytes=é", "\x80"):  # bytes that are not ASCII are passed on unchanged
            fields = {b"If-Match": odd.encode("latin-1"), b"Accept": odd.encode("latin-1")}
            put = client.put(
                f"/api/videos/{id_}/playhead", json={"position": 1}, headers=list(fields.items())
            )
            assert put.status_code < 500, put.text
        gone = client.put("/api/videos/a%3Fb/playhead", json={"position": 1})
        assert (gone.status_code, gone.json()["code"]) == (404, "video-not-found")
        with client.stream("GET", "/api/library/scan") as events:
            assert events.headers["Content-Type"].startswith("text/event-stream")
            assert next(events.iter_lines()) == "event: progress"


async def test_an_invalid_path_is_not_passed_to_the_owner(tmp_path: Path) -> None:
    """An HTTP/2 path can contain any byte."""
    with open_ownership(tmp_path / "data") as ownership:
        services = cast("Services", SimpleNamespace(owner=SimpleNamespace(ownership=ownership)))
        with pytest.raises(BadRequest):
            await forward_to_owner(services, "GET", "/api/videos?q=\x7f", {}, grant=NOBODY)


REMUXED = (
    "-f lavfi -i testsrc2=size=320x180:rate=24:duration=6,noise=alls=60:allf=t -f lavfi -i sine=duration=6 "
    "-c:v libx264 -preset ultrafast -qp 1 -g 48 -pix_fmt yuv420p -c:a aac"
)
"""A video that is not MP4, with two segments of several megabytes each, more than socket buffers hold."""


@pytest.fixture(scope="session")
def remuxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one video that must be remuxed."""
    return make(tmp_path_factory.mktemp("remuxed") / "film.mkv", REMUXED).parent


def urls_of(client: httpx.Client, id_: str) -> list[str]:
    """The URLs of the playlists, the init segments and the segments of a video."""
    folder = f"/api/videos/{id_}"
    names = ("presentation", "master.m3u8", "manifest.mpd", "v0.m3u8", "a1.m3u8")
    found = [f"{folder}/{name}" for name in names]
    for name in ("v0", "a1"):
        playlist = m3u8.loads(client.get(f"{folder}/{name}.m3u8").text)
        uris = [playlist.segment_map[0].uri, *(each.uri for each in playlist.segments)]
        found += [f"{folder}/{uri}" for uri in uris]
    return found


@pytest.mark.parametrize(
    ("direct", "cache"),
    [("1", "0"), ("0", "1000000000")],
    ids=["direct, not cached", "through Quart, cached"],
)
def test_another_worker_serves_remuxed_segments(
    start: Callable[..., Server], remuxed: Path, tmp_path: Path, direct: str, cache: str
) -> None:
    """The same bytes as from the owner, with ranges and conditions, whether the segments are cached or not."""
    environ = {"TRIO_STREAM_DIRECT": direct, "TRIO_STREAM_SEGMENT_CACHE": cache}
    server = start(remuxed, hypercorn=("-w", "2"), environ=environ | {"TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: video_ids(server), 10, "the film")
    id_ = video_ids(server)["film.mkv"]
    data = tmp_path / "server-0" / "data"
    with (
        connect_to_other_worker(server, data) as client,
        httpx.Client(
            transport=httpx.HTTPTransport(uds=str(data / SOCKET)),
            base_url="http://owner",
            headers=COMMAND_LINE,
        ) as owner,
    ):
        addresses = urls_of(client, id_)
        assert len(addresses) == 5 + 2 * 3
        for address in addresses:
            response, mine, again = client.get(address), owner.get(address), client.get(address)
            assert (response.status_code, response.content) == (200, mine.content), address
            assert fields_of(response) == fields_of(mine) == fields_of(again)
            assert again.content == mine.content
        segment = next(each for each in addresses if re.search(r"/v0-\d+/1\.m4s$", each))
        whole = client.get(segment)
        for method, fields, status, expected in (
            ("HEAD", {}, 200, b""),
            ("GET", {"Range": "bytes=100-299"}, 206, whole.content[100:300]),
            ("GET", {"Range": "bytes=-5", "If-Range": whole.headers["ETag"]}, 206, whole.content[-5:]),
            ("GET", {"Range": "bytes=-5", "If-Range": '"other"'}, 200, whole.content),
            ("GET", {"If-None-Match": whole.headers["ETag"]}, 304, b""),
        ):
            response = client.request(method, segment, headers=fields)
            assert (response.status_code, response.content) == (status, expected), fields
            assert fields_of(response) == fields_of(owner.request(method, segment, headers=fields))
        refused = client.get(segment, headers={"Range": "bytes=999999999-"})
        assert (refused.status_code, refused.json()["code"]) == (416, "range-not-satisfiable")
        missing = client.get(segment.replace("/1.m4s", "/9.m4s"))
        assert (missing.status_code, missing.json()["code"]) == (404, "file-not-found")
        stored_segments = list((data / "segments").glob("*.m4s"))
        assert bool(stored_segments) is (cache != "0")


def fields_of(response: httpx.Response) -> dict[str, str]:
    """The header fields that describe the content."""
    passing = {"date", "server", "connection"}
    return {name: value for name, value in response.headers.items() if name not in passing}


async def test_leaving_another_worker_ends_the_request_to_the_owner(
    start: Callable[..., Server], remuxed: Path, tmp_path: Path
) -> None:
    """A client that stops reading slows the owner down, and one that disconnects ends the owner's work."""
    quiet = {"TRIO_STREAM_ARTWORK_SHARE": "0", "TRIO_STREAM_SEGMENT_CACHE": "0"}
    server = start(remuxed, hypercorn=("-w", "2"), environ=quiet)
    wait_for(lambda: video_ids(server), 10, "the film")
    data = tmp_path / "server-0" / "data"
    owner_pid = json.loads((data / LOCK).read_text())["pid"]
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(data / SOCKET)), base_url="http://owner", headers=COMMAND_LINE
    ) as owner:

        def figures() -> Any:
            return owner.get("/api/metrics").json()

        with connect_to_other_worker(server, data) as client:
            segment = next(
                each
                for each in urls_of(client, video_ids(server)["film.mkv"])
                if re.search(r"/v0-\d+/1\.", each)
            )
            before = figures()
            with client.stream("GET", segment) as response:
                size, pieces = int(response.headers["Content-Length"]), response.iter_raw(65536)
                assert next(pieces)
                wait_for(lambda: figures()["bytes_sent"] == figures()["bytes_sent"], 5, "a rest")
                assert figures()["active_streams"] == 1
                assert figures()["bytes_sent"] - before["bytes_sent"] < size // 2
        wait_for(lambda: figures()["active_streams"] == 0, 5, "the owner to notice it")

        # While a segment is being built: the media worker does not respond.
        [worker] = [each for each in children_of(owner_pid) if MEDIA_WORKER in _command(each)]
        reader = psutil.Process(worker)
        reader.suspend()
        try:
            with connect_to_other_worker(server, data) as client, pytest.raises(httpx.ReadTimeout):
                client.get(segment, timeout=httpx.Timeout(5, read=0.5))
            wait_for(lambda: figures()["open_files"] == 0, 4, "the owner to stop")
        finally:
            reader.resume()


def _command(pid: int) -> str:
    return " ".join(psutil.Process(pid).cmdline())


def test_a_command_uses_the_running_server(start: Callable[..., Server], film: Path, tmp_path: Path) -> None:
    server = start(film)
    wait_for(lambda: video_ids(server), 10, "the film")
    (film / "other.mp4").write_bytes(b"no film")
    try:
        ended = command(server, "scan", "--no-wait")
    finally:
        (film / "other.mp4").unlink()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"[12] videos in 1 folders", ended.stdout)
    assert server.get("/api/library").json()["look"]["number"] >= 2


DEEP = "[/b]\x1b[31m\udcff"
"""Folder names that a terminal, a terminal library or UTF-8 might misinterpret."""


def test_a_command_shows_any_name(start: Callable[..., Server], film: Path) -> None:
    """The name of a folder that is too deep for a path, so it cannot be read."""
    server = start(film)
    wait_for(lambda: video_ids(server), 10, "the film")
    (film / DEEP).mkdir(parents=True)
    place = os.open(film / DEEP, os.O_RDONLY)
    try:
        for _ in range(20):
            os.mkdir("d" * 250, dir_fd=place)
            inner = os.open("d" * 250, os.O_RDONLY, dir_fd=place)
            os.close(place)
            place = inner
        ended = command(server, "scan", "--no-wait")
    finally:
        os.close(place)
        shutil.rmtree(film / "[")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "the folder [/b]\ufffd[31m\ufffd/ddd" in " ".join(ended.stdout.split())


def test_a_command_without_a_server_works_alone(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, environ={"TRIO_STREAM_ARTWORK_SHARE": "1"})
    assert server.stop() == 0
    data = tmp_path / "server-0" / "data"
    ended = command(server, "scan")
    assert ended.returncode == 0, ended.stderr
    assert "1 videos in 1 folders" in ended.stdout
    assert not (data / SOCKET).exists()
    assert list((data / "derived").rglob("*.jpg")), ended.stdout + ended.stderr


def test_watch_state_moves_from_one_server_to_another(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    one = start(film)
    wait_for(lambda: video_ids(one), 10, "the film")
    one_id = video_ids(one)["film.mp4"]
    with one.client() as client:
        assert client.put(f"/api/videos/{one_id}/playhead", json={"position": 12.5}).status_code == 200
    exported = tmp_path / "state.json"
    assert command(one, "export", str(exported)).returncode == 0
    assert [entry["position"] for entry in json.loads(exported.read_text())["entries"]] == [12.5]
    other = start(film)
    wait_for(lambda: video_ids(other), 10, "the film")
    ended = command(other, "import", str(exported))
    assert ended.stdout == "1 imported, 0 older than the stored ones, 0 for unknown videos\n", ended.stderr
    other_id = video_ids(other)["film.mp4"]
    assert other_id != one_id
    assert other.get(f"/api/videos/{other_id}").json()["playhead"]["position"] == 12.5
    (tmp_path / "garbage").write_text("{}")
    ended = command(other, "import", str(tmp_path / "garbage"))
    assert (ended.returncode, "not an export of this program" in ended.stderr) == (2, True)


def test_a_killed_server_releases_the_data(start: Callable[..., Server], film: Path, tmp_path: Path) -> None:
    server = start(film, hypercorn=("-w", "0"), stops_with=None)
    wait_for(lambda: video_ids(server), 10, "the film")
    children = psutil.Process(server.pid).children(recursive=True)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(5)
    wait_for(lambda: not any(child.is_running() for child in children), 5, "its processes to end")
    data = tmp_path / "server-0" / "data"
    assert (data / SOCKET).exists(), "it could not be removed"
    ended = command(server, "export")
    assert ended.returncode == 0, ended.stderr


def test_a_socket_with_a_long_path(start: Callable[..., Server], film: Path, tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30) / ("path" * 30)
    server = start(film, environ={"TRIO_STREAM_DATA": str(data)})
    wait_for(lambda: video_ids(server), 10, "the film")
    assert len(str(data / SOCKET)) > 200
    ended = command(server, "export")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_only_its_user_may_connect(start: Callable[..., Server], film: Path, tmp_path: Path) -> None:
    start(film)
    data = tmp_path / "server-0" / "data"
    assert (data.stat().st_mode & 0o777, (data / SOCKET).stat().st_mode & 0o777) == (0o700, 0o600)


def test_an_error_names_an_unusable_folder(film: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(Exception, match=r"TRIO_STREAM_DATA=.*cannot be used"),
        open_ownership(tmp_path / "file"),
    ):
        pass


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    with open_ownership(tmp_path / "data") as one, open_ownership(tmp_path / "data") as other:
        assert one.acquire()
        assert not other.acquire()
        holder = other.holder()
        assert holder is not None
        assert holder.pid == os.getpid()
        (tmp_path / "data" / LOCK).write_text("garbage")
        assert other.holder() is None
        assert "another process" in str(other.in_use())


def _work(settings: Settings, pipe: Connection) -> None:
    """A worker of a server: reports its role, and again once it has taken over."""

    async def main() -> None:
        async with open_services(settings) as services:
            pipe.send(("owner" if services.owner.mine else "beside", os.getpid()))
            await services.owner.appointed.wait()
            pipe.send(("took over", os.getpid()))
            await trio.sleep_forever()

    trio.run(main)


def test_a_worker_takes_over_when_the_owner_is_gone(film: Path, tmp_path: Path) -> None:
    settings = Settings(videos=film, data=tmp_path / "data")
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    workers = []
    try:
        first = spawn.Process(target=_work, args=(settings, theirs))
        first.start()
        workers.append(first)
        assert ours.recv()[0] == "owner"
        assert ours.recv()[0] == "took over"
        # Other workers start only once the owner responds at its socket. There is none here, so the second one waits
        # until the first is gone.
        second = spawn.Process(target=_work, args=(settings, theirs))
        second.start()
        workers.append(second)
        assert not ours.poll(0.5)
        first.kill()
        assert ours.poll(20)
        assert ours.recv() == ("owner", second.pid)
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined] # a child of this process otherwise


def test_a_worker_takes_over_once_database_and_folder_can_be_written(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, hypercorn=("-w", "2"))
    wait_for(lambda: video_ids(server), 10, "the film")
    id_ = video_ids(server)["film.mp4"]
    data = tmp_path / "server-0" / "data"
    database = make_url(server.settings.get("TRIO_STREAM_DATABASE_URL", f"sqlite:///{data / DATABASE}"))
    with connect_to_other_worker(server, data) as client:

        def is_ready() -> bool:
            return client.get("/readyz").status_code == 200

        def is_waiting_for(service: str) -> bool:
            response = client.get("/readyz")
            return response.status_code == 503 and service in response.json()["detail"]

        assert is_ready()
        (data / SOCKET).unlink()
        (data / SOCKET).mkdir()  # not even root can create a socket of that name
        with locked(database, "alembic_version", "ACCESS EXCLUSIVE"):
            psutil.Process(json.loads((data / LOCK).read_text())["pid"]).terminate()
            wait_for(lambda: is_waiting_for("owner"), 20, "it to try to take over")
        wait_for(lambda: is_waiting_for("local socket"), 20, "it to open its socket")
        response = client.put(f"/api/videos/{id_}/playhead", json={"position": 1})
        assert response.status_code == 200, "it writes nevertheless"
        (data / SOCKET).rmdir()
        wait_for(is_ready, 20, "it to take over")
        response = client.put(f"/api/videos/{id_}/playhead", json={"position": 1})
        assert (response.status_code, response.json()["position"]) == (200, 1)


def test_a_server_that_cannot_create_its_socket_does_not_start(film: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / SOCKET).mkdir(parents=True)
    ended = subprocess.run(
        [sys.executable, "-m", "trio_stream", "serve", "--bind", "127.0.0.1:0"],
        env=os.environ | settings_of(film, tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 1
    assert f"does not start: the socket {tmp_path / 'data' / SOCKET} cannot be created" in ended.stderr
    assert "Traceback" not in ended.stderr


CONTAINED = (
    *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *(("--user", "--map-root-user") if os.geteuid() else ()),
)
"""Starts in a new PID namespace, in which the first process has the number 1."""


def test_servers_in_two_containers_exclude_each_other(film: Path, tmp_path: Path) -> None:
    command = [*CONTAINED, sys.executable, "-m", "hypercorn", "trio_stream.app:app", "-k", "trio", "-w", "0"]
    environ = os.environ | settings_of(film, tmp_path)
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--bind", "127.0.0.1:0"], env=environ, stdout=output, stderr=output
        ) as first,
    ):
        try:
            wait_for(lambda: url_in(log, first), 30, "the first one")
            assert json.loads((tmp_path / "data" / LOCK).read_text())["pid"] == 1
            second = subprocess.run(
                [*command, "--bind", "127.0.0.1:0"],
                env=environ,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        finally:
            first.kill()
    assert second.returncode != 0
    assert "is in use by process 1 of another container" in second.stdout + second.stderr


def test_a_worker_reports_an_owner_that_does_not_respond(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, hypercorn=("-w", "2"))
    data = tmp_path / "server-0" / "data"
    with connect_to_other_worker(server, data) as client:
        (data / SOCKET).unlink()
        response = client.get("/api/library")
        assert (response.status_code, response.json()["code"]) == (503, "not-the-owner"), server.log[-3000:]
        assert response.headers["Retry-After"] == "1"
        assert client.get("/api/videos?limit=1").status_code == 200, "reading needs no owner"
