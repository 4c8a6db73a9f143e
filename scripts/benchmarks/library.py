"""`scripts/bench library`: what a large library costs, and what a scan and playheads cost beside streams."""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import machine, media, report, servers, shelves, viewers
from .leaving import Bound
from .machine import BenchError
from .players import PAUSE
from .servers import Running

SORTS = ("name", "title", "added", "modified", "size", "duration")
PAGE_SIZE = 50
RESCANS = 3
REST = 2.5  # seconds until the scanner takes files for finished that were linked just now
SETTLE = 3600.0  # seconds after which a library that is not done is none

KEEP_ALIVE = ("--keep-alive", "60")  # seconds; Hypercorn's 5 are fewer than lie between two playheads

SLOWER = 1.5  # times what a page or a search of the small library takes
GROWTH_MB = 8.0  # private memory; what two runs with one library differ by
PLAYHEAD_CORES = 0.25
IDLE_CORES = 0.01

VIDEO = re.compile(rf'"[^"]*{shelves.EVERYWHERE}[^"/]*"')
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(")


class Shelf:
    """A server with a library, seen from outside."""

    def __init__(self, running: Running, folder: Path, count: int) -> None:
        self.running, self.folder, self.count = running, folder, count
        self.worker = next(
            pid
            for pid in machine.group(running.leader)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        self._clock = (~self.worker << 3) | 2  # of the process: clock_getcpuclockid(3)
        self._link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)

    def cpu(self) -> float:
        """CPU seconds of the server's process, whose children that read media are not in it."""
        return time.clock_gettime(self._clock)

    def memory(self) -> float:
        """Its private memory, MB."""
        status = Path(f"/proc/{self.worker}/status").read_text("latin-1")
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1000  # type: ignore[index]

    def raw(self, path: str, method: str = "GET") -> bytes:
        try:
            self._link.request(method, path)
            answer = self._link.getresponse()
        except http.client.RemoteDisconnected:  # it was left alone for longer than servers keep connections
            self._link.request(method, path)
            answer = self._link.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise BenchError(f"{method} {path}: {answer.status} {body[:200]!r}")
        return body

    def ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw(path, method))
        return found

    def figures(self) -> dict[str, float]:
        """Those for Prometheus, without the prefix."""
        lines = (line for line in self.raw("/metrics").decode().splitlines() if not line.startswith("#"))
        return {
            name.removeprefix("trio_stream_"): float(value)
            for name, _, value in (line.rpartition(" ") for line in lines)
        }

    def until(self, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + SETTLE
        while not there(found := self.ask("/api/library")):
            if time.monotonic() > end:
                raise BenchError(f"the library did not get there: {found}")
            time.sleep(0.2)
        return found

    def settle(self) -> dict[str, Any]:
        """Wait until everything is scanned, probed and drawn."""
        return self.until(lambda found: found["idle"] and found["look"]["ended"] is not None)

    def look_again(self) -> dict[str, float]:
        """One more full look at what has not changed."""
        before, writes = self.cpu(), self.figures()["database_changes_total"]
        number = self.ask("/api/library/scan", "POST")["look"]
        found = self.until(lambda now: now["look"]["number"] >= number and not now["look"]["running"])["look"]
        self.settle()
        return {
            "seconds": lasted(found),
            "cpu_seconds": self.cpu() - before,
            "changes": self.figures()["database_changes_total"] - writes,
            "videos": found["videos"],
            "memory_mb": self.memory(),
        }


def lasted(look: dict[str, Any]) -> float:
    """Seconds a look took."""
    started, ended = (datetime.fromisoformat(look[name]) for name in ("started", "ended"))
    return (ended - started).total_seconds()


def first_scan(shelf: Shelf) -> dict[str, float]:
    """From the start of the server to the end of its first look, and to its rest."""
    look = shelf.until(lambda found: found["look"]["ended"] is not None)["look"]
    looked = shelf.cpu()
    found = shelf.settle()
    if found["videos"] < shelf.count:
        raise BenchError(f"{found['videos']} of {shelf.count} videos were found")
    return {
        "videos": found["videos"],
        "folders": found["folders"],
        "look_seconds": lasted(look),
        "look_cpu_seconds": looked,
        "settled_cpu_seconds": shelf.cpu(),
        "memory_mb": shelf.memory(),
    }


def traced_look(shelf: Shelf) -> dict[str, float] | None:
    """The system calls of an unchanged look; None where there is no strace, or it may not."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as made:
        trace = Path(made) / "trace"
        command = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=%file,%process,pwrite64,fsync,fdatasync"]
        strace = subprocess.Popen([*command, "-o", trace, "-p", str(shelf.worker)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            if strace.poll() is not None:
                return None
            shelf.look_again()
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait()
        calls: Counter[str] = Counter()
        named: Counter[str] = Counter()
        for line in trace.read_text("utf-8", "backslashreplace").splitlines():
            if (found := CALL.match(line)) is None:
                continue
            name = found[1]
            if name.startswith(("clone", "fork", "vfork")) and "CLONE_THREAD" not in line:
                calls["processes"] += 1
            calls["writes"] += name in ("pwrite64", "fsync", "fdatasync")
            if VIDEO.search(line):
                named["stats" if "stat" in name else "opens" if name.startswith("open") else "others"] += 1
    count = shelf.count
    return {"stats_per_video": named["stats"] / count, "opens": named["opens"], "others": named["others"]} | {
        name: calls[name] for name in ("processes", "writes")
    }


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


def idle(shelf: Shelf, seconds: float) -> float:
    """Cores a server takes that nobody asks for anything."""
    before, began = shelf.cpu(), time.monotonic()
    time.sleep(seconds)
    return (shelf.cpu() - before) / (time.monotonic() - began)


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


@contextlib.contextmanager
def shelf_of(
    count: int, folder: Path, cpu: int, *, hurried: bool
) -> Iterator[tuple[Shelf, dict[str, float]]]:
    """A library of `count` videos, its server, and what the first scan cost it."""
    say(f"a library of {count:,} videos: filling and scanning it")
    shelves.fill(folder / str(count), count)
    time.sleep(REST)
    environment = {"TRIO_STREAM_ARTWORK_SHARE": "1"} if hurried else {}
    kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", environment, KEEP_ALIVE)
    with servers.serving(kind, folder / str(count), cpu) as running:
        shelf = Shelf(running, folder / str(count), count)
        yield shelf, first_scan(shelf)


def measure(options: argparse.Namespace, folder: Path, cpu: int) -> dict[str, Any]:
    """Everything, with two servers: a small library and a large one. Half of the large one is only looked at."""
    found: dict[str, Any] = {"first_scan": {}, "rescans": {}, "traced": {}, "idle": {}}
    with shelf_of(options.large // 2, folder, cpu, hurried=options.quick) as (half, first):
        found["first_scan"]["half"] = first
        found["rescans"]["half"] = [half.look_again() for _ in range(RESCANS)]
    with contextlib.ExitStack() as stack:
        both: dict[str, Shelf] = {}
        for each, count in (("small", options.small), ("large", options.large)):
            shelf, found["first_scan"][each] = stack.enter_context(
                shelf_of(count, folder, cpu, hurried=options.quick)
            )
            both[each] = shelf
            found["rescans"][each] = [shelf.look_again() for _ in range(RESCANS)]
            found["traced"][each] = traced_look(shelf)
            found["idle"][each] = idle(shelf, options.idle)
        large = both["large"]
        say("pages and searches")
        found["requests"] = compare(both["small"], large, options.requests)
        found["memory_after_requests"] = {each: shelf.memory() for each, shelf in both.items()}
        say(f"{options.players} players write their playheads")
        found["playheads"] = playheads(large, options.players, options.playhead_seconds)
        say("viewers, without a scan")
        os.link(machine.CACHE / "videos" / media.GB4.name, large.folder / media.GB4.name)
        time.sleep(5)
        large.settle()
        scenario = viewers.Scenario(
            "", "", options.viewers, 5.0, min(10.0, options.seconds / 4), options.seconds
        )
        found["viewers"] = {"without a scan": watch(large, cpu, scenario)}
        say("viewers, while videos are added")
        found["viewers"]["with a scan"] = watch_scanning(large, cpu, scenario, options.adding)
        found["memory_at_the_end"] = {each: shelf.memory() for each, shelf in both.items()}
    return found


def bounds(found: dict[str, Any]) -> list[Bound]:
    """What is wanted, and whether it is so."""
    asked = found["requests"]
    groups = {
        "a page of 50": [name for name in asked if "page" in name],
        "a search": [name for name in asked if "search" in name],
        "a video": ["a video"],
    }
    kept = []
    for what, names in groups.items():
        worst = max(names, key=lambda name: asked[name]["ratio"])
        about = f"{what}, large library to small one, the worst of {len(names)} ({worst})"
        kept.append(
            Bound(
                about if len(names) > 1 else f"{what}, large library to small one",
                asked[worst]["ratio"],
                SLOWER,
                "x",
            )
        )
    rescans, traced = found["rescans"], found["traced"]["large"]
    if traced:
        kept += [
            Bound("stat calls a video, unchanged look", traced["stats_per_video"], 1.001, ""),
            Bound("videos opened, unchanged look", traced["opens"], 0, ""),
            Bound("processes started, unchanged look", traced["processes"], 0, ""),
            Bound("writes to the database, unchanged look", traced["writes"], 0, ""),
        ]
    last = {each: rescans[each][-1]["memory_mb"] for each in rescans}
    first = found["first_scan"]
    heads, crowd = found["playheads"], found["viewers"]["with a scan"]
    return [
        *kept,
        Bound(
            "private memory after the rescans, large library less half of it",
            last["large"] - last["half"],
            GROWTH_MB,
            "MB",
            least=-1e9,
        ),
        Bound(
            "... large, after the rescans less after the first scan",
            last["large"] - first["large"]["memory_mb"],
            GROWTH_MB,
            "MB",
            least=-1e9,
        ),
        Bound("CPU of an idle server, large library", found["idle"]["large"], IDLE_CORES, "cores"),
        Bound(f"CPU of the server, {heads['players']:,} players", heads["cores"], PLAYHEAD_CORES, "cores"),
        Bound("playheads not stored", sum(heads["errors"].values()), 0, ""),
        Bound("late seconds with a scan", crowd["late_seconds"], 0, ""),
        Bound(
            "viewers lost or never answered", crowd["lost"] + crowd["unanswered"] + crowd["refused"], 0, ""
        ),
    ]


PAGE = """\
# A large library

What a library of {large:,} videos costs beside one of {small:,}, and what a scan and playheads cost beside streams.
Real servers (`hypercorn trio_stream.app:app -k trio`, SQLite) over loopback, in one run. Written by `scripts/bench
library`; all figures are in [library.json](library.json).

{bounds}

## Pages and searches

Each request was made {requests} times, in turn to the server of the small library and to that of the large one;
medians, in ms. *CPU* is what the server's process spent for it. A search for *some* finds {some} videos of the large
library, *many* {many}, *all* every one, and *last* those that come last in the order that is asked for.

{pages}

## Scans

{scans}

The first look and the CPU until it ended are from the start of the server; *settled* is when all was probed and
drawn, which is made once for all names of one content. Private memory is RssAnon of the server's process. Up to 12.6 MB
of it are SQLite's page caches, which the small library does not fill; what grows with the library shows between the
large one and half of it. The calls of an unchanged look were counted by strace, in a look that was not timed.

## Playheads

{players:,} players write every {pause:g} s, each over its own connection that is kept, for {playhead_seconds:g} s; the
client is another process on another CPU.

{playheads}

## Viewers

{viewers} viewers at 5 Mb/s for {seconds:g} s, as in [the comparison of servers](README.md), with the large library:
first nothing else happens, then {adding:g} new contents a second are added, and scanned, probed and drawn at the
default share of the machine. The server and all it starts have one CPU.

{crowds}

## The machine

{machine}

## Repeat it

`{command}` wrote this. It ends with 1 when a bound is missed. Have the machine to yourself, with two CPUs.
"""


def page(found: dict[str, Any], kept: Sequence[Bound], options: argparse.Namespace) -> str:
    shown = report.shown
    sizes = {
        "small": f"{options.small:,} videos",
        "half": f"{options.large // 2:,}",
        "large": f"{options.large:,}",
    }
    asked = found["requests"]
    pages = report.table(
        ["", sizes["small"], sizes["large"], "ratio", "CPU", "CPU", "ratio"],
        [
            [
                name,
                *(
                    f"{each[key]:.2f}"
                    for key in ("small_ms", "large_ms", "ratio", "small_cpu_ms", "large_cpu_ms", "cpu_ratio")
                ),
            ]
            for name, each in asked.items()
        ],
    )

    def scan(what: str, take: Callable[[str], float | None]) -> list[str]:
        return [what, *(shown(take(each)) for each in sizes)]

    def middle(each: str, key: str) -> float:
        return statistics.median(look[key] for look in found["rescans"][each])

    def traced(each: str, key: str) -> float | None:
        return (found["traced"].get(each) or {}).get(key)

    first = found["first_scan"]
    scans = report.table(
        ["", *sizes.values()],
        [
            scan("folders", lambda each: first[each]["folders"]),
            scan("first look, s", lambda each: first[each]["look_seconds"]),
            scan("CPU until it ended, s", lambda each: first[each]["look_cpu_seconds"]),
            scan("CPU until settled, s", lambda each: first[each]["settled_cpu_seconds"]),
            scan("unchanged look, s", lambda each: middle(each, "seconds")),
            scan("... CPU, s", lambda each: middle(each, "cpu_seconds")),
            scan("... changes written", lambda each: max(look["changes"] for look in found["rescans"][each])),
            scan("... stat calls a video", lambda each: traced(each, "stats_per_video")),
            scan("... videos opened", lambda each: traced(each, "opens")),
            scan("... processes started", lambda each: traced(each, "processes")),
            scan("... writes and syncs of files", lambda each: traced(each, "writes")),
            scan("private memory, first scan, MB", lambda each: first[each]["memory_mb"]),
            *(
                scan(
                    f"... after rescan {number + 1}",
                    lambda each, number=number: found["rescans"][each][number]["memory_mb"],
                )
                for number in range(RESCANS)
            ),
            scan("... after the requests", found["memory_after_requests"].get),
            scan("CPU at rest, cores", found["idle"].get),
        ],
    )
    heads = found["playheads"]
    playheads = report.table(
        ["", "measured"],
        [
            ["CPU of the server's process, cores", f"{heads['cores']:.3f}"],
            ["... at rest", f"{heads['idle_cores']:.4f}"],
            ["CPU a write, ms", f"{heads['cpu_ms_per_write']:.3f}"],
            ["writes", f"{heads['writes']:,}"],
            ["not stored", str(heads["errors"] or 0)],
            [
                "answered, p50 / p99 / most, ms",
                f"{heads['p50_ms']:.1f} / {heads['p99_ms']:.1f} / {heads['max_ms']:.1f}",
            ],
            ["changes / transactions", f"{heads['changes']:,.0f} / {heads['transactions']:,.0f}"],
        ],
    )
    names = {
        "late_seconds": "late seconds",
        "late_viewers": "viewers with any",
        "first_byte_p50_ms": "first byte p50, ms",
        "first_byte_p99_ms": "first byte p99, ms",
        "server_cores": "CPU of the server's process, cores",
        "others_cpu_share": "all else on that CPU, cores",
        "gb_per_s": "GB/s taken",
        "jobs": "probes and other jobs",
        "taken_up": "videos taken up",
        "least_to_draw": "least that was waiting to be drawn",
    }
    crowds = found["viewers"]
    facts = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    text = PAGE.format(
        bounds=report.table(["", "measured", "at most", ""], [bound.row() for bound in kept], text=True),
        pages=pages,
        scans=scans,
        playheads=playheads,
        crowds=report.table(
            ["", *crowds],
            [[about, *(shown(each.get(key)) for each in crowds.values())] for key, about in names.items()],
        ),
        some=max(shelves.FULL, options.large * 4 // 100),
        many=f"{max(shelves.FULL, options.large // 5):,}",
        pause=PAUSE,
        machine=(
            f"{facts['cpu']}, {facts['cpus']} CPUs{', a virtual machine' if facts['virtual'] else ''}; "
            f"{facts['memory_gib']} GiB; {facts['system']}; {facts['date']}; load average before the run "
            f"{facts['load_before']}. The servers have one CPU, the clients another. Versions: {versions}."
        ),
        command=" ".join(
            [
                "scripts/bench library",
                *(f"--{name.replace('_', '-')} {getattr(options, name):g}" for name in DEFAULTS),
            ]
        ),
        **{name: getattr(options, name) for name in DEFAULTS},
    )
    paragraphs = [
        part if part[0] in "#|" else report.wrapped(" ".join(part.split()), "  " if part[0] == "-" else "")
        for part in text.split("\n\n")
    ]
    return "\n\n".join(paragraphs) + "\n"


DEFAULTS: dict[str, tuple[float, float, str]] = {
    "small": (100, 100, "videos of the small library"),
    "large": (10_000, 2_000, "videos of the large one"),
    "requests": (200, 15, "of each kind, to each server"),
    "idle": (20, 3, "seconds for which the server is left alone"),
    "players": (2000, 200, "who write their playheads"),
    "playhead_seconds": (30, 4, "for which they are measured"),
    "viewers": (200, 50, "at 5 Mb/s"),
    "seconds": (180, 6, "for which they all watch, with and without a scan"),
    "adding": (10, 10, "new contents a second, while there is a scan"),
}
"""Each argument: what it is by default, what it is with --quick, and what it is about."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench library", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="see that it works, in a minute")
    for name, (usual, _, about) in DEFAULTS.items():
        add(f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"{about}; {usual:g}")
    add(
        "--out",
        type=Path,
        default=machine.REPO / "docs" / "benchmarks",
        metavar="FOLDER",
        help="docs/benchmarks",
    )
    options = parser.parse_args(arguments)
    for name, (usual, quick, _) in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    if not PAGE_SIZE * 2 <= options.small < options.large // 2:
        parser.error(f"--small is at least {PAGE_SIZE * 2}, and --large more than twice that")
    return options


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    (cpu, client_cpu), facts, versions = machine.two_cpus(), machine.facts(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    media.prepare(machine.CACHE / "videos", [media.GB4])
    with tempfile.TemporaryDirectory(prefix="library-", dir=machine.CACHE) as made:
        found = measure(options, Path(made), cpu)
    found["machine"] = facts
    found["versions"] = {name: versions[name] for name in ("python", "trio-stream", *machine.OWN_PACKAGES)}
    kept = bounds(found)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "library.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (options.out / "library.md").write_text(page(found, kept, options), "utf-8")
    for bound in kept:
        print(*bound.row(), sep="  ")
    return 0 if all(bound.kept() for bound in kept) else 1
