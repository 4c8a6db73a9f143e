"""What is asked of a server with a library: pages and searches, playheads, and films while it looks at the folder."""

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

from . import machine, shelves, viewers
from .machine import BenchError
from .shelf import Shelf, idle

SORTS = ("name", "title", "added", "modified", "size", "duration")
PAGE_SIZE = 50


def requests(shelf: Shelf) -> dict[str, str]:
    """What is asked for, by what it is called; all pages are full."""
    asked = {}
    middle = shelf.count // 2
    for sort in SORTS:
        base = f"/api/videos?limit={PAGE_SIZE}&sort={sort}"
        asked[f"first page by {sort}"] = base
        cursor, passed = "", 0
        while passed < middle:
            size = min(200, middle - passed)
            page = shelf.ask(
                f"/api/videos?limit={size}&sort={sort}" + (f"&cursor={cursor}" if cursor else "")
            )
            cursor, passed = page["next"], passed + size
        asked[f"middle page by {sort}"] = f"{base}&cursor={cursor}"
    asked["first page of a folder"] = f"/api/videos?limit={PAGE_SIZE}&folder={quote(largest_folder(shelf))}"
    for about, word in {
        "few": shelves.FEW,
        "some": shelves.SOME,
        "many": shelves.MANY,
        "all": shelves.EVERYWHERE,
        "last": shelves.LAST,
    }.items():
        asked[f"search, {about}"] = f"/api/videos?limit={PAGE_SIZE}&q={word}"
    asked["search, all, by title"] = f"/api/videos?limit={PAGE_SIZE}&sort=title&q={shelves.EVERYWHERE}"
    asked["search, two words"] = f"/api/videos?limit={PAGE_SIZE}&q={shelves.EVERYWHERE}+{shelves.SOME}"
    page = shelf.ask(f"/api/videos?limit={PAGE_SIZE}")
    asked["a video"] = f"/api/videos/{page['items'][-1]['id']}"
    return asked


def largest_folder(shelf: Shelf) -> str:
    return max((len(files), str(where.relative_to(shelf.folder))) for where, _, files in shelf.folder.walk())[
        1
    ]


def compare(small: Shelf, large: Shelf, rounds: int) -> dict[str, dict[str, float]]:
    """Each request in turn to one server and the other; medians, in ms, of the time and of the CPU of the server."""
    asked = {each: requests(shelf) for each, shelf in (("small", small), ("large", large))}
    found: dict[str, dict[str, float]] = {}
    for what in asked["small"]:
        figures: dict[str, float] = {}
        taken: dict[str, list[float]] = {"small": [], "large": []}
        spent: dict[str, list[float]] = {"small": [], "large": []}
        for number in range(rounds + 5):
            for each, shelf in (("small", small), ("large", large)):
                cpu, began = shelf.cpu(), time.perf_counter()
                body = shelf.raw(asked[each][what])
                if number >= 5:
                    taken[each].append(time.perf_counter() - began)
                    spent[each].append(shelf.cpu() - cpu)
                elif number == 0:
                    figures[f"{each}_items"] = len(json.loads(body).get("items", "1"))
        for each in ("small", "large"):
            figures[f"{each}_ms"] = statistics.median(taken[each]) * 1000
            figures[f"{each}_cpu_ms"] = statistics.median(spent[each]) * 1000
        figures["ratio"] = figures["large_ms"] / figures["small_ms"]
        figures["cpu_ratio"] = figures["large_cpu_ms"] / figures["small_cpu_ms"]
        found[what] = figures
    return found


def playheads(shelf: Shelf, players: int, seconds: float) -> dict[str, Any]:
    """Players who write their playheads; the CPU is of the server's process alone."""
    ids: list[str] = []
    cursor = ""
    while len(ids) < players and cursor is not None:
        page = shelf.ask("/api/videos?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        ids += [item["id"] for item in page["items"]]
        cursor = page["next"]
    ids = [ids[number % len(ids)] for number in range(players)]
    resting = idle(shelf, min(seconds, 5.0))
    command = [sys.executable, "-m", "scripts.benchmarks.players", str(shelf.running.port), str(seconds)]
    with subprocess.Popen(
        command, cwd=machine.REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdin is not None and client.stdout is not None  # noqa: PT018
        client.stdin.write("\n".join(ids))
        client.stdin.close()
        try:
            expect(client.stdout.readline(), "steady")
            before, cpu, began = shelf.figures(), shelf.cpu(), time.monotonic()
            expect(client.stdout.readline(), "over")
            spent, lasted = shelf.cpu() - cpu, time.monotonic() - began
            after = shelf.figures()
            found: dict[str, Any] = json.loads(client.stdout.readline())
        finally:
            client.terminate()
    store = {name: after[name] - before[name] for name in after if name.startswith("database_")}
    return found | {
        "players": players,
        "seconds": lasted,
        "cores": spent / lasted,
        "idle_cores": resting,
        "cpu_ms_per_write": spent / max(1, found["writes"]) * 1000,
        "changes": store["database_changes_total"],
        "transactions": store["database_transactions_total"],
        "failed": store["database_changes_failed_total"],
        "longest_transaction_ms": after["database_longest_transaction_seconds"] * 1000,
    }


def expect(line: str, wanted: str) -> None:
    if line.strip() != wanted:
        raise BenchError(f"the players said {line!r}, not {wanted}")


def watch(shelf: Shelf, cpu: int, scenario: viewers.Scenario) -> dict[str, Any]:
    """The viewers of `scripts/bench`; in addition, the CPU of the server's process alone."""
    before = shelf.cpu()
    crowd = viewers.measure(scenario, shelf.running, cpu)
    figures: dict[str, Any] = crowd.as_dict()
    return figures | {
        "server_cores": (shelf.cpu() - before) / crowd.watched.seconds,
        "first_byte_max_ms": max(crowd.watched.first_byte, default=0.0) * 1000,
    }


def _follow(port: int, seconds: float, every: float, answers: Any) -> None:
    """Look how the library is getting on, in a process of its own."""
    end, seen = time.monotonic() + seconds, []
    while time.monotonic() < end:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        link.request("GET", "/api/library")
        found = json.load(link.getresponse())
        link.close()
        seen.append(found["keeping"] | {"videos": found["videos"]})
        time.sleep(every)
    answers.put(seen)


def _add(folder: Path, rate: float, seconds: float, answers: Any) -> None:
    answers.put(shelves.add(folder, rate, seconds))


def watch_scanning(shelf: Shelf, cpu: int, scenario: viewers.Scenario, rate: float) -> dict[str, Any]:
    """The same while videos are added, looked at, probed and drawn all the time."""
    processes = multiprocessing.get_context("spawn")
    added, seen = processes.Queue(), processes.Queue()
    seconds, ahead = scenario.arrive + scenario.hold, 5.0
    helpers = [
        processes.Process(target=_add, args=(shelf.folder, rate, seconds + ahead, added)),
        processes.Process(target=_follow, args=(shelf.running.port, seconds + ahead, 5.0, seen)),
    ]
    before = shelf.figures()
    try:
        for helper in helpers:
            helper.start()
        time.sleep(ahead)  # a file has to rest before it is looked at
        figures = watch(shelf, cpu, scenario)
        after = shelf.figures()
        course = seen.get(timeout=60)
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
