"""Segments are stored within a budget and built once; whatever the disk does, each request gets its segment."""

import errno
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import structlog.testing
import trio
import trio.testing

from tests.support import wait_until
from trio_stream.errors import MediaUnreadable, MediaWorkerFailed, TooManyFiles
from trio_stream.files import OpenFile
from trio_stream.packaging.cutting import SCHEME
from trio_stream.playback import disk_cache
from trio_stream.playback.segment_cache import SegmentCache

type Open = Callable[..., AbstractAsyncContextManager[SegmentCache]]


@asynccontextmanager
async def serving(folder: Path, budget: int = 1000) -> AsyncIterator[SegmentCache]:
    cache = SegmentCache(folder, budget)
    async with trio.open_nursery() as nursery:
        await nursery.start(cache.serve)
        yield cache
        nursery.cancel_scope.cancel()


class Maker:
    """Builds a segment when it is allowed to, and counts how often."""

    def __init__(
        self, data: bytes = b"x" * 100, *, error: Exception | None = None, waits: bool = False
    ) -> None:
        self.data = data
        self.error = error
        self.calls = 0
        self.cancelled = 0
        self.started = trio.Event()
        self.may = trio.Event()
        if not waits:
            self.may.set()

    def __call__(self) -> Awaitable[bytes]:
        self.calls += 1
        return self._build()

    async def _build(self) -> bytes:
        self.started.set()
        try:
            await self.may.wait()
        except trio.Cancelled:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.data


async def got(cache: SegmentCache, key: str, build: Callable[[], Awaitable[bytes]]) -> bytes:
    """The bytes of the returned file."""
    with await cache.get(key, build) as file:
        return os.pread(file.fd, 1 << 20, 0)


def on_disk(folder: Path) -> set[str]:
    return {path.name.removesuffix(".m4s") for path in folder.iterdir()} - {"maker"}


async def test_built_once_and_found_again(tmp_path: Path) -> None:
    build = Maker(b"segment")
    async with serving(tmp_path / "s") as cache:
        for _ in range(3):
            assert await got(cache, "a-v0-1", build) == b"segment"
        assert build.calls == 1
        assert on_disk(tmp_path / "s") == {"a-v0-1"}
        now = cache.statistics()
        assert (now.segments, now.size, now.built, now.found, now.building) == (1, 7, 1, 2, 0)


async def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    async with serving(tmp_path) as cache:
        for key in "abcdefghij":
            await got(cache, key, Maker())
        await got(cache, "a", Maker())
        await got(cache, "k", Maker(b"x" * 150))
        assert on_disk(tmp_path) == set("adefghijk")
        now = cache.statistics()
        assert (now.segments, now.size, now.removed) == (9, 950, 2)


async def test_never_more_than_the_budget(tmp_path: Path) -> None:
    async with serving(tmp_path) as cache, trio.open_nursery() as nursery:
        for number in range(60):
            nursery.start_soon(got, cache, f"n-{number}", Maker(bytes(17 * (number % 9 + 1))))
        nursery.start_soon(watch, cache, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.glob("*.m4s")) <= 1000


async def watch(cache: SegmentCache, folder: Path) -> None:
    while cache.statistics().built < 60:
        sizes = []
        for path in folder.iterdir():
            with suppress(FileNotFoundError):
                sizes.append(path.stat().st_size if path.name != "maker" else 0)
        assert sum(sizes) <= 1000
        await trio.testing.wait_all_tasks_blocked(0.0005)


async def test_a_removed_segment_stays_readable_while_open(tmp_path: Path) -> None:
    async with serving(tmp_path, 150) as cache:
        with await cache.get("a", Maker(b"a" * 100)) as file:
            await got(cache, "b", Maker(b"b" * 100))
            assert on_disk(tmp_path) == {"b"}
            assert os.pread(file.fd, 1000, 0) == b"a" * 100


async def test_larger_than_the_budget(tmp_path: Path) -> None:
    async with serving(tmp_path, 50) as cache:
        assert await got(cache, "a", Maker()) == b"x" * 100
        assert on_disk(tmp_path) == set()
        assert cache.statistics().unstored == 1
    async with serving(tmp_path, 0) as cache:
        assert await got(cache, "a", Maker(b"y")) == b"y"


