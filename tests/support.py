"""Shared by tests: a real server process, its census, and raw sockets."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import trio
from sqlalchemy.engine import URL

from tests.forking import Forked, forks
from trio_stream.accounts import grants
from trio_stream.ownership import LOCK

type Process = subprocess.Popen[bytes] | Forked

START_DEADLINE = 30.0
STOP_DEADLINE = 20.0

SLOWER = 10
"""How much slower a busy machine may be. Timeouts are generous for an idle machine; a test fails only after this
multiple of them."""


MEDIA_WORKER = "trio_stream.media.worker"

COMMAND_LINE = {grants.FIELD: grants.encode(grants.OPERATOR)}
"""The header field by which the command line states its grant, on the owner's socket."""

OF_A_WORKER = 2
"""Descriptors that a server holds for its worker: a socket, and one that reports its end."""


def is_done(state: Mapping[str, Any]) -> bool:
    """Whether a library is idle without pending jobs: on a busy machine, a job may have to be tried again."""
    return bool(state["idle"]) and not any(
        state["keeping"][name] for name in ("to_probe", "to_draw", "to_extract")
    )


@dataclass(frozen=True)
class Census:
    """The resources that a server holds. They must return to their former numbers when the clients are gone."""

    streams: int
    open_files: int
    mapped_regions: int
    descriptors: int
    tasks: int
    children: int

    def within(self, before: "Census") -> bool:
        """Whether no resource has increased since `before`."""
        return all(now <= then for now, then in zip(astuple(self), astuple(before), strict=True))


