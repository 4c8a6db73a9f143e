"""Derived files, each named by a digest of its bytes, so a name never refers to different bytes.

A file is checked, written under a temporary name, synced and renamed. So every file is complete, even after a crash.
Files that no row refers to are swept, except recent ones: the job that generated one may not have written its row yet.
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
"""The kinds of derived file and their media types. ASS has no registered type; this is the one in common use."""

LARGEST = 64 << 20
"""Bytes of the largest file."""

PARTIAL = ".making"
"""The suffix of a file that is still being written."""

SWEEP_AGE = 3600.0
"""Seconds after which an unused file is swept. Writing the row of a new file takes far less time."""

HEX = frozenset("0123456789abcdef")


class Derived:
    """The derived files in `folder`. At most `threads` threads access it."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self._folder = folder
        self._limiter = trio.CapacityLimiter(threads)
        self._renaming = threading.Lock()
        """Held from the check of a file's age until it is deleted, and while a new file replaces it."""

    async def put(self, data: bytes, suffix: str) -> str:
        """Store `data` and return its digest. Raises `ValueError` if it is not a `suffix` file, or `OSError`."""
        check(data, suffix)
        name = digest(data)
        await trio.to_thread.run_sync(self._write, name, suffix, data, limiter=self._limiter)
        return name

    async def open(self, name: str, suffix: str) -> OpenFile:
        """Open the file with that digest for reading. Raises `DerivedNotFound`."""
        return await trio.to_thread.run_sync(self._open, name, suffix, limiter=self._limiter)

    async def sweep(self, wanted: Callable[[], Container[str]]) -> int:
        """Remove old files whose digests `wanted` does not return, and incomplete ones. Returns how many were removed.

        `wanted` is called in a worker thread. Raises `OSError`.
        """
        return await trio.to_thread.run_sync(self._sweep, wanted, limiter=self._limiter)

    async def missing(self, wanted: Iterable[str]) -> set[str]:
        """Which of the digests `wanted` have no file. Raises `OSError`."""
        return await trio.to_thread.run_sync(self._missing, wanted, limiter=self._limiter)

    def path(self, name: str, suffix: str) -> Path:
        """Where the file with that digest is, if it exists."""
        return self._folder / name[:2] / f"{name}.{suffix}"

    def _write(self, name: str, suffix: str, data: bytes) -> None:
        path = self.path(name, suffix)
        # An older file is written again: a sweep could otherwise remove it before its row is written.
        if _age(path) < SWEEP_AGE / 2:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PARTIAL)
        try:
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with self._renaming:
                os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise

    def _open(self, name: str, suffix: str) -> OpenFile:
        if suffix not in SUFFIXES or not name or not HEX.issuperset(name):
            raise DerivedNotFound("there is no such file")
        try:
            return OpenFile(os.open(self.path(name, suffix), READ_ONLY))
        except FileNotFoundError:
            raise DerivedNotFound("there is no such file") from None

    def _sweep(self, wanted: Callable[[], Container[str]]) -> int:
        old_files = [path for path in self._files() if _age(path) >= SWEEP_AGE]
        needed = wanted() if old_files else ()
        removed = 0
        for path in old_files:
            if path.suffix != PARTIAL and path.stem in needed:
                continue
            with self._renaming:
                if SWEEP_AGE <= _age(path) < inf:
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _missing(self, wanted: Iterable[str]) -> set[str]:
        existing = {path.stem for path in self._files() if path.suffix != PARTIAL}
        return set(wanted) - existing

    def _files(self) -> Iterator[Path]:
        if self._folder.is_dir():
            for folder in self._folder.iterdir():
                if folder.is_dir():
                    yield from (path for path in folder.iterdir() if path.is_file())


def _age(path: Path) -> float:
    """Seconds since the file was written; infinity if it does not exist."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return inf


def digest(data: bytes) -> str:
    """The name of a file with these bytes: 32 hexadecimal digits."""
    return blake2b(data, digest_size=16).hexdigest()


def check(data: bytes, suffix: str) -> None:
    """Raise `ValueError` unless `data` starts and ends like a file of that kind."""
    match suffix:
        case "jpg":  # ITU-T T.81 table B.1: SOI and EOI
            is_complete = data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")
        case "vtt":  # W3C WebVTT section 4.1
            is_complete = data.startswith(b"WEBVTT") and data.endswith(b"\n")
        case "ass":
            is_complete = b"[Script Info]" in data[:4096]
        case _:
            is_complete = False
    if not is_complete or len(data) > LARGEST:
        raise ValueError(f"the generated .{suffix} file is invalid")
