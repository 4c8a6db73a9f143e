"""Clients that leave: how soon their streams, maps, descriptors and tasks are gone.

Each client is observed through its own entries in /proc, which takes microseconds and costs the server nothing.
Descriptor numbers are reused, so their targets are compared. Two maps never have the same addresses, because no two
files have the same length.
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
from .observed import (
    BIG,
    TIMEOUT,
    WINDOW,
    ObservedServer,
    crowd,
    leave,
    request_file,
    seconds_until,
    wait_until,
)

ALIVE, RATE = 100, 50.0  # clients at a time, and how many leave per second
READ_EVERY = 0.004  # seconds; one client reads up to a WINDOW each time, about 5 Mb/s per client
TASK_CLIENTS = 200  # clients whose tasks are counted
OWN = [File(f"{number:03}.mp4", 32 * media.MIB + number * 4096) for number in range(ALIVE + 20)]
KINDS = ("all", "bytes unread (reset)", "orderly (FIN)")
THINGS = ("stream", "map", "file", "socket")  # in the order in which they are released

type Trace = tuple[str, str, str]
"""A kind of thing, its entry in /proc, and its target (empty for maps, whose names are their addresses)."""


def exists(trace: Trace) -> bool:
    _, path, target = trace
    try:
        return os.readlink(path) == target if target else bool(os.lstat(path))
    except FileNotFoundError:
        return False


@dataclass(slots=True, eq=False)
class Client:
    """A client that connects, reads and leaves."""

    file: File
    sock: socket.socket
    orderly: bool
    traces: list[Trace] = field(default_factory=list)
    closed: float = 0.0
    closed_at: float = 0.0  # the same time by the clock of the log
    seconds: dict[str, float] = field(default_factory=dict)

    def leave(self) -> None:
        self.closed = leave(self.sock, orderly=self.orderly)
        self.closed_at = time.time() - (time.perf_counter() - self.closed)

    def is_gone(self) -> bool:
        """Check what is left of it, and record when the rest was first missing."""
        late = time.perf_counter() - self.closed > TIMEOUT
        for trace in [each for each in self.traces if late or not exists(each)]:
            self.traces.remove(trace)
            self.seconds[trace[0]] = time.perf_counter() - self.closed
        return not self.traces


class Departures:
    """Clients that connect, read, and leave at random times. Each has a file that no other client has at that time.

    With `mapped`, every file must be mapped.
    """

    def __init__(self, server: ObservedServer, clients: int, *, mapped: bool) -> None:
        self._server, self._to_come, self._mapped = server, clients, mapped
        self._files, self._chance = deque(OWN), random.Random(6)
        self._sockets = set(server.descriptors())
        self._coming: Client | None = None
        self._here: list[Client] = []
        self.between_checks: list[float] = []

    def run(self) -> list[Client]:
        """Return all clients, in the order in which they were gone."""
        next_read, next_close, now = 0.0, math.inf, time.perf_counter()
        leaving: list[Client] = []
        left: list[Client] = []
        while self._to_come or self._coming or self._here or leaving:
            earlier, now = now, time.perf_counter()
            if leaving:
                self.between_checks.append(now - earlier)
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
            if not leaving:  # letting a client in takes longer, and must not delay a check
                self._let_in()
                if math.isinf(next_close) and (len(self._here) == ALIVE or not self._to_come):
                    next_close = now
            time.sleep(0.0001)
        return left

    def _let_in(self) -> None:
        """Let clients in one at a time, so that the new socket of the server is that of the new client."""
        if self._coming is None:
            if self._to_come and len(self._here) < ALIVE:
                self._to_come -= 1
                file = self._files.popleft()
                sock = request_file(self._server.running, file, WINDOW)
                sock.setblocking(False)
                self._coming = Client(file, sock, orderly=self._to_come % 2 == 0)
            return
        with contextlib.suppress(BlockingIOError):
            head, _, body = self._coming.sock.recv(4096, socket.MSG_PEEK).partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError("a client was not let in")
            if body:  # now the file is open, and mapped if the server maps it
                self._coming.traces = self._traces(self._coming.file)
                self._here.append(self._coming)
                self._coming = None

    def _traces(self, file: File) -> list[Trace]:
        proc, path = self._server.proc, f"{self._server.folder}/{file.name}"
        found = self._server.descriptors()
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
        if not whole or not all(map(exists, traces)):
            raise BenchError(f"the entries of a client are not complete: {traces}")
        self._sockets = set(found)
        return traces


def record_ends(log: Path, clients: Sequence[Client]) -> dict[str, int]:
    """Record when the streams of `clients` ended, from the server's log; return how many ended in which way."""
    ends: dict[str, deque[dict[str, str]]] = {file.name: deque() for file in (BIG, *OWN)}
    for line in log.read_text("utf-8").splitlines():
        if line.startswith("{") and (event := json.loads(line))["event"] == "stream ended":
            ends[event["name"]].append(event)
    endings: Counter[str] = Counter()
    for client in clients:  # the events of a file are in the order of the clients that had it
        event = ends[client.file.name].popleft()
        endings[event["ended"]] += 1
        client.seconds["stream"] = datetime.fromisoformat(event["timestamp"]).timestamp() - client.closed_at
    return dict(endings)


