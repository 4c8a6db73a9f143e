"""The files we made, each named by a digest of its bytes, so that a name never stands for other bytes.

A file is written under another name, checked, put on the disk and renamed: what is there is whole, whatever happened
while it was made. What nobody needs any more is swept away, but nothing that was made lately: who made it may not have
written down yet that it is needed.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from math import inf
from pathlib import Path

import trio

from trio_stream.errors import DerivedNotFound
from trio_stream.files import READ_ONLY, OpenFile

SUFFIXES = {"jpg": "image/jpeg", "vtt": "text/vtt; charset=utf-8", "ass": "text/x-ssa; charset=utf-8"}
"""What is made, and its media type. ASS has none that is registered; this is what players and browsers know."""

LARGEST = 64 << 20
"""Bytes of one file."""

MAKING = ".making"
"""The end of the name of a file that is not whole yet."""

OLD = 3600.0
"""Seconds after which a file that nobody needs is swept; to write down what was made takes moments."""

HEX = frozenset("0123456789abcdef")


class Derived:
    """The folder `folder` of files that were made, with at most `threads` threads at it."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._folder = folder
        self._limiter = trio.CapacityLimiter(threads)
        self._renaming = threading.Lock()
        """Held from the look at a file's age to its end, and while a fresh one takes its place."""

    async def put(self, data: bytes, suffix: str) -> str:
        """Keep `data`; returns its digest. Raises `ValueError` when it is not what `suffix` says, `OSError`."""
        check(data, suffix)
        name = digest(data)
        await trio.to_thread.run_sync(self._write, name, suffix, data, limiter=self._limiter)
        return name

    async def open(self, name: str, suffix: str) -> OpenFile:
        """The file with that digest, for reading. Raises `DerivedNotFound`."""
        return await trio.to_thread.run_sync(self._open, name, suffix, limiter=self._limiter)

    async def sweep(self, wanted: Callable[[], Container[str]]) -> int:
        """Remove old files whose digests are not in what `wanted` returns, and what was left half-made.

        `wanted` is called in a worker thread. Answers how many were removed. Raises `OSError`.
        """
        return await trio.to_thread.run_sync(self._sweep, wanted, limiter=self._limiter)

    async def lacking(self, wanted: Iterable[str]) -> set[str]:
        """Which of the digests `wanted` no file is there for. Raises `OSError`."""
        return await trio.to_thread.run_sync(self._lacking, wanted, limiter=self._limiter)

    def path(self, name: str, suffix: str) -> Path:
        """Where the file with that digest is, if it is there."""
        return self._folder / name[:2] / f"{name}.{suffix}"

    def _write(self, name: str, suffix: str, data: bytes) -> None:
        path = self.path(name, suffix)
        # An older one is made anew, or a sweep might take it before it is written down.
        if _age(path) < OLD / 2:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fd, made = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=MAKING)
        try:
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with self._renaming:
                os.replace(made, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(made)
            raise

    def _open(self, name: str, suffix: str) -> OpenFile:
        if suffix not in SUFFIXES or not name or not HEX.issuperset(name):
            raise DerivedNotFound("there is no such file")
        try:
            return OpenFile(os.open(self.path(name, suffix), READ_ONLY))
        except FileNotFoundError:
            raise DerivedNotFound("there is no such file") from None

    def _sweep(self, wanted: Callable[[], Container[str]]) -> int:
        found = [path for path in self._files() if _age(path) >= OLD]
        needed = wanted() if found else ()
        removed = 0
        for path in found:
            if path.suffix != MAKING and path.stem in needed:
                continue
            with self._renaming:
                if OLD <= _age(path) < inf:
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _lacking(self, wanted: Iterable[str]) -> set[str]:
        there = {path.stem for path in self._files() if path.suffix != MAKING}
        return set(wanted) - there

    def _files(self) -> Iterator[Path]:
        if self._folder.is_dir():
            for folder in self._folder.iterdir():
                if folder.is_dir():
                    yield from (path for path in folder.iterdir() if path.is_file())


def _age(path: Path) -> float:
    """Seconds since the file was written; endless if it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return inf


def digest(data: bytes) -> str:
    """The name of a file with these bytes: 32 hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def check(data: bytes, suffix: str) -> None:
    """Raise `ValueError` unless `data` begins and ends as a file of that kind does."""
    match suffix:
        case "jpg":  # ITU-T T.81 table B.1: SOI and EOI
            whole = data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")
        case "vtt":  # W3C WebVTT section 4.1
            whole = data.startswith(b"WEBVTT") and data.endswith(b"\n")
        case "ass":
            whole = b"[Script Info]" in data[:4096]
        case _:
            whole = False
    if not whole or len(data) > LARGEST:
        raise ValueError(f"what was made is no whole .{suffix} file")
