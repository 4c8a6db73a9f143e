"""Derived files that can be built again, in a folder of their own.

A file is written under another name and then renamed, so every file is complete. Nothing is synced: after a reboot, or
with another version of the program or of the rules, all files are deleted. Files are returned open, so one that is
removed stays readable until it is closed. All methods block on the disk.
"""

import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from trio_stream import __version__
from trio_stream.files import READ_ONLY, OpenFile
from trio_stream.packaging.cutting import SCHEME

SUFFIX, PARTIAL = ".m4s", ".making"
"""The suffixes of complete files, and of those still being written."""

MAKER = "maker"
"""The file that says what built the others: the program version, the version of the rules, and the boot id."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_KEY = re.compile(r"[0-9A-Za-z_]+(-[0-9A-Za-z_]+)*", re.ASCII)


class DiskCache:
    """The files in `folder`, which nothing else may use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scan(self) -> list[tuple[str, int]]:
        """The keys and sizes of all files, the least recently used first; everything else is removed.

        Raises `OSError` if the folder cannot be created or read.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        is_ours = self._is_ours()
        found = []
        for entry in os.scandir(self._folder):
            if entry.name == MAKER:
                continue
            status = entry.stat(follow_symlinks=False)
            is_key = entry.name.endswith(SUFFIX) and _KEY.fullmatch(entry.name.removesuffix(SUFFIX))
            if is_ours and is_key and status.st_size:
                # Many systems update access times once a day, if at all: then the modification time counts.
                found.append((max(status.st_atime, status.st_mtime), entry.name, status.st_size))
            elif not entry.is_dir(follow_symlinks=False):
                os.unlink(entry)
        return [(name.removesuffix(SUFFIX), size) for _, name, size in sorted(found)]

    def open(self, key: str) -> OpenFile | None:
        """Open a file for reading; None if it does not exist. Raises `OSError`."""
        try:
            return OpenFile(os.open(self._path(key), READ_ONLY))
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> OpenFile:
        """Store a file; return it open for reading. Raises `OSError`, and then leaves no partial file."""
        path = self._path(key)
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, suffix=PARTIAL)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
            # Before the rename, so that nothing can fail after it.
            stored = OpenFile(os.open(temporary, READ_ONLY))
            try:
                os.replace(temporary, path)
            except BaseException:
                stored.close()
                raise
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        return stored

    def remove(self, keys: Iterable[str]) -> None:
        """Remove files if they exist, and ignore errors."""
        for key in keys:
            with suppress(OSError):
                os.unlink(self._path(key))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a valid key")
        return self._folder / f"{key}{SUFFIX}"

    def _is_ours(self) -> bool:
        """Whether this version built the files since the machine was booted; records this version for the next call."""
        path = self._folder / MAKER
        try:
            # The boot id: as nothing is synced, a file may exist without its bytes after the machine crashed.
            maker = f"{__version__} {SCHEME} {BOOT_ID.read_text()}"
        except OSError:  # not Linux, so it cannot be determined
            return False
        with suppress(OSError):
            if path.read_text() == maker:
                return True
        path.write_text(maker)
        return False


def in_memory(data: bytes) -> OpenFile:
    """A file on no disk, or at least in no folder. Raises `OSError`."""
    if hasattr(os, "memfd_create"):
        file = OpenFile(os.memfd_create("segment", os.MFD_CLOEXEC))
    else:
        fd, path = tempfile.mkstemp()
        file = OpenFile(fd)
        os.unlink(path)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(file.fd, left) :]
    except BaseException:
        file.close()
        raise
    return file
