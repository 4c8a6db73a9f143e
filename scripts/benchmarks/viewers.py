"""The client for paced viewers: thousands of viewers who each play a film, from a random position in a large file.

Each viewer reads `AHEAD` seconds at once, and then reads what is due every `TICK` seconds; the ticks are staggered by
arrival. The receive buffer is small, so the server waits for the viewer and not for memory. Playback starts when
`PREBUFFER` seconds have arrived. A second in which there was nothing to play is a late second; the first two seconds
after arrival do not count.
"""

import contextlib
import errno
import heapq
import math
import os
import random
import select
import socket
import struct
import time
from dataclasses import dataclass, field

from . import machine, media
from .bodies import HEAD, SINK, Figures, Watch, percentile, request
from .media import File
from .servers import Running

TICK = 0.25
PREBUFFER = 2.0
AHEAD = 2.5
GRACE = 2
WINDOW_TICKS = 1.5
WINDOW_ABOUT = "that holds one and a half such parts"
SEGMENT = 8192
"""The largest TCP segment. With the 64 KiB of loopback, the kernel would let a server send megabytes ahead for each
viewer, as no network does. With the size of Ethernet, mostly the handling of the segments would be measured."""

SOURCES = tuple(f"127.0.0.{number}" for number in range(2, 10))
IP_BIND_ADDRESS_NO_PORT = 24


@dataclass(frozen=True, slots=True)
class Scenario:
    """`viewers` at `mbps` who arrive over `arrive` seconds and are then all observed for `hold` seconds."""

    name: str
    title: str
    viewers: int
    mbps: float
    arrive: float
    hold: float = 10.0

    def quick(self) -> "Scenario":
        return Scenario(self.name, f"200 viewers at {self.mbps:g} Mb/s (quick)", 200, self.mbps, 2.0, 4.0)


SCENARIOS = (
    Scenario("viewers-5Mb", "2,000 viewers at 5 Mb/s arriving over 10 s", 2000, 5.0, 10.0),
    Scenario("viewers-1Mb", "5,000 viewers at 1 Mb/s arriving over 20 s", 5000, 1.0, 20.0),
)


@dataclass(slots=True)
class Crowd:
    """The figures of one run."""

    scenario: Scenario
    watched: Figures = field(default_factory=Figures)
    late: int = 0
    late_viewers: int = 0
    lost: int = 0
    refused: int = 0
    unanswered: int = 0
    steady_cpu: float = 0.0
    steady_seconds: float = 0.0
    steady_bytes: int = 0

    def as_dict(self) -> dict[str, float]:
        watched = self.watched
        return {
            "late_seconds": self.late,
            "late_viewers": self.late_viewers,
            "lost": self.lost,
            "refused": self.refused,
            "unanswered": self.unanswered,
            "first_byte_p50_ms": percentile(watched.first_byte, 0.50) * 1000,
            "first_byte_p99_ms": percentile(watched.first_byte, 0.99) * 1000,
            "cpu_share": watched.cpu / watched.seconds,
            "cpu_share_steady": self.steady_cpu / self.steady_seconds,
            "gb_per_s": watched.received / 1e9 / watched.seconds,
            "gb_per_s_steady": self.steady_bytes / 1e9 / self.steady_seconds,
            "private_kb_per_viewer": (watched.peak_memory - watched.idle_memory)
            / 1e3
            / self.scenario.viewers,
            "private_mb_peak": watched.peak_memory / 1e6,
            "client_cpu_share": watched.client_cpu / watched.seconds,
            "others_cpu_share": max(0.0, watched.others_cpu / watched.seconds),
        }


class Viewer:
    """One viewer and its player (as in scripts/stress); `rate` is in bytes per second."""

    __slots__ = (
        "_judged",
        "began",
        "buffered",
        "head",
        "index",
        "late",
        "now",
        "playing",
        "rate",
        "received",
        "sock",
    )

    def __init__(self, index: int, rate: float, now: float) -> None:
        self.index = index
        self.rate = rate
        self.began = self.now = now
        self.received: float = 0  # bytes
        self.buffered = 0.0  # received and not yet played
        self.playing = False
        self.late = 0
        self.head = b""
        self.sock: socket.socket | None = None
        self._judged = GRACE

    def receive(self, now: float, size: float) -> None:
        self.advance(now)
        self.received += size
        self.buffered += size
        self.playing = self.playing or self.buffered >= PREBUFFER * self.rate

    def advance(self, now: float) -> None:
        """Play until `now`, and count the seconds in which there was nothing to play."""
        dry = self.now
        if self.playing:
            dry += self.buffered / self.rate
            self.buffered = max(0.0, self.buffered - (now - self.now) * self.rate)
        self.now = now
        if dry < now:
            first = max(int(dry - self.began), self._judged)
            after = math.ceil(now - self.began)
            self.late += max(0, after - first)
            self._judged = max(self._judged, after)