async def test_one_build_for_all_requests(tmp_path: Path) -> None:
    build, results = Maker(b"one", waits=True), list[bytes]()

    async def ask(cache: SegmentCache) -> None:
        results.append(await got(cache, "a", build))

    async with serving(tmp_path) as cache, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask, cache)
        await build.started.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert cache.statistics().building == 1
        build.may.set()
    assert results == [b"one"] * 50
    assert build.calls == 1


async def test_a_client_that_leaves_does_not_affect_the_others(tmp_path: Path) -> None:
    build = Maker(b"kept", waits=True)
    async with serving(tmp_path) as cache:
        async with trio.open_nursery() as staying:
            async with trio.open_nursery() as leaving:
                leaving.start_soon(got, cache, "a", build)
                await build.started.wait()
                staying.start_soon(got, cache, "a", build)
                await trio.testing.wait_all_tasks_blocked()
                leaving.cancel_scope.cancel()  # the first request
            assert build.cancelled == 0
            build.may.set()
        assert await got(cache, "a", Maker(b"another")) == b"kept"


async def test_the_last_client_that_leaves_cancels_the_work(tmp_path: Path) -> None:
    build = Maker(waits=True)
    async with serving(tmp_path) as cache:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(got, cache, "a", build)
            await build.started.wait()
            nursery.cancel_scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        now = cache.statistics()
        assert (build.cancelled, now.abandoned, now.building, now.built) == (1, 1, 0, 0)
        assert await got(cache, "a", Maker(b"anew")) == b"anew"


async def test_a_request_after_the_last_client_has_left(tmp_path: Path) -> None:
    """It does not get work that is being cancelled."""
    first, second = Maker(b"1", waits=True), Maker(b"2")
    async with serving(tmp_path) as cache, trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(partial(cancel_when, first.started, scope))
            await cache.get("a", first)
        assert await got(cache, "a", second) == b"2"
        assert first.cancelled == second.calls == 1


async def cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def test_a_failure_is_raised_for_all_and_tried_again(tmp_path: Path) -> None:
    build, raised = Maker(error=MediaUnreadable("damaged"), waits=True), list[str]()

    async def ask(cache: SegmentCache) -> None:
        with pytest.raises(MediaUnreadable) as error:
            await cache.get("a", build)
        raised.append(str(error.value))

    async with serving(tmp_path) as cache:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask, cache)
            await build.started.wait()
            build.may.set()
        assert raised == ["damaged"] * 3
        assert await got(cache, "a", Maker(b"mended")) == b"mended"


async def test_found_again_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as cache:
        for number in range(5):
            await got(cache, f"s-{number}", Maker())
            os.utime(tmp_path / f"s-{number}.m4s", (number + 1, number + 1))
    (tmp_path / "tmpabc.making").write_bytes(b"half")
    (tmp_path / "empty.m4s").touch()
    async with serving(tmp_path, 250) as cache:
        assert cache.statistics().segments == 2
        never = Maker(error=AssertionError())
        assert await got(cache, "s-4", never) == await got(cache, "s-3", never) == b"x" * 100
        assert on_disk(tmp_path) == {"s-3", "s-4"}


@pytest.mark.parametrize("what", ["the machine", "the program", "the rules", "no Linux"])
async def test_deleted_when_another_version_built_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async with serving(tmp_path) as cache:
        await got(cache, "a", Maker())
    if what == "the program":
        monkeypatch.setattr(disk_cache, "__version__", "99")
    elif what == "the rules":
        monkeypatch.setattr(disk_cache, "SCHEME", SCHEME + 1)
    else:
        boot = tmp_path.parent / f"{tmp_path.name}-boot"
        if what == "the machine":
            boot.write_text("another")
        monkeypatch.setattr(disk_cache, "BOOT_ID", boot)
    async with serving(tmp_path) as cache:
        assert cache.statistics().segments == 0
        assert on_disk(tmp_path) == set()
        assert await got(cache, "a", Maker(b"anew")) == b"anew"


