"""The load on a server with a library: pages and searches, playheads, and viewers during a scan."""

import http.client
import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import libraries, machine, viewers
from .library_server import LibraryServer, idle_cores
from .machine import BenchError

SORTS = ("name", "title", "added", "modified", "size", "duration")
PAGE_SIZE = 50


def paths_of(library: LibraryServer) -> dict[str, str]:
    """The paths to request, by a name for each; all pages are full."""
    paths = {}
    middle = library.count // 2
    for sort in SORTS:
        base = f"/api/videos?limit={PAGE_SIZE}&sort={sort}"
        paths[f"first page by {sort}"] = base
        cursor, passed = "", 0
        while passed < middle:
            size = min(200, middle - passed)
            page = library.request_json(
                f"/api/videos?limit={size}&sort={sort}" + (f"&cursor={cursor}" if cursor else "")
            )
            cursor, passed = page["next"], passed + size
        paths[f"middle page by {sort}"] = f"{base}&cursor={cursor}"
    paths["first page of a folder"] = f"/api/videos?limit={PAGE_SIZE}&folder={quote(largest_folder(library))}"
    for about, word in {
        "few": libraries.FEW,
        "some": libraries.SOME,
        "many": libraries.MANY,
        "all": libraries.EVERYWHERE,
        "last": libraries.LAST,
    }.items():
        paths[f"search, {about}"] = f"/api/videos?limit={PAGE_SIZE}&q={word}"
    paths["search, all, by title"] = f"/api/videos?limit={PAGE_SIZE}&sort=title&q={libraries.EVERYWHERE}"
    paths["search, two words"] = f"/api/videos?limit={PAGE_SIZE}&q={libraries.EVERYWHERE}+{libraries.SOME}"
    page = library.request_json(f"/api/videos?limit={PAGE_SIZE}")
    paths["a video"] = f"/api/videos/{page['items'][-1]['id']}"
    return paths


def largest_folder(library: LibraryServer) -> str:
    return max(
        (len(files), str(where.relative_to(library.folder))) for where, _, files in library.folder.walk()
    )[1]


def compare(small: LibraryServer, large: LibraryServer, rounds: int) -> dict[str, dict[str, float]]:
    """Make each request to both servers in turn; medians of the elapsed time and of the server's CPU time, in ms."""
    paths = {each: paths_of(library) for each, library in (("small", small), ("large", large))}
    found: dict[str, dict[str, float]] = {}
    for what in paths["small"]:
        figures: dict[str, float] = {}
        taken: dict[str, list[float]] = {"small": [], "large": []}
        spent: dict[str, list[float]] = {"small": [], "large": []}
        for number in range(rounds + 5):
            for each, library in (("small", small), ("large", large)):
                cpu, began = library.cpu(), time.perf_counter()
                body = library.request(paths[each][what])
                if number >= 5:
                    taken[each].append(time.perf_counter() - began)
                    spent[each].append(library.cpu() - cpu)
                elif number == 0:
                    figures[f"{each}_items"] = len(json.loads(body).get("items", "1"))
        for each in ("small", "large"):
            figures[f"{each}_ms"] = statistics.median(taken[each]) * 1000
            figures[f"{each}_cpu_ms"] = statistics.median(spent[each]) * 1000
        figures["ratio"] = figures["large_ms"] / figures["small_ms"]
        figures["cpu_ratio"] = figures["large_cpu_ms"] / figures["small_cpu_ms"]
        found[what] = figures
    return found


