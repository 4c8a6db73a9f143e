"""What makes a file's bytes these bytes: its revision, the word that stands in ETags, immutable URLs and cache keys.

A revision is a hash of size, modification time and fingerprint, and the fingerprint one of the size and of samples
of the bytes. Device and inode are not in it: a copy that kept its time, here or on another machine, is the same
content. Two files whose sizes, times and samples agree are taken for the same; whoever changes bytes in place between
the samples and puts the time back is not noticed.
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
"""At the beginning, at the end and evenly between; a file that is no longer than all of them is read whole."""

REMEMBERED = 4096
"""Files whose fingerprints are kept in memory."""

ENTRY = 512
"""Bytes that one takes, within some: numbers and a short word."""

PIECE = 1024 * 1024
"""Bytes read at once for a digest."""

BLOCK = 512
"""Bytes; what `st_blocks` counts (POSIX.1-2024, <sys/stat.h>, leaves it open; Linux, macOS and the BSDs agree)."""

ATTEMPTS = 3
"""A file that is written to while it is sampled is sampled anew, so often."""


@dataclass(frozen=True, slots=True)
class Content:
    """`size` in bytes, `mtime_ns` in nanoseconds since the epoch, `fingerprint` as `fingerprint` gives it."""

    size: int
    mtime_ns: int
    fingerprint: str

    @property
    def revision(self) -> str:
        """24 hexadecimal digits, others when the content is another one."""
        return _word(f"{self.size}-{self.mtime_ns}-{self.fingerprint}".encode())


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file it is and in which state, as the file system tells without reading it."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    """No program can set it: who edits a file and puts its modification time back is found out all the same."""

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The identity of what `status` is about."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    @property
    def bytes(self) -> str:
        """A word for the file and its bytes, whatever it is called."""
        return f"{self.device:x}-{self.inode:x}-{self.size:x}-{self.mtime_ns:x}"

    @property
    def signature(self) -> str:
        """A word for all of it: the one for its bytes, and when anything about the file changed."""
        return f"{self.bytes}-{self.ctime_ns:x}"


def bytes_of(signature: str) -> str:
    """The word for the file and its bytes in a signature: `Identity.bytes` of the same state."""
    return signature.rpartition("-")[0]


def fingerprint(fd: int, size: int) -> str:
    """A hash of `size` and of samples of the file behind `fd`, 24 hexadecimal digits. Raises `OSError`."""
    hasher = blake2b(str(size).encode(), digest_size=12)
    for start, length in samples(size):
        hasher.update(os.pread(fd, length, start))
    return hasher.hexdigest()


def is_read_whole(size: int) -> bool:
    """Whether the fingerprint of a file of `size` bytes is one of all its bytes."""
    return size <= SAMPLE * SAMPLES


def samples(size: int) -> tuple[tuple[int, int], ...]:
    """Where a file of `size` bytes is sampled: offsets and lengths, in order and without overlap."""
    if is_read_whole(size):
        return ((0, size),)
    step = (size - SAMPLE) / (SAMPLES - 1)
    return tuple((int(number * step), SAMPLE) for number in range(SAMPLES))


def digest(
    fd: int, status: os.stat_result, content: Content, *, go_on: Callable[[], object] = lambda: None
) -> str:
    """A hash of every byte of the file behind `fd`, which was examined. Raises `OSError`, and what `go_on` raises.

    A large file with many holes, as of a download that has just begun, has one that no other content has: its bytes
    say nothing yet, and to read terabytes of holes takes hours.
    """
    if not is_read_whole(content.size) and status.st_blocks * BLOCK < content.size / 2:
        return f"holes-{content.revision}"
    hasher = blake2b(digest_size=20)
    offset = 0
    while piece := os.pread(fd, PIECE, offset):
        hasher.update(piece)
        offset += len(piece)
        go_on()
    return hasher.hexdigest()


def examine(fd: int) -> tuple[os.stat_result, Content]:
    """The state of the open file and its content, in agreement unless it is being written to. Raises `OSError`."""
    status = os.fstat(fd)
    for _ in range(ATTEMPTS):
        content = Content(status.st_size, status.st_mtime_ns, fingerprint(fd, status.st_size))
        before, status = status, os.fstat(fd)
        if Identity.of(status) == Identity.of(before):
            break  # nobody wrote to it meanwhile: state and samples are of the same bytes
    return before, content


class Revisions:
    """The revisions of open files; those looked at lately are known without reading."""

    def __init__(self, limiter: trio.CapacityLimiter) -> None:
        self._limiter = limiter
        self._known: BoundedCache[Identity, str] = BoundedCache(REMEMBERED * ENTRY, _weight)

    async def of(self, fd: int) -> tuple[os.stat_result, str]:
        """The state of the file behind `fd` and the revision it has in it. Raises `OSError`."""
        # One `fstat`, and no thread, for a file that was looked at: this is on the way of every range and segment.
        status = os.fstat(fd)
        identity = Identity.of(status)
        revision = self._known.get(identity)
        if revision is None:
            status, content = await trio.to_thread.run_sync(examine, fd, limiter=self._limiter)
            identity, revision = Identity.of(status), content.revision
            self._known.put(identity, revision)
        return status, revision


def _weight(_: Identity, __: str) -> int:
    return ENTRY


def _word(text: bytes) -> str:
    return blake2b(text, digest_size=12).hexdigest()
