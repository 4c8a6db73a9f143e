"""`scripts/bench promises`: the cost of clients that read nothing, and response times while a cold disk is read."""

import argparse
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import machine, media, report, servers
from .bodies import percentile
from .bounds import Bound, about_machine, filled, own_versions, table, write
from .media import File
from .observed import wait_until
from .servers import Running

GIB = 1 << 30
SMALL, LARGE, COLD = File("small.mp4", 32 * media.MIB), File("large.mp4", 4 * GIB), File("cold.mp4", GIB)
FIRST, CLIENTS, STREAMS = 20, 200, 90  # the streams are on one HTTP/2 connection, which may have 100
ROUNDS = 3  # the best one counts, as other programs can only make a round worse
EVERY = 0.01  # seconds between two requests

MAX_KIB = {"HTTP/1.1": 40.0, "WebSocket": 64.0, "HTTP/2": 384.0}
MAX_DIFFERENCE_KIB = 8.0  # between a small file and a large one
MAX_P99_MS = 50.0

REQUEST = "GET /api/stream/{} HTTP/1.1\r\nHost: t\r\n\r\n"
UPGRADE = (
    "GET /api/ws/stream/{} HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Worker:
    """The worker of a server that has one: its metrics and its memory."""

    def __init__(self, running: Running) -> None:
        self.running = running
        (self.pid,) = (
            pid
            for pid in machine.group(running.leader)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )

    def metrics(self) -> dict[str, Any]:
        kind, more = http.client.HTTPConnection, {}
        if servers.uses_tls(self.running.server):
            kind, more = http.client.HTTPSConnection, {"context": servers.unverified_tls("http/1.1")}
        link = kind("127.0.0.1", self.running.port, timeout=20, **more)
        with contextlib.closing(link):
            link.request("GET", "/api/metrics")
            metrics: dict[str, Any] = json.load(link.getresponse())
            return metrics

    def memory(self) -> float:
        """Private memory of the worker, KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text("latin-1")
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1])  # type: ignore[index]

    def wait_stalled(self, streams: int) -> None:
        """Wait until there are `streams` streams and the server sends nothing more."""
        sent = [-1]

        def is_stalled() -> bool:
            found = self.metrics()
            sent.append(found["bytes_sent"])
            return found["active_streams"] == streams and sent[-1] == sent[-2]

        wait_until(is_stalled, f"{streams} streams to stall")


type Crowd = Callable[[Running, File, int], contextlib.AbstractContextManager[None]]


def separate_connections(request: str) -> Crowd:
    """Open connections that send `request` and read nothing."""

    @contextlib.contextmanager
    def crowd(running: Running, file: File, count: int) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
                sock.sendall(request.format(file.name).encode())
            yield

    return crowd


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113 section 4.1)."""
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


@contextlib.contextmanager
def streams_on_one_connection(running: Running, file: File, count: int) -> Iterator[None]:
    """Open `count` streams on one HTTP/2 connection; its window is large, and each stream's window is 64 KiB."""
    path = f"/api/stream/{file.name}".encode()
    head = b"\x82\x87\x01\x01t\x04" + bytes((len(path),)) + path  # HPACK: GET, https, :authority t, :path
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(8, 0, 0, GIB.to_bytes(4))
    data += b"".join(frame(1, 5, 2 * number + 1, head) for number in range(count))
    plain = socket.create_connection(("127.0.0.1", running.port))
    with servers.unverified_tls("h2").wrap_socket(plain) as sock:
        sock.sendall(data)
        sock.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while sock.recv(1 << 16):
                pass
        yield


def kib_per_stalled_stream(worker: Worker, crowd: Crowd, file: File, count: int) -> float:
    """KiB of private memory that a stream costs that no client reads."""
    cost = 0.0
    for number in (FIRST, count):  # the first clients pay for what is paid once
        before = worker.memory()
        with crowd(worker.running, file, number):
            worker.wait_stalled(number)
            cost = (worker.memory() - before) / number
        worker.wait_stalled(0)
    return cost


def healthz_beside_cold(running: Running, path: Path) -> dict[str, float]:
    """Response times of `/healthz` while a gigabyte is read from the disk, in ms."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    waits = []
    link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    url = f"http://127.0.0.1:{running.port}{running.path(path.name)}"
    with contextlib.closing(link), subprocess.Popen(["curl", "-sS", "-o", "/dev/null", url]) as curl:
        while curl.poll() is None:
            began = time.perf_counter()
            link.request("GET", "/healthz")
            link.getresponse().read()
            waits.append((time.perf_counter() - began) * 1000)
            time.sleep(EVERY)
    return {"p50_ms": percentile(waits, 0.5), "p99_ms": percentile(waits, 0.99), "max_ms": max(waits)}


def certificate_arguments(folder: Path) -> tuple[str, ...]:
    """Arguments for Hypercorn, with a new self-signed certificate."""
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return ("--certfile", certificate, "--keyfile", key)


PAGE = """\
# Promises about memory and the disk

What a client costs that requests a file and reads nothing, and how soon other clients get a response while a file is
read from a cold disk. The server is `hypercorn trio_stream.app:app -k trio`, over loopback. `scripts/bench promises`
wrote this page; all figures are in [promises.json](promises.json).

{bounds}

## What was done

- **Memory** {clients} clients request a file and read nothing. Over HTTP/2 it is one client that makes {streams}
requests and gives none of them a window beyond the first 64 KiB. When the server sends nothing more, its private
memory (`RssAnon`) is compared with its memory before. {first} clients that came and went before have already paid for
everything that is paid once. The files have 32 MiB and 4 GiB.

- **The disk** `curl` fetches a gigabyte that is not in the page cache. Meanwhile `/healthz` is requested, {every} ms
after each response. The best of {rounds} rounds counts: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms, max {max_ms:.1f}
ms.

## The machine

{machine}

## Repeat it

`scripts/bench promises` wrote this page, in about a minute. It exits with 1 when a limit is missed. Use a machine
with nothing else running.
"""


def bounds_of(found: dict[str, Any]) -> list[Bound]:
    kib = found["stalled_kib"]
    return [
        *(
            Bound(f"A client that reads nothing, {way}, 4 GiB", each["large"], MAX_KIB[way], "KiB")
            for way, each in kib.items()
        ),
        *(
            Bound(
                f"Difference between a large and a small file, {way}",
                abs(each["large"] - each["small"]),
                MAX_DIFFERENCE_KIB,
                "KiB",
            )
            for way, each in kib.items()
            if way != "HTTP/2"  # which has few streams that cost ten times as much
        ),
        Bound(
            "`/healthz` during the read of a cold gigabyte, p99",
            found["beside_cold"]["p99_ms"],
            MAX_P99_MS,
            "ms",
        ),
    ]


def measure(folder: Path, cpu: int) -> dict[str, Any]:
    """Measure both, each with its own servers."""
    found: dict[str, Any] = {"stalled_kib": {}}
    for file in (SMALL, LARGE):
        with (folder / file.name).open("wb") as new:
            new.truncate(file.size)
    ways: tuple[tuple[str, Crowd, int, tuple[str, ...]], ...] = (
        ("HTTP/1.1", separate_connections(REQUEST), CLIENTS, ()),
        ("WebSocket", separate_connections(UPGRADE), CLIENTS, ()),
        ("HTTP/2", streams_on_one_connection, STREAMS, certificate_arguments(folder)),
    )
    for way, crowd, count, arguments in ways:
        print(f"clients that read nothing, {way}", file=sys.stderr, flush=True)
        costs = found["stalled_kib"][way] = {}
        for name, file in (("small", SMALL), ("large", LARGE)):
            kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", {}, arguments)
            with servers.serving(kind, folder, cpu) as running:
                costs[name] = kib_per_stalled_stream(Worker(running), crowd, file, count)
    print("reading a cold disk", file=sys.stderr, flush=True)
    path = folder / COLD.name
    with path.open("wb") as new:
        for number in range(COLD.size // media.BLOCK):
            new.write(media.block(COLD, number))
        os.fsync(new.fileno())
    with servers.serving(servers.SERVERS[0], folder, cpu) as running:
        servers.wait_settled(running)
        rounds = [healthz_beside_cold(running, path) for _ in range(ROUNDS)]
    found["beside_cold"] = min(rounds, key=lambda each: each["p99_ms"])
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench promises", description=__doc__)
    report.add_out(parser)
    options = parser.parse_args(arguments)
    (cpu, client_cpu), info, versions = machine.two_cpus(), machine.describe(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    with tempfile.TemporaryDirectory(prefix="promises-", dir=machine.CACHE) as work:
        found = measure(Path(work), cpu)
    found["machine"] = info
    found["versions"] = own_versions(versions)
    checked = bounds_of(found)
    page = PAGE.format(
        bounds=table(checked),
        machine=about_machine(found, "The server has"),
        clients=CLIENTS,
        streams=STREAMS,
        first=FIRST,
        every=round(EVERY * 1000),
        rounds=ROUNDS,
        **found["beside_cold"],
    )
    return write(options.out, "promises", found, filled(page), checked)
