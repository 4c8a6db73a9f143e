"""Fixtures: a file, the disk and the pool of open files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streaming.sinks import SIZE
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MapPool


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk(readers=2) as disk:
        yield disk


@pytest.fixture
def pool() -> Iterator[MapPool]:
    pool = MapPool()
    yield pool
    assert pool.statistics().files == 0, "a file was not released"


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "v.mp4"
    path.write_bytes(os.urandom(SIZE))
    return path
