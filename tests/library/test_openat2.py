"""Files that the kernel of these tests opens without waiting for the disk."""

import os
import stat
from pathlib import Path

import pytest

from trio_stream.errors import VideoNotFound
from trio_stream.library.folder.catalog import Catalog
from trio_stream.library.folder.openat2 import CachedOpener


def test_a_path_in_memory_is_opened(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    handle = CachedOpener().open(str(tmp_path / "film.mp4"))
    assert handle is not None
    with handle:
        assert os.fstat(handle.fd).st_ino == (tmp_path / "film.mp4").stat().st_ino
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.read(handle.fd, 1)  # an `O_PATH` handle cannot be read


def test_a_path_that_cannot_be_opened_returns_none(tmp_path: Path) -> None:
    opener = CachedOpener()
    assert opener.open(str(tmp_path / "missing")) is None
    assert opener.open(str(tmp_path / ("x" * 5000))) is None
    assert opener.open("\ud800") is None  # cannot be encoded for the file system
    handle = opener.open(str(tmp_path))
    assert handle is not None, "a failure does not disable it"
    handle.close()


def test_a_folder_that_is_not_in_memory_needs_a_thread() -> None:
    """In procfs, looking up a name creates its entry."""
    opener = CachedOpener()
    assert opener.open(f"/proc/{os.getpid()}/task/{os.getpid()}/net/dev_snmp6") is None


async def test_a_video_in_memory_needs_no_thread(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    catalog = Catalog(tmp_path, threads=1)
    (await catalog.open("film.mp4")).close()  # its revision is cached from now on
    catalog._limiter.total_tokens = 0  # a task that needs a thread waits forever
    with await catalog.open("film.mp4") as video:
        assert os.read(video.file.fd, 10) == b"film"


async def test_the_same_files_are_refused_with_and_without_a_thread(tmp_path: Path) -> None:
    root = tmp_path / "videos"
    root.mkdir()
    (tmp_path / "outside.mp4").write_bytes(b"secret")
    (root / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    os.mkfifo(root / "pipe.mp4")
    (root / "folder.mp4").mkdir()
    catalog = Catalog(root)
    for name in ("link.mp4", "pipe.mp4", "folder.mp4"):
        assert os.stat(root / name), "now in memory"
        assert catalog._open_cached(name) is None
        with pytest.raises(VideoNotFound):
            await catalog.open(name)
    (root / "inside.mp4").write_bytes(b"film")
    (root / "good.mp4").symlink_to(root / "inside.mp4")
    file = catalog._open_cached("good.mp4")
    assert file is not None
    with file:
        assert stat.S_ISREG(os.fstat(file.fd).st_mode)
