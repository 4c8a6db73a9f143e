"""`scripts/bench scan`: the first scan of a very large library, playheads during the scan, and the list of names."""

import argparse
import contextlib
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from . import machine, report, servers
from .bounds import Bound, about_machine, filled, own_versions, table, write
from .library_server import LibraryServer, scan_seconds

PAGE = """\
# The first scan of a very large library

What it costs to add {count:,} files, compared with {few:,}, for three kinds of libraries. In *one content*, all files
have the same bytes and times. In *equal bytes*, they have the same bytes and different times. In *different*, they
have different bytes. Each folder has a hundred files. None of them is a film, so only the scan is measured. Meanwhile
a viewer writes a playhead every {pause:g} ms. `scripts/bench scan` wrote this page; all figures are in
[scan.json](scan.json).

{bounds}

{scans}

The first scan and its CPU time count from the start of the server. Private memory is the peak of RssAnon of the
server's process. The *longest transaction* is the one that the server's own metrics report.

## The list of names

`GET /api/videos`, after the scan of the library with different files. The first request reads all folders. The next
ones only check whether the folders changed. Then {clients} clients request the list again and again for {seconds:g}
s. During that time a video is opened again and again on a separate connection.

{lists}

## The machine

{machine}

## Repeat it

`scripts/bench scan{options}` wrote this page. It exits with 1 when a limit is missed. Use a machine with nothing else
running, with two CPUs.
"""

KINDS = ("one content", "equal bytes", "different")
COUNT = 100_000
LESS = 10
"""The small library has this many times fewer files."""

PER_FOLDER = 100
SETTLE = 2.5  # seconds until the scanner treats new files as settled
PAUSE = 0.05
CLIENTS = 8
SECONDS = 5.0

MAX_GROWTH = 1.5  # times the cost of a file in the small library
MAX_MEMORY_MB = 40.0  # private memory, above that of the small library
MAX_TRANSACTIONS = 3.0
"""A write waits for the current transaction and takes part in the next one; the third allows for the machine."""


def fill(folder: Path, kind: str, count: int) -> None:
    for number in range(count):
        path = folder / f"{number // PER_FOLDER:04}" / f"clip {number:06}.mp4"
        if number % PER_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(f"{number if kind == 'different' else 0:020}".encode() * 50)
        modified = 10**18 + (0 if kind == "one content" else number)
        os.utime(path, ns=(modified, modified))


class PlayheadWriter:
    """A viewer of the first video that was found, on its own connection."""

    def __init__(self, port: int) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._id: str | None = None
        self.waits: list[float] = []

    def write(self) -> None:
        if self._id is None:
            items = self._request("GET", "/api/videos?limit=1")["items"]
            self._id = items[0]["id"] if items else None
            return
        began = time.perf_counter()
        self._request("PUT", f"/api/videos/{self._id}/playhead", json.dumps({"position": began % 1000}))
        self.waits.append(time.perf_counter() - began)

    def _request(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        self._link.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = self._link.getresponse()
        found: dict[str, Any] = json.loads(response.read())
        if response.status != 200:
            raise machine.BenchError(f"{method} {path}: {response.status} {found}")
        return found


@contextlib.contextmanager
def serving_scanned(
    folder: Path, kind: str, count: int, cpu: int
) -> Iterator[tuple[LibraryServer, dict[str, float]]]:
    """Run a server with a library of this kind, and measure its first scan."""
    say(f"{count:,} files, {kind}")
    fill(folder, kind, count)
    time.sleep(SETTLE)
    server = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}")
    with servers.serving(server, folder, cpu) as running:
        library, playhead = LibraryServer(running, folder, count), PlayheadWriter(running.port)
        memory = 0.0
        while (scan := library.request_json("/api/library")["look"])["ended"] is None:
            playhead.write()
            memory = max(memory, library.memory())
            time.sleep(PAUSE)
        cpu_seconds, longest = library.cpu(), library.metrics()["database_longest_transaction_seconds"]
        if scan["added"] != count:
            raise machine.BenchError(f"{scan['added']} of {count} files were added")
        yield (
            library,
            {
                "seconds": scan_seconds(scan),
                "cpu_seconds": cpu_seconds,
                "memory_mb": memory,
                "playheads": len(playhead.waits),
                "wait_median_ms": statistics.median(playhead.waits) * 1000,
                "wait_most_ms": max(playhead.waits) * 1000,
                "transaction_ms": longest * 1000,
            },
        )


def open_seconds(library: LibraryServer, seconds: float) -> list[float]:
    """Seconds until the first byte of a video, again and again."""
    link = http.client.HTTPConnection("127.0.0.1", library.running.port, timeout=120)
    path = "/api/stream/0000/clip%20000000.mp4"
    taken, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        link.request("GET", path)
        link.getresponse().read()
        taken.append(time.perf_counter() - began)
        time.sleep(0.01)
    return taken


