"""Six ways to pass on the bytes of a file, measured.

Each way reads the same file in chunks and delivers every chunk: into a TCP socket (`sendall` over loopback) whose data
another process discards on another CPU, through a Trio memory channel to another task, or not at all ("nobody").
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
TRACED = 32 * media.MIB  # bytes that are read while allocations are counted
DELIVERIES = ("nobody", "channel", "socket")
type Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Way:
    """A way to get chunks; `copied` says how often each byte is copied before its delivery, and `by` says by what."""

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
    """Yield a function that gets the chunk at an offset, and open and close what it needs."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if way in {"bytes", "memoryview"}:
            data = path.read_bytes()
            view = memoryview(data)
            yield (lambda a, n: data[a : a + n]) if way == "bytes" else (lambda a, n: view[a : a + n])
        elif way in {"mmap", "mmap view"}:
            with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as mapped_view:
                for offset in range(0, len(mapped), mmap.PAGESIZE):
                    mapped_view[offset]  # the first access to a page is expensive, and is not compared
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


def get_chunks(get: Callable[[int, int], Buffer], size: int, total: int) -> None:
    for offset in range(0, total, size):
        get(offset, size)


def to_socket(get: Callable[[int, int], Buffer], size: int, total: int, sock: socket.socket) -> None:
    for offset in range(0, total, size):
        sock.sendall(get(offset, size))


def to_channel(get: Callable[[int, int], Buffer], size: int, total: int) -> None:
    """Send through a channel with room for one chunk; the other task receives it and drops it."""

    async def receive_all(receive: trio.MemoryReceiveChannel[Buffer]) -> None:
        async for _ in receive:
            pass

    async def send_all() -> None:
        send, receive = trio.open_memory_channel[Buffer](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive_all, receive)
            async with send:
                for offset in range(0, total, size):
                    await send.send(get(offset, size))

    trio.run(send_all)


@contextlib.contextmanager
def discarding(cpu: int) -> Iterator[socket.socket]:
    """A loopback connection to a separate process on `cpu` that discards everything."""
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
    """Figures per GB for one way, chunk size and delivery."""

    seconds: list[float]
    cpu: list[float]

    def medians(self) -> tuple[float, float]:
        return statistics.median(self.seconds), statistics.median(self.cpu)


@dataclass(frozen=True, slots=True)
class Allocations:
    """What Python allocated while `TRACED` bytes were read: `peak` at once, `fresh` in total for chunks."""

    peak: int
    count: int
    fresh: int


class Comparison:
    def __init__(self, path: Path, total: int, rounds: int, cpus: tuple[int, int]) -> None:
        self._path, self._total, self._rounds, self._cpus = path, total, rounds, cpus
        self.cells: dict[tuple[str, int, str], Cell] = {}
        self.allocations: dict[tuple[str, int], Allocations] = {}

    def run(self) -> None:
        """Measure all ways in turn, in every round."""
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
                "nobody": lambda: get_chunks(get, size, self._total),
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
        """Count allocations; each chunk is kept until the next one is read, as in a sender."""
        with source(way, self._path, size) as get:
            gc.collect()
            tracemalloc.start()
            try:
                count = fresh = 0
                chunk = get(0, size)
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                for offset in range(0, TRACED, size):
                    allocated_before = tracemalloc.get_traced_memory()[0]
                    following = get(offset, size)
                    allocated = tracemalloc.get_traced_memory()[0] - allocated_before
                    count += allocated > 0
                    fresh += max(0, allocated)
                    chunk = following
                peak = tracemalloc.get_traced_memory()[1] - before
                del chunk, following
            finally:
                tracemalloc.stop()
        return Allocations(peak, count, fresh)


def chunk_name(size: int) -> str:
    return f"{size // media.MIB} MiB" if size >= media.MIB else f"{size // KIB} KiB"
