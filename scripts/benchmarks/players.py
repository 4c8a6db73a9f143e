"""The client for playheads: thousands of players, each with its own connection, that write their playheads.

It runs in its own process, so its cost counts for nothing else. Each player writes every `PAUSE` seconds. The players
start one after another during the first `PAUSE` seconds, which are not measured; then the measured time begins.
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

from .bodies import CLOSES, HEAD, LENGTH, TIMEOUT, percentile
from .viewers import IP_BIND_ADDRESS_NO_PORT, SOURCES

PAUSE = 10.0

REQUEST = (
    "PUT /api/videos/{id}/playhead HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: keep-alive\r\n"
    "Content-Length: {length}\r\nContent-Type: application/json\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Origin: http://127.0.0.1:{port}\r\nReferer: http://127.0.0.1:{port}/\r\n\r\n{body}"
)


class Player:
    """One player, its connection and its current write."""

    __slots__ = ("id", "position", "response", "sent", "sock")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.sock: socket.socket | None = None
        self.response = b""
        self.sent = 0.0
        self.position = 0.0


class Players:
    """All players, in one epoll and one heap of due times."""

    def __init__(self, port: int, ids: Sequence[str]) -> None:
        self._port = port
        self._players = [Player(id_) for id_ in ids]
        self._by_socket: dict[int, Player] = {}
        self._poll = select.epoll()
        self.seconds: list[float] = []
        self.errors: Counter[str] = Counter()
        self.late = 0.0

    def run(self, seconds: float) -> None:
        """Start all players, then measure for `seconds`; print `steady` and `over` where that time begins and ends."""
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
        self.errors.update("no response" for player in self._players if player.sent)

    def _write(self, player: Player) -> None:
        if player.sent:
            self.errors["no response before the next write"] += 1
            return
        if player.sock is None:
            player.sock = self._connect()
            self._by_socket[player.sock.fileno()] = player
            self._poll.register(player.sock.fileno(), select.EPOLLIN)
        body = json.dumps({"position": round(player.position, 3), "duration": 5400.0})
        player.position += PAUSE
        player.response, player.sent = b"", time.perf_counter()
        player.sock.send(REQUEST.format(id=player.id, port=self._port, length=len(body), body=body).encode())

    def _connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((SOURCES[len(self._by_socket) % len(SOURCES)], 0))
        sock.settimeout(TIMEOUT)
        sock.connect(("127.0.0.1", self._port))
        return sock

    def _read(self, player: Player) -> None:
        assert player.sock is not None
        try:
            data = player.sock.recv(65_536)
        except ConnectionError:
            data = b""
        player.response += data
        end = player.response.find(b"\r\n\r\n")
        head = player.response[: end + 2]
        if data:
            length = LENGTH.search(head)
            if end < 0 or length is None or len(player.response) < end + 4 + int(length[1]):
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
    """Take port and seconds as arguments and ids from the standard input; the last line printed is the result."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    players = Players(port, sys.stdin.read().split())
    players.run(seconds)
    print(json.dumps(players.as_dict()), flush=True)


if __name__ == "__main__":
    main()
