"""Identifies the content of a file by its revision, which is used in ETags, immutable URLs and cache keys.

A revision is a hash of the size, the modification time and the fingerprint. The fingerprint is a hash of the size and
of samples of the bytes. Device and inode are left out: a copy that preserves the time, here or on another machine, is
the same content. Two files with equal sizes, times and samples are treated as the same. So the revision does not change
if bytes between the samples are edited in place and the modification time is restored.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import trio

from trio_stream.caching import BoundedCache

SAMPLE = 64 * 1024
"""Bytes of one sample."""

SAMPLES = 4
"""At the beginning, at the end and evenly in between. A file no longer than all samples is read completely."""

MAX_FINGERPRINTS = 4096
"""Files whose fingerprints are cached."""

ENTRY_SIZE = 512
"""Approximate bytes of one cache entry: numbers and a short string."""

CHUNK_SIZE = 1024 * 1024
"""Bytes that are read at once for a digest."""

BLOCK = 512
"""Bytes of the unit of `st_blocks` (POSIX.1-2024, <sys/stat.h>, leaves it open; Linux, macOS and the BSDs agree)."""

ATTEMPTS = 3
"""How often a file is sampled if it is being written to."""


@dataclass(frozen=True, slots=True)
class Content:
    """`size` in bytes, `mtime_ns` in nanoseconds since the epoch, `fingerprint` from the function `fingerprint`."""

    size: int
    mtime_ns: int
    fingerprint: str

    @property
    def revision(self) -> str:
        """24 hexadecimal digits that change with the content."""
        return _hash(f"{self.size}-{self.mtime_ns}-{self.fingerprint}".encode())


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file it is and in which state, found without reading it."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    """Programs cannot set it, so an edit that restores the modification time is noticed."""

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The identity of the file with this `status`."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    @property
    def bytes(self) -> str:
        """A string that identifies the file and its bytes, independent of its name."""
        return f"{self.device:x}-{self.inode:x}-{self.size:x}-{self.mtime_ns:x}"

    @property
    def signature(self) -> str:
        """A string for the complete identity: `bytes` and the change time."""
        return f"{self.bytes}-{self.ctime_ns:x}"


def bytes_of(signature: str) -> str:
    """The part of a signature that identifies the file and its bytes: `Identity.bytes`."""
    return signature.rpartition("-")[0]


def fingerprint(fd: int, size: int) -> str:
    """A hash of `size` and of samples of the open file `fd`, 24 hexadecimal digits. Raises `OSError`."""
    hasher = blake2b(str(size).encode(), digest_size=12)
    for start, length in samples(size):
        hasher.update(os.pread(fd, length, start))
    return hasher.hexdigest()


def is_fully_sampled(size: int) -> bool:
    """Whether the fingerprint of a file of `size` bytes covers all its bytes."""
    return size <= SAMPLE * SAMPLES


def samples(size: int) -> tuple[tuple[int, int], ...]:
    """Where a file of `size` bytes is sampled: offsets and lengths, in order and without overlap."""
    if is_fully_sampled(size):
        return ((0, size),)
    step = (size - SAMPLE) / (SAMPLES - 1)
    return tuple((int(number * step), SAMPLE) for number in range(SAMPLES))


def digest(
    fd: int, status: os.stat_result, content: Content, *, check_cancelled: Callable[[], object] = lambda: None
) -> str:
    """A hash of all bytes of the examined file `fd`. Raises `OSError`, and what `check_cancelled` raises.

    A large file that is mostly holes, such as a new download, gets a unique digest from its revision: its bytes mean
    nothing yet, and reading terabytes of holes takes hours.
    """
    if not is_fully_sampled(content.size) and status.st_blocks * BLOCK < content.size / 2:
        return f"holes-{content.revision}"
    hasher = blake2b(digest_size=20)
    offset = 0
    while chunk := os.pread(fd, CHUNK_SIZE, offset):
        hasher.update(chunk)
        offset += len(chunk)
        check_cancelled()
    return hasher.hexdigest()


def examine(fd: int) -> tuple[os.stat_result, Content]:
    """The state and the content of an open file. They agree unless it is being written to. Raises `OSError`."""
    status = os.fstat(fd)
    for _ in range(ATTEMPTS):
        content = Content(status.st_size, status.st_mtime_ns, fingerprint(fd, status.st_size))
        before, status = status, os.fstat(fd)
        if Identity.of(status) == Identity.of(before):
            break  # the file did not change while it was read, so state and samples agree
    return before, content


class Revisions:
    """The revisions of open files. Recent ones are cached, so those files are not read again."""

    def __init__(self, limiter: trio.CapacityLimiter) -> None:
        self._limiter = limiter
        self._cache: BoundedCache[Identity, str] = BoundedCache(MAX_FINGERPRINTS * ENTRY_SIZE, _weight)

    async def of(self, fd: int) -> tuple[os.stat_result, str]:
        """The state of the open file `fd` and its revision in that state. Raises `OSError`."""
        # A cached file takes one `fstat` and no thread: every range and segment goes through here.
        status = os.fstat(fd)
        identity = Identity.of(status)
        revision = self._cache.get(identity)
        if revision is None:
            status, content = await trio.to_thread.run_sync(examine, fd, limiter=self._limiter)
            identity, revision = Identity.of(status), content.revision
            self._cache.put(identity, revision)
        return status, revision


def _weight(_: Identity, __: str) -> int:
    return ENTRY_SIZE


def _hash(text: bytes) -> str:
    return blake2b(text, digest_size=12).hexdigest()