class Server:
    """A running `hypercorn trio_stream.app:app -k trio`."""

    def __init__(
        self,
        process: Process,
        url: str,
        videos: Path,
        log: Path,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.process = process
        self.settings = settings or {}
        self.url = url
        self.videos = videos
        self.log_file = log
        self._forgotten = 0
        self.host, port = url.partition("://")[2].split(":")
        self.port = int(port)
        self.pid = process.pid
        for child in psutil.Process(process.pid).children():
            if any("multiprocessing.spawn" in word for word in child.cmdline()):
                self.pid = child.pid

    @property
    def log(self) -> str:
        """The log since it started, or since `forget`."""
        return self.log_file.read_text(errors="replace")[self._forgotten :]

    def forget(self) -> None:
        """Discard the log so far."""
        self._forgotten += len(self.log)

    @property
    def ended(self) -> list[dict[str, Any]]:
        """The events of streams that ended, oldest first (the server must log JSON)."""
        lines = (line for line in self.log.splitlines() if line.startswith("{"))
        events = (json.loads(line) for line in lines)
        return [event for event in events if event["event"] == "stream ended"]

    def last_ended(self) -> dict[str, Any]:
        """The event of the last stream that ended; waits for the first one."""
        return wait_for(lambda: self.ended, 5, "a stream to end")[-1]

    def get(self, path: str, **more: Any) -> httpx.Response:
        with self.client() as client:
            return client.get(path, **more)

    def client(self) -> httpx.Client:
        """A client with new connections; without certificates, because loading them takes longer than most tests."""
        return httpx.Client(base_url=self.url, timeout=10, verify=False)

    def metrics(self) -> dict[str, Any]:
        response: dict[str, Any] = self.get("/api/metrics").json()
        return response

    def census(self) -> Census:
        """The resources it holds, except the database, whose connections stay, and the media worker."""
        metrics = self.metrics()
        children = children_of(self.pid)
        workers = [child for child in children if MEDIA_WORKER in _command_line(child)]
        database = sum("/data/" in target for target in self._descriptors())
        return Census(
            streams=metrics["active_streams"],
            open_files=metrics["open_files"],
            mapped_regions=Path(f"/proc/{self.pid}/maps").read_text().count(f"{self.videos}/"),
            descriptors=len(self._descriptors()) - database - OF_A_WORKER * len(workers),
            tasks=metrics["tasks"] - len(workers),
            children=len(children) - len(workers) + sum(len(children_of(child)) for child in children),
        )

    def _descriptors(self) -> list[str]:
        found = []
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            with suppress(FileNotFoundError):
                found.append(os.readlink(f"/proc/{self.pid}/fd/{name}"))
        return found

    def wait_idle(self) -> dict[str, Any]:
        """Wait until the library is idle, and return its state."""

        def idle() -> dict[str, Any] | None:
            state: dict[str, Any] = self.get("/api/library").json()
            return state if state.get("idle") else None

        return wait_for(idle, 30, "the library to be idle")

    def wait_for_video(self, name: str, size: int) -> None:
        """Wait until the library has the video with that size, and all background jobs are done."""

        def has_video() -> bool:
            items = self.get("/api/videos", params={"limit": 200}).json()["items"]
            return (name, size) in {(item["name"], item["size"]) for item in items}

        wait_for(has_video, 20, f"the library to add {name}")

        def jobs_done() -> bool:
            return is_done(self.get("/api/library").json())

        wait_for(jobs_done, 90, "all background jobs")

    def settled(self) -> Census:
        """The census once it is stable, when the connection of the previous one is gone.

        For a short time after a file whose name is not UTF-8 changed, the folder of videos is not watched.
        """
        seen = [self.census()]

        def same_again() -> bool:
            seen.append(self.census())
            return seen[-1] == seen[-2] and any("inotify" in target for target in self._descriptors())

        wait_for(same_again, 5.0, "the server to be stable")
        return seen[-1]

    def private_memory(self) -> int:
        """RssAnon of the serving process, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    @contextmanager
    def descriptors_left(self, count: int) -> Iterator[None]:
        """Let the serving process open only `count` more descriptors during the block."""
        process = psutil.Process(self.pid)
        before = process.rlimit(psutil.RLIMIT_NOFILE)
        taken = {int(name) for name in os.listdir(f"/proc/{self.pid}/fd")}
        free = (number for number in itertools.count() if number not in taken)
        process.rlimit(psutil.RLIMIT_NOFILE, (next(itertools.islice(free, count, None)), before[1]))
        try:
            yield
        finally:
            process.rlimit(psutil.RLIMIT_NOFILE, before)

    def stop(self) -> int:
        """Stop it as an operator would; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill it and all processes that it started."""
        if self.process.poll() is None:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                process.kill()
            self.process.kill()
            self.process.wait()


lasting: set[int] = set()
"""Processes of servers that a test started and later tests use."""


def _no_database() -> AbstractContextManager[URL | None]:
    return nullcontext()


new_database: Callable[[], AbstractContextManager[URL | None]] = _no_database
"""Creates the database of a server; None for the one that it creates itself (see `database_of_servers`)."""


def launch(
    videos: Path,
    folder: Path,
    *,
    hypercorn: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    app: str = "trio_stream.app:app",
) -> tuple[Process, Path]:
    """Start a server for `videos` with its log in `folder`; the caller must stop it. Returns it and its log.

    Unless workers are requested, it serves in the started process, which is forked (see `tests.forking`): half as many
    processes, and a third of the work. Tests of how servers start request workers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    log.write_bytes(b"")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TRIO_STREAM_")}
    settings = inherited | settings_of(videos, folder) | dict(environ or {})
    arguments = [app, "-k", "trio", "--bind", "127.0.0.1:0", "--graceful-timeout", "2", *hypercorn]
    if not {"-w", "--workers"} & set(hypercorn):
        arguments += ["-w", "0"]
        if "coverage" not in sys.modules and hasattr(os, "pidfd_open"):
            lasting.add(forks().pid)
            return forks().start(arguments, cwd=folder, log=log, environ=settings), log
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hypercorn", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=settings,
        )
    return process, log


def settings_of(videos: Path, folder: Path) -> dict[str, str]:
    """The settings of a server for `videos` with its data in `folder`."""
    return {
        "TRIO_STREAM_VIDEOS": str(videos),
        "TRIO_STREAM_DATA": str(folder / "data"),
        "TRIO_STREAM_LOG_FORMAT": "json",
    }


@contextmanager
def serving(
    videos: Path,
    folder: Path,
    *,
    hypercorn: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    app: str = "trio_stream.app:app",
    stops_with: int | None = 0,
) -> Iterator[Server]:
    """A server for `videos` with its log in `folder`, running during the block."""
    with new_database() as database:
        chosen = dict(environ or {})
        if database is not None:
            chosen.setdefault("TRIO_STREAM_DATABASE_URL", database.render_as_string(hide_password=False))
        process, log = launch(videos, folder, hypercorn=hypercorn, environ=chosen, app=app)
        try:
            url = wait_for(lambda: url_in(log, process), START_DEADLINE, "the server to start")
            server = Server(process, url, videos, log, settings_of(videos, folder) | chosen)
            with hurrying(server.pid):
                yield server
            code = server.stop()
            assert stops_with is None or code == stops_with, server.log[-4000:]
        finally:
            if process.poll() is None:
                Server(process, "http://127.0.0.1:0", videos, log).stop()


