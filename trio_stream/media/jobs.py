"""What a job is given: a file it can only read, and a reply it can only write.

A job runs in a child of its own that can open nothing. It must not import lazily: no module, and no codec of
Python's (`bytes.decode("cp1251")` imports one), can be loaded any more when it runs. What it needs is imported
with its module, which the worker does before it forks.
"""

import io
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trio_stream.media import wire


class Unreadable(Exception):
    """The media cannot be read, and never will be as long as it stays the same; `str(error)` is for people."""


class TooLarge(Unreadable):
    """What was asked for has more bytes than may be made at once; the media is not damaged."""


class MediaFile(io.RawIOBase):
    """The bytes behind a descriptor, as FFmpeg takes them: `read`, `seek`, `tell`.

    It reads at positions of its own, so the offset of a descriptor shared with others stays where it is; what
    cannot seek (a pipe) is read from front to back. `error` is the first error of the disk: FFmpeg takes one for
    the end of the file, and whoever believes that calls a healthy film damaged. `count` is how many bytes were read.

    `other` is one of the same file: a job may not ask the system what a descriptor is, and errors are noted there too.
    """

    def __init__(self, fd: int, other: "MediaFile | None" = None) -> None:
        super().__init__()
        self.fd = fd
        self.error: OSError | None = None
        self.count = 0
        self._at = 0
        self._other = other
        self.size: int | None = _size(fd) if other is None else other.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.size is not None

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, all there are if it is negative; nothing at the end. Raises `OSError`."""
        if size < 0:
            return self.readall()
        if self.size is not None:
            data = self.read_at(self._at, size)
        else:
            with self._noting():
                data = os.read(self.fd, size)
                self.count += len(data)
        self._at += len(data)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset`; the position, on which FFmpeg relies, stays. Raises `OSError`."""
        with self._noting():
            data = os.pread(self.fd, size, offset)
            self.count += len(data)
            return data

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = self.error or error
            if self._other is not None:
                self._other.error = self._other.error or error
            raise

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if self.size is None:
            raise io.UnsupportedOperation("this file cannot seek")
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError("no such position")
        self._at = base + offset
        return self._at


def _size(fd: int) -> int | None:
    status = os.fstat(fd)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class Reply:
    """What goes back to the server beside the result: files made, each with a name, in the order they are given."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def blob(self, name: str, data: bytes) -> None:
        """Send a file that was made. It has left this process when this returns."""
        self._send(wire.frame({"blob": name}, data))


type Job = Callable[[MediaFile, Mapping[str, Any], Reply], dict[str, Any]]
"""A job: reads the file as the options say, sends blobs, answers what JSON can hold. Raises `Unreadable`."""