def playheads(library: LibraryServer, players: int, seconds: float) -> dict[str, Any]:
    """Let players write their playheads; the CPU time is that of the server's process alone."""
    ids: list[str] = []
    cursor = ""
    while len(ids) < players and cursor is not None:
        page = library.request_json("/api/videos?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        ids += [item["id"] for item in page["items"]]
        cursor = page["next"]
    ids = [ids[number % len(ids)] for number in range(players)]
    idle = idle_cores(library, min(seconds, 5.0))
    command = [sys.executable, "-m", "scripts.benchmarks.players", str(library.running.port), str(seconds)]
    with subprocess.Popen(
        command, cwd=machine.REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdin is not None and client.stdout is not None  # noqa: PT018
        client.stdin.write("\n".join(ids))
        client.stdin.close()
        try:
            expect(client.stdout.readline(), "steady")
            before, cpu, began = library.metrics(), library.cpu(), time.monotonic()
            expect(client.stdout.readline(), "over")
            spent, lasted = library.cpu() - cpu, time.monotonic() - began
            after = library.metrics()
            found: dict[str, Any] = json.loads(client.stdout.readline())
        finally:
            client.terminate()
    store = {name: after[name] - before[name] for name in after if name.startswith("database_")}
    return found | {
        "players": players,
        "seconds": lasted,
        "cores": spent / lasted,
        "idle_cores": idle,
        "cpu_ms_per_write": spent / max(1, found["writes"]) * 1000,
        "changes": store["database_changes_total"],
        "transactions": store["database_transactions_total"],
        "failed": store["database_changes_failed_total"],
        "longest_transaction_ms": after["database_longest_transaction_seconds"] * 1000,
    }


def expect(line: str, wanted: str) -> None:
    if line.strip() != wanted:
        raise BenchError(f"the players printed {line!r}, not {wanted}")


def watch(library: LibraryServer, cpu: int, scenario: viewers.Scenario) -> dict[str, Any]:
    """The viewers of `scripts/bench`, and also the CPU time of the server's process alone."""
    before = library.cpu()
    crowd = viewers.measure(scenario, library.running, cpu)
    figures: dict[str, Any] = crowd.as_dict()
    return figures | {
        "server_cores": (library.cpu() - before) / crowd.watched.seconds,
        "first_byte_max_ms": max(crowd.watched.first_byte, default=0.0) * 1000,
    }


def _record_progress(port: int, seconds: float, every: float, results: Any) -> None:
    """Record the progress of the library; runs in its own process."""
    end, progress = time.monotonic() + seconds, []
    while time.monotonic() < end:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        link.request("GET", "/api/library")
        found = json.load(link.getresponse())
        link.close()
        progress.append(found["keeping"] | {"videos": found["videos"]})
        time.sleep(every)
    results.put(progress)


def _add(folder: Path, rate: float, seconds: float, results: Any) -> None:
    results.put(libraries.add(folder, rate, seconds))


def watch_scanning(
    library: LibraryServer, cpu: int, scenario: viewers.Scenario, rate: float
) -> dict[str, Any]:
    """Do the same while videos are added, scanned and probed and their artwork is generated."""
    processes = multiprocessing.get_context("spawn")
    added, progress = processes.Queue(), processes.Queue()
    seconds, ahead = scenario.arrive + scenario.hold, 5.0
    helpers = [
        processes.Process(target=_add, args=(library.folder, rate, seconds + ahead, added)),
        processes.Process(
            target=_record_progress, args=(library.running.port, seconds + ahead, 5.0, progress)
        ),
    ]
    before = library.metrics()
    try:
        for helper in helpers:
            helper.start()
        time.sleep(ahead)  # a file must settle before it is scanned
        figures = watch(library, cpu, scenario)
        after = library.metrics()
        course = progress.get(timeout=60)
        figures["added"] = added.get(timeout=60)
    finally:
        for helper in helpers:
            helper.terminate()
            helper.join()
    steady = course[1:] or course
    return figures | {
        "jobs": after["media_jobs_total"] - before["media_jobs_total"],
        "changes": after["database_changes_total"] - before["database_changes_total"],
        "taken_up": course[-1]["videos"] - course[0]["videos"],
        "least_to_draw": min(each["to_draw"] for each in steady),
        "working": all(each["working"] for each in steady),
    }
