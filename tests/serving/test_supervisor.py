"""A server with supervised workers: a worker that dies is logged and replaced, and the exit status says how it ended.

Most of these serve a small application, which starts sooner than the product.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import trio

from tests.depth import large
from tests.http2 import certified
from tests.server.draining import (
    APP,
    accepts_connections,
    check_clean_exit,
    is_complete,
    processes_of,
    read_rest,
    signal_all,
    start_response,
    still_running,
    workers_of,
)
from tests.support import (
    START_DEADLINE,
    Server,
    connect,
    read_head,
    settings_of,
    url_in,
    wait_for,
    wait_until,
)
from trio_stream.ownership import LOCK

PROGRAM = """
import os
import signal
import sys
from pathlib import Path

from trio_stream.serving.running import serve
from trio_stream.settings import Settings

if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under `nohup`
    settings = Settings(videos=Path("videos"), data=Path("data"), log_format="json")
    sys.exit(serve(["served:app", *sys.argv[1:]], settings, restart="NO_RESTART" not in os.environ))
"""

INSTALLED = """
from trio_stream.server.install import Limits, install

install(Limits())

async def lifespan(receive, send):
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})
"""

type Supervise = Callable[..., Server]


def launch(
    command: list[str], folder: Path, *options: str, environ: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `command`, with its output in a file in `folder`."""
    arguments = [*command, "--bind", "127.0.0.1:0", "--graceful-timeout", "30", *options]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TRIO_STREAM_")}
    with (folder / "log").open("wb") as output:
        return subprocess.Popen(
            arguments,
            cwd=folder,
            env=inherited | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # without a terminal, like a service
        )


@contextmanager
def running_server(
    command: list[str], folder: Path, workers: int, *options: str, **kwargs: Any
) -> Iterator[Server]:
    """Run a server with this many workers for the length of the block, which starts once all of them serve."""
    log = folder / "log"
    process = launch(command, folder, "-w", str(workers), *options, **kwargs)
    try:
        url = wait_for(lambda: url_in(log, process), START_DEADLINE, "the server to start")
        server = Server(process, url, folder, log)
        server.pid = process.pid  # the supervisor's, since workers start and end
        wait_for(lambda: len(serving_pids(server)) == workers, START_DEADLINE, "all workers to serve")
        yield server
    finally:
        if process.poll() is None:
            Server(process, "http://127.0.0.1:0", folder, log).kill()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """`supervise(workers, *options)` serves `APP`."""
    with ExitStack() as stack:

        def start(workers: int, *options: str, source: str = APP, **kwargs: Any) -> Server:
            (tmp_path / "served.py").write_text(INSTALLED + source)
            (tmp_path / "program.py").write_text(PROGRAM)
            command = [sys.executable, "program.py"]
            return stack.enter_context(running_server(command, tmp_path, workers, *options, **kwargs))

        yield start


def logged_deaths(server: Server) -> list[dict[str, Any]]:
    """The log events of workers that died, the oldest first."""
    lines = (json.loads(line) for line in server.log.splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"].startswith("a worker died")]


def serving_pids(server: Server) -> set[int]:
    """The process ids of the workers that serve, according to the log."""
    started = re.findall(r"\[(\d+)\] \[INFO\] Running on", server.log)
    return set(map(int, started)) - {event["pid"] for event in logged_deaths(server)}


def other_workers(server: Server, pid: int) -> list[psutil.Process]:
    return [worker for worker in workers_of(server) if worker.pid != pid]


async def start_response_with_pid(server: Server, path: str) -> tuple[trio.SocketStream, int]:
    """Return a connection whose response has started, and the id of the process that sends it."""
    stream = await connect(server)
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode())
    head, _ = await read_head(stream)
    found = re.search(rb"x-pid: (\d+)", head)
    assert found is not None
    return stream, int(found[1])


async def test_a_worker_that_dies_is_logged_and_replaced(supervise: Supervise) -> None:
    server = supervise(2)
    stream, pid = await start_response_with_pid(server, "/slow")
    async with stream:
        [other] = other_workers(server, pid)
        with server.descriptors_left(0):  # so that the first attempt to start another one fails
            other.kill()
            async with await start_response(server, "/"):
                pass  # the remaining worker continues to serve
            await wait_until(lambda: len(logged_deaths(server)) == 2, 5, "two deaths to be logged")
        died, failed = logged_deaths(server)
        assert (died["pid"], died["of"]) == (other.pid, "SIGKILL (perhaps out of memory)")
        assert failed["of"] == "it could not be started: Too many open files"
        assert failed["worker"] == died["worker"]
        assert failed["again_in"] == 2 * died["again_in"]
        assert is_complete(await read_rest(stream))
    await wait_until(lambda: len(serving_pids(server)) == 2, 30, "another one to serve")
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        server.process.terminate()
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, 2)


