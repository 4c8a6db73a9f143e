"""`scripts/bench memoryview`: compares six ways to pass on the bytes of a file."""

import argparse
import json
import signal
import sys
from pathlib import Path

import trio

from . import machine, media, report
from .ways import CHUNKS, DELIVERIES, FILE, KIB, TRACED, WAYS, Comparison, chunk_name

TITLES = {
    "nobody": "no delivery: only getting the chunk",
    "channel": "through a Trio memory channel to another task",
    "socket": "into a TCP socket that another process drains",
}


def draw_chart(comparison: Comparison, path: Path) -> None:
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
            heights = [comparison.cells[way.name, size, delivery].medians()[1] * 1000 for size in CHUNKS]
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

A video server reads a file and sends it, chunk by chunk. The code in between may copy every byte once more, or not at
all. A slice of `bytes` or of an `mmap` is a new `bytes` object. A slice of a `memoryview` is a small object that
points to the same memory. This page compares six ways to get a chunk and three ways to deliver it, with chunks from 4
KiB to 4 MiB. `scripts/bench memoryview` wrote it. The figures are for this machine; their ratios and the reasons
apply elsewhere.

![CPU time per GB](memoryview.png)

## The ways, and what each copies

"""

EXPLAINED = """\
Sending into a socket always copies once more, from the memory of the chunk into the kernel's socket buffer. This is
true of all six ways. Only `sendfile` avoids that copy, and it never shows the bytes to the program. So to send one
GB, a way without its own copy moves 1 GB, and the others move 2 GB.
"""


def ratio(comparison: Comparison, one: str, other: str, size: int, delivery: str) -> float:
    cells = comparison.cells
    return cells[one, size, delivery].medians()[1] / cells[other, size, delivery].medians()[1]


def conclusions(comparison: Comparison) -> str:
    """Say when each way wins, from the figures."""

    def ms(way: str, size: int, delivery: str) -> str:
        return f"{report.format_value(comparison.cells[way, size, delivery].medians()[1] * 1000)} ms"

    def winners(delivery: str) -> str:
        best = []
        for size in CHUNKS:
            way = min(WAYS, key=lambda each: comparison.cells[each.name, size, delivery].medians()[1])
            best.append(f"{chunk_name(size)}: {way.name}")
        return "; ".join(best)

    small, middle, large = CHUNKS[0], CHUNKS[2], CHUNKS[-1]
    view = comparison.cells["mmap view", small, "nobody"].medians()[1] / (1e9 / small) * 1e9
    hop = comparison.cells["mmap view", middle, "channel"].medians()[1] / (1e9 / middle) * 1e6

    def against_view(way: str) -> str:
        each = [
            f"{ratio(comparison, way, 'mmap view', size, 'socket'):.2f}" for size in (small, middle, large)
        ]
        return f"{each[0]} times the CPU at 4 KiB, {each[1]} at 64 KiB, {each[2]} at 4 MiB"

    paragraphs = f"""\
**A view costs the same for 4 KiB and for 4 MiB**, about {view:.0f} ns here, because no byte is touched. One GB in
chunks of 64 KiB takes {ms("mmap view", middle, "nobody")} as views of a map, and {ms("mmap", middle, "nobody")} as
copies out of it. In chunks of 4 MiB it takes {ms("mmap view", large, "nobody")} and {ms("mmap", large, "nobody")}.

**A copy costs about the same per GB in any size, as long as the allocator can reuse the memory.** Without delivery,
when each chunk is dropped at once, `pread` takes {ms("pread", middle, "nobody")} at 64 KiB and
{ms("pread", large, "nobody")} at 4 MiB. `preadv` into one buffer takes {ms("preadv", middle, "nobody")} and
{ms("preadv", large, "nobody")}. If one chunk waits while the next is read, a large one may need new memory from the
kernel, which is cleared and mapped page by page. Through the channel, `pread` takes
{ms("pread", CHUNKS[-2], "channel")} at 1 MiB and {ms("pread", large, "channel")} at 4 MiB. `preadv` takes
{ms("preadv", CHUNKS[-2], "channel")} and {ms("preadv", large, "channel")}.

**Into a socket**, every way needs the kernel's own copy. With small chunks, the system calls are most of the work, so
a view saves little; the larger the chunk, the more it saves. Compared with a view of the map, a slice of the map
takes {against_view("mmap")}. `pread` takes {against_view("pread")}. A slice of `bytes` takes {against_view("bytes")}.

