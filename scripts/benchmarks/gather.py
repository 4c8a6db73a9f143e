"""`scripts/bench gather`: compares ways to send bytes from many runs of a file, by the length of the runs."""

import argparse
import mmap
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import machine, media, report
from .bounds import filled, write
from .ways import KIB, discarding

MIB = media.MIB
FILE = media.MB256
PART = 256 * KIB  # at most this many bytes are gathered at once
BRIDGED = 8 * KIB
MAX_VECTORS = 1000  # Linux allows 1,024 in one call, with those for the gaps

type Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Runs of `run` bytes with `gap` bytes between them."""

    about: str
    run: int
    gap: int

    def parts(self, total: int) -> Iterator[list[Run]]:
        """Yield about `total` bytes in parts; after the end of the file, continue from its beginning."""
        at, step = 0, self.run + self.gap
        count = max(1, min(PART // self.run, MAX_VECTORS // 2))
        for _ in range(total // (count * self.run)):
            if at + count * step > FILE.size:
                at = 0
            yield [(at + number * step, self.run) for number in range(count)]
            at += count * step


SWEEP = tuple(
    Layout(f"{size / KIB:g} KiB", size, size)
    for size in (512, *(KIB * each for each in (1, 2, 4, 6, 8, 16, 32)))
)
REAL = (
    Layout("audio of a film of 8 Mb/s: runs of 0.8 KiB, gaps of 41 KiB", 853, 41_700),
    Layout("audio of a film of 1.3 Mb/s: runs of 0.8 KiB, gaps of 6.6 KiB", 853, 6_770),
    Layout("video of a film of 1.3 Mb/s: runs of 6.6 KiB, gaps of 0.8 KiB", 6_770, 853),
    Layout("video of a film of 8 Mb/s: runs of 41 KiB, gaps of 0.8 KiB", 41_700, 853),
)


class Source:
    """The file, open and mapped, and the socket it goes to."""

    def __init__(self, path: Path, sock: socket.socket) -> None:
        self.fd = os.open(path, os.O_RDONLY)
        self.sock = sock
        self.map = mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ)
        self.view = memoryview(self.map)
        for offset in range(0, len(self.map), mmap.PAGESIZE):
            self.view[offset]  # the first access to a page is expensive, and is not compared
        self.scrap = memoryview(bytearray(MIB))
        self.buffer = memoryview(bytearray(PART))

    def close(self) -> None:
        self.view.release()
        self.map.close()
        os.close(self.fd)


def by_sendfile(source: Source, runs: Sequence[Run]) -> None:
    sock, fd = source.sock.fileno(), source.fd
    for offset, length in runs:
        sent = 0
        while sent < length:
            sent += os.sendfile(sock, fd, offset + sent, length - sent)


def by_pread(source: Source, runs: Sequence[Run]) -> None:
    fd, pread = source.fd, os.pread
    source.sock.sendall(b"".join([pread(fd, length, offset) for offset, length in runs]))


def by_one_buffer(source: Source, runs: Sequence[Run]) -> None:
    _by_preadv(source, runs, bridged=0)


def by_scrap(source: Source, runs: Sequence[Run]) -> None:
    _by_preadv(source, runs, bridged=len(source.scrap))


def by_bridges(source: Source, runs: Sequence[Run]) -> None:
    _by_preadv(source, runs, bridged=BRIDGED)


def _by_preadv(source: Source, runs: Sequence[Run], bridged: int) -> None:
    """Read into one buffer. Gaps of up to `bridged` bytes are read too, into a scrap buffer."""
    buffer = source.buffer[: sum([length for _, length in runs])]
    vectors: list[memoryview] = []
    at, begin, end = 0, runs[0][0], runs[0][0]
    for offset, length in runs:
        if offset - end > bridged:
            os.preadv(source.fd, vectors, begin)
            vectors, begin = [], offset
        elif offset > end:
            vectors.append(source.scrap[: offset - end])
        vectors.append(buffer[at : at + length])
        at, end = at + length, offset + length
    os.preadv(source.fd, vectors, begin)
    source.sock.sendall(buffer)


def by_views(source: Source, runs: Sequence[Run]) -> None:
    _send_views(source.sock, source.view, runs)


def by_new_views(source: Source, runs: Sequence[Run]) -> None:
    with mmap.mmap(source.fd, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
        _send_views(source.sock, view, runs)


def _send_views(sock: socket.socket, view: memoryview, runs: Sequence[Run]) -> None:
    vectors = [view[offset : offset + length] for offset, length in runs]
    left = sum([length for _, length in runs]) - sock.sendmsg(vectors)
    while left:  # only a part was sent
        skipped = sum(map(len, vectors)) - left
        while skipped >= len(vectors[0]):
            skipped -= len(vectors.pop(0))
        vectors[0] = vectors[0][skipped:]
        left -= sock.sendmsg(vectors)


@dataclass(frozen=True, slots=True)
class Way:
    name: str
    about: str
    send: Callable[[Source, Sequence[Run]], None]


WAYS = (
    Way("sendfile", "one `sendfile` per run; nothing is copied in this process", by_sendfile),
    Way("pread", "one `pread` per run, and `join`", by_pread),
    Way("one buffer", "one `preadv` per run, into its place in one buffer that is reused", by_one_buffer),
    Way("scrap", "one `preadv` for all runs, with a scrap buffer for the gaps", by_scrap),
    Way("bridged", "the same for gaps of at most 8 KiB; a new call after a longer gap", by_bridges),
    Way("views", "one `sendmsg` of views of a map; all pages have been touched before", by_views),
    Way("new views", "the same with a new map for each part, which is then unmapped", by_new_views),
)

PAGE = """\
# Scattered bytes: ways to gather them