def task_seconds(server: ObservedServer) -> list[float]:
    """Seconds until the tasks of each client are gone; clients leave one at a time, next to stalled ones."""
    seconds = []
    with crowd(server, ALIVE):
        wait_until(lambda: server.streams() == ALIVE, f"{ALIVE} streams")
        before = server.metrics()["tasks"]
        for number in range(TASK_CLIENTS):
            sock = request_file(server.running, BIG, WINDOW)
            sock.recv(4096)
            if server.metrics()["tasks"] <= before:
                raise BenchError("a client without tasks")
            closed = leave(sock, orderly=number % 2 == 0)
            seconds_until(lambda: server.metrics()["tasks"] <= before, pause=0)
            seconds.append(time.perf_counter() - closed)
    return seconds


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles in milliseconds; empty without any values."""
    values = [value * 1000 for value in seconds]
    if not values:
        return {}
    found = {"p50_ms": percentile(values, 0.5), "p99_ms": percentile(values, 0.99), "max_ms": max(values)}
    return {name: round(value, 2) for name, value in found.items()}


def measure(server: ObservedServer, count: int, cpu: int, *, mapped: bool) -> dict[str, Any]:
    server.hang_up()  # so that the only connections are those of the clients
    leader, began = server.running.leader, time.perf_counter()
    spent, busy = machine.cpu_seconds(leader), machine.busy_seconds(cpu)
    departures = Departures(server, count, mapped=mapped)
    clients = departures.run()
    seconds, spent = time.perf_counter() - began, machine.cpu_seconds(leader) - spent
    busy = machine.busy_seconds(cpu) - busy
    rest = seconds_until(server.is_empty)
    found: dict[str, Any] = {"endings": record_ends(server.running.log, clients), "rest_seconds": rest}
    found["between_looks"] = spread(departures.between_checks)
    found |= {"server_cpu_share": spent / seconds, "others_cpu_share": max(0.0, busy - spent) / seconds}
    for kind, chosen in (
        (KINDS[0], clients),
        (KINDS[1], [client for client in clients if not client.orderly]),
        (KINDS[2], [client for client in clients if client.orderly]),
    ):
        seconds_by_thing = {
            thing: [each.seconds[thing] for each in chosen if thing in each.seconds] for thing in THINGS
        }
        found[kind] = {thing: spread(values) for thing, values in seconds_by_thing.items()}
        found[kind]["everything"] = spread([max(client.seconds.values()) for client in chosen])
    return found | {"tasks": spread(task_seconds(server))}
