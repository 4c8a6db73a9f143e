"""The client for viewers of HLS: hundreds who play one film each, pictures and sound apart.

A viewer asks for the playlists and the init segments, and then for segments from a random place on, pictures over
one connection and sound over another, each as fast as a line of `LINE` lets it, until `AHEAD` seconds are there. A
segment counts when all of it is in, and what there is to be played is what both tracks have. When a second is late is
what it is for those who watch the file itself (see viewers.py).
"""

import heapq
import select
import socket
import struct
import time
from collections.abc import Iterator
from itertools import chain

from .bodies import HEAD, LENGTH, SINK
from .hls import Packaged, Piece, asking
from .servers import Running
from .viewers import TICK, Crowd, House, Scenario, Viewer

LINE = 30.0  # Mb/s
AHEAD = 12.0  # seconds; with fewer in hand the next segment is asked for
BUSY_TICK = 0.01  # while something is under way
WINDOW = 0.05  # seconds of the line that the receive buffer holds


class Fetching:
    """One track of a viewer, and the connection over which it comes."""

    __slots__ = ("asked_at", "have", "head", "left", "piece", "pieces", "sock", "waiting")

    def __init__(self, sock: socket.socket, pieces: Iterator[Piece]) -> None:
        self.sock = sock
        self.pieces = pieces
        self.piece: Piece | None = None
        self.have = 0.0  # seconds
        self.left = 0
        self.head = b""
        self.waiting = True  # for the connection, or for the head of an answer
        self.asked_at = 0.0


class Spectator(Viewer):
    """A viewer whose `rate` is 1: what is received are seconds."""

    __slots__ = ("allowance", "fetches", "looked")

    def __init__(self, index: int, now: float) -> None:
        super().__init__(index, 1.0, now)
        self.fetches: list[Fetching] = []
        self.allowance = 0.0  # bytes that the line may bring
        self.looked = now

    def wants(self, fetching: Fetching) -> bool:
        """Whether the next segment is asked for."""
        return fetching.have - (self.received - self.buffered) < AHEAD


class Screening(House):
    """All viewers of one film as HLS."""

    def __init__(self, scenario: Scenario, running: Running, crowd: Crowd, film: Packaged) -> None:
        super().__init__(scenario, running, crowd)
        self._packaged = film
        self._line = LINE * 125_000
        self._links: dict[int, tuple[Spectator, Fetching]] = {}
        self._requests: dict[str, bytes] = {}
        self._longest = int(
            (scenario.arrive + scenario.hold + 4 * AHEAD) / 2
        )  # segments, more than are needed

    def _arrive(self, now: float) -> None:
        film, viewer = self._packaged, Spectator(len(self._viewers), now)
        self._viewers.append(viewer)
        begin = self._chance.randrange(2, len(film.pictures.segments) - self._longest)
        for track in (film.sound, film.pictures):
            sock = self._connect(int(WINDOW * self._line))
            fetching = Fetching(sock, chain(track.lead, track.segments[begin:]))
            viewer.fetches.append(fetching)
            viewer.sock = sock  # one of them, for whoever asks whether it is still there
            self._links[sock.fileno()] = viewer, fetching
            self._poll.register(sock.fileno(), select.EPOLLOUT)
        heapq.heappush(self._due, (now, viewer.index))

    def _ready(self, number: int) -> None:
        """A connection stands, or an answer has begun."""
        viewer, fetching = self._links[number]
        if viewer.sock is None:
            return
        if fetching.piece is None:
            self._poll.unregister(number)
            self._ask(viewer, fetching)
            return
        try:
            data = fetching.sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        fetching.head += data
        end = fetching.head.find(b"\r\n\r\n")
        if data and (end < 0 or len(fetching.head) == end + 4):
            return
        self._poll.unregister(number)
        found, length = HEAD.match(fetching.head), LENGTH.search(fetching.head)
        if not data or found is None or found[1] != b"200" or length is None:
            self._crowd.refused += found is not None
            self._lose(viewer)
            return
        now = time.perf_counter()
        self._crowd.watched.first_byte.append(now - fetching.asked_at)
        fetching.waiting = False
        fetching.left = int(length[1])
        self._took(viewer, fetching, len(fetching.head) - end - 4)

    def _ask(self, viewer: Spectator, fetching: Fetching) -> None:
        """Ask for the next piece, if there is one."""
        fetching.piece = piece = next(fetching.pieces, None)
        if piece is None:
            return
        request = self._requests.get(piece.path)
        if request is None:
            request = self._requests[piece.path] = asking(self._running, piece.path)
        fetching.head, fetching.waiting, fetching.asked_at = b"", True, time.perf_counter()
        try:
            fetching.sock.send(request)
        except OSError:
            self._lose(viewer)
            return
        self._poll.register(fetching.sock.fileno(), select.EPOLLIN)

    def _took(self, viewer: Spectator, fetching: Fetching, size: int) -> None:
        """Count bytes of a body; a piece that is whole is there to be played, and the next one is asked for."""
        fetching.left -= size
        viewer.allowance -= size
        self._taken += size
        if fetching.left or fetching.piece is None:
            return
        fetching.have += fetching.piece.seconds
        there = min(each.have for each in viewer.fetches)
        if there > viewer.received:
            viewer.receive(time.perf_counter(), there - viewer.received)
        if viewer.wants(fetching):
            self._ask(viewer, fetching)

    def _take(self, viewer: Viewer) -> float:
        """Take what the line has brought, and ask for what is wanted."""
        assert isinstance(viewer, Spectator)
        if viewer.sock is None:
            return 0.0
        now = time.perf_counter()
        viewer.advance(now)
        brought = viewer.allowance + self._line * (now - viewer.looked)
        viewer.allowance, viewer.looked = min(brought, self._line * TICK), now
        for fetching in sorted(viewer.fetches, key=lambda each: each.have):  # what is missing first
            if not fetching.waiting and not fetching.left and viewer.wants(fetching):
                self._ask(viewer, fetching)
            while not fetching.waiting and fetching.left and viewer.allowance >= 1:
                most = min(fetching.left, int(viewer.allowance), len(SINK))
                try:
                    size = fetching.sock.recv_into(SINK, most, socket.MSG_TRUNC)
                except BlockingIOError:
                    break
                except OSError:
                    size = 0
                if not size:
                    self._lose(viewer)
                    return 0.0
                self._took(viewer, fetching, size)
        return BUSY_TICK if any(each.left or each.waiting for each in viewer.fetches) else TICK

    def _drop(self, viewer: Viewer) -> None:
        assert isinstance(viewer, Spectator)
        for fetching in viewer.fetches:
            fetching.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            fetching.sock.close()
        viewer.fetches, viewer.sock = [], None


def measure(scenario: Scenario, running: Running, cpu: int, film: Packaged) -> Crowd:
    """Let so many viewers watch the film as HLS."""
    crowd = Crowd(scenario)
    Screening(scenario, running, crowd, film).run(cpu)
    return crowd
