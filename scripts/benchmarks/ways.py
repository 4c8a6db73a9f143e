"""Six ways to hand on the bytes of a file, measured.

Each way walks through the same file in chunks and delivers every chunk: into a socket whose other end another process
discards on another CPU (`sendall` on loopback TCP), through a Trio memory channel to another task, or to nobody.
"""

import contextlib
import gc
import mmap
import os
import socket
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import trio

from . import media

KIB = 1024
CHUNKS = tuple(4 * KIB * 4**power for power in range(6))
FILE = media.MB256
TRACED = 32 * media.MIB  # as much is walked through for counting allocations
DELIVERIES = ("nobody", "channel", "socket")
type Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Way:
    """A way to get chunks; `copied` says how often each byte is copied before it is delivered, and by whom."""

    name: str
    about: str
    copied: int
    by: str


WAYS = (
    Way(
        "bytes",
        "`data[a:b]` of a `bytes` object with the whole file",
        1,
        "Python, into a new object each time",
    ),
    Way("memoryview", "`view[a:b]` of a `memoryview` of that `bytes`", 0, "no one"),
    Way("mmap", "`map[a:b]` of an `mmap`: a new `bytes`", 1, "Python, from the page cache"),
    Way("mmap view", "`view[a:b]` of a `memoryview` of the `mmap`", 0, "no one"),
    Way("pread", "`os.pread(fd, n, a)`: a new `bytes`", 1, "the kernel, into a new object each time"),
    Way(
        "preadv",
        "`os.preadv(fd, [buffer], a)` into one buffer, and a view of it",
        1,
        "the kernel, into the same memory",
    ),
)


@contextlib.contextmanager
def source(way: str, path: Path, size: int) -> Iterator[Callable[[int, int], Buffer]]:
    """A function that gets the chunk at an offset; what it needs is opened before and closed after."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if way in {"bytes", "memoryview"}:
            data = path.read_bytes()
            view = memoryview(data)
            yield (lambda a, n: data[a : a + n]) if way == "bytes" else (lambda a, n: view[a : a + n])
        elif way in {"mmap", "mmap view"}:
            with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as mapped_view:
                for offset in range(0, len(mapped), mmap.PAGESIZE):
                    mapped_view[offset]  # the first touch of a page is dear, and not what is compared
                if way == "mmap":
                    yield lambda a, n: mapped[a : a + n]
                else:
                    yield lambda a, n: mapped_view[a : a + n]
        elif way == "pread":
            yield lambda a, n: os.pread(fd, n, a)
        else:
            buffer = bytearray(size)
            whole = memoryview(buffer)

            def into_buffer(a: int, n: int) -> Buffer:
                return whole[: os.preadv(fd, [whole[:n]], a)]

            yield into_buffer
    finally:
        os.close(fd)


def to_nobody(get: Callable[[int, int], Buffer], size: int, total: int) -> None:
    for offset in range(0, total, size):
        get(offset, size)


def to_socket(get: Callable[[int, int], Buffer], size: int, total: int, sock: socket.socket) -> None:
    for offset in range(0, total, size):
        sock.sendall(get(offset, size))


def to_channel(get: Callable[[int, int], Buffer], size: int, total: int) -> None:
    """Through a channel with room for one chunk; the other task takes it and forgets it."""

    async def take(receive: trio.MemoryReceiveChannel[Buffer]) -> None:
        async for _ in receive:
            pass

    async def hand_on() -> None:
        send, receive = trio.open_memory_channel[Buffer](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, receive)
            async with send:
                for offset in range(0, total, size):
                    await send.send(get(offset, size))

    trio.run(hand_on)


@contextlib.contextmanager
def discarding(cpu: int) -> Iterator[socket.socket]:
    """A loopback connection to a process of its own, on `cpu`, which throws away what comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        receiver, _ = listener.accept()
    child = os.fork()
    if child == 0:
        try:
            sender.close()
            os.sched_setaffinity(0, {cpu})
            sink = bytearray(media.MIB)
            while receiver.recv_into(sink, len(sink), socket.MSG_TRUNC):
                pass
        finally:
            os._exit(0)
    receiver.close()
    try:
        yield sender
    finally:
        sender.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


@dataclass(slots=True)
class Cell:
    """Figures of one way, chunk size and delivery, a GB."""

    seconds: list[float]
    cpu: list[float]

    def best(self) -> tuple[float, float]:
        return statistics.median(self.seconds), statistics.median(self.cpu)


@dataclass(frozen=True, slots=True)
class Allocations:
    """What walking through `TRACED` bytes made Python allocate: `peak` at once, `fresh` bytes for chunks altogether."""

    peak: int
    count: int
    fresh: int


class Comparison:
    def __init__(self, path: Path, total: int, rounds: int, cpus: tuple[int, int]) -> None:
        self._path, self._total, self._rounds, self._cpus = path, total, rounds, cpus
        self.cells: dict[tuple[str, int, str], Cell] = {}
        self.allocations: dict[tuple[str, int], Allocations] = {}

    def run(self) -> None:
        """In turn: every way, then every way again."""
        os.sched_setaffinity(0, {self._cpus[0]})
        with discarding(self._cpus[1]) as sock:
            for number in range(self._rounds):
                for size in CHUNKS:
                    print(
                        f"round {number + 1} of {self._rounds}: {chunk_name(size)}",
                        file=sys.stderr,
                        flush=True,
                    )
                    for way in WAYS:
                        self._measure(way.name, size, sock)
        for size in CHUNKS:
            for way in WAYS:
                self.allocations[way.name, size] = self._count(way.name, size)

    def _measure(self, way: str, size: int, sock: socket.socket) -> None:
        with source(way, self._path, size) as get:
            deliver: dict[str, Callable[[], None]] = {
                "nobody": lambda: to_nobody(get, size, self._total),
                "channel": lambda: to_channel(get, size, self._total),
                "socket": lambda: to_socket(get, size, self._total, sock),
            }
            for delivery in DELIVERIES:
                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                deliver[delivery]()
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                cell = self.cells.setdefault((way, size, delivery), Cell([], []))
                cell.seconds.append(wall * 1e9 / self._total)
                cell.cpu.append(cpu * 1e9 / self._total)

    def _count(self, way: str, size: int) -> Allocations:
        """Chunks are kept until the next one is there, as a sender does."""
        with source(way, self._path, size) as get:
            gc.collect()
            tracemalloc.start()
            try:
                count = fresh = 0
                chunk = get(0, size)
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                for offset in range(0, TRACED, size):
                    held = tracemalloc.get_traced_memory()[0]
                    following = get(offset, size)
                    made = tracemalloc.get_traced_memory()[0] - held
                    count += made > 0
                    fresh += max(0, made)
                    chunk = following
                peak = tracemalloc.get_traced_memory()[1] - before
                del chunk, following
            finally:
                tracemalloc.stop()
        return Allocations(peak, count, fresh)


def chunk_name(size: int) -> str:
    return f"{size // media.MIB} MiB" if size >= media.MIB else f"{size // KIB} KiB"
