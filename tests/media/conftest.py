"""Fixtures for the tests of media: the menagerie, and sandboxes whose worker and children can be observed."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import trio

from tests import menagerie as animals
from trio_stream.media.sandbox.sandbox import Sandbox

MISBEHAVING = (sys.executable, "-m", "tests.media.misbehaving")

WORKERS = frozenset({"trio_stream.media.worker", "tests.media.misbehaving", "tests.playback.lying"})
"""The modules that run as workers. Servers of other tests of the same run may have children that stay."""


@pytest.fixture(scope="session")
def menagerie() -> Path:
    """The folder of unusual files, generated once and kept between runs."""
    return animals.menagerie()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """The sandbox of the product."""
    sandbox = Sandbox()
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        yield sandbox
        nursery.cancel_scope.cancel()


@pytest.fixture
async def wild(file: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """A sandbox whose jobs misbehave; its worker is running."""
    monkeypatch.setenv("TRIO_STREAM_DATABASE_URL", "postgresql://somebody:secret@db/")
    sandbox = Sandbox(MISBEHAVING)
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        await sandbox.run("echo", file, deadline=30)
        yield sandbox
        nursery.cancel_scope.cancel()


@pytest.fixture
def opened() -> Callable[[Path], AbstractContextManager[int]]:
    """Opens a file for the duration of a block."""

    @contextmanager
    def open_one(path: Path) -> Iterator[int]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    return open_one


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A descriptor of a small file."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def workers() -> list[psutil.Process]:
    """The workers of this process."""
    return [child for child in psutil.Process().children() if _is_worker(child)]


def children() -> list[psutil.Process]:
    """The children of the workers of this process that are not reaped yet."""
    found = []
    for worker in workers():
        with suppress(psutil.NoSuchProcess):
            found += worker.children()
    return found


def _is_worker(process: psutil.Process) -> bool:
    try:
        return bool(WORKERS & set(process.cmdline()))
    except psutil.NoSuchProcess:  # also if it has ended and is not reaped yet
        return False
