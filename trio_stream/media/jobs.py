"""What a job gets: a file it can only read, and a reply it can only write.

Each job runs in its own child process, which cannot open anything. It must not import lazily: once it runs, it can
load neither a module nor one of Python's codecs (`bytes.decode("cp1251")` imports one). So each job module imports
everything it needs at the top, and the worker imports the module before it forks.
"""

import io
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trio_stream.media import wire


class Unreadable(Exception):
    """The media cannot be read, and will not become readable unless it changes; `str(error)` is shown to users."""


class TooLarge(Unreadable):
    """The requested part is larger than a job may build at once; the media is not damaged."""


class MediaFile(io.RawIOBase):
    """The bytes behind a descriptor, with the methods that FFmpeg calls: `read`, `seek`, `tell`.

    It keeps its own position, so it does not move the offset of a shared descriptor. A descriptor that cannot seek (a
    pipe) is read from front to back. `error` is the first disk error: FFmpeg treats one as the end of the file, so
    without `error` a healthy video would count as damaged. `count` is the number of bytes read.

    `other` is another object for the same file. A job may not call fstat, so the size comes from there, and errors are
    recorded there too.
    """

    def __init__(self, fd: int, other: "MediaFile | None" = None) -> None:
        super().__init__()
        self.fd = fd
        self.error: OSError | None = None
        self.count = 0
        self._position = 0
        self._other = other
        self.size: int | None = _size(fd) if other is None else other.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.size is not None

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, all that are left if it is negative, none at the end. Raises `OSError`."""
        if size < 0:
            return self.readall()
        if self.size is not None:
            data = self.read_at(self._position, size)
        else:
            with self._recording_errors():
                data = os.read(self.fd, size)
                self.count += len(data)
        self._position += len(data)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        """Return at most `size` bytes from `offset`. The position stays, as FFmpeg expects. Raises `OSError`."""
        with self._recording_errors():
            data = os.pread(self.fd, size, offset)
            self.count += len(data)
            return data

    @contextmanager
    def _recording_errors(self) -> Iterator[None]:
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
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError("no such position")
        self._position = base + offset
        return self._position


def _size(fd: int) -> int | None:
    status = os.fstat(fd)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class Reply:
    """Sends derived files to the server, each with a name, in order. They come in addition to the job's result."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def blob(self, name: str, data: bytes) -> None:
        """Send a derived file. It has left this process when this returns."""
        self._send(wire.frame({"blob": name}, data))


type Job = Callable[[MediaFile, Mapping[str, Any], Reply], dict[str, Any]]
"""A job: reads the file as the options say, sends blobs, returns a JSON object. Raises `Unreadable`."""
