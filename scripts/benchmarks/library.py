"""`scripts/bench library`: what a large library costs, and what a scan and playheads cost beside streams."""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import machine, media, report, servers, shelves, viewers
from .asking import PAGE_SIZE, compare, playheads, watch, watch_scanning
from .bounds import Bound, own_versions, write
from .library_report import page
from .shelf import Shelf, first_scan, idle, traced_look

RESCANS = 3
REST = 2.5  # seconds until the scanner takes files for finished that were linked just now

KEEP_ALIVE = ("--keep-alive", "60")  # seconds; Hypercorn's 5 are fewer than lie between two playheads

SLOWER = 1.5  # times what a page or a search of the small library takes
GROWTH_MB = 8.0  # private memory; what two runs with one library differ by
PLAYHEAD_CORES = 0.25
IDLE_CORES = 0.01


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
        about = f"{what}, ratio of large library to small one, the worst of {len(names)} ({worst})"
        kept.append(
            Bound(
                about if len(names) > 1 else f"{what}, ratio of large library to small one",
                asked[worst]["ratio"],
                SLOWER,
                "x",
            )
        )
    rescans, traced = found["rescans"], found["traced"]["large"]
    if traced:
        kept += [
            Bound("stat calls per video, unchanged scan", traced["stats_per_video"], 1.001, ""),
            Bound("videos opened, unchanged scan", traced["opens"], 0, ""),
            Bound("processes started, unchanged scan", traced["processes"], 0, ""),
            Bound("writes to the database, unchanged scan", traced["writes"], 0, ""),
        ]
    last = {each: rescans[each][-1]["memory_mb"] for each in rescans}
    first = found["first_scan"]
    heads, crowd = found["playheads"], found["viewers"]["with a scan"]
    return [
        *kept,
        Bound(
            "private memory after the rescans, large library minus half of it",
            last["large"] - last["half"],
            GROWTH_MB,
            "MB",
            least=-1e9,
        ),
        Bound(
            "... large library, after the rescans minus after the first scan",
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
    (cpu, client_cpu), facts, versions = machine.two_cpus(), machine.facts(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    media.prepare(machine.CACHE / "videos", [media.GB4])
    with tempfile.TemporaryDirectory(prefix="library-", dir=machine.CACHE) as made:
        found = measure(options, Path(made), cpu)
    found["machine"] = facts
    found["versions"] = own_versions(versions)
    kept = bounds(found)
    run = {name: getattr(options, name) for name in DEFAULTS}
    return write(options.out, "library", found, page(found, kept, run), kept)
