"""One descriptor and at most one map per file, shared by all its streams, and closed with the last of them.

Only system calls touch a mapped page: `send` of a view whose page is gone fails with `EFAULT`, while reading it from
Python would end the process (SIGBUS). A file is identified by the inode behind the descriptor, its size and its
modification time. A file that was deleted or replaced by renaming is still complete behind its descriptor.
`MappedFile.check` notices a file that was changed in place.
"""

import mmap
import os
import sys
from dataclasses import dataclass
from typing import Self

from trio_stream.errors import SourceChanged
from trio_stream.files import OpenFile

ONE_DESCRIPTOR: dict[str, bool] = {} if sys.version_info < (3, 13) else {"trackfd": False}
"""Since Python 3.13, a map need not hold a second descriptor of the file."""


@dataclass(frozen=True, slots=True)
class FileState:
    """Identifies the content of a file: `size` in bytes, `mtime_ns` in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The state of a file at the time of `status`."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """`files` are open, with `mapped_bytes` of address space (not memory) mapped, for `holders` holders."""

    files: int
    mapped_bytes: int
    holders: int


class MappedFile:
    """One open file. `MapPool.open` creates it, and `release` gives it back."""

    def __init__(self, pool: "MapPool", file: OpenFile, content: FileState) -> None:
        self._file = file
        self.content = content
        self.holders = 0
        self._pool = pool
        self._map: mmap.mmap | None = None
        self._view: memoryview | None = None

    @property
    def fd(self) -> int:
        """The descriptor, which is valid until `release`."""
        return self._file.fd

    def map(self) -> bool:
        """Map the file, unless it is mapped. Return whether `view` works; otherwise the bytes must be read."""
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
        """Return `length` bytes at `offset` of the mapped file, not copied. Release it before the file."""
        if self._view is None:
            raise ValueError("this file is not mapped")
        return self._view[offset : offset + length]

    def check(self) -> None:
        """Raise `SourceChanged` if the file has changed since it was opened."""
        now = os.fstat(self.fd)
        if now.st_size != self.content.size:
            raise SourceChanged(f"the file had {self.content.size} bytes and now has {now.st_size}")
        if now.st_mtime_ns != self.content.mtime_ns:
            raise SourceChanged("the file was rewritten in place")

    def release(self) -> None:
        """Give the file back. The last holder closes it."""
        self.holders -= 1
        if self.holders == 0:
            self._pool.forget(self)

    def close(self) -> None:
        """Unmap and close. Raises `BufferError` if a view is still in use, which is a bug."""
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
        """Take ownership of a regular file, even if this raises. The caller holds the result until `release`.

        The content is that of the file at `status`. If the file has changed since, `check` raises. If the same content
        is open already, that entry is shared, and `file` is closed.
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
        """Close a file without holders."""
        del self._files[file.content]
        file.close()

    def statistics(self) -> PoolStatistics:
        """The files that are open now."""
        return PoolStatistics(
            files=len(self._files),
            mapped_bytes=sum(file.content.size for file in self._files.values() if file.mapped),
            holders=sum(file.holders for file in self._files.values()),
        )
