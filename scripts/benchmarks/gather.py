"""`scripts/bench gather`: ways to send bytes that lie in many runs of a file, compared by how long the runs are."""

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
PIECE = 256 * KIB  # at most so many bytes are gathered at once
BRIDGED = 8 * KIB
MOST_VECTORS = 1000  # Linux takes 1,024 in one call, those for the gaps with them

type Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Runs of `run` bytes with `gap` bytes between them."""

    about: str
    run: int
    gap: int

    def pieces(self, total: int) -> Iterator[list[Run]]:
        """`total` bytes or somewhat less, in pieces; at the end of the file they go on from its beginning."""
        at, step = 0, self.run + self.gap
        count = max(1, min(PIECE // self.run, MOST_VECTORS // 2))
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
            self.view[offset]  # the first touch of a page is dear, and not what is compared
        self.scrap = memoryview(bytearray(MIB))
        self.buffer = memoryview(bytearray(PIECE))

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
    """Into one buffer; gaps of so many bytes are read too, into one that nobody looks at."""
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
    while left:  # it took a part
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
    """CPU seconds a GB by layout and way, each round in turn."""
    found: dict[str, dict[str, list[float]]] = {
        layout.about: {way.name: [] for way in WAYS} for layout in (*SWEEP, *REAL)
    }
    os.sched_setaffinity(0, {cpus[0]})
    with discarding(cpus[1]) as sock:
        source = Source(path, sock)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            for layout in (*SWEEP, *REAL):
                pieces = list(layout.pieces(total))
                sent = sum(length for piece in pieces for _, length in piece)
                for way in WAYS:
                    spent = time.process_time()
                    for piece in pieces:
                        way.send(source, piece)
                    found[layout.about][way.name].append((time.process_time() - spent) * 1e9 / sent)
        source.close()
    return found


def rows(found: dict[str, dict[str, list[float]]], layouts: Sequence[Layout]) -> str:
    made = []
    for layout in layouts:
        figures = [statistics.median(found[layout.about][way.name]) for way in WAYS]
        least = min(figures)
        made.append([
            layout.about,
            *(f"**{each:.2f}**" if each == least else f"{each:.2f}" for each in figures),
        ])  # fmt: skip
    return report.table(["", *(way.name for way in WAYS)], made)


def conclusions(found: dict[str, dict[str, list[float]]]) -> str:
    """From the figures: what is copied at less cost than it is sent from where it lies, and what that costs."""

    def ratio(layout: Layout, one: str, other: str = "one buffer") -> str:
        cells = found[layout.about]
        return (
            f"{statistics.median(mine / its for mine, its in zip(cells[one], cells[other], strict=True)):.2f}"
        )

    short, sound, pictures = SWEEP[1], REAL[0], REAL[2]
    longer = [each.about for each in SWEEP if float(ratio(each, "sendfile", "bridged")) <= 1]
    since = f"for runs of {', '.join(longer)}" if longer else "for none of these runs"
    return (
        f"- One `sendfile` per run costs no more than the bridged copy {since}. With small gaps, as in video with runs "
        f"of 6.6 KiB, it costs {ratio(pictures, 'sendfile', 'bridged')} times as much.\n\n"
        f"- It pays to read the gaps if they are small. Reading all gaps costs {ratio(pictures, 'scrap')} times as "
        f"much as one call per run for the video of 1.3 Mb/s, and {ratio(sound, 'scrap')} times as much for the audio "
        f"of 8 Mb/s. The bridged way costs {ratio(pictures, 'bridged')} and {ratio(sound, 'bridged')} times as much. "
        "The server uses the bridged way.\n\n"
        f"- Views of a map cost least if their pages are in the map: {ratio(short, 'views')} times as much as one "
        f"call per run, for runs of {short.about}. A new map for each part costs {ratio(short, 'new views')} there. "
        f"For the video of 1.3 Mb/s it costs {ratio(pictures, 'new views', 'bridged')} times as much as the bridged "
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
    folder, facts = machine.CACHE / "videos", machine.facts()
    media.prepare(folder, (FILE,))
    found = measure(folder / FILE.name, total, rounds, machine.two_cpus())
    about = (
        f"{facts['cpu']}, {facts['cpus']} CPUs{', a virtual machine' if facts['virtual'] else ''}; {facts['system']}, "
        f"{facts['congestion_control']}; Python {sys.version.split()[0]}; {facts['date']}; load average before the "
        f"run {facts['load_before']}. {rounds} rounds of {total // MIB} MiB each. The file is warm in the page cache, "
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
    figures: dict[str, Any] = {"machine": facts, "cpu_s_per_gb": found}
    return write(options.out, "gather", figures, text, [])