**One buffer that is reused** (`preadv`) takes {against_view("preadv")}. It needs no memory except the buffer, but the
buffer can be filled again only after its bytes have left. So nothing can be queued ahead, and a server with slow
clients needs a queue. (The figure for the channel shows only the cost. The task at the other end may find later
bytes.)

**Through a channel**, Trio takes about {hop:.0f} µs per chunk: it schedules two tasks, for a chunk of any size. At 4
KiB this is {ms("mmap view", small, "channel")} per GB, so copies hardly count. At 4 MiB it is
{ms("mmap view", large, "channel")} with views and {ms("mmap", large, "channel")} with copies. So chunks must be
large, and only views make large chunks cheap.

**Least CPU into the socket**: {winners("socket")}.

**What no table shows**: a view of a map is memory of the page cache, so a thousand viewers of one film share it.
Copies are private to each viewer. In exchange, a page that is not in memory yet stops the thread in `send`. And a
file that becomes shorter is an error in the middle of a chunk: `EFAULT` in a system call, the end of the process in
Python code. So a server that sends views must warm the pages first, and must never touch them itself."""
    return "\n".join(report.wrapped(f"- {paragraph}", "  ") for paragraph in paragraphs.split("\n\n"))


def page(comparison: Comparison, info: dict[str, object]) -> str:
    heads = ["", *map(chunk_name, CHUNKS)]
    parts = [
        INTRODUCTION
        + report.table(
            ["", "what it does", "own copies", "copied by"],
            [[way.name, way.about, str(way.copied), way.by] for way in WAYS],
            text=True,
        ),
        "",
        EXPLAINED,
        "## When each wins",
        "",
        conclusions(comparison),
        "",
        "## CPU milliseconds per GB, with elapsed milliseconds in brackets",
        "",
    ]
    for delivery in DELIVERIES:
        rows = []
        for way in WAYS:
            figures = [comparison.cells[way.name, size, delivery].medians() for size in CHUNKS]
            rows.append(
                [
                    way.name,
                    *(
                        f"{report.format_value(cpu * 1000)} ({report.format_value(wall * 1000)})"
                        for wall, cpu in figures
                    ),
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
        f"## Allocations for {megabytes} MiB, in KiB: peak / total",
        "",
        "Measured with `tracemalloc`. Each chunk is kept until the next one is there. Every way creates one object per",
        "chunk (a view is an object too); only the size of the object differs.",
        "",
        report.table(heads, rows),
        "",
        report.table(
            ["objects created", *map(chunk_name, CHUNKS)],
            [
                [way.name, *(f"{comparison.allocations[way.name, size].count:,}" for size in CHUNKS)]
                for way in WAYS
            ],
        ),
        "",
        "## The machine",
        "",
        report.wrapped(
            f"{info['cpu']}, {info['cpus']} CPUs{', virtual' if info['virtual'] else ''}; "
            f"{info['system']}; Python {info['python']}, Trio {info['trio']}; "
            f"{info['date']}; load average before the run {info['load_before']}. "
            f"{info['rounds']} rounds over {info['mib']} MiB of random bytes. They are warm in the page "
            "cache, and every page of the map was touched before. The figures are medians. The sender has "
            "one CPU, and the process that drains the socket (with `MSG_TRUNC`) has another."
        ),
    ]
    return "\n".join(parts) + "\n"


def kib(size: int) -> str:
    return report.format_value(size / KIB, 2) if size >= 52 else "0"


def as_dict(comparison: Comparison, info: dict[str, object]) -> dict[str, object]:
    return {
        "machine": info,
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
        help="wait at most this long for a load average below 1",
    )
    options = parser.parse_args(arguments)
    if options.calm and not machine.wait_until_calm(1.0, options.calm):
        raise machine.BenchError(f"the load average is still {machine.load():.2f}, not below 1")
    total = FILE.size // 4 if options.quick else FILE.size // 2
    rounds = options.rounds or (1 if options.quick else 5)
    folder = machine.CACHE / "videos"
    media.prepare(folder, (FILE,))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    info = machine.describe() | {
        "python": sys.version.split()[0],
        "trio": trio.__version__,
        "rounds": rounds,
        "mib": total // media.MIB,
    }
    comparison = Comparison(folder / FILE.name, total, rounds, machine.two_cpus())
    comparison.run()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "memoryview.json").write_text(
        json.dumps(as_dict(comparison, info), indent=1) + "\n", "utf-8"
    )
    (options.out / "memoryview.md").write_text(page(comparison, info), "utf-8")
    draw_chart(comparison, options.out / "memoryview.png")
    print(f"wrote {options.out / 'memoryview.md'}")
    return 0