In a file, the bytes of one track are spread over hundreds of runs, with runs of other tracks in between. This page
compares {count} ways to send them over a socket to a client on another CPU. The client discards what it gets. The
bytes are sent in parts of at most 256 KiB. The figures are CPU seconds of the sending process per GB sent (10⁹
bytes); less is better, and the lowest is bold. `scripts/bench gather` wrote this page; all rounds are in
[gather.json](gather.json).

{ways}

## By the length of the runs, with gaps of the same length

{sweep}

## With the layout of films

24 frames per second and AAC, as FFmpeg writes them.

{real}

## What follows

{conclusions}

## The machine

{machine}
"""


def measure(path: Path, total: int, rounds: int, cpus: tuple[int, int]) -> dict[str, dict[str, list[float]]]:
    """CPU seconds per GB by layout and way; all ways in turn, in every round."""
    found: dict[str, dict[str, list[float]]] = {
        layout.about: {way.name: [] for way in WAYS} for layout in (*SWEEP, *REAL)
    }
    os.sched_setaffinity(0, {cpus[0]})
    with discarding(cpus[1]) as sock:
        source = Source(path, sock)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for layout in (*SWEEP, *REAL):
                parts = list(layout.parts(total))
                sent = sum(length for part in parts for _, length in part)
                for way in WAYS:
                    spent = time.process_time()
                    for part in parts:
                        way.send(source, part)
                    found[layout.about][way.name].append((time.process_time() - spent) * 1e9 / sent)
        source.close()
    return found


def rows(found: dict[str, dict[str, list[float]]], layouts: Sequence[Layout]) -> str:
    lines = []
    for layout in layouts:
        figures = [statistics.median(found[layout.about][way.name]) for way in WAYS]
        least = min(figures)
        lines.append([
            layout.about,
            *(f"**{each:.2f}**" if each == least else f"{each:.2f}" for each in figures),
        ])  # fmt: skip
    return report.table(["", *(way.name for way in WAYS)], lines)


def conclusions(found: dict[str, dict[str, list[float]]]) -> str:
    """Say from the figures when it is cheaper to copy bytes together than to send each run from the file."""

    def ratio(layout: Layout, one: str, other: str = "one buffer") -> str:
        cells = found[layout.about]
        return (
            f"{statistics.median(mine / its for mine, its in zip(cells[one], cells[other], strict=True)):.2f}"
        )

    short, audio, video = SWEEP[1], REAL[0], REAL[2]
    longer = [each.about for each in SWEEP if float(ratio(each, "sendfile", "bridged")) <= 1]
    since = f"for runs of {', '.join(longer)}" if longer else "for none of these runs"
    return (
        f"- One `sendfile` per run costs no more than the bridged copy {since}. With small gaps, as in video with runs "
        f"of 6.6 KiB, it costs {ratio(video, 'sendfile', 'bridged')} times as much.\n\n"
        f"- It pays to read the gaps if they are small. Reading all gaps costs {ratio(video, 'scrap')} times as "
        f"much as one call per run for the video of 1.3 Mb/s, and {ratio(audio, 'scrap')} times as much for the audio "
        f"of 8 Mb/s. The bridged way costs {ratio(video, 'bridged')} and {ratio(audio, 'bridged')} times as much. "
        "The server uses the bridged way.\n\n"
        f"- Views of a map cost least if their pages are in the map: {ratio(short, 'views')} times as much as one "
        f"call per run, for runs of {short.about}. A new map for each part costs {ratio(short, 'new views')} there. "
        f"For the video of 1.3 Mb/s it costs {ratio(video, 'new views', 'bridged')} times as much as the bridged "
        "copy, because each page causes a fault. And if the system took back a page in the meantime, everything would "
        "stop in `sendmsg`."
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench gather", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, a quarter of the bytes")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 5")
    report.add_out(parser)
    options = parser.parse_args(arguments)
    rounds = options.rounds or (1 if options.quick else 5)
    total = (16 if options.quick else 64) * MIB
    folder, info = machine.CACHE / "videos", machine.describe()
    media.prepare(folder, (FILE,))
    found = measure(folder / FILE.name, total, rounds, machine.two_cpus())
    about = (
        f"{info['cpu']}, {info['cpus']} CPUs{', a virtual machine' if info['virtual'] else ''}; {info['system']}, "
        f"{info['congestion_control']}; Python {sys.version.split()[0]}; {info['date']}; load average before the "
        f"run {info['load_before']}. {rounds} rounds of {total // MIB} MiB each. The file is warm in the page cache, "
        "and every page of the map was touched before. The figures are medians."
    )
    text = filled(
        PAGE.format(
            count=["no", "one", "two", "three", "four", "five", "six", "seven", "eight"][len(WAYS)],
            ways=report.table(["", "what it does"], [[way.name, way.about] for way in WAYS], text=True),
            sweep=rows(found, SWEEP),
            real=rows(found, REAL),
            conclusions=conclusions(found),
            machine=about,
        )
    )
    figures: dict[str, Any] = {"machine": info, "cpu_s_per_gb": found}
    return write(options.out, "gather", figures, text, [])
