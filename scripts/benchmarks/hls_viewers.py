"""The client for viewers of HLS: hundreds of viewers who each play a film, video and audio separately.

A viewer requests the playlists and the init segments, and then segments from a random position on. Video uses one
connection and audio another, at up to `LINE` Mb/s, until `AHEAD` seconds are buffered. A segment counts when it is
complete, and only what both tracks have can be played. Late seconds are counted as for viewers of the file itself (see
viewers.py).
"""

import heapq
import select
import socket
import struct
import time
from collections.abc import Iterator
from itertools import chain

from .bodies import HEAD, LENGTH, SINK
from .hls import HlsFilm, Resource, request_for
from .servers import Running
from .viewers import TICK, Crowd, Scenario, Viewer, ViewerRun

LINE = 30.0  # Mb/s
AHEAD = 12.0  # seconds; with less in the buffer, the next segment is requested
BUSY_TICK = 0.01  # seconds, while a response is being received
WINDOW = 0.05  # seconds of data, at `LINE` Mb/s, that the receive buffer holds


class Download:
    """One track of a viewer, and its connection."""

    __slots__ = ("have", "head", "left", "requested_at", "resource", "resources", "sock", "waiting")

    def __init__(self, sock: socket.socket, resources: Iterator[Resource]) -> None:
        self.sock = sock
        self.resources = resources
        self.resource: Resource | None = None
        self.have = 0.0  # seconds
        self.left = 0
        self.head = b""
        self.waiting = True  # for the connection, or for the head of a response
        self.requested_at = 0.0


class HlsViewer(Viewer):
    """A viewer whose `rate` is 1, so what it receives counts in seconds."""

    __slots__ = ("allowance", "downloads", "read_at")

    def __init__(self, index: int, now: float) -> None:
        super().__init__(index, 1.0, now)
        self.downloads: list[Download] = []
        self.allowance = 0.0  # bytes that it may read now
        self.read_at = now

    def wants(self, download: Download) -> bool:
        """Whether the next segment should be requested."""
        return download.have - (self.received - self.buffered) < AHEAD


class HlsViewerRun(ViewerRun):
    """All viewers of one film as HLS."""

    def __init__(self, scenario: Scenario, running: Running, crowd: Crowd, film: HlsFilm) -> None:
        super().__init__(scenario, running, crowd)
        self._hls_film = film
        self._line = LINE * 125_000
        self._links: dict[int, tuple[HlsViewer, Download]] = {}
        self._requests: dict[str, bytes] = {}
        self._longest = int(
            (scenario.arrive + scenario.hold + 4 * AHEAD) / 2
        )  # in segments, more than needed

    def _arrive(self, now: float) -> None:
        film, viewer = self._hls_film, HlsViewer(len(self._viewers), now)
        self._viewers.append(viewer)
        begin = self._chance.randrange(2, len(film.video.segments) - self._longest)
        for track in (film.audio, film.video):
            sock = self._connect(int(WINDOW * self._line))
            download = Download(sock, chain(track.lead, track.segments[begin:]))
            viewer.downloads.append(download)
            viewer.sock = sock  # either one, so that the viewer counts as connected
            self._links[sock.fileno()] = viewer, download
            self._poll.register(sock.fileno(), select.EPOLLOUT)
        heapq.heappush(self._due, (now, viewer.index))

    def _ready(self, number: int) -> None:
        """A connection is established, or a response has begun."""
        viewer, download = self._links[number]
        if viewer.sock is None:
            return
        if download.resource is None:
            self._poll.unregister(number)
            self._request_next(viewer, download)
            return
        try:
            data = download.sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        download.head += data
        end = download.head.find(b"\r\n\r\n")
        if data and (end < 0 or len(download.head) == end + 4):
            return
        self._poll.unregister(number)
        found, length = HEAD.match(download.head), LENGTH.search(download.head)
        if not data or found is None or found[1] != b"200" or length is None:
            self._crowd.refused += found is not None
            self._lose(viewer)
            return
        now = time.perf_counter()
        self._crowd.watched.first_byte.append(now - download.requested_at)
        download.waiting = False
        download.left = int(length[1])
        self._count(viewer, download, len(download.head) - end - 4)

    def _request_next(self, viewer: HlsViewer, download: Download) -> None:
        """Request the next resource, if there is one."""
        download.resource = resource = next(download.resources, None)
        if resource is None:
            return
        request = self._requests.get(resource.path)
        if request is None:
            request = self._requests[resource.path] = request_for(self._running, resource.path)
        download.head, download.waiting, download.requested_at = b"", True, time.perf_counter()
        try:
            download.sock.send(request)
        except OSError:
            self._lose(viewer)
            return
        self._poll.register(download.sock.fileno(), select.EPOLLIN)

    def _count(self, viewer: HlsViewer, download: Download, size: int) -> None:
        """Count bytes of a body. When it is complete, it can be played, and the next one is requested."""
        download.left -= size
        viewer.allowance -= size
        self._bytes_received += size
        if download.left or download.resource is None:
            return
        download.have += download.resource.seconds
        playable = min(each.have for each in viewer.downloads)
        if playable > viewer.received:
            viewer.receive(time.perf_counter(), playable - viewer.received)
        if viewer.wants(download):
            self._request_next(viewer, download)

    def _read(self, viewer: Viewer) -> float:
        """Read what `LINE` allows, and request what is due."""
        assert isinstance(viewer, HlsViewer)
        if viewer.sock is None:
            return 0.0
        now = time.perf_counter()
        viewer.advance(now)
        allowed = viewer.allowance + self._line * (now - viewer.read_at)
        viewer.allowance, viewer.read_at = min(allowed, self._line * TICK), now
        # The track with the shorter buffer comes first.
        for download in sorted(viewer.downloads, key=lambda each: each.have):
            if not download.waiting and not download.left and viewer.wants(download):
                self._request_next(viewer, download)
            while not download.waiting and download.left and viewer.allowance >= 1:
                most = min(download.left, int(viewer.allowance), len(SINK))
                try:
                    size = download.sock.recv_into(SINK, most, socket.MSG_TRUNC)
                except BlockingIOError:
                    break
                except OSError:
                    size = 0
                if not size:
                    self._lose(viewer)
                    return 0.0
                self._count(viewer, download, size)
        return BUSY_TICK if any(each.left or each.waiting for each in viewer.downloads) else TICK

    def _drop(self, viewer: Viewer) -> None:
        assert isinstance(viewer, HlsViewer)
        for download in viewer.downloads:
            download.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            download.sock.close()
        viewer.downloads, viewer.sock = [], None


def measure(scenario: Scenario, running: Running, cpu: int, film: HlsFilm) -> Crowd:
    """Let the viewers of the scenario watch the film as HLS."""
    crowd = Crowd(scenario)
    HlsViewerRun(scenario, running, crowd, film).run(cpu)
    return crowd
