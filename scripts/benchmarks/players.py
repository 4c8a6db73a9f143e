"""The client for playheads: thousands who each write where they are, now and then, over a connection each.

It is a process of its own, so that what it costs is nobody's but its own. `PAUSE` seconds lie between two writes of a
player; they begin one after another over one such pause, which is not measured, and go on for the time that is.
"""

import heapq
import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from .bodies import CLOSES, HEAD, LENGTH, PATIENCE, percentile
from .viewers import IP_BIND_ADDRESS_NO_PORT, SOURCES

PAUSE = 10.0

ASK = (
    "PUT /api/videos/{id}/playhead HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n"
    "Content-Length: {length}\r\nContent-Type: application/json\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Origin: http://127.0.0.1:{port}\r\nReferer: http://127.0.0.1:{port}/\r\n\r\n{body}"
)


class Player:
    """One player, its connection and the write that is under way."""

    __slots__ = ("answer", "id", "position", "sent", "sock")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.sock: socket.socket | None = None
        self.answer = b""
        self.sent = 0.0
        self.position = 0.0


class Players:
    """All of them, in one epoll and one heap of what is due."""

    def __init__(self, port: int, ids: Sequence[str]) -> None:
        self._port = port
        self._players = [Player(id_) for id_ in ids]
        self._by_socket: dict[int, Player] = {}
        self._poll = select.epoll()
        self.seconds: list[float] = []
        self.errors: Counter[str] = Counter()
        self.late = 0.0

    def run(self, seconds: float) -> None:
        """Begin, say so, and go on; says `steady` and `over` on the standard output."""
        began = time.perf_counter()
        gap = PAUSE / len(self._players)
        due = [(began + number * gap, number) for number in range(len(self._players))]
        for stage, end in (("steady", began + PAUSE), ("over", began + PAUSE + seconds)):
            while (now := time.perf_counter()) < end:
                while due[0][0] <= now:
                    at, number = due[0]
                    self.late = max(self.late, now - at)
                    self._write(self._players[number])
                    heapq.heapreplace(due, (at + PAUSE, number))
                for number, _ in self._poll.poll(max(0.0, min(due[0][0], end) - time.perf_counter()), 256):
                    self._read(self._by_socket[number])
            if stage == "steady":
                self.seconds.clear()
                self.errors.clear()
                self.late = 0.0
            print(stage, flush=True)
        while any(player.sent for player in self._players) and time.perf_counter() < end + PAUSE:
            for number, _ in self._poll.poll(0.1, 256):
                self._read(self._by_socket[number])
        self.errors.update("no answer" for player in self._players if player.sent)

    def _write(self, player: Player) -> None:
        if player.sent:
            self.errors["no answer before the next write"] += 1
            return
        if player.sock is None:
            player.sock = self._connect()
            self._by_socket[player.sock.fileno()] = player
            self._poll.register(player.sock.fileno(), select.EPOLLIN)
        body = json.dumps({"position": round(player.position, 3), "duration": 5400.0})
        player.position += PAUSE
        player.answer, player.sent = b"", time.perf_counter()
        player.sock.send(ASK.format(id=player.id, port=self._port, length=len(body), body=body).encode())

    def _connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((SOURCES[len(self._by_socket) % len(SOURCES)], 0))
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self._port))
        return sock

    def _read(self, player: Player) -> None:
        assert player.sock is not None
        try:
            data = player.sock.recv(65_536)
        except ConnectionError:
            data = b""
        player.answer += data
        end = player.answer.find(b"\r\n\r\n")
        head = player.answer[: end + 2]
        if data:
            length = LENGTH.search(head)
            if end < 0 or length is None or len(player.answer) < end + 4 + int(length[1]):
                return
        found = HEAD.match(head)
        if not data or found is None:
            self.errors["closed"] += bool(player.sent)
        elif found[1] != b"200":
            self.errors[f"status {found[1].decode()}"] += 1
        else:
            self.seconds.append(time.perf_counter() - player.sent)
        player.sent = 0.0
        if not data or CLOSES.search(head):
            del self._by_socket[player.sock.fileno()]
            player.sock.close()
            player.sock = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "writes": len(self.seconds),
            "errors": dict(self.errors),
            "p50_ms": percentile(self.seconds, 0.50) * 1000,
            "p99_ms": percentile(self.seconds, 0.99) * 1000,
            "max_ms": max(self.seconds, default=0.0) * 1000,
            "late_ms": self.late * 1000,
        }


def main() -> None:
    """The port and the seconds are arguments, the ids come on the standard input; the last line is the result."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    players = Players(port, sys.stdin.read().split())
    players.run(seconds)
    print(json.dumps(players.as_dict()), flush=True)


if __name__ == "__main__":
    main()