async def test_without_restart_a_dead_worker_ends_the_server_with_the_worst_code(
    supervise: Supervise,
) -> None:
    server = supervise(3, environ={"NO_RESTART": "1"})
    before = processes_of(server)
    stream, pid = await start_response_with_pid(server, "/slow")
    async with stream:
        killed, faulty = other_workers(server, pid)
        # Both must be dead before the parent notices one of them, since it would stop the other one.
        parent = psutil.Process(server.process.pid)
        parent.suspend()
        await wait_until(lambda: parent.status() == psutil.STATUS_STOPPED, 1, "the parent to be suspended")
        killed.kill()
        faulty.send_signal(signal.SIGSEGV)
        await wait_until(
            lambda: killed.status() == faulty.status() == psutil.STATUS_ZOMBIE, 1, "both to be dead"
        )
        parent.resume()
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, 1, code=128 + signal.SIGSEGV)
    assert {event["pid"] for event in logged_deaths(server)} == {killed.pid, faulty.pid}


@pytest.mark.parametrize(
    ("number", "to_all"),
    [
        pytest.param(signal.SIGTERM, False, id="SIGTERM to the supervisor"),
        pytest.param(signal.SIGINT, True, id="Ctrl-C in a terminal"),
        large(signal.SIGTERM, True, id="SIGTERM to all"),
        large(signal.SIGINT, False, id="SIGINT to the supervisor"),
    ],
)
async def test_all_workers_drain_on_a_signal(supervise: Supervise, number: int, to_all: bool) -> None:
    server = supervise(2)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        signal_all(number, before if to_all else before[:1])
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, 2)


async def test_new_connections_are_refused_while_workers_drain(supervise: Supervise) -> None:
    server = supervise(2)
    before = processes_of(server)
    async with await start_response(server, "/endless") as stream:
        server.process.terminate()
        with trio.fail_after(60):
            while await accepts_connections(server):
                await trio.sleep(0.01)

        def is_cut() -> bool:
            if "open connections cancelled" in server.log:
                return True
            server.process.send_signal(signal.SIGINT)
            return False

        await wait_until(is_cut, 5, "a second Ctrl-C to cut the drain")
        await read_rest(stream)
    await check_clean_exit(server, before, 2)


async def test_workers_drain_without_their_supervisor(supervise: Supervise) -> None:
    server = supervise(2)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        server.process.kill()
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, 2, code=-signal.SIGKILL)


async def test_sighup_replaces_the_workers_and_sigterm_to_one_replaces_it(supervise: Supervise) -> None:
    server = supervise(1)
    for number, target in enumerate((server.process, workers_of(server)[0]), start=2):
        stream, pid = await start_response_with_pid(server, "/slow")
        async with stream:
            if target is server.process:
                target.send_signal(signal.SIGHUP)
            else:
                psutil.Process(pid).terminate()
            assert is_complete(await read_rest(stream))
        await wait_until(lambda: server.log.count("Running on") == number, 30, "another worker")  # noqa: B023 - called in this iteration
        assert other_workers(server, pid)
    assert not logged_deaths(server)
    before = processes_of(server)
    server.process.terminate()
    await check_clean_exit(server, before, 3)


async def test_all_kinds_of_addresses_are_shared(supervise: Supervise, tmp_path: Path) -> None:
    certificate = certified(tmp_path)
    server = supervise(
        2,
        *("--insecure-bind", "127.0.0.1:0", "--bind", "unix:here.sock", "--pid", "pid"),
        *certificate,
    )
    assert int((tmp_path / "pid").read_text()) == server.process.pid
    [plain] = set(re.findall(r"Running on (http://\S+)", server.log))
    assert set(re.findall(r"Running on (https://\S+)", server.log)) == {server.url, "https://unix:here.sock"}
    transport = httpx.HTTPTransport(uds=str(tmp_path / "here.sock"), verify=False)
    for client in (
        httpx.Client(base_url=server.url, verify=False),
        httpx.Client(base_url=plain),
        httpx.Client(base_url="https://here", transport=transport, verify=False),
    ):
        with client:
            assert client.get("/").status_code == 200
    before = processes_of(server)
    server.process.terminate()
    await check_clean_exit(server, before, 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_while_the_first_worker_starts(tmp_path: Path, number: int) -> None:
    (tmp_path / "served.py").write_text(INSTALLED + APP)
    (tmp_path / "program.py").write_text(PROGRAM)
    process = launch([sys.executable, "program.py"], tmp_path, "-w", "2")
    server = Server(process, "http://127.0.0.1:0", tmp_path, tmp_path / "log")
    try:
        wait_for(lambda: workers_of(server), START_DEADLINE, "the first worker")
        os.killpg(process.pid, number)
        assert process.wait(300) == 0, server.log
    finally:
        server.kill()
    assert "Traceback" not in server.log
    assert not logged_deaths(server)


DIES = """
import os, signal
async def app(scope, *_):
    os.kill(os.getpid(), signal.SIGKILL)
"""

FAILS = """
async def app(scope, receive, send, *_):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no videos today"})
"""


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [(DIES, 137, "of.*SIGKILL"), (FAILS, 1, "the server does not start: no videos today")],
    ids=["killed", "refuses"],
)
def test_a_first_worker_that_cannot_start_ends_the_server(
    tmp_path: Path, source: str, code: int, message: str
) -> None:
    (tmp_path / "served.py").write_text(INSTALLED + source)
    (tmp_path / "program.py").write_text(PROGRAM)
    process = launch([sys.executable, "program.py"], tmp_path, "-w", "2")
    try:
        assert process.wait(300) == code
    finally:
        process.kill()
        process.wait()
    lines = (tmp_path / "log").read_text().splitlines()
    [logged] = [line for line in lines if "Running on" not in line]  # Hypercorn logs this too early
    assert re.search(message, logged)


