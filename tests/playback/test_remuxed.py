"""Segments of files other than MP4, as the server gets them: built once, complete, by a process that may return lies."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
import trio
import trio.testing

from tests.media.conftest import children
from tests.media.making import make
from tests.media.remuxing import bounds, carried, init_of, outlined, segments_of
from tests.support import wait_until
from trio_stream.errors import MediaUnreadable, MediaWorkerFailed
from trio_stream.files import OpenFile
from trio_stream.media.formats.outline import AudioOutline, VideoOutline
from trio_stream.media.sandbox.sandbox import WORKER, Sandbox
from trio_stream.packaging.presentation import Rendition, Segments
from trio_stream.playback import remuxed
from trio_stream.playback.remuxed import Remuxer, init_recipe, segment_recipe
from trio_stream.playback.segment_cache import SegmentCache

LYING = (sys.executable, "-m", "tests.playback.lying")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(
        tmp_path_factory.mktemp("remuxed") / "film.mkv",
        "-f lavfi -i testsrc2=size=128x72:rate=25:duration=4 -f lavfi -i sine=duration=4 "
        "-c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac",
    )


@pytest.fixture
def fd(film: Path) -> Iterator[int]:
    opened = os.open(film, os.O_RDONLY)
    yield opened
    os.close(opened)


def rendition(outlined: VideoOutline | AudioOutline) -> Rendition:
    """A track as in the presentation of its file, as far as the remuxer needs it."""
    kind: Literal["video", "audio"] = "video" if isinstance(outlined, VideoOutline) else "audio"
    index, carriage = outlined.track.index, outlined.carriage
    return Rendition(
        f"{kind[0]}{index}",
        kind,
        index,
        "",
        carriage.timescale,
        Segments((), (), ()),
        carriage=carriage.to_json(),
    )


type Remuxing = tuple[Remuxer, Sandbox, SegmentCache]


@asynccontextmanager
async def remuxing(folder: Path, command: tuple[str, ...] = WORKER) -> AsyncIterator[Remuxing]:
    sandbox, cache = Sandbox(command), SegmentCache(folder, 1 << 20)
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        await nursery.start(cache.serve)
        yield Remuxer(sandbox, cache), sandbox, cache
        nursery.cancel_scope.cancel()


def read(file: OpenFile) -> bytes:
    with file:
        return os.pread(file.fd, 1 << 26, 0)


async def test_all_segments_of_a_video(film: Path, fd: int, tmp_path: Path) -> None:
    async with remuxing(tmp_path) as (remuxer, sandbox, cache):
        found = await remuxer.outline(fd)
        assert found == outlined(film)
        for item in carried(found):
            expected = segments_of(film, found, item)
            stops = [*bounds(found, item)[1:], None]
            for _ in range(2):
                assert read(await remuxer.get(fd, init_recipe("abc123", rendition(item)))) == init_of(
                    film, item
                )
                for n, (start, stop) in enumerate(zip(bounds(found, item), stops, strict=True)):
                    data = read(
                        await remuxer.get(fd, segment_recipe("abc123", rendition(item), n, start, stop))
                    )
                    assert data == expected[n].data
        assert cache.statistics().built == 2 * (1 + 4)
        assert sandbox.statistics().started == 1 + 2 * (1 + 4)
        names = {path.name for path in tmp_path.iterdir()}
        assert {"abc123-v0-init.m4s", "abc123-a1-init.m4s"} <= names


async def test_many_requests_of_which_some_are_cancelled(film: Path, fd: int, tmp_path: Path) -> None:
    """A client that leaves closes its descriptor of the video; the job has its own."""
    async with remuxing(tmp_path) as (remuxer, sandbox, cache):
        found = await remuxer.outline(fd)
        video = found.video[0]
        start, stop = bounds(found, video)[:2]
        results: list[bytes] = []

        async def ask(*, leaving: bool) -> None:
            own = os.open(film, os.O_RDONLY)
            try:
                with trio.CancelScope() as scope:
                    if leaving:
                        scope.cancel()
                    results.append(
                        read(await remuxer.get(own, segment_recipe("r", rendition(video), 0, start, stop)))
                    )
            finally:
                os.close(own)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(ask, leaving=True))
            for _ in range(20):
                nursery.start_soon(partial(ask, leaving=False))
        assert len(results) == 20
        assert len(set(results)) == 1
        assert cache.statistics().built == 1
        assert sandbox.statistics().started == 2


async def test_all_requests_are_cancelled(fd: int, tmp_path: Path) -> None:
    """The job is killed with the last request: long under way, just begun, or not yet begun."""
    async with remuxing(tmp_path, LYING) as (remuxer, sandbox, _):
        video = outlined_video(fd)
        for goes_on in (
            lambda started: sandbox.statistics().started > started and bool(children()),
            lambda started: sandbox.statistics().started > started,
            lambda _started: remuxer.statistics().running > 0,
        ):
            started = sandbox.statistics().started
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(remuxer.get, fd, segment_recipe("r", rendition(video), 0, 0, None))
                await wait_until(partial(goes_on, started), 10, "a job")
                nursery.cancel_scope.cancel()
            await wait_until(lambda: not sandbox.statistics().running, 10, "its end")
            assert not children()
        await trio.testing.wait_all_tasks_blocked()
        assert sandbox.statistics().running == 0
        assert remuxer.statistics().running == 0


def outlined_video(fd: int) -> VideoOutline | AudioOutline:
    return outlined(Path(f"/proc/self/fd/{fd}")).video[0]


async def test_only_a_few_jobs_at_once(film: Path, fd: int, tmp_path: Path) -> None:
    async with remuxing(tmp_path, LYING) as (remuxer, sandbox, _):
        video = outlined_video(fd)
        async with trio.open_nursery() as nursery:
            for n in range(10):
                nursery.start_soon(remuxer.get, fd, segment_recipe("r", rendition(video), n, 0, None))
            await wait_until(lambda: sandbox.statistics().running == remuxed.AT_ONCE, 10)
            await trio.testing.wait_all_tasks_blocked()
            now = remuxer.statistics()
            assert (now.running, now.waiting) == (remuxed.AT_ONCE, 10 - remuxed.AT_ONCE)
            nursery.cancel_scope.cancel()


async def test_invalid_results_are_refused(
    film: Path, fd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remuxed, "DEADLINE", 0.5)
    async with remuxing(tmp_path, LYING) as (remuxer, _, cache):
        video = outlined_video(fd)
        with pytest.raises(MediaUnreadable, match="invalid data"):
            await remuxer.outline(fd)
        with pytest.raises(MediaUnreadable, match="invalid data"):
            await remuxer.get(fd, init_recipe("r", rendition(video)))
        with pytest.raises(MediaUnreadable, match=r"longer than 0\.5 s"):
            await remuxer.get(fd, segment_recipe("r", rendition(video), 0, 0, None))
        assert cache.statistics().segments == 0


async def test_a_segment_that_does_not_exist(fd: int, tmp_path: Path) -> None:
    async with remuxing(tmp_path) as (remuxer, _, cache):
        found = await remuxer.outline(fd)
        with pytest.raises(MediaUnreadable, match="no keyframe"):
            await remuxer.get(fd, segment_recipe("r", rendition(found.video[0]), 5, 17, 18))
        hidden = await remuxer.get(fd, segment_recipe("r", rendition(found.audio[0]), 0, -5000, 1))
        hidden.close()
        assert cache.statistics().segments == 1


async def test_a_stopping_server(fd: int, tmp_path: Path) -> None:
    async with remuxing(tmp_path) as (remuxer, _, _):
        found = await remuxer.outline(fd)
    with pytest.raises(MediaWorkerFailed):
        await remuxer.get(fd, init_recipe("r", rendition(found.video[0])))