@contextmanager
def hurrying(pid: int) -> Iterator[None]:
    """Give the media worker of the server `pid` normal priority during the block.

    At idle priority, it would never run on a machine whose processors are fully used.
    """
    over = threading.Event()

    def hurry() -> None:
        worker: int | None = None
        while not over.wait(0.1):
            if worker is None:
                found = (each for each in children_of(pid) if MEDIA_WORKER in _command_line(each))
                worker = next(found, None)
            if worker is not None:
                readers = children_of(worker)
                for reader in readers:
                    with suppress(OSError):  # it has ended, or this is not allowed and takes longer
                        os.sched_setscheduler(reader, os.SCHED_OTHER, os.sched_param(0))
                if not readers and not Path(f"/proc/{worker}").exists():
                    worker = None

    thread = threading.Thread(target=hurry, name="hurry")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def children_of(pid: int) -> set[int]:
    """The processes that a process has started and not reaped. psutil would read all processes of the machine."""
    found: set[int] = set()
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):  # per thread
        with suppress(FileNotFoundError, ProcessLookupError):
            found.update(map(int, listed.read_text().split()))
    return found


def _command_line(pid: int) -> list[str]:
    with suppress(psutil.Error):
        return psutil.Process(pid).cmdline()
    return []


def url_in(log: Path, process: Process) -> str | None:
    """The URL of the server, once it has logged it."""
    text = log.read_text(errors="replace")
    assert process.poll() is None, f"the server ended:\n{text}"
    found = re.search(r"Running on (https?://127\.0\.0\.1:\d+)", text)
    return found[1] if found else None


def wait_for[T](condition: Callable[[], T | bool | None], seconds: float, what: str = "it") -> T:
    """Poll `condition` until it returns something true; fail if that takes longer than `seconds` times `SLOWER`."""
    found = happens(condition, SLOWER * seconds)
    assert found, f"waited {SLOWER * seconds} s for {what}"
    return found  # type: ignore[return-value] # it is true, so neither False nor None


def happens[T](condition: Callable[[], T], seconds: float) -> T:
    """The result of `condition` once it is true, or after `seconds`, even if it is not."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


async def wait_until(condition: Callable[[], bool], seconds: float, what: str = "it") -> None:
    """Poll `condition` on Trio until it is true; fail if that takes longer than `seconds` times `SLOWER`."""
    with trio.move_on_after(SLOWER * seconds):
        while not condition():
            await trio.sleep(0.01)
        return
    raise AssertionError(f"waited {SLOWER * seconds} s for {what}")


@contextmanager
def connect_to_other_worker(server: Server, data: Path) -> Iterator[httpx.Client]:
    """A client with one connection to the worker that is not the owner, which is suspended while the client connects."""
    wait_for(lambda: server.log.count("Running on") == 2, 20, "both workers")
    owner = psutil.Process(json.loads((data / LOCK).read_text())["pid"])
    with server.client() as client:
        owner.suspend()
        try:
            assert client.get("/healthz").status_code == 200
        finally:
            owner.resume()
        yield client


async def connect(server: Server) -> trio.SocketStream:
    """A plain TCP connection."""
    return await trio.open_tcp_stream(server.host, server.port)


async def exchange(server: Server, request: bytes, *, limit: int = 1 << 22) -> bytes:
    """Send `request` unchanged, and return everything until the server closes."""
    async with await connect(server) as stream:
        await stream.send_all(request)
        response = bytearray()
        with trio.fail_after(60):
            while len(response) < limit and (data := await stream.receive_some(65536)):
                response += data
        return bytes(response)


async def until_end(stream: trio.abc.ReceiveStream, seconds: float) -> bytes | None:
    """All data until the server closes or resets the connection; None if it does not within `seconds`."""
    data = bytearray()
    with trio.move_on_after(seconds):
        with suppress(trio.BrokenResourceError):
            while more := await stream.receive_some(65536):
                data += more
        return bytes(data)
    return None


async def read_head(stream: trio.SocketStream) -> tuple[bytes, bytes]:
    """The head of a response, and the part of the body that arrived with it."""
    data = b""
    with trio.fail_after(60):
        while b"\r\n\r\n" not in data:
            more = await stream.receive_some(65536)
            assert more, "the server closed before the head was complete"
            data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest
