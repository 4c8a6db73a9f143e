"""Files that were made and can be made again, in a folder of their own.

A file is written under another name and renamed, so what is there is whole. Nothing is synced: when the machine went
down meanwhile, or what was there was made by another version of the program or by other rules, all of it is thrown
away. What is handed out is open, so a file that is removed stays whole for whoever has it. Everything here waits for
the disk.
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

SUFFIX, MAKING = ".m4s", ".making"
"""The ends of the names of files, and of those that are not whole yet."""

MAKER = "maker"
"""The file that says who made the others: which program, by which rules, on a machine that was started when."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_KEY = re.compile(r"[0-9A-Za-z_]+(-[0-9A-Za-z_]+)*", re.ASCII)


class DiskCache:
    """The files in `folder`, which belongs to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look(self) -> list[tuple[str, int]]:
        """The keys and sizes of all files, the one that was used longest ago first; everything else is removed.

        Raises `OSError` when the folder cannot be made or read.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = self._is_ours()
        found = []
        for entry in os.scandir(self._folder):
            if entry.name == MAKER:
                continue
            status = entry.stat(follow_symlinks=False)
            known = entry.name.endswith(SUFFIX) and _KEY.fullmatch(entry.name.removesuffix(SUFFIX))
            if whole and known and status.st_size:
                # Many systems write access times down once a day, if at all: then it counts when it was made.
                found.append((max(status.st_atime, status.st_mtime), entry.name, status.st_size))
            elif not entry.is_dir(follow_symlinks=False):
                os.unlink(entry)
        return [(name.removesuffix(SUFFIX), size) for _, name, size in sorted(found)]

    def open(self, key: str) -> OpenFile | None:
        """A file, for reading; None if it is not there. Raises `OSError`."""
        try:
            return OpenFile(os.open(self._path(key), READ_ONLY))
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> OpenFile:
        """Keep a file; return it open for reading. Raises `OSError`, and then nothing of it is left."""
        path = self._path(key)
        writing, made = tempfile.mkstemp(dir=self._folder, suffix=MAKING)
        try:
            with open(writing, "wb") as file:
                file.write(data)
            kept = OpenFile(os.open(made, READ_ONLY))  # before the rename: then nothing can fail any more
            try:
                os.replace(made, path)
            except BaseException:
                kept.close()
                raise
        except BaseException:
            with suppress(OSError):
                os.unlink(made)
            raise
        return kept

    def remove(self, keys: Iterable[str]) -> None:
        """Remove files, as far as they are there and that can be done."""
        for key in keys:
            with suppress(OSError):
                os.unlink(self._path(key))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no name of a file")
        return self._folder / f"{key}{SUFFIX}"

    def _is_ours(self) -> bool:
        """Whether this program made the files, and the machine has been running since; from now on it says so."""
        path = self._folder / MAKER
        try:
            # The boot: nothing is synced, so after a crash of the machine a file may be there without its bytes.
            maker = f"{__version__} {SCHEME} {BOOT_ID.read_text()}"
        except OSError:  # no Linux: nobody can tell
            return False
        with suppress(OSError):
            if path.read_text() == maker:
                return True
        path.write_text(maker)
        return False


def in_memory(data: bytes) -> OpenFile:
    """A file that is on no disk, or at least in no folder. Raises `OSError`."""
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
