"""The folders below the library, one at a time: what is in each, by one `stat` a file.

A folder that cannot be read is not an empty one: `Unread` says so, and nothing may be concluded from it. Links are
followed, within the library only. Nothing here waits for anything but the disk, so it runs in worker threads.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from trio_stream.errors import TooManyFiles
from trio_stream.files import NO_DESCRIPTOR
from trio_stream.http.media_types import media_type
from trio_stream.library.naming.paths import is_plain

log = structlog.get_logger("trio_stream.library")


@dataclass(frozen=True, slots=True)
class File:
    """A video of a folder: its name below the library, and its state."""

    name: str
    status: os.stat_result


GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What is not there any more, or a link to nothing."""


@dataclass(slots=True)
class Folder:
    """What is in one folder; `others` are files that are no videos, by the last part of their names.

    `unread` are the names of what is there and cannot be looked at, with the reason: nothing may be concluded of it.
    """

    name: str
    status: os.stat_result
    videos: list[File] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    subfolders: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    links: bool = False
    """Whether there are symbolic links in it."""

    @property
    def identity(self) -> tuple[int, int]:
        """Which folder it is, whatever it is called."""
        return self.status.st_dev, self.status.st_ino


class Unread(Exception):
    """A folder that is there, or may be, and cannot be read: `str` says why."""


class Missing(Exception):
    """A folder that is not there, or not below the library."""


def read_folder(root: str, name: str) -> Folder:
    """What is in the folder `name` below `root` (a real path; the name is empty for itself).

    Raises `Missing`, `Unread`, `TooManyFiles`.
    """
    path = os.path.join(root, name) if name else root
    try:
        if name and not below(root, os.path.realpath(path)):
            raise Missing(name)
        with opening(), os.scandir(path) as entries:
            folder = Folder(name, os.stat(path))
            for entry in entries:
                _sort_in(folder, root, name, entry)
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(name) from None
    except OSError as error:
        raise Unread(error.strerror or str(error)) from error
    return folder


@contextmanager
def opening() -> Iterator[None]:
    """For a block that opens something: that there is no descriptor for it says nothing of what is there."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_DESCRIPTOR:
            raise
        log.warning("a file could not be opened: too many are", reason=error.strerror)
        raise TooManyFiles from error


def below(root: str, real: str) -> bool:
    """Whether the real path `real` lies below the real path `root`."""
    return real.startswith(root.rstrip("/") + "/")


def _sort_in(folder: Folder, root: str, within: str, entry: os.DirEntry[str]) -> None:
    if entry.name.startswith("."):
        return
    name = f"{within}/{entry.name}" if within else entry.name
    kind = media_type(name)
    try:
        if kind is None and not entry.is_symlink() and not entry.is_dir():
            folder.others.append(entry.name)
            return
        folder.links |= entry.is_symlink()
        if entry.is_symlink() and not below(root, os.path.realpath(entry.path)):
            return
        if entry.is_dir():
            folder.subfolders.append(name)
        elif kind is None:
            folder.others.append(entry.name)
        elif is_plain(name):
            status = entry.stat()
            if stat.S_ISREG(status.st_mode):
                folder.videos.append(File(name, status))
    except OSError as error:
        if error.errno not in GONE:
            folder.unread[name] = error.strerror or str(error)
