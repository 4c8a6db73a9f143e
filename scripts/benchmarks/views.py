"""`scripts/bench memoryview`: six ways to hand on the bytes of a file, compared."""

import argparse
import json
import signal
import sys
from pathlib import Path

import trio

from . import machine, media, report
from .ways import CHUNKS, DELIVERIES, FILE, KIB, TRACED, WAYS, Comparison, chunk_name

TITLES = {
    "nobody": "to nobody: only getting the chunk",
    "channel": "through a Trio memory channel to another task",
    "socket": "into a TCP socket that another process drains",
}


def picture(comparison: Comparison, path: Path) -> None:
    figure, panels = report.axes(1, len(DELIVERIES), (14, 4.6))
    colours = dict(
        zip(
            (way.name for way in WAYS),
            ("#c62828", "#ef9a9a", "#6a1b9a", "#1565c0", "#757575", "#2e7d32"),
            strict=True,
        )
    )
    for panel, delivery in zip(panels, DELIVERIES, strict=True):
        for way in WAYS:
            heights = [comparison.cells[way.name, size, delivery].best()[1] * 1000 for size in CHUNKS]
            style = "--" if way.name == "memoryview" else "-"
            panel.plot(
                range(len(CHUNKS)),
                heights,
                style,
                marker="o",
                markersize=4,
                label=way.name,
                color=colours[way.name],
            )
        panel.set_xticks(range(len(CHUNKS)), [chunk_name(size) for size in CHUNKS], fontsize=8)
        if delivery == "socket":
            panel.set_ylim(bottom=0)
        else:
            panel.set_yscale("log")
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panel.set_title(TITLES[delivery], fontsize=10)
        panel.set_xlabel("chunk", fontsize=9)
        panel.grid(visible=True, which="major", color="#e0e0e0", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("CPU milliseconds per GB (the first two logarithmic)", fontsize=9)
    panels[0].legend(fontsize=8, frameon=False)
    report.save(figure, path)


INTRODUCTION = """\
# Copies and views: what `memoryview` saves, and when

A video server reads a file and sends it, chunk by chunk. What lies between may copy every byte once more, or not at
all: slicing `bytes` or an `mmap` makes a new `bytes` object, slicing a `memoryview` makes a small object that
points. Six ways to get a chunk, delivered three ways, in chunks from 4 KiB to 4 MiB. Written by
`scripts/bench memoryview`; the figures are for this machine, their ratios and the reasons hold elsewhere.

![CPU time per GB](memoryview.png)

## The ways, and what each copies

"""

EXPLAINED = """\
Sending into a socket always copies once more, from wherever the chunk lies into the kernel's socket buffer, on all
six ways; only `sendfile` spares that, and it never shows the bytes to the program. So for a GB sent, a way
without a copy of its own moves 1 GB, the others 2.
"""


def ratio(comparison: Comparison, one: str, other: str, size: int, delivery: str) -> float:
    cells = comparison.cells
    return cells[one, size, delivery].best()[1] / cells[other, size, delivery].best()[1]


def conclusions(comparison: Comparison) -> str:
    """When each wins, from the figures."""

    def ms(way: str, size: int, delivery: str) -> str:
        return f"{report.shown(comparison.cells[way, size, delivery].best()[1] * 1000)} ms"

    def winners(delivery: str) -> str:
        best = []
        for size in CHUNKS:
            way = min(WAYS, key=lambda each: comparison.cells[each.name, size, delivery].best()[1])
            best.append(f"{chunk_name(size)}: {way.name}")
        return "; ".join(best)

    small, middle, large = CHUNKS[0], CHUNKS[2], CHUNKS[-1]
    view = comparison.cells["mmap view", small, "nobody"].best()[1] / (1e9 / small) * 1e9
    hop = comparison.cells["mmap view", middle, "channel"].best()[1] / (1e9 / middle) * 1e6

    def against_view(way: str) -> str:
        each = [
            f"{ratio(comparison, way, 'mmap view', size, 'socket'):.2f}" for size in (small, middle, large)
        ]
        return f"{each[0]} times the CPU in 4 KiB, {each[1]} in 64 KiB, {each[2]} in 4 MiB"

    paragraphs = f"""\
**Getting a view costs the same for 4 KiB and for 4 MiB**, some {view:.0f} ns here, since no byte is touched. A GB
in chunks of 64 KiB takes {ms("mmap view", middle, "nobody")} as views of a map and {ms("mmap", middle, "nobody")}
as copies out of it; in chunks of 4 MiB {ms("mmap view", large, "nobody")} and {ms("mmap", large, "nobody")}.

**A copy costs about the same a GB in any size, while the allocator can give the same memory again**: `pread` to
nobody, each chunk forgotten at once, takes {ms("pread", middle, "nobody")} in 64 KiB and
{ms("pread", large, "nobody")} in 4 MiB, `preadv` into one buffer {ms("preadv", middle, "nobody")} and
{ms("preadv", large, "nobody")}. Where one chunk waits while the next is made, a large one may be new memory from the
kernel, cleared and mapped page by page: through the channel `pread` takes {ms("pread", CHUNKS[-2], "channel")} in
1 MiB and {ms("pread", large, "channel")} in 4 MiB, `preadv` {ms("preadv", CHUNKS[-2], "channel")} and
{ms("preadv", large, "channel")}.

**Into a socket** the kernel's own copy is there for everybody, and in small chunks the system calls are most of the
work, so a view saves little there and more the larger the chunk. Beside a view of the map, slicing the map takes
{against_view("mmap")}; `pread` {against_view("pread")}; slicing `bytes` {against_view("bytes")}.

**One buffer used again** (`preadv`) takes {against_view("preadv")}. It needs no memory but the buffer, and that
may only be filled again once its bytes have left: nothing can be queued ahead, as a server that waits for slow
clients has to. (Through the channel it is here for its cost alone; the task at the other end may find later bytes.)

**Through a channel**, some {hop:.0f} µs a chunk are Trio's: two tasks are scheduled, however large the chunk is. In
4 KiB that is {ms("mmap view", small, "channel")} a GB beside which copies hardly count; in 4 MiB it is
{ms("mmap view", large, "channel")} with views and {ms("mmap", large, "channel")} with copies. So chunks have to be
large, and only views make large chunks cheap.

**Least CPU into the socket**: {winners("socket")}.

**What no table shows**: a view of a map is memory of the page cache, so a thousand viewers of one film share it,
while copies are private to each. In exchange a page that is not there yet stops the thread in `send`, and a file
that is cut short is an error in the middle of a chunk (in a system call `EFAULT`, in Python code the end of the
process): a server that sends views has to warm the pages first, and must never touch them itself."""
    return "\n".join(report.wrapped(f"- {paragraph}", "  ") for paragraph in paragraphs.split("\n\n"))


def page(comparison: Comparison, facts: dict[str, object]) -> str:
    heads = ["", *map(chunk_name, CHUNKS)]
    parts = [
        INTRODUCTION
        + report.table(
            ["", "what it does", "copies of its own", "made by"],
            [[way.name, way.about, str(way.copied), way.by] for way in WAYS],
            text=True,
        ),
        "",
        EXPLAINED,
        "## When each wins",
        "",
        conclusions(comparison),
        "",
        "## CPU milliseconds per GB, and elapsed ones in brackets",
        "",
    ]
    for delivery in DELIVERIES:
        rows = []
        for way in WAYS:
            figures = [comparison.cells[way.name, size, delivery].best() for size in CHUNKS]
            rows.append(
                [
                    way.name,
                    *(f"{report.shown(cpu * 1000)} ({report.shown(wall * 1000)})" for wall, cpu in figures),
                ]
            )
        parts += [
            f"### {TITLES[delivery][0].upper()}{TITLES[delivery][1:]}",
            "",
            report.table(heads, rows),
            "",
        ]
    megabytes = TRACED // media.MIB
    rows = [
        [
            way.name,
            *(
                f"{kib(each.peak)} / {kib(each.fresh)}"
                for each in (comparison.allocations[way.name, size] for size in CHUNKS)
            ),
        ]
        for way in WAYS
    ]
    parts += [
        f"## Allocations for {megabytes} MiB, in KiB: most at once / altogether",
        "",
        "By `tracemalloc`, each chunk kept until the next one is there. Every way makes one object a chunk (a view is",
        "an object too); what differs is how large it is.",
        "",
        report.table(heads, rows),
        "",
        report.table(
            ["objects made", *map(chunk_name, CHUNKS)],
            [
                [way.name, *(f"{comparison.allocations[way.name, size].count:,}" for size in CHUNKS)]
                for way in WAYS
            ],
        ),
        "",
        "## The machine",
        "",
        report.wrapped(
            f"{facts['cpu']}, {facts['cpus']} CPUs{', virtual' if facts['virtual'] else ''}; {facts['system']}; "
            f"Python {facts['python']}, Trio {facts['trio']}; {facts['date']}; load average before the run "
            f"{facts['load_before']}. {facts['rounds']} rounds over {facts['mib']} MiB of random bytes, warm in "
            "the page cache, every page of the map touched before; medians. The sender has one CPU, the process that "
            "drains the socket (with `MSG_TRUNC`) another."
        ),
    ]
    return "\n".join(parts) + "\n"


def kib(size: int) -> str:
    return report.shown(size / KIB, 2) if size >= 52 else "0"


def as_dict(comparison: Comparison, facts: dict[str, object]) -> dict[str, object]:
    return {
        "machine": facts,
        "cells": [
            {
                "way": way,
                "chunk": size,
                "delivery": delivery,
                "seconds_per_gb": cell.seconds,
                "cpu_s_per_gb": cell.cpu,
            }
            for (way, size, delivery), cell in comparison.cells.items()
        ],
        "allocations": [
            {"way": way, "chunk": size, "peak": each.peak, "count": each.count, "bytes": each.fresh}
            for (way, size), each in comparison.allocations.items()
        ],
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench memoryview", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="one round, half of the bytes")
    add("--rounds", type=int, metavar="N", help="default: 5")
    report.add_out(parser)
    add(
        "--calm",
        type=float,
        metavar="SECONDS",
        default=0.0,
        help="wait so long for a load average below 1, or give up",
    )
    options = parser.parse_args(arguments)
    if options.calm and not machine.wait_until_calm(1.0, options.calm):
        raise machine.BenchError(f"the load average is still {machine.load():.2f}")
    total = FILE.size // 4 if options.quick else FILE.size // 2
    rounds = options.rounds or (1 if options.quick else 5)
    folder = machine.CACHE / "videos"
    media.prepare(folder, (FILE,))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    facts = machine.facts() | {
        "python": sys.version.split()[0],
        "trio": trio.__version__,
        "rounds": rounds,
        "mib": total // media.MIB,
    }
    comparison = Comparison(folder / FILE.name, total, rounds, machine.two_cpus())
    comparison.run()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "memoryview.json").write_text(
        json.dumps(as_dict(comparison, facts), indent=1) + "\n", "utf-8"
    )
    (options.out / "memoryview.md").write_text(page(comparison, facts), "utf-8")
    picture(comparison, options.out / "memoryview.png")
    print(f"wrote {options.out / 'memoryview.md'}")
    return 0
