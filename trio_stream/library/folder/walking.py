"""Reads the folders of the library, one at a time, with one `stat` per file.

An unreadable folder is not treated as empty: it raises `Unread`. Links are followed within the library only. The code
here waits for the disk, so it runs in worker threads.
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
    """A video of a folder: its name in the library, and its state."""

    name: str
    status: os.stat_result


GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""Errors for a path that no longer exists, or a dangling link."""


@dataclass(slots=True)
class Folder:
    """The contents of one folder; `others` are the base names of files that are not videos.

    `unread` maps entries that exist but cannot be read to the reason. They must not be treated as missing.
    """

    name: str
    status: os.stat_result
    videos: list[File] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    subfolders: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    links: bool = False
    """Whether it contains symbolic links."""

    @property
    def identity(self) -> tuple[int, int]:
        """Identifies the folder, independent of its name."""
        return self.status.st_dev, self.status.st_ino


class Unread(Exception):
    """A folder exists, or may exist, and cannot be read: `str` says why."""


class Missing(Exception):
    """A folder does not exist, or is not below the library."""


def read_folder(root: str, name: str) -> Folder:
    """Read the folder `name` below `root` (a real path; an empty name is `root` itself).

    Raises `Missing`, `Unread`, `TooManyFiles`.
    """
    path = os.path.join(root, name) if name else root
    try:
        if name and not is_below(root, os.path.realpath(path)):
            raise Missing(name)
        with translate_too_many(), os.scandir(path) as entries:
            folder = Folder(name, os.stat(path))
            for entry in entries:
                _add_entry(folder, root, name, entry)
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(name) from None
    except OSError as error:
        raise Unread(error.strerror or str(error)) from error
    return folder


@contextmanager
def translate_too_many() -> Iterator[None]:
    """Raise `TooManyFiles` if the block finds no free descriptor, which says nothing about the file."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_DESCRIPTOR:
            raise
        log.warning("a file could not be opened: too many open files", reason=error.strerror)
        raise TooManyFiles from error


def is_below(root: str, real: str) -> bool:
    """Whether the real path `real` is below the real path `root`."""
    return real.startswith(root.rstrip("/") + "/")


def _add_entry(folder: Folder, root: str, within: str, entry: os.DirEntry[str]) -> None:
    if entry.name.startswith("."):
        return
    name = f"{within}/{entry.name}" if within else entry.name
    kind = media_type(name)
    try:
        if kind is None and not entry.is_symlink() and not entry.is_dir():
            folder.others.append(entry.name)
            return
        folder.links |= entry.is_symlink()
        if entry.is_symlink() and not is_below(root, os.path.realpath(entry.path)):
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
