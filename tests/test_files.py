"""An open file has one owner, and is closed once."""

import os
import resource
from pathlib import Path

import pytest

from trio_stream.errors import TooManyFiles
from trio_stream.files import READ_ONLY, OpenFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"bytes")
    return tmp_path / "file"


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_a_file_is_closed_only_once(path: Path) -> None:
    with OpenFile(os.open(path, READ_ONLY)) as file:
        fd = file.fd
        assert os.read(fd, 10) == b"bytes"
        file.close()
        assert file.closed
        other = os.open(path, READ_ONLY)  # the lowest free number, which is the same
        assert other == fd
        file.close()
    assert is_open(other)
    os.close(other)


def test_a_closed_file_lends_no_descriptor(path: Path) -> None:
    file = OpenFile(os.open(path, READ_ONLY))
    file.close()
    with pytest.raises(ValueError, match="closed"):
        _ = file.fd
    with pytest.raises(ValueError, match="closed"):
        file.detach()


def test_a_detached_descriptor_stays_open(path: Path) -> None:
    with OpenFile(os.open(path, READ_ONLY)) as file:
        fd = file.detach()
    assert is_open(fd)
    os.close(fd)


def test_a_duplicate_is_closed_separately(path: Path) -> None:
    with OpenFile(os.open(path, READ_ONLY)) as file:
        other = OpenFile.dup(file.fd)
        assert not os.get_inheritable(other.fd)
    with other:
        assert os.read(other.fd, 10) == b"bytes"


def test_dup_without_a_free_descriptor_raises_too_many_files(path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with OpenFile(os.open(path, READ_ONLY)) as file:
        lowest = os.dup(file.fd)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limit[1]))
        try:
            with pytest.raises(TooManyFiles):
                OpenFile.dup(file.fd)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_an_unclosed_file_warns(path: Path) -> None:
    file = OpenFile(os.open(path, READ_ONLY))
    fd = file.fd
    with pytest.warns(ResourceWarning, match=f"descriptor {fd} was not closed"):
        del file
    assert not is_open(fd)
