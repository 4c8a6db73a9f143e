"""The client for whole bodies and ranges: a few keep-alive connections, one epoll, and every body is discarded.

With `MSG_TRUNC` the kernel drops the data instead of copying it, so the client is faster than the fastest server. The
figures include how much of its CPU the client used.
"""

import hashlib
import random
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import machine, media
from .media import File
from .servers import Running

TIMEOUT = 30.0  # seconds in which at least one connection must receive something
SINK = bytearray(8 * media.MIB)  # never written to, as the kernel drops the bytes
MEMORY_EVERY = 0.1


class WrongResponseError(Exception):
    """The server's response is wrong, so the server is not measured."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`connections` clients that request `file` again and again, or random ranges of `length` bytes of it."""

    name: str
    title: str
    file: File
    connections: int = 4
    length: int = 0


SCENARIOS = (
    Scenario("1KB", "1 KB bodies, 16 connections", media.KB1, connections=16),
    Scenario("256KB", "256 KB bodies, 4 connections", media.KB256),
    Scenario("4MB", "4 MB bodies, 4 connections", media.MB4),
    Scenario("256MB", "256 MB bodies, 4 connections", media.MB256),
    Scenario("ranges", "random 4 MB ranges of a 4 GB file, 4 connections", media.GB4, length=4 * media.MIB),
)

RANGES = SCENARIOS[-1]


@dataclass(slots=True)
class Figures:
    """The figures of one run."""

    received: int = 0
    requests: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    client_cpu: float = 0.0
    others_cpu: float = 0.0
    idle_memory: int = 0
    peak_memory: int = 0
    first_byte: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, float]:
        gigabytes = self.received / 1e9
        return {
            "cpu_s_per_gb": self.cpu / gigabytes,
            "cpu_us_per_request": self.cpu / self.requests * 1e6,
            "gb_per_s": gigabytes / self.seconds,
            "requests_per_s": self.requests / self.seconds,
            "first_byte_p50_ms": percentile(self.first_byte, 0.50) * 1000,
            "first_byte_p99_ms": percentile(self.first_byte, 0.99) * 1000,
            "private_mb_peak": self.peak_memory / 1e6,
            "private_mb_idle": self.idle_memory / 1e6,
            "server_cpu_share": self.cpu / self.seconds,
            "client_cpu_share": self.client_cpu / self.seconds,
            "others_cpu_share": max(0.0, self.others_cpu / self.seconds),
        }


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Watch:
    """Measures what the server uses inside the block. Its memory is sampled ten times per second."""

    def __init__(self, running: Running, cpu: int, figures: Figures) -> None:
        self._running, self._cpu, self._figures = running, cpu, figures
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_memory)

    def __enter__(self) -> None:
        leader = self._running.leader
        self._figures.idle_memory = machine.private_bytes(leader)
        self._before = (time.monotonic(), time.process_time(), machine.busy_seconds(self._cpu))
        self._cpu_before = machine.cpu_seconds(leader)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        figures, (began, client, busy) = self._figures, self._before
        figures.cpu = machine.cpu_seconds(self._running.leader) - self._cpu_before
        figures.seconds = time.monotonic() - began
        figures.client_cpu = time.process_time() - client
        figures.others_cpu = machine.busy_seconds(self._cpu) - busy - figures.cpu

    def _sample_memory(self) -> None:
        while True:
            self._figures.peak_memory = max(
                self._figures.peak_memory, machine.private_bytes(self._running.leader)
            )
            if self._over.wait(MEMORY_EVERY):
                return


def request(running: Running, file: File, field: str = "") -> bytes:
    lines = [f"GET {running.path(file.name)} HTTP/1.1", f"Host: 127.0.0.1:{running.port}"]
    return "\r\n".join([*lines, *([f"Range: {field}"] if field else []), "", ""]).encode()


HEAD = re.compile(rb"HTTP/1\.1 (\d{3})[^\r]*\r\n")
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)\r\n", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection:\s*close\r\n", re.IGNORECASE)


class Connection:
    """One connection and its current request."""

    __slots__ = ("closes", "head", "left", "sent", "sock", "waiting")

    def __init__(self, port: int) -> None:
        self.sock = connect(port)
        self.head = b""
        self.left = 0
        self.sent = 0.0
        self.waiting = True
        self.closes = False

    def send(self, data: bytes) -> None:
        self.head, self.waiting, self.closes = b"", True, False
        self.sent = time.perf_counter()
        self.sock.send(data)


def connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


type Exchange = tuple[bytes, int, int]
"""A request, and the length and status that the response must have."""


def requests_of(scenario: Scenario, running: Running) -> Iterator[Exchange]:
    """Yield the requests of a scenario, forever."""
    if not scenario.length:
        whole = request(running, scenario.file)
        while True:
            yield whole, scenario.file.size, 200
    chance = random.Random(4)
    while True:
        start = chance.randrange(scenario.file.size - scenario.length)
        yield (
            request(running, scenario.file, f"bytes={start}-{start + scenario.length - 1}"),
            scenario.length,
            206,
        )


