"""One descriptor and at most one map a file, shared by everyone who streams it, gone with the last of them.

A mapped page is only ever touched by a system call: `send` of a view whose page is gone fails with `EFAULT`, while
reading it from Python would end the process (SIGBUS). The file's identity is the inode behind the descriptor with
its size and modification time: a file that was deleted or renamed over is whole behind its descriptor, one that was
changed in place is noticed by `MappedFile.check`.
"""

import mmap
import os
import sys
from dataclasses import dataclass
from typing import Self

from trio_stream.errors import SourceChanged
from trio_stream.files import OpenFile

ONE_DESCRIPTOR: dict[str, bool] = {} if sys.version_info < (3, 13) else {"trackfd": False}
"""From Python 3.13 a map need not hold a second descriptor of the file."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What makes a file's bytes these bytes: `size` in bytes, `mtime_ns` in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The content of the file that `status` is about, at that time."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """`files` are open, `mapped_bytes` of address space (not memory) are mapped, for `holders` holders."""

    files: int
    mapped_bytes: int
    holders: int


class MappedFile:
    """One open file; made by `MapPool.open`, given back with `release`."""

    def __init__(self, pool: "MapPool", file: OpenFile, content: FileState) -> None:
        self._file = file
        self.content = content
        self.holders = 0
        self._pool = pool
        self._map: mmap.mmap | None = None
        self._view: memoryview | None = None

    @property
    def fd(self) -> int:
        """Its descriptor, lent until `release`."""
        return self._file.fd

    def map(self) -> bool:
        """Map the file, unless it is: `view` works then. Where it cannot be mapped, the bytes must be read."""
        if self._view is None and self.content.size:
            try:
                self._map = mmap.mmap(self.fd, 0, access=mmap.ACCESS_READ, **ONE_DESCRIPTOR)
            except OSError:
                return False  # a file system without mmap, or no address space left
            self._view = memoryview(self._map)
        return self._view is not None

    @property
    def mapped(self) -> bool:
        """Whether it is mapped now."""
        return self._view is not None

    def view(self, offset: int, length: int) -> memoryview:
        """`length` bytes at `offset` of the mapped file, not copied; to be released before the file is."""
        if self._view is None:
            raise ValueError("this file is not mapped")
        return self._view[offset : offset + length]

    def check(self) -> None:
        """Raise `SourceChanged` if the content is not what it was when the file was opened."""
        now = os.fstat(self.fd)
        if now.st_size != self.content.size:
            raise SourceChanged(f"the file had {self.content.size} bytes and has {now.st_size} now")
        if now.st_mtime_ns != self.content.mtime_ns:
            raise SourceChanged("the file was rewritten in place")

    def release(self) -> None:
        """Give the file back; the last holder closes it."""
        self.holders -= 1
        if self.holders == 0:
            self._pool.forget(self)

    def close(self) -> None:
        """Unmap and close. A view still held elsewhere is an error of ours, and says so (`BufferError`)."""
        try:
            if self._view is not None:
                self._view.release()
            if self._map is not None:
                self._map.close()
        finally:
            self._file.close()


class MapPool:
    """All files that are being streamed."""

    def __init__(self) -> None:
        self._files: dict[FileState, MappedFile] = {}

    def open(self, file: OpenFile, status: os.stat_result | None = None) -> MappedFile:
        """Take over a regular file, also when this raises; whoever calls holds the result until `release`.

        The content is the one the file had at `status`; if it has changed since, `check` says so. Where it is open
        already that one is shared, and `file` is closed.
        """
        try:
            content = FileState.of(status or os.fstat(file.fd))
            mapped = self._files.get(content)
            if mapped is None:
                mapped = self._files[content] = MappedFile(self, file, content)
            else:
                file.close()
        except BaseException:
            file.close()
            raise
        mapped.holders += 1
        return mapped

    def forget(self, file: MappedFile) -> None:
        """Close a file that nobody holds any more."""
        del self._files[file.content]
        file.close()

    def statistics(self) -> PoolStatistics:
        """What is open now."""
        return PoolStatistics(
            files=len(self._files),
            mapped_bytes=sum(file.content.size for file in self._files.values() if file.mapped),
            holders=sum(file.holders for file in self._files.values()),
        )
