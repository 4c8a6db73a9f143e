"""`scripts/bench library`: the cost of a large library, and of scans and playheads while videos are streamed."""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import libraries, machine, media, report, servers, viewers
from .bounds import Bound, own_versions, write
from .library_load import PAGE_SIZE, compare, playheads, watch, watch_scanning
from .library_report import page
from .library_server import LibraryServer, idle_cores, measure_first_scan, traced_scan

RESCANS = 3
SETTLE = 2.5  # seconds until the scanner treats new links as settled

KEEP_ALIVE = ("--keep-alive", "60")  # seconds; Hypercorn's 5 are less than the time between two playheads

MAX_RATIO = 1.5  # times the time of a page or a search in the small library
MAX_GROWTH_MB = 8.0  # private memory; two runs with one library differ by this much
MAX_PLAYHEAD_CORES = 0.25
MAX_IDLE_CORES = 0.01


@contextlib.contextmanager
def serving_library(
    count: int, folder: Path, cpu: int, *, hurried: bool
) -> Iterator[tuple[LibraryServer, dict[str, float]]]:
    """Run a server with a library of `count` videos, and measure its first scan."""
    say(f"a library of {count:,} videos: filling and scanning it")
    libraries.fill(folder / str(count), count)
    time.sleep(SETTLE)
    environment = {"TRIO_STREAM_ARTWORK_SHARE": "1"} if hurried else {}
    kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", environment, KEEP_ALIVE)
    with servers.serving(kind, folder / str(count), cpu) as running:
        library = LibraryServer(running, folder / str(count), count)
        yield library, measure_first_scan(library)


def measure(options: argparse.Namespace, folder: Path, cpu: int) -> dict[str, Any]:
    """Measure a small library and a large one, each on its own server. Half of the large one is only scanned."""
    found: dict[str, Any] = {"first_scan": {}, "rescans": {}, "traced": {}, "idle": {}}
    with serving_library(options.large // 2, folder, cpu, hurried=options.quick) as (half, first):
        found["first_scan"]["half"] = first
        found["rescans"]["half"] = [half.rescan() for _ in range(RESCANS)]
    with contextlib.ExitStack() as stack:
        both: dict[str, LibraryServer] = {}
        for each, count in (("small", options.small), ("large", options.large)):
            library, found["first_scan"][each] = stack.enter_context(
                serving_library(count, folder, cpu, hurried=options.quick)
            )
            both[each] = library
            found["rescans"][each] = [library.rescan() for _ in range(RESCANS)]
            found["traced"][each] = traced_scan(library)
            found["idle"][each] = idle_cores(library, options.idle)
        large = both["large"]
        say("pages and searches")
        found["requests"] = compare(both["small"], large, options.requests)
        found["memory_after_requests"] = {each: library.memory() for each, library in both.items()}
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
        found["memory_at_the_end"] = {each: library.memory() for each, library in both.items()}
    return found


def bounds_of(found: dict[str, Any]) -> list[Bound]:
    """The bounds and whether the figures are within them."""
    requests = found["requests"]
    groups = {
        "a page of 50": [name for name in requests if "page" in name],
        "a search": [name for name in requests if "search" in name],
        "a video": ["a video"],
    }
    bounds = []
    for what, names in groups.items():
        worst = max(names, key=lambda name: requests[name]["ratio"])
        about = f"{what}, ratio of large library to small one, the worst of {len(names)} ({worst})"
        bounds.append(
            Bound(
                about if len(names) > 1 else f"{what}, ratio of large library to small one",
                requests[worst]["ratio"],
                MAX_RATIO,
                "x",
            )
        )
    rescans, traced = found["rescans"], found["traced"]["large"]
    if traced:
        bounds += [
            Bound("stat calls per video, unchanged scan", traced["stats_per_video"], 1.001, ""),
            Bound("videos opened, unchanged scan", traced["opens"], 0, ""),
            Bound("processes started, unchanged scan", traced["processes"], 0, ""),
            Bound("writes to the database, unchanged scan", traced["writes"], 0, ""),
        ]
    last = {each: rescans[each][-1]["memory_mb"] for each in rescans}
    first = found["first_scan"]
    heads, crowd = found["playheads"], found["viewers"]["with a scan"]
    return [
        *bounds,
        Bound(
            "private memory after the rescans, large library minus half of it",
            last["large"] - last["half"],
            MAX_GROWTH_MB,
            "MB",
            least=-1e9,
        ),
        Bound(
            "... large library, after the rescans minus after the first scan",
            last["large"] - first["large"]["memory_mb"],
            MAX_GROWTH_MB,
            "MB",
            least=-1e9,
        ),
        Bound("CPU of an idle server, large library", found["idle"]["large"], MAX_IDLE_CORES, "cores"),
        Bound(
            f"CPU of the server, {heads['players']:,} players", heads["cores"], MAX_PLAYHEAD_CORES, "cores"
        ),
        Bound("playheads not stored", sum(heads["errors"].values()), 0, ""),
        Bound("late seconds with a scan", crowd["late_seconds"], 0, ""),
        Bound(
            "viewers lost or without a response",
            crowd["lost"] + crowd["unanswered"] + crowd["refused"],
            0,
            "",
        ),
    ]


DEFAULTS: dict[str, tuple[float, float, str]] = {
    "small": (100, 100, "videos of the small library"),
    "large": (10_000, 2_000, "videos of the large one"),
    "requests": (200, 15, "of each kind, to each server"),
    "idle": (20, 3, "seconds for which the server is idle"),
    "players": (2000, 200, "that write playheads"),
    "playhead_seconds": (30, 4, "for which the players are measured"),
    "viewers": (200, 50, "at 5 Mb/s"),
    "seconds": (180, 6, "for which all viewers watch, with a scan and without"),
    "adding": (10, 10, "new contents per second during the scan"),
}
"""Each argument with its default, its value with --quick, and its help."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench library", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="a short run of a minute, to see that it works")
    for name, (usual, _, about) in DEFAULTS.items():
        add(f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"{about}; {usual:g}")
    report.add_out(parser)
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
    (cpu, client_cpu), info, versions = machine.two_cpus(), machine.describe(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    media.prepare(machine.CACHE / "videos", [media.GB4])
    with tempfile.TemporaryDirectory(prefix="library-", dir=machine.CACHE) as work:
        found = measure(options, Path(work), cpu)
    found["machine"] = info
    found["versions"] = own_versions(versions)
    checked = bounds_of(found)
    run = {name: getattr(options, name) for name in DEFAULTS}
    return write(options.out, "library", found, page(found, checked, run), checked)
