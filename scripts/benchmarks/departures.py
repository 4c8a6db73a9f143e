"""Clients that leave: how soon the stream, the map, the descriptors and the tasks of each are gone.

A client is watched by the very entries in /proc that are its own, which takes microseconds and nothing from the
server. Numbers of descriptors are used again, but where they point is compared; the same address is never another's
map, because no two files have the same length.
"""

import contextlib
import json
import math
import os
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from . import machine, media
from .bodies import SINK, percentile
from .machine import BenchError
from .media import File
from .outside import BIG, PATIENCE, WINDOW, Outside, ask, crowd, lasted, leave, until

ALIVE, RATE = 100, 50.0  # clients at a time, and how many leave in a second
READ_EVERY = 0.004  # one of them takes up to a WINDOW: some 5 Mb/s each
IN_TURN = 200  # clients whose tasks are counted
OWN = [File(f"{number:03}.mp4", 32 * media.MIB + number * 4096) for number in range(ALIVE + 20)]
KINDS = ("all", "bytes unread (reset)", "orderly (FIN)")
THINGS = ("stream", "map", "file", "socket")  # in the order in which they go

type Trace = tuple[str, str, str]
"""What it is, an entry in /proc, and where that points (maps are told by their names)."""


def there(trace: Trace) -> bool:
    _, path, target = trace
    try:
        return os.readlink(path) == target if target else bool(os.lstat(path))
    except FileNotFoundError:
        return False


@dataclass(slots=True, eq=False)
class Client:
    """One that comes, reads and leaves."""

    file: File
    sock: socket.socket
    orderly: bool
    traces: list[Trace] = field(default_factory=list)
    closed: float = 0.0
    closed_at: float = 0.0  # the same by the clock of logs
    seconds: dict[str, float] = field(default_factory=dict)

    def leave(self) -> None:
        self.closed = leave(self.sock, orderly=self.orderly)
        self.closed_at = time.time() - (time.perf_counter() - self.closed)

    def is_gone(self) -> bool:
        """Look what is left, and note when the rest was seen to be gone."""
        late = time.perf_counter() - self.closed > PATIENCE
        for trace in [each for each in self.traces if late or not there(each)]:
            self.traces.remove(trace)
            self.seconds[trace[0]] = time.perf_counter() - self.closed
        return not self.traces


class House:
    """Clients that come, read, and leave at random moments, each with a file that nobody else has then.

    Every file has to be `mapped`, where that is said.
    """

    def __init__(self, outside: Outside, clients: int, *, mapped: bool) -> None:
        self._outside, self._to_come, self._mapped = outside, clients, mapped
        self._files, self._chance = deque(OWN), random.Random(6)
        self._sockets = set(outside.descriptors())
        self._coming: Client | None = None
        self._here: list[Client] = []
        self.between_looks: list[float] = []

    def run(self) -> list[Client]:
        """All of them, in the order in which they were gone."""
        next_read, next_close, now = 0.0, math.inf, time.perf_counter()
        leaving: list[Client] = []
        left: list[Client] = []
        while self._to_come or self._coming or self._here or leaving:
            earlier, now = now, time.perf_counter()
            if leaving:
                self.between_looks.append(now - earlier)
            if now >= next_close and self._here:
                next_close += self._chance.expovariate(RATE)
                leaving.append(self._here.pop(self._chance.randrange(len(self._here))))
                leaving[-1].leave()
            if now >= next_read and self._here:
                next_read = max(now, next_read + READ_EVERY)
                with contextlib.suppress(BlockingIOError):
                    self._chance.choice(self._here).sock.recv_into(SINK, WINDOW, socket.MSG_TRUNC)
            gone = [client for client in leaving if client.is_gone()]
            leaving = [client for client in leaving if client not in gone]
            left += gone
            self._files.extend(client.file for client in gone)
            if not leaving:  # what takes longer may not delay a look
                self._let_in()
                if math.isinf(next_close) and (len(self._here) == ALIVE or not self._to_come):
                    next_close = now
            time.sleep(0.0001)
        return left

    def _let_in(self) -> None:
        """One after the other: the socket that is new belongs to who came."""
        if self._coming is None:
            if self._to_come and len(self._here) < ALIVE:
                self._to_come -= 1
                file = self._files.popleft()
                sock = ask(self._outside.running, file, WINDOW)
                sock.setblocking(False)
                self._coming = Client(file, sock, orderly=self._to_come % 2 == 0)
            return
        with contextlib.suppress(BlockingIOError):
            head, _, body = self._coming.sock.recv(4096, socket.MSG_PEEK).partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError("a client was not let in")
            if body:  # the file is open now, and mapped if it is to be
                self._coming.traces = self._traces(self._coming.file)
                self._here.append(self._coming)
                self._coming = None

    def _traces(self, file: File) -> list[Trace]:
        proc, path = self._outside.proc, f"{self._outside.folder}/{file.name}"
        found = self._outside.descriptors()
        traces = [
            ("socket", each, link)
            for link in found
            if link.startswith("socket:") and link not in self._sockets
            for each in found[link]
        ]
        traces += [("file", each, path) for each in found.get(path, [])]
        with open(f"{proc}/maps", encoding="latin-1") as lines:
            places = [line.split(" ", 1)[0] for line in lines if line.endswith(f"{path}\n")]
        traces += [("map", f"{proc}/map_files/{place}", "") for place in places]
        kinds = Counter(trace[0] for trace in traces)
        whole = kinds["socket"] == 1 and kinds["file"] and self._mapped <= kinds["map"] <= 1
        if not whole or not all(map(there, traces)):
            raise BenchError(f"what belongs to a client cannot be told: {traces}")
        self._sockets = set(found)
        return traces


