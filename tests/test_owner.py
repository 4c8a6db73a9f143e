"""One process owns the data: rivals are told so, workers beside it reach it, commands too, and one takes over."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from tests.support import MEDIA_WORKER, Server, children_of, settings_of, url_in, wait_for
from trio_stream.errors import BadRequest
from trio_stream.ownership import LOCK, SOCKET, open_ownership
from trio_stream.services import DATABASE, Services, open_services
from trio_stream.settings import Settings
from trio_stream.web.asgi.owner import ask_the_owner

PROGRAM = str(Path(sys.executable).with_name("trio-stream"))


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program with the settings of a server, whether that runs or not."""
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
    """A library with one film in it. It is the same for all tests, as a file has to rest before it is taken up."""
    videos = tmp_path_factory.mktemp("film")
    shutil.copy(footage, videos / "film.mp4")
    return videos


def known(server: Server) -> dict[str, str]:
    """The ids of the videos the server knows, by name."""
    items = server.get("/api/videos?limit=50").json()["items"]
    return {item["name"]: item["id"] for item in items}


def test_a_second_server_on_the_same_data_is_told_who_has_it(
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


@contextmanager
def beside(server: Server, data: Path) -> Iterator[httpx.Client]:
    """A client with one connection, to the worker that is not the owner: the owner sleeps while it connects."""
    wait_for(lambda: server.log.count("Running on") == 2, 20, "both workers")
    owner = psutil.Process(json.loads((data / LOCK).read_text())["pid"])
    with server.client() as client:
        owner.suspend()
        try:
            assert client.get("/healthz").status_code == 200
        finally:
            owner.resume()
        yield client


def test_a_worker_beside_the_owner_does_all_it_does(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, hypercorn=("-w", "2"))
    wait_for(lambda: known(server), 10, "the film")
    id_ = known(server)["film.mp4"]
    with beside(server, tmp_path / "server-0" / "data") as client:
        for position in range(3):
            answer = client.put(f"/api/videos/{id_}/playhead", json={"position": position})
            assert (answer.status_code, answer.json()["position"]) == (200, position)
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
        for odd in ("bytes=é", "\x80"):  # bytes that are no ASCII go on as they came
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


async def test_what_is_no_address_is_not_asked_for(tmp_path: Path) -> None:
    """HTTP/2 carries any byte in one."""
    with open_ownership(tmp_path / "data") as ownership:
        services = cast("Services", SimpleNamespace(owner=SimpleNamespace(ownership=ownership)))
        with pytest.raises(BadRequest):
            await ask_the_owner(services, "GET", "/api/videos?q=\x7f", {})


REMUXED = (
    "-f lavfi -i testsrc2=size=320x180:rate=24:duration=6,noise=alls=60:allf=t -f lavfi -i sine=duration=6 "
    "-c:v libx264 -preset ultrafast -qp 1 -g 48 -pix_fmt yuv420p -c:a aac"
)
"""A film that is no MP4: two segments of pictures, each of some megabytes, more than sockets hold."""


@pytest.fixture(scope="session")
def remuxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one film in it that has to be remuxed."""
    return make(tmp_path_factory.mktemp("remuxed") / "film.mkv", REMUXED).parent


def addresses_of(client: httpx.Client, id_: str) -> list[str]:
    """Those of the playlists, the init segments and the segments of a film."""
    folder = f"/api/videos/{id_}"
    names = ("presentation", "master.m3u8", "manifest.mpd", "v0.m3u8", "a1.m3u8")
    found = [f"{folder}/{name}" for name in names]
    for name in ("v0", "a1"):
        playlist = m3u8.loads(client.get(f"{folder}/{name}.m3u8").text)
        uris = [playlist.segment_map[0].uri, *(each.uri for each in playlist.segments)]
        found += [f"{folder}/{uri}" for uri in uris]
    return found


@pytest.mark.parametrize(
    ("direct", "cache"), [("1", "0"), ("0", "1000000000")], ids=["directly, not kept", "through Quart, kept"]
)
def test_a_worker_beside_the_owner_serves_what_is_remuxed(
    start: Callable[..., Server], remuxed: Path, tmp_path: Path, direct: str, cache: str
) -> None:
    """The same bytes as the owner, with ranges and conditions, whether they are made now or were before."""
    environ = {"TRIO_STREAM_DIRECT": direct, "TRIO_STREAM_SEGMENT_CACHE": cache}
    server = start(remuxed, hypercorn=("-w", "2"), environ=environ | {"TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: known(server), 10, "the film")
    id_ = known(server)["film.mkv"]
    data = tmp_path / "server-0" / "data"
    with (
        beside(server, data) as client,
        httpx.Client(transport=httpx.HTTPTransport(uds=str(data / SOCKET)), base_url="http://owner") as owner,
    ):
        addresses = addresses_of(client, id_)
        assert len(addresses) == 5 + 2 * 3
        for address in addresses:
            answer, mine, again = client.get(address), owner.get(address), client.get(address)
            assert (answer.status_code, answer.content) == (200, mine.content), address
            assert fields_of(answer) == fields_of(mine) == fields_of(again)
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
            answer = client.request(method, segment, headers=fields)
            assert (answer.status_code, answer.content) == (status, expected), fields
            assert fields_of(answer) == fields_of(owner.request(method, segment, headers=fields))
        refused = client.get(segment, headers={"Range": "bytes=999999999-"})
        assert (refused.status_code, refused.json()["code"]) == (416, "range-not-satisfiable")
        missing = client.get(segment.replace("/1.m4s", "/9.m4s"))
        assert (missing.status_code, missing.json()["code"]) == (404, "file-not-found")
        kept = list((data / "segments").glob("*.m4s"))
        assert bool(kept) is (cache != "0")


def fields_of(answer: httpx.Response) -> dict[str, str]:
    """The header fields that are about the content."""
    passing = {"date", "server", "connection"}
    return {name: value for name, value in answer.headers.items() if name not in passing}


async def test_who_leaves_a_worker_beside_the_owner_leaves_the_owner(
    start: Callable[..., Server], remuxed: Path, tmp_path: Path
) -> None:
    """A client that reads a little and waits holds the owner back, and one that leaves ends what the owner does."""
    quiet = {"TRIO_STREAM_ARTWORK_SHARE": "0", "TRIO_STREAM_SEGMENT_CACHE": "0"}
    server = start(remuxed, hypercorn=("-w", "2"), environ=quiet)
    wait_for(lambda: known(server), 10, "the film")
    data = tmp_path / "server-0" / "data"
    owner_pid = json.loads((data / LOCK).read_text())["pid"]
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(data / SOCKET)), base_url="http://owner"
    ) as owner:

        def figures() -> Any:
            return owner.get("/api/metrics").json()

        with beside(server, data) as client:
            segment = next(
                each
                for each in addresses_of(client, known(server)["film.mkv"])
                if re.search(r"/v0-\d+/1\.", each)
            )
            before = figures()
            with client.stream("GET", segment) as answer:
                size, pieces = int(answer.headers["Content-Length"]), answer.iter_raw(65536)
                assert next(pieces)
                wait_for(lambda: figures()["bytes_sent"] == figures()["bytes_sent"], 5, "a rest")
                assert figures()["active_streams"] == 1
                assert figures()["bytes_sent"] - before["bytes_sent"] < size // 2
        wait_for(lambda: figures()["active_streams"] == 0, 5, "the owner to learn of it")

        # While it is being made: what reads media does not answer.
        [worker] = [each for each in children_of(owner_pid) if MEDIA_WORKER in _command(each)]
        reader = psutil.Process(worker)
        reader.suspend()
        try:
            with beside(server, data) as client, pytest.raises(httpx.ReadTimeout):
                client.get(segment, timeout=httpx.Timeout(5, read=0.5))
            wait_for(lambda: figures()["open_files"] == 0, 4, "the owner to give it up")
        finally:
            reader.resume()


def _command(pid: int) -> str:
    return " ".join(psutil.Process(pid).cmdline())


def test_a_command_goes_through_the_server_that_runs(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film)
    wait_for(lambda: known(server), 10, "the film")
    (film / "other.mp4").write_bytes(b"no film")
    try:
        ended = command(server, "scan", "--no-wait")
    finally:
        (film / "other.mp4").unlink()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"[12] videos in 1 folders", ended.stdout)
    assert server.get("/api/library").json()["look"]["number"] >= 2


DEEP = "[/b]\x1b[31m\udcff"
"""Folders whose names a terminal, a library for terminals or UTF-8 might take for something else."""


def test_a_command_shows_any_name(start: Callable[..., Server], film: Path) -> None:
    """Of a folder that lies too deep for a path, so that nobody can read it."""
    server = start(film)
    wait_for(lambda: known(server), 10, "the film")
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


def test_a_command_without_a_server_does_it_itself(
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


def test_watch_state_goes_from_one_server_to_another(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    one = start(film)
    wait_for(lambda: known(one), 10, "the film")
    one_id = known(one)["film.mp4"]
    with one.client() as client:
        assert client.put(f"/api/videos/{one_id}/playhead", json={"position": 12.5}).status_code == 200
    exported = tmp_path / "state.json"
    assert command(one, "export", str(exported)).returncode == 0
    assert [entry["position"] for entry in json.loads(exported.read_text())["entries"]] == [12.5]
    other = start(film)
    wait_for(lambda: known(other), 10, "the film")
    ended = command(other, "import", str(exported))
    assert ended.stdout == "1 imported, 0 older than the stored ones, 0 for unknown videos\n", ended.stderr
    other_id = known(other)["film.mp4"]
    assert other_id != one_id
    assert other.get(f"/api/videos/{other_id}").json()["playhead"]["position"] == 12.5
    (tmp_path / "garbage").write_text("{}")
    ended = command(other, "import", str(tmp_path / "garbage"))
    assert (ended.returncode, "not an export of this program" in ended.stderr) == (2, True)


def test_a_killed_server_leaves_the_data_free(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, hypercorn=("-w", "0"), stops_with=None)
    wait_for(lambda: known(server), 10, "the film")
    children = psutil.Process(server.pid).children(recursive=True)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(5)
    wait_for(lambda: not any(child.is_running() for child in children), 5, "what it started to end")
    data = tmp_path / "server-0" / "data"
    assert (data / SOCKET).exists(), "nobody could take it away"
    ended = command(server, "export")
    assert ended.returncode == 0, ended.stderr


def test_a_socket_behind_a_long_path(start: Callable[..., Server], film: Path, tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30) / ("path" * 30)
    server = start(film, environ={"TRIO_STREAM_DATA": str(data)})
    wait_for(lambda: known(server), 10, "the film")
    assert len(str(data / SOCKET)) > 200
    ended = command(server, "export")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_only_its_user_may_come_in(start: Callable[..., Server], film: Path, tmp_path: Path) -> None:
    start(film)
    data = tmp_path / "server-0" / "data"
    assert (data.stat().st_mode & 0o777, (data / SOCKET).stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_folder_that_cannot_be_used_is_named(film: Path, tmp_path: Path) -> None:
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


def _work(settings: Settings, told: Connection) -> None:
    """A worker of a server: says what it is, and again once it has taken over."""

    async def main() -> None:
        async with open_services(settings) as services:
            told.send(("owner" if services.owner.mine else "beside", os.getpid()))
            await services.owner.appointed.wait()
            told.send(("took over", os.getpid()))
            await trio.sleep_forever()

    trio.run(main)


def test_a_worker_takes_over_when_the_owner_has_gone(film: Path, tmp_path: Path) -> None:
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
        # The owner has to answer at its socket for others to come up beside it: there is none here, so the
        # second one waits until the first has gone.
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
    wait_for(lambda: known(server), 10, "the film")
    id_ = known(server)["film.mp4"]
    data = tmp_path / "server-0" / "data"
    database = make_url(server.settings.get("TRIO_STREAM_DATABASE_URL", f"sqlite:///{data / DATABASE}"))
    with beside(server, data) as client:

        def is_ready() -> bool:
            return client.get("/readyz").status_code == 200

        def is_waiting_for(service: str) -> bool:
            answer = client.get("/readyz")
            return answer.status_code == 503 and service in answer.json()["detail"]

        assert is_ready()
        (data / SOCKET).unlink()
        (data / SOCKET).mkdir()  # nobody, not even root, can make a socket of that name
        with locked(database, "alembic_version", "ACCESS EXCLUSIVE"):
            psutil.Process(json.loads((data / LOCK).read_text())["pid"]).terminate()
            wait_for(lambda: is_waiting_for("owner"), 20, "it to try to take over")
        wait_for(lambda: is_waiting_for("local door"), 20, "it to open its door")
        answer = client.put(f"/api/videos/{id_}/playhead", json={"position": 1})
        assert answer.status_code == 200, "it writes all the same"
        (data / SOCKET).rmdir()
        wait_for(is_ready, 20, "it to take over")
        answer = client.put(f"/api/videos/{id_}/playhead", json={"position": 1})
        assert (answer.status_code, answer.json()["position"]) == (200, 1)


def test_a_server_that_cannot_make_its_socket_does_not_start(film: Path, tmp_path: Path) -> None:
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
    assert f"does not start: the socket {tmp_path / 'data' / SOCKET} cannot be made" in ended.stderr
    assert "Traceback" not in ended.stderr


CONTAINED = (
    *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *(("--user", "--map-root-user") if os.geteuid() else ()),
)
"""Begins in a namespace of processes of its own, in which the first one has the number 1."""


def test_servers_in_two_containers_are_rivals(film: Path, tmp_path: Path) -> None:
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


def test_a_worker_whose_owner_does_not_answer_says_so(
    start: Callable[..., Server], film: Path, tmp_path: Path
) -> None:
    server = start(film, hypercorn=("-w", "2"))
    data = tmp_path / "server-0" / "data"
    with beside(server, data) as client:
        (data / SOCKET).unlink()
        answer = client.get("/api/library")
        assert (answer.status_code, answer.json()["code"]) == (503, "not-the-owner"), server.log[-3000:]
        assert answer.headers["Retry-After"] == "1"
        assert client.get("/api/videos?limit=1").status_code == 200, "reading needs no owner"
