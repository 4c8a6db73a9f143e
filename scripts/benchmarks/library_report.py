"""Writes library.md, the page of `scripts/bench library`, from the figures."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import libraries, report
from .bounds import Bound, about_machine, filled, table
from .players import PAUSE

PAGE = """\
# A large library

What a library of {large:,} videos costs compared with one of {small:,}, and what scans and playheads cost while
streams run. The servers are real (`hypercorn trio_stream.app:app -k trio`, SQLite) and were measured over loopback, in
one run. `scripts/bench library` wrote this page; all figures are in [library.json](library.json).

{bounds}

## Pages and searches

Each request was made {requests} times, alternately to the server with the small library and to the one with the large
library. The figures are medians, in ms. *CPU* is the CPU time of the server's process. A search for *some* finds
{some} videos of the large library, *many* {many}, *all* every video. *Last* finds the videos that come last in the
requested order.

{pages}

## Scans

{scans}

The first scan, and its CPU time, count from the start of the server. *Settled* is when everything was probed and all
artwork was generated; this is done once for all files with the same content. Private memory is RssAnon of the server's
process. Up to 12.6 MB of it is SQLite's page caches, which the small library does not fill. To see what grows with
the library, compare the large library with half of it. strace counted the calls of an unchanged scan, in a scan that
was not timed.

## Playheads

{players:,} players write every {pause:g} s for {playhead_seconds:g} s. Each has its own connection and keeps it open.
The client is another process on another CPU.

{playheads}

## Viewers

{viewers} viewers at 5 Mb/s for {seconds:g} s, as in [the comparison of servers](README.md), with the large library.
First the server does nothing else. Then {adding:g} new contents per second are added, scanned and probed, and their
artwork is generated with the default share of the machine. The server and all its child processes share one CPU.

{crowds}

## The machine

{machine}

## Repeat it

`{command}` wrote this page. It exits with 1 when a limit is missed. Use a machine with nothing else running, with two
CPUs.
"""


def page(found: dict[str, Any], bounds: Sequence[Bound], run: Mapping[str, float]) -> str:
    format_value = report.format_value
    sizes = {
        "small": f"{run['small']:,} videos",
        "half": f"{run['large'] // 2:,}",
        "large": f"{run['large']:,}",
    }
    requests = found["requests"]
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
            for name, each in requests.items()
        ],
    )

    def scan(what: str, take: Callable[[str], float | None]) -> list[str]:
        return [what, *(format_value(take(each)) for each in sizes)]

    def middle(each: str, key: str) -> float:
        return statistics.median(rescan[key] for rescan in found["rescans"][each])

    def traced(each: str, key: str) -> float | None:
        return (found["traced"].get(each) or {}).get(key)

    first = found["first_scan"]
    scans = report.table(
        ["", *sizes.values()],
        [
            scan("folders", lambda each: first[each]["folders"]),
            scan("first scan, s", lambda each: first[each]["look_seconds"]),
            scan("CPU until it ended, s", lambda each: first[each]["look_cpu_seconds"]),
            scan("CPU until settled, s", lambda each: first[each]["settled_cpu_seconds"]),
            scan("unchanged scan, s", lambda each: middle(each, "seconds")),
            scan("... CPU, s", lambda each: middle(each, "cpu_seconds")),
            scan(
                "... changes written",
                lambda each: max(rescan["changes"] for rescan in found["rescans"][each]),
            ),
            scan("... stat calls per video", lambda each: traced(each, "stats_per_video")),
            scan("... videos opened", lambda each: traced(each, "opens")),
            scan("... processes started", lambda each: traced(each, "processes")),
            scan("... writes and syncs of files", lambda each: traced(each, "writes")),
            scan("private memory, first scan, MB", lambda each: first[each]["memory_mb"]),
            *(
                scan(
                    f"... after rescan {number + 1}",
                    lambda each, number=number: found["rescans"][each][number]["memory_mb"],
                )
                for number in range(len(found["rescans"]["large"]))
            ),
            scan("... after the requests", found["memory_after_requests"].get),
            scan("CPU when idle, cores", found["idle"].get),
        ],
    )
    heads = found["playheads"]
    playheads = report.table(
        ["", "measured"],
        [
            ["CPU of the server's process, cores", f"{heads['cores']:.3f}"],
            ["... when idle", f"{heads['idle_cores']:.4f}"],
            ["CPU per write, ms", f"{heads['cpu_ms_per_write']:.3f}"],
            ["writes", f"{heads['writes']:,}"],
            ["not stored", str(heads["errors"] or 0)],
            [
                "time to respond, p50 / p99 / max, ms",
                f"{heads['p50_ms']:.1f} / {heads['p99_ms']:.1f} / {heads['max_ms']:.1f}",
            ],
            ["changes / transactions", f"{heads['changes']:,.0f} / {heads['transactions']:,.0f}"],
        ],
    )
    names = {
        "late_seconds": "late seconds",
        "late_viewers": "viewers with late seconds",
        "first_byte_p50_ms": "first byte p50, ms",
        "first_byte_p99_ms": "first byte p99, ms",
        "server_cores": "CPU of the server's process, cores",
        "others_cpu_share": "everything else on that CPU, cores",
        "gb_per_s": "GB/s received",
        "jobs": "probes and other jobs",
        "taken_up": "videos added",
        "least_to_draw": "smallest number of videos waiting for artwork",
    }
    crowds = found["viewers"]
    text = PAGE.format(
        bounds=table(bounds),
        pages=pages,
        scans=scans,
        playheads=playheads,
        crowds=report.table(
            ["", *crowds],
            [
                [about, *(format_value(each.get(key)) for each in crowds.values())]
                for key, about in names.items()
            ],
        ),
        some=max(libraries.MIN_NAMES, run["large"] * 4 // 100),
        many=f"{max(libraries.MIN_NAMES, run['large'] // 5):,}",
        pause=PAUSE,
        machine=about_machine(found, "The servers have"),
        command=" ".join(
            [
                "scripts/bench library",
                *(f"--{name.replace('_', '-')} {value:g}" for name, value in run.items()),
            ]
        ),
        **run,
    )
    return filled(text)