def lists(library: LibraryServer) -> dict[str, float]:
    """The cost of the list of names, for one client and for many."""
    found = {}
    for what in ("first_ms", "again_ms"):
        began = time.perf_counter()
        library.request("/api/videos")
        found[what] = (time.perf_counter() - began) * 1000
    found["alone_ms"] = max(open_seconds(library, SECONDS)) * 1000
    stopped, sizes_received = threading.Event(), list[int]()

    def request_lists() -> None:
        link = http.client.HTTPConnection("127.0.0.1", library.running.port, timeout=120)
        while not stopped.is_set():
            link.request("GET", "/api/videos")
            sizes_received.append(len(link.getresponse().read()))

    clients = [threading.Thread(target=request_lists) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        found["beside_ms"] = max(open_seconds(library, SECONDS)) * 1000
        found["memory_mb"] = library.memory()
    finally:
        stopped.set()
        for each in clients:
            each.join()
    return found | {"lists": len(sizes_received) / SECONDS, "bytes": max(sizes_received)}


def measure(folder: Path, cpu: int, count: int) -> dict[str, Any]:
    found: dict[str, Any] = {"scans": {}}
    for kind in KINDS:
        sizes = found["scans"][kind] = {}
        for size in (count // LESS, count):
            with serving_scanned(folder / f"{kind} {size}", kind, size, cpu) as (library, scan):
                sizes["few" if size < count else "many"] = scan
                if (kind, size) == ("different", count):
                    found["lists"] = lists(library)
    return found


def bounds_of(found: dict[str, Any]) -> list[Bound]:
    bounds = []
    for kind, sizes in found["scans"].items():
        few, many = sizes["few"], sizes["many"]
        grown = many["seconds"] / few["seconds"] / LESS
        waits = many["wait_most_ms"] / many["transaction_ms"]
        bounds += [
            Bound(f"time per file, ratio of large library to small one, {kind}", grown, MAX_GROWTH, "x"),
            Bound(
                f"private memory, large library minus small one, {kind}",
                many["memory_mb"] - few["memory_mb"],
                MAX_MEMORY_MB,
                "MB",
                least=-1e9,
            ),
            Bound(
                f"longest wait of a playhead, ratio to the longest transaction, {kind}",
                waits,
                MAX_TRANSACTIONS,
                "x",
            ),
        ]
    return bounds


ROWS: dict[str, Callable[[dict[str, float]], float]] = {
    "first scan, s": lambda scan: scan["seconds"],
    "CPU until it ended, s": lambda scan: scan["cpu_seconds"],
    "private memory, MB": lambda scan: scan["memory_mb"],
    "playheads written": lambda scan: scan["playheads"],
    "... median wait, ms": lambda scan: scan["wait_median_ms"],
    "... longest wait, ms": lambda scan: scan["wait_most_ms"],
    "longest transaction, ms": lambda scan: scan["transaction_ms"],
}


def page(found: dict[str, Any], bounds: Sequence[Bound], count: int, options: str) -> str:
    columns = [(kind, size) for kind in KINDS for size in ("few", "many")]
    sizes = {"few": f"{count // LESS:,}", "many": f"{count:,}"}
    scans = report.table(
        ["", *(f"{kind}, {sizes[size]}" for kind, size in columns)],
        [
            [what, *(report.format_value(take(found["scans"][kind][size])) for kind, size in columns)]
            for what, take in ROWS.items()
        ],
    )
    list_figures = found["lists"]
    listed = report.table(
        ["", "measured"],
        [
            ["first request, ms", report.format_value(list_figures["first_ms"])],
            ["next request, ms", report.format_value(list_figures["again_ms"])],
            ["size of the list, bytes", f"{list_figures['bytes']:,}"],
            [f"lists per second, {CLIENTS} clients", report.format_value(list_figures["lists"])],
            ["... private memory during this, MB", report.format_value(list_figures["memory_mb"])],
            [
                "... longest time to open and read a video, ms",
                report.format_value(list_figures["beside_ms"]),
            ],
            ["the same without other clients, ms", report.format_value(list_figures["alone_ms"])],
        ],
    )
    return PAGE.format(
        count=count,
        few=count // LESS,
        pause=PAUSE * 1000,
        bounds=table(bounds),
        scans=scans,
        clients=CLIENTS,
        seconds=SECONDS,
        lists=listed,
        machine=about_machine(found, "The server has"),
        options=options,
    )


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench scan", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help=f"files; {COUNT:,}")
    report.add_out(parser)
    options = parser.parse_args(arguments)
    if options.count < LESS * PER_FOLDER:
        parser.error(f"--count is at least {LESS * PER_FOLDER}")
    (cpu, client_cpu), info, versions = machine.two_cpus(), machine.describe(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    with tempfile.TemporaryDirectory(prefix="scan-", dir=machine.CACHE) as work:
        found = measure(Path(work), cpu, options.count)
    found["machine"] = info
    found["versions"] = own_versions(versions)
    checked = bounds_of(found)
    chosen = "" if options.count == COUNT else f" --count {options.count}"
    return write(options.out, "scan", found, filled(page(found, checked, options.count, chosen)), checked)
