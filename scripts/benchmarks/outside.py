"""A server seen from outside: what it holds, in /proc and in its own figures; and clients that ask it for files."""

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

PATIENCE = 10.0  # seconds; what takes longer counts as so long, or ends the bench
TINY, WINDOW = 4096, 256 * 1024  # receive buffers of clients that never read, and of those that do
BIG = File("big.mp4", 4096 * media.MIB)


class Outside:
    """A server with one worker, seen from outside; a connection of ours asks it for its figures."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running, self.folder = running, os.path.realpath(folder)
        (worker,) = (
            pid
            for pid in machine.group(running.leader)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        self.proc = f"/proc/{worker}"
        self._link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
        ask(running, BIG, WINDOW).close()  # what is paid once is paid for this one
        until(lambda: self.ended("client left") == 1, "the first client to be gone")
        self.before: tuple[int, ...] = ()
        until(self._rests, "the server to rest")

    def _rests(self) -> bool:
        earlier, self.before = self.before, self.census()
        return earlier == self.before

    def metrics(self) -> dict[str, Any]:
        self._link.request("GET", "/api/metrics")
        answer: dict[str, Any] = json.load(self._link.getresponse())
        return answer

    def streams(self) -> int:
        return int(self.metrics()["active_streams"])

    def ended(self, how: str) -> int:
        return int(self.metrics()["streams_ended"][how])

    def hang_up(self) -> None:
        """Close our connection; the next question opens one again."""
        self._link.close()

    def census(self) -> tuple[int, ...]:
        """Streams, open files, maps, descriptors, tasks."""
        found = self.metrics()
        maps = Path(f"{self.proc}/maps").read_text("latin-1").count(f"{self.folder}/")
        descriptors = len(os.listdir(f"{self.proc}/fd"))
        return found["active_streams"], found["open_files"], maps, descriptors, found["tasks"]

    def empty(self) -> bool:
        """Whether nothing is held that was not before anybody came."""
        return all(now <= then for now, then in zip(self.census(), self.before, strict=True))

    def descriptors(self) -> dict[str, list[str]]:
        """Where descriptors point, and which they are."""
        found: dict[str, list[str]] = {}
        for entry in os.scandir(f"{self.proc}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.setdefault(os.readlink(entry.path), []).append(entry.path)
        return found


def lasted(look: Callable[[], object], most: float = PATIENCE, pause: float = 0.01) -> float:
    """Seconds until `look` answered something true, at most `most`."""
    began = time.perf_counter()
    while not look() and time.perf_counter() - began < most:
        time.sleep(pause)
    return min(most, time.perf_counter() - began)


def until(look: Callable[[], object], what: str) -> None:
    if lasted(look) >= PATIENCE:
        raise BenchError(f"waited {PATIENCE:g} s for {what}")


def ask(running: Running, file: File, window: int) -> socket.socket:
    """A client that has asked for a file. Its segments are those of a network, not the 64 KiB of loopback."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, viewers.SEGMENT)
    sock.settimeout(PATIENCE)
    sock.connect(("127.0.0.1", running.port))
    sock.sendall(request(running, file))
    return sock


def leave(sock: socket.socket, *, orderly: bool) -> float:
    """Close, and answer when: with everything read, which says FIN, or with bytes unread, which resets."""
    sock.setblocking(False)
    if orderly:
        with contextlib.suppress(BlockingIOError):
            while sock.recv_into(SINK, len(SINK), socket.MSG_TRUNC):
                pass
    closed = time.perf_counter()
    sock.close()
    return closed


@contextlib.contextmanager
def crowd(outside: Outside, count: int) -> Iterator[list[socket.socket]]:
    """So many clients that ask for a large file and read nothing."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(ask(outside.running, BIG, TINY)) for _ in range(count)]
