"""A server observed from outside, through /proc and its own metrics, and clients that request files from it."""

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import machine, media, viewers
from .bodies import SINK, request
from .machine import BenchError
from .media import File
from .servers import Running

TIMEOUT = 10.0  # seconds; a longer time counts as this, or ends the bench
TINY, WINDOW = 4096, 256 * 1024  # receive buffers of clients that never read, and of clients that do
BIG = File("big.mp4", 4096 * media.MIB)


class ObservedServer:
    """A server with one worker, observed from outside; its metrics are requested over a connection of its own."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running, self.folder = running, os.path.realpath(folder)
        (worker,) = (
            pid
            for pid in machine.group(running.leader)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        self.proc = f"/proc/{worker}"
        self._link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=TIMEOUT)
        request_file(running, BIG, WINDOW).close()  # this client pays for everything that is paid once
        wait_until(lambda: self.ended("client left") == 1, "the first client to be gone")
        self.before: tuple[int, ...] = ()
        wait_until(self._is_idle, "the server to be idle")

    def _is_idle(self) -> bool:
        earlier, self.before = self.before, self.census()
        return earlier == self.before

    def metrics(self) -> dict[str, Any]:
        self._link.request("GET", "/api/metrics")
        metrics: dict[str, Any] = json.load(self._link.getresponse())
        return metrics

    def streams(self) -> int:
        return int(self.metrics()["active_streams"])

    def ended(self, how: str) -> int:
        return int(self.metrics()["streams_ended"][how])

    def hang_up(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._link.close()

    def census(self) -> tuple[int, ...]:
        """Streams, open files, maps, descriptors, tasks."""
        found = self.metrics()
        maps = Path(f"{self.proc}/maps").read_text("latin-1").count(f"{self.folder}/")
        descriptors = len(os.listdir(f"{self.proc}/fd"))
        return found["active_streams"], found["open_files"], maps, descriptors, found["tasks"]

    def is_empty(self) -> bool:
        """Whether the server holds nothing more than before the first client."""
        return all(now <= then for now, then in zip(self.census(), self.before, strict=True))

    def descriptors(self) -> dict[str, list[str]]:
        """The entries in /proc/PID/fd, by what they point to."""
        found: dict[str, list[str]] = {}
        for entry in os.scandir(f"{self.proc}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.setdefault(os.readlink(entry.path), []).append(entry.path)
        return found


def seconds_until(check: Callable[[], object], most: float = TIMEOUT, pause: float = 0.01) -> float:
    """Seconds until `check` returns something true, at most `most`."""
    began = time.perf_counter()
    while not check() and time.perf_counter() - began < most:
        time.sleep(pause)
    return min(most, time.perf_counter() - began)


def wait_until(check: Callable[[], object], what: str) -> None:
    if seconds_until(check) >= TIMEOUT:
        raise BenchError(f"waited {TIMEOUT:g} s for {what}")


def request_file(running: Running, file: File, window: int) -> socket.socket:
    """A client that has requested a file. Its TCP segments are as small as in a network, not 64 KiB as on loopback."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, viewers.SEGMENT)
    sock.settimeout(TIMEOUT)
    sock.connect(("127.0.0.1", running.port))
    sock.sendall(request(running, file))
    return sock


def leave(sock: socket.socket, *, orderly: bool) -> float:
    """Close and return the time; `orderly` reads everything first and so sends a FIN, otherwise unread bytes reset."""
    sock.setblocking(False)
    if orderly:
        with contextlib.suppress(BlockingIOError):
            while sock.recv_into(SINK, len(SINK), socket.MSG_TRUNC):
                pass
    closed = time.perf_counter()
    sock.close()
    return closed


@contextlib.contextmanager
def crowd(server: ObservedServer, count: int) -> Iterator[list[socket.socket]]:
    """`count` clients that request a large file and read nothing."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(request_file(server.running, BIG, TINY)) for _ in range(count)]
