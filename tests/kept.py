"""Media that tests are made of, kept from run to run and from clone to clone.

Each lies below `$XDG_CACHE_HOME/trio-stream-tests` (`~/.cache` by default), under a hash of its recipe and of the
encoder. What was not used for a month is removed. The folder may be deleted at any time.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

UNUSED = 30 * 24 * 3600
"""Seconds after which what nobody used is removed."""


def root() -> Path:
    """The folder of all that is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trio-stream-tests"


@functools.cache
def encoder() -> str:
    """The first line that ffmpeg says of itself: another version may encode differently."""
    said = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout
    return said.partition("\n")[0]


def key(*recipe: str | bytes) -> str:
    """A name for what is made by this recipe with the encoder at hand."""
    found = hashlib.sha256()
    for part in (encoder(), *recipe):
        data = part.encode() if isinstance(part, str) else part
        found.update(len(data).to_bytes(8) + data)
    return found.hexdigest()[:24]


def kept(name: str, build: Callable[[Path], object]) -> Path:
    """The file of that name. `build` writes it, to a path with the same suffix, if it is not there yet."""
    path = root() / name
    try:
        os.utime(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(
            prefix=".", dir=path.parent
        ) as folder:  # another process may be making it as well
            made = Path(folder) / f"made{path.suffix}"
            build(made)
            made.replace(path)
    return path


@contextmanager
def kept_folder(name: str) -> Iterator[Path]:
    """The folder of that name, for one process at a time to fill: what it needs may be there already."""
    folder = root() / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(root() / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(folder)
        yield folder


def place(source: Path, target: Path) -> None:
    """Let a kept file be at `target` as well, for reading: what is written there is written into what is kept."""
    try:
        target.hardlink_to(source)
    except OSError:  # another file system
        shutil.copy2(source, target)


def digest(path: Path) -> bytes:
    """A hash of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def remove_unused(now: float | None = None) -> None:
    """Remove what was not used for a month."""
    before = (time.time() if now is None else now) - UNUSED
    for path in _each(root()):
        try:
            if path.stat().st_mtime < before:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        except FileNotFoundError:  # another run removes it
            continue


def _each(folder: Path) -> Iterable[Path]:
    for path in folder.glob("*"):
        yield from path.iterdir() if path.name == "made" else (path,)