ORPHANED = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
"""

CONTAINED = (
    *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *(("--user", "--map-root-user") if os.geteuid() else ()),
)


def test_the_first_process_of_a_container_reaps_orphans_of_a_dead_worker(
    tmp_path: Path,
) -> None:
    (tmp_path / "served.py").write_text(INSTALLED + APP + ORPHANED)
    (tmp_path / "program.py").write_text(PROGRAM)
    with running_server([*CONTAINED, sys.executable, "program.py"], tmp_path, 1) as server:
        [supervisor] = psutil.Process(server.process.pid).children()
        children = supervisor.children()
        [worker] = [process for process in children if "--multiprocessing-fork" in process.cmdline()]
        [orphan] = worker.children()
        worker.kill()
        wait_for(lambda: not psutil.pid_exists(orphan.pid), 10, "the orphan to be reaped")
        wait_for(lambda: server.log.count("Running on") == 2, 30, "another one to serve")
        supervisor.terminate()
        assert server.process.wait(60) == 0


@pytest.mark.each_time
async def test_another_worker_takes_over_when_the_owner_of_the_data_is_killed(
    footage: Path, tmp_path: Path
) -> None:
    """Streams of the other worker continue, acknowledged writes are kept, and the library can be read and changed."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "large.mp4").write_bytes(os.urandom(1 << 20) * 64)
    (tmp_path / "videos" / "film.mp4").write_bytes(footage.read_bytes())
    command = [str(Path(sys.executable).with_name("trio-stream")), "serve"]
    environ = settings_of(tmp_path / "videos", tmp_path) | {"TRIO_STREAM_ARTWORK_SHARE": "0"}
    with running_server(command, tmp_path, 2, environ=environ) as server:

        def film_id() -> str | None:
            items = server.get("/api/videos?limit=50").json()["items"]
            return next((item["id"] for item in items if item["name"] == "film.mp4"), None)

        playhead = f"/api/videos/{wait_for(film_id, 20, 'the film')}/playhead"
        owner = psutil.Process(json.loads((tmp_path / "data" / LOCK).read_text())["pid"])
        [other] = other_workers(server, owner.pid)
        with server.client() as client:
            owner.suspend()
            try:
                stream = await connect(server)
                await stream.send_all(
                    b"GET /api/stream/large.mp4 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
                )
                _, start_of_body = await read_head(stream)
                assert client.get("/healthz").status_code == 200
            finally:
                owner.resume()
            assert client.put(playhead, json={"position": 7}).status_code == 200
            owner.kill()
            assert len(start_of_body) + len(await read_rest(stream, within=60)) == 64 << 20
            await stream.aclose()
            wait_for(lambda: client.get("/readyz").status_code == 200, 20, "the server to be ready")

            def can_write() -> bool:
                return client.put(playhead, json={"position": 8}).status_code == 200

            assert client.get(playhead.removesuffix("/playhead")).json()["playhead"]["position"] == 7
            wait_for(can_write, 20, "the other worker to take over")
            assert json.loads((tmp_path / "data" / LOCK).read_text())["pid"] == other.pid
        [died] = logged_deaths(server)
        assert died["pid"] == owner.pid
        wait_for(lambda: len(serving_pids(server)) == 2, 30, "another worker")
        assert server.get("/readyz").status_code == 200
        before = processes_of(server)
        assert server.stop() == 0
        wait_for(lambda: not still_running(before), 5, "its processes to be gone")
