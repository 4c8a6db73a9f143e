"""The presentation of a video is computed once for all requests, and long work continues without them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from sqlalchemy.engine import URL

from tests.media.making import make
from tests.support import wait_until
from trio_stream.errors import MediaWorkerFailed, NotTheOwner, Unpackageable
from trio_stream.files import OpenFile
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.packaging.presentation import Presentation
from trio_stream.playback.indexes import Indexes
from trio_stream.playback.presentations import BUDGET, Presentations
from trio_stream.playback.remuxed import Remuxer
from trio_stream.playback.segment_cache import SegmentCache
from trio_stream.store.database import open_database


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(
        tmp_path_factory.mktemp("presented") / "film.mkv",
        "-f lavfi -i testsrc2=size=128x72:rate=25:duration=4 -c:v libx264 -preset ultrafast -g 25",
    )


def opened(path: Path) -> OpenFile:
    return OpenFile(os.open(path, os.O_RDONLY))


@asynccontextmanager
async def presenting(
    folder: Path, url: URL, budget: int = BUDGET
) -> AsyncIterator[tuple[Presentations, Sandbox]]:
    """Presentations without other caches, and the sandbox in which files are parsed."""
    sandbox, cache, indexes = Sandbox(), SegmentCache(folder, 1 << 20), Indexes()
    remuxer = Remuxer(sandbox, cache)
    async with open_database(url) as database, trio.open_nursery() as nursery:
        presentations = Presentations(database, indexes, lambda: None, lambda: remuxer, budget=budget)
        for item in (sandbox, cache, indexes, presentations):
            await nursery.start(item.serve)
        yield presentations, sandbox
        nursery.cancel_scope.cancel()


async def compute(presentations: Presentations, video: OpenFile, revision: str) -> Presentation:
    return await presentations.of(video.fd, revision, os.fstat(video.fd).st_size)


async def ask(
    presentations: Presentations, video: OpenFile, revision: str, scope: trio.CancelScope
) -> Presentation | None:
    with scope:
        return await compute(presentations, video, revision)
    return None


async def test_started_work_continues_when_all_clients_have_left(
    film: Path, tmp_path: Path, database_url: URL
) -> None:
    async with presenting(tmp_path, database_url) as (presentations, sandbox):
        with opened(film) as video:
            async with trio.open_nursery() as nursery:
                scopes = [trio.CancelScope() for _ in range(3)]
                for scope in scopes:
                    nursery.start_soon(ask, presentations, video, "a", scope)
                await wait_until(lambda: sandbox.statistics().running == 1, 10, "the outline to begin")
                for scope in scopes:
                    scope.cancel()
        with opened(film) as again:
            assert (await compute(presentations, again, "a")).video is not None
        assert sandbox.statistics().started == 1
        assert sandbox.statistics().failed == 0


async def test_work_that_no_client_waits_for_does_not_begin(
    film: Path, tmp_path: Path, database_url: URL
) -> None:
    async with presenting(tmp_path, database_url) as (presentations, sandbox):
        with opened(film) as video:
            async with trio.open_nursery() as nursery:
                leaving = [trio.CancelScope() for _ in range(20)]
                nursery.start_soon(compute, presentations, video, "a")
                await wait_until(lambda: sandbox.statistics().running == 1, 10, "the outline to begin")
                for number, scope in enumerate(leaving):
                    nursery.start_soon(ask, presentations, video, f"b{number}", scope)
                await trio.testing.wait_all_tasks_blocked()
                for scope in leaving:
                    scope.cancel()
            await trio.testing.wait_all_tasks_blocked()
            assert sandbox.statistics().started == 1
            assert (await compute(presentations, video, "b1")).video is not None
            assert sandbox.statistics().started == 2


@pytest.mark.parametrize(("budget", "looks"), [(BUDGET, 2), (1, 3)])
async def test_presentations_are_cached_within_a_budget(
    film: Path, tmp_path: Path, database_url: URL, budget: int, looks: int
) -> None:
    async with presenting(tmp_path, database_url, budget) as (presentations, sandbox):
        with opened(film) as video:
            for revision in ("a", "a", "b", "a"):
                await compute(presentations, video, revision)
        assert sandbox.statistics().started == looks


async def test_refusals_have_reasons(tmp_path: Path, database_url: URL) -> None:
    (tmp_path / "film.mkv").write_bytes(b"no film")
    with opened(tmp_path / "film.mkv") as video:
        async with open_database(database_url) as database, trio.open_nursery() as nursery:
            indexes = Indexes()
            presentations = Presentations(database, indexes, lambda: None, lambda: None)
            with pytest.raises(MediaWorkerFailed):
                await compute(presentations, video, "a")
            await nursery.start(indexes.serve)
            await nursery.start(presentations.serve)
            for _ in range(2):
                with pytest.raises(NotTheOwner):
                    await compute(presentations, video, "a")
            nursery.cancel_scope.cancel()
        async with presenting(tmp_path / "segments", database_url) as (presentations, _):
            for _ in range(2):
                with pytest.raises(Unpackageable, match="it has no index"):
                    await compute(presentations, video, "a")
