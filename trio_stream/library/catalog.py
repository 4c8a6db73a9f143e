"""Which videos there are, and opening one of them safely.

What is opened is a regular file whose real path lies below the real path of the folder: that is asked of the open
descriptor, so nothing can be swapped in between. Every other name, whatever is wrong with it, is a video that is
not there. What waits for the disk runs in worker threads under the catalog's own limiter; a path that the kernel has
in memory is opened without.
"""

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from trio_stream.errors import TooManyFiles, VideoNotFound
from trio_stream.http.media_types import media_type
from trio_stream.library.naming import is_plain, natural_key
from trio_stream.library.opening import CachedOpener

READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
"""What this process may have open is open, or what the system may."""

log = structlog.get_logger("trio_stream.library")


@dataclass(frozen=True, slots=True)
class Video:
    """A file of the library: `size` in bytes, `mtime_ns` in nanoseconds since the epoch."""

    name: str
    size: int
    mtime_ns: int
    media_type: str


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """A video and a descriptor of it, which belongs to whoever asked for it."""

    name: str
    media_type: str
    fd: int


class Catalog:
    """The videos below `root`, with at most `threads` threads looking at the disk."""

    def __init__(self, root: Path, threads: int = 8) -> None:
        self._root = os.path.realpath(root)
        self._limiter = trio.CapacityLimiter(threads)
        self._cached = CachedOpener()

    async def videos(self) -> list[Video]:
        """All videos, sorted naturally. Raises `OSError` when the folder itself cannot be read, `TooManyFiles`."""
        return await trio.to_thread.run_sync(_list, self._root, limiter=self._limiter)

    async def open(self, name: str) -> OpenVideo:
        """Open the video `name`; the caller owns the descriptor. Raises `VideoNotFound`, `TooManyFiles`."""
        kind = media_type(name)
        if kind is None or not is_plain(name):
            raise VideoNotFound("there is no such video")
        fd = self._open_cached(name)
        if fd is None:
            fd = await trio.to_thread.run_sync(_open, self._root, name, limiter=self._limiter)
        return OpenVideo(name, kind, fd)

    def _open_cached(self, name: str) -> int | None:
        """As `_open`, from memory; None for a thread to find out."""
        handle = self._cached.open(os.path.join(self._root, name))
        if handle is None:
            return None
        try:
            same = f"/proc/self/fd/{handle}"
            if not stat.S_ISREG(os.fstat(handle).st_mode) or not _below(self._root, os.readlink(same)):
                return None
            return os.open(same, READING)
        except OSError:
            return None
        finally:
            os.close(handle)


@contextmanager
def _opening() -> Iterator[None]:
    """For a block that opens something: that there is no descriptor for it says nothing of what is there."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_DESCRIPTOR:
            raise
        log.warning("a file could not be opened: too many are", reason=error.strerror)
        raise TooManyFiles from error


def _list(root: str) -> list[Video]:
    with _opening():
        os.scandir(root).close()  # an unreadable library is an error, an unreadable folder inside it is not
    return sorted(_walk(root), key=lambda video: natural_key(video.name))


def _walk(root: str) -> Iterator[Video]:
    seen: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        try:
            status = os.stat(folder)
        except OSError:  # gone meanwhile
            subfolders.clear()
            continue
        if (status.st_dev, status.st_ino) in seen:  # links may make a circle
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = [
            name
            for name in subfolders
            if not name.startswith(".") and _inside(root, os.path.join(folder, name))
        ]
        for file in files:
            if (video := _video(root, os.path.join(folder, file))) is not None:
                yield video


def _video(root: str, path: str) -> Video | None:
    name = os.path.relpath(path, root).replace(os.sep, "/")
    kind = media_type(name)
    if kind is None or not is_plain(name):
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None  # gone meanwhile, or a link to nothing
    if not stat.S_ISREG(status.st_mode) or not _inside(root, path):
        return None
    return Video(name, status.st_size, status.st_mtime_ns, kind)


def _inside(root: str, path: str) -> bool:
    if not os.path.islink(path):
        return True  # the walk came here from inside
    return _below(root, os.path.realpath(path))


def _below(root: str, real: str) -> bool:
    return real.startswith(root.rstrip("/") + "/")


def _open(root: str, name: str) -> int:
    path = os.path.join(root, name)
    try:
        # Looked at before it is opened: opening a device or a pipe can do something.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise VideoNotFound("there is no such video")
        with _opening():
            fd = os.open(path, READING)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise
        raise VideoNotFound("there is no such video") from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode) or not _below(root, _real_path(fd, path)):
            raise VideoNotFound("there is no such video")
    except BaseException:
        os.close(fd)
        raise
    return fd


def _real_path(fd: int, path: str) -> str:
    """Where the file behind `fd` really is; a deleted one is nowhere."""
    if sys.platform == "linux":
        return os.readlink(f"/proc/self/fd/{fd}")
    if sys.platform == "darwin":
        return os.fsdecode(fcntl.fcntl(fd, fcntl.F_GETPATH, b"\0" * 1024).rstrip(b"\0"))
    return os.path.realpath(path)