class Load:
    """A number of connections that make these requests; `run` can be called again."""

    def __init__(self, port: int, connections: int, requests: Iterator[Exchange]) -> None:
        self._port = port
        self._connections = connections
        self._requests = requests
        self._links: dict[int, Connection] = {}
        self._expected: dict[int, tuple[int, int]] = {}

    def run(self, seconds: float, figures: Figures) -> None:
        """Send requests for `seconds`, then wait for the last responses."""
        end = time.perf_counter() + seconds
        with select.epoll() as poll:
            try:
                for _ in range(self._connections):
                    self._open(poll)
                while self._links:
                    events = poll.poll(TIMEOUT)
                    if not events:
                        raise WrongResponseError(f"nothing was received for {TIMEOUT:g} s")
                    for number, _ in events:
                        link = self._links[number]
                        if self._read(link, figures):
                            self._follow(poll, link, last=time.perf_counter() >= end)
            finally:
                for link in self._links.values():
                    link.sock.close()
                self._links.clear()

    def _open(self, poll: select.epoll) -> None:
        link = Connection(self._port)
        self._links[link.sock.fileno()] = link
        poll.register(link.sock.fileno(), select.EPOLLIN)
        self._send_next(link)

    def _follow(self, poll: select.epoll, link: Connection, *, last: bool) -> None:
        """After a response, send the next request on this connection, or on a new one if the server closes this one."""
        if not last and not link.closes:
            self._send_next(link)
            return
        del self._links[link.sock.fileno()]
        link.sock.close()
        if not last:
            self._open(poll)

    def _send_next(self, link: Connection) -> None:
        data, length, status = next(self._requests)
        self._expected[link.sock.fileno()] = (length, status)
        link.send(data)

    def _read(self, link: Connection, figures: Figures) -> bool:
        """Read what has arrived; return whether the response is complete."""
        while True:
            try:
                if link.waiting:
                    data = link.sock.recv(4096)
                    if not data:
                        raise WrongResponseError("the server closed the connection before the response")
                    if not self._head(link, data, figures):
                        continue
                else:
                    size = link.sock.recv_into(SINK, min(link.left, len(SINK)), socket.MSG_TRUNC)
                    if not size:
                        raise WrongResponseError(
                            "the server closed the connection in the middle of the response"
                        )
                    link.left -= size
            except BlockingIOError:
                return False
            if link.left < 0:
                raise WrongResponseError("the response is longer than its Content-Length")
            if not link.waiting and link.left == 0:
                figures.requests += 1
                figures.received += self._expected[link.sock.fileno()][0]
                return True

    def _head(self, link: Connection, data: bytes, figures: Figures) -> bool:
        """Parse the head; return whether some of the body has arrived too."""
        link.head += data
        end = link.head.find(b"\r\n\r\n")
        if end < 0 or len(link.head) == end + 4:
            return False
        figures.first_byte.append(time.perf_counter() - link.sent)
        head = link.head[: end + 2]
        found, length = HEAD.match(head), LENGTH.search(head)
        expected = self._expected[link.sock.fileno()]
        if found is None or length is None or (int(length[1]), int(found[1])) != expected:
            raise WrongResponseError(
                f"expected status {expected[1]} with {expected[0]} bytes: {head[:200]!r}"
            )
        link.closes = bool(CLOSES.search(head))
        link.waiting = False
        link.left = expected[0] - (len(link.head) - end - 4)
        return True


def fetch(port: int, data: bytes) -> tuple[int, int, str, bytes]:
    """Return status, Content-Length, SHA-256 of the body, and Content-Range of a response on a new connection."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock,
        sock.makefile("rb") as source,
    ):
        sock.sendall(data)
        head = b"".join(iter(source.readline, b"\r\n")) + b"\r\n"
        found, length = HEAD.match(head), LENGTH.search(head)
        if found is None or length is None:
            raise WrongResponseError(f"no status or length: {head[:200]!r}")
        size = left = int(length[1])
        digest = hashlib.sha256()
        while left and (part := source.read(min(left, media.MIB))):
            digest.update(part)
            left -= len(part)
    content_range = re.search(rb"\r\ncontent-range:\s*([^\r]+)\r\n", head, re.IGNORECASE)
    return int(found[1]), size, digest.hexdigest(), content_range[1] if content_range else b""


def verify(scenario: Scenario, running: Running, digest_of: Callable[[File, int, int], str]) -> None:
    """Raise `WrongResponseError` unless the status, the length and every byte of one response are right."""
    file, start, end, status, field, content_range = scenario.file, 0, scenario.file.size, 200, "", b""
    if scenario.length:
        start = file.size // 3 + 12_345
        end, status = start + scenario.length, 206
        field, content_range = f"bytes={start}-{end - 1}", f"bytes {start}-{end - 1}/{file.size}".encode()
    got = fetch(running.port, request(running, file, field))
    if got != (status, end - start, digest_of(file, start, end), content_range):
        raise WrongResponseError(
            f"the response to {field or 'the whole file'} has status {got[0]}, {got[1]} bytes, {got[3]!r}"
        )


def measure(scenario: Scenario, running: Running, cpu: int, seconds: float) -> Figures:
    """Warm up, then measure."""
    load = Load(running.port, scenario.connections, requests_of(scenario, running))
    return measure_load(load, running, cpu, seconds)


def measure_load(load: Load, running: Running, cpu: int, seconds: float) -> Figures:
    """Warm up and measure any requests."""
    figures = Figures()
    load.run(min(0.5, seconds / 4), Figures())
    with Watch(running, cpu, figures):
        load.run(seconds, figures)
    return figures