async def test_removed_files_are_built_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as cache:
        await got(cache, "a", Maker())
        (tmp_path / "a.m4s").unlink()
        assert await got(cache, "a", Maker(b"anew")) == b"anew"
        assert cache.statistics().size == 4


async def test_a_client_that_leaves_while_the_cache_frees_space_leaves_no_file(tmp_path: Path) -> None:
    """A file that no longer counts is removed, or it would exceed the budget."""
    async with serving(tmp_path, 150) as cache:
        await got(cache, "a", Maker())
        cache._limiter.total_tokens = 0  # all use of the disk waits
        async with trio.open_nursery() as nursery:
            nursery.start_soon(got, cache, "b", Maker())
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        cache._limiter.total_tokens = 4
        await wait_until(lambda: cache.statistics().size == 0, 5, "the maker to end")
        assert on_disk(tmp_path) == set()


# Disk errors.


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(tmp_path) as cache:
        await got(cache, "a", Maker())
        put = disk_cache.DiskCache.put

        def full(self: disk_cache.DiskCache, key: str, data: bytes) -> OpenFile:
            if full_now:
                with monkeypatch.context() as context:
                    context.setattr("os.replace", no_space)
                    return put(self, key, data)
            return put(self, key, data)

        def no_space(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        full_now = True
        monkeypatch.setattr(disk_cache.DiskCache, "put", full)
        with structlog.testing.capture_logs() as logs:
            for key in ("b", "c"):
                assert await got(cache, key, Maker(b"made")) == b"made"
        assert [entry["reason"] for entry in logs] == ["[Errno 28] No space left on device"]
        assert on_disk(tmp_path) == {"a"}  # and no partial file
        assert cache.statistics().size == 100
        full_now = False
        assert await got(cache, "b", Maker(b"made")) == b"made"
        assert on_disk(tmp_path) == {"a", "b"}


async def test_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with structlog.testing.capture_logs() as logs:
        async with serving(tmp_path / "file" / "segments") as cache:
            for _ in range(2):
                assert await got(cache, "a", Maker(b"made")) == b"made"
            assert cache.statistics().unstored == 2
    assert len(logs) == 1


async def test_no_more_descriptors(tmp_path: Path) -> None:
    async with serving(tmp_path) as cache:
        file = await cache.get("a", Maker())
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(file.fd)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limit[1]))
        try:
            for key in ("a", "b"):
                with pytest.raises(TooManyFiles):
                    await cache.get(key, Maker())
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            file.close()
        assert await got(cache, "a", Maker(error=AssertionError())) == b"x" * 100


async def test_foreign_files_are_removed(tmp_path: Path) -> None:
    """Even with a name that nothing here uses."""
    async with serving(tmp_path) as cache:
        await got(cache, "a", Maker())
    for name in ("b c.m4s", ".m4s", "é.m4s", "notes.txt"):
        (tmp_path / name).write_bytes(b"x" * 1000)
    async with serving(tmp_path) as cache:
        assert cache.statistics().size == 100
        assert on_disk(tmp_path) == {"a"}


async def test_invalid_keys_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as cache:
        for key in ("", "..", "a/b", "../a", "a.m4s", "a\0", "é", "-a"):
            with pytest.raises(ValueError, match="not a valid key"):
                await cache.get(key, Maker())
        assert on_disk(tmp_path) == set()


async def test_the_shutdown_of_the_server(tmp_path: Path) -> None:
    cache, build = SegmentCache(tmp_path, 1000), Maker(waits=True)
    with pytest.raises(MediaWorkerFailed, match="segment builder is not running"):
        await cache.get("a", build)
    raised = trio.Event()

    async def ask() -> None:
        with pytest.raises(MediaWorkerFailed, match="stopping"):
            await cache.get("a", build)
        raised.set()

    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as serving_nursery:
            await serving_nursery.start(cache.serve)
            nursery.start_soon(ask)
            await build.started.wait()
            serving_nursery.cancel_scope.cancel()
        assert build.cancelled == 1
        await raised.wait()


def test_without_memory_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with disk_cache.in_memory(b"data") as file:
        assert os.pread(file.fd, 10, 0) == b"data"
        assert os.fstat(file.fd).st_nlink == 0