class ViewerRun:
    """All viewers of one run, in one epoll and one heap of due times."""

    def __init__(self, scenario: Scenario, running: Running, crowd: Crowd, film: File = media.GB4) -> None:
        self._scenario, self._running, self._crowd, self._film = scenario, running, crowd, film
        self._rate = scenario.mbps * 125_000
        self._poll = select.epoll()
        self._viewers: list[Viewer] = []
        self._pending: dict[int, tuple[Viewer, bytes]] = {}
        self._due: list[tuple[float, int]] = []
        self._chance = random.Random(5)
        self._bytes_received = 0

    def run(self, cpu: int) -> None:
        """Let the viewers arrive and watch, count their late seconds, and disconnect them."""
        scenario, crowd = self._scenario, self._crowd
        try:
            with Watch(self._running, cpu, crowd.watched):
                began = time.perf_counter()
                self._until(began + scenario.arrive, began)
                spent, received, steady = (
                    machine.cpu_seconds(self._running.leader),
                    self._bytes_received,
                    time.perf_counter(),
                )
                self._until(began + scenario.arrive + scenario.hold, began)
                crowd.steady_cpu = machine.cpu_seconds(self._running.leader) - spent
                crowd.steady_bytes = self._bytes_received - received
                crowd.steady_seconds = time.perf_counter() - steady
            now = time.perf_counter()
            for viewer in self._viewers:
                viewer.advance(now)
            crowd.watched.received = self._bytes_received
            crowd.late = sum(viewer.late for viewer in self._viewers)
            crowd.late_viewers = sum(viewer.late > 0 for viewer in self._viewers)
            crowd.unanswered = sum(bool(each.sock) and not each.received for each in self._viewers)
        finally:
            for viewer in self._viewers:
                self._drop(viewer)
            self._poll.close()

    def _until(self, end: float, began: float) -> None:
        gap = self._scenario.arrive / self._scenario.viewers
        while (now := time.perf_counter()) < end:
            arrival = began + gap * len(self._viewers)
            if len(self._viewers) < self._scenario.viewers and arrival <= now:
                self._arrive(now)
                continue
            wait = min(end, self._due[0][0] if self._due else end)
            if len(self._viewers) < self._scenario.viewers:
                wait = min(wait, arrival)
            for number, _ in self._poll.poll(max(0.0, wait - time.perf_counter()), 64):
                self._ready(number)
            now = time.perf_counter()
            for _ in range(64):  # then check for arrivals and responses again
                if not self._due or self._due[0][0] > now:
                    break
                due, index = heapq.heappop(self._due)
                if pause := self._read(self._viewers[index]):
                    heapq.heappush(self._due, (max(due + pause, now), index))

    def _arrive(self, now: float) -> None:
        running, longest = self._running, int(self._rate * (self._scenario.arrive + self._scenario.hold + 60))
        start = self._chance.randrange(self._film.size - longest)
        viewer = Viewer(len(self._viewers), self._rate, now)
        sock = viewer.sock = self._connect(int(WINDOW_TICKS * TICK * self._rate))
        self._viewers.append(viewer)
        self._pending[sock.fileno()] = (viewer, request(running, self._film, f"bytes={start}-"))
        self._poll.register(sock.fileno(), select.EPOLLOUT)

    def _connect(self, window: int) -> socket.socket:
        """Start to connect, with a receive buffer of `window` bytes."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((SOURCES[len(self._viewers) % len(SOURCES)], 0))
        code = sock.connect_ex(("127.0.0.1", self._running.port))
        if code not in (0, errno.EINPROGRESS):
            raise machine.BenchError(f"a viewer cannot connect: {os.strerror(code)}")
        return sock

    def _ready(self, number: int) -> None:
        """A connection is established, or a response has begun."""
        viewer, unsent = self._pending[number]
        sock = viewer.sock
        if sock is None:
            return
        try:
            if unsent:
                sock.send(unsent)
                self._pending[number] = (viewer, b"")
                self._poll.modify(number, select.EPOLLIN)
                return
            data = sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        viewer.head += data
        end = viewer.head.find(b"\r\n\r\n")
        if data and (end < 0 or len(viewer.head) == end + 4):
            return
        self._poll.unregister(number)
        del self._pending[number]
        found = HEAD.match(viewer.head)
        if not data or found is None or found[1] != b"206":
            self._crowd.refused += found is not None
            self._lose(viewer)
            return
        now = time.perf_counter()
        self._crowd.watched.first_byte.append(now - viewer.began)
        self._received(viewer, now, len(viewer.head) - end - 4)
        heapq.heappush(self._due, (now, viewer.index))

    def _read(self, viewer: Viewer) -> float:
        """Read what is due and has arrived; return the seconds until more is due, 0 if never."""
        sock, now = viewer.sock, time.perf_counter()
        if sock is None:
            return 0.0
        due = int(self._rate * (now - viewer.began + AHEAD)) - viewer.received
        with contextlib.suppress(BlockingIOError):
            while due > 0:
                try:
                    size = sock.recv_into(SINK, min(due, len(SINK)), socket.MSG_TRUNC)
                except ConnectionError:
                    size = 0
                if not size:
                    self._lose(viewer)
                    return 0.0
                due -= size
                self._received(viewer, now, size)
        return TICK

    def _received(self, viewer: Viewer, now: float, size: int) -> None:
        viewer.receive(now, size)
        self._bytes_received += size

    def _lose(self, viewer: Viewer) -> None:
        self._crowd.lost += 1
        self._drop(viewer)

    def _drop(self, viewer: Viewer) -> None:
        """Reset the connection, so that neither side keeps data that no one will read."""
        if viewer.sock is not None:
            viewer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            viewer.sock.close()
            viewer.sock = None


def measure(scenario: Scenario, running: Running, cpu: int, film: File = media.GB4) -> Crowd:
    crowd = Crowd(scenario)
    ViewerRun(scenario, running, crowd, film).run(cpu)
    return crowd