def learn_ends(log: Path, clients: Sequence[Client]) -> dict[str, int]:
    """Note when the streams of `clients` ended, from the server's log; how they ended, and how many."""
    ends: dict[str, deque[dict[str, str]]] = {file.name: deque() for file in (BIG, *OWN)}
    for line in log.read_text("utf-8").splitlines():
        if line.startswith("{") and (event := json.loads(line))["event"] == "stream ended":
            ends[event["name"]].append(event)
    endings: Counter[str] = Counter()
    for client in clients:  # those of a file in the order in which they had it
        event = ends[client.file.name].popleft()
        endings[event["ended"]] += 1
        client.seconds["stream"] = datetime.fromisoformat(event["timestamp"]).timestamp() - client.closed_at
    return dict(endings)


def tasks_in_turn(outside: Outside) -> list[float]:
    """Seconds until the tasks of a client are gone, one at a time beside clients that stand still."""
    seconds = []
    with crowd(outside, ALIVE):
        until(lambda: outside.streams() == ALIVE, f"{ALIVE} streams")
        before = outside.metrics()["tasks"]
        for number in range(IN_TURN):
            sock = ask(outside.running, BIG, WINDOW)
            sock.recv(4096)
            if outside.metrics()["tasks"] <= before:
                raise BenchError("a client without tasks")
            closed = leave(sock, orderly=number % 2 == 0)
            lasted(lambda: outside.metrics()["tasks"] <= before, pause=0)
            seconds.append(time.perf_counter() - closed)
    return seconds


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds; nothing of nothing."""
    values = [value * 1000 for value in seconds]
    if not values:
        return {}
    found = {"p50_ms": percentile(values, 0.5), "p99_ms": percentile(values, 0.99), "max_ms": max(values)}
    return {name: round(value, 2) for name, value in found.items()}


def measure(outside: Outside, count: int, cpu: int, *, mapped: bool) -> dict[str, Any]:
    outside.hang_up()  # no connection but theirs
    leader, began = outside.running.leader, time.perf_counter()
    spent, busy = machine.cpu_seconds(leader), machine.busy_seconds(cpu)
    house = House(outside, count, mapped=mapped)
    clients = house.run()
    seconds, spent = time.perf_counter() - began, machine.cpu_seconds(leader) - spent
    busy = machine.busy_seconds(cpu) - busy
    rest = lasted(outside.empty)
    found: dict[str, Any] = {"endings": learn_ends(outside.running.log, clients), "rest_seconds": rest}
    found["between_looks"] = spread(house.between_looks)
    found |= {"server_cpu_share": spent / seconds, "others_cpu_share": max(0.0, busy - spent) / seconds}
    for kind, chosen in (
        (KINDS[0], clients),
        (KINDS[1], [client for client in clients if not client.orderly]),
        (KINDS[2], [client for client in clients if client.orderly]),
    ):
        seen = {thing: [each.seconds[thing] for each in chosen if thing in each.seconds] for thing in THINGS}
        found[kind] = {thing: spread(values) for thing, values in seen.items()}
        found[kind]["everything"] = spread([max(client.seconds.values()) for client in chosen])
    return found | {"tasks": spread(tasks_in_turn(outside))}
