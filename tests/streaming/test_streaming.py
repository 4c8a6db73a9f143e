"""The streaming core in one process, with real files, real maps, real threads and Trio's clock."""

import errno
import os
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, bodies, one_range
from tests.streaming.sinks import SIZE, Sink, streaming
from trio_stream.errors import (
    ClientGone,
    ClientStalled,
    SourceChanged,
    StreamNotFound,
    TooManyStreams,
)
from trio_stream.files import OpenFile
from trio_stream.http.bodies import Part, slice_parts
from trio_stream.server.sending.chunks import Chunk
from trio_stream.streaming.chunk_size import ChunkSizer
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile, MapPool
from trio_stream.streaming.pump import LARGEST_COPY, LARGEST_LONE_COPY, Delivery
from trio_stream.streaming.registry import Registry
from trio_stream.streaming.stream import DEPTH, LARGEST_CHUNK, SMALLEST, Ending


@given(
    body=bodies(SIZE, 400_000),
    delivery=st.sampled_from(Delivery),
    largest=st.integers(16 * 1024, LARGEST_CHUNK),
    data=st.data(),
)
def test_any_part_of_any_body_is_sent_unchanged(
    shared: Path, body: list[Part], delivery: Delivery, largest: int, data: st.DataObject
) -> None:
    whole = assemble(body, shared.read_bytes())
    start = data.draw(st.integers(0, len(whole)) | st.just(0))
    stop = data.draw(st.integers(start, len(whole)) | st.just(len(whole)))
    sink = Sink(shared)

    async def main() -> None:
        pool = MapPool()
        with Disk(readers=1) as disk:
            async with streaming(pool, disk, shared) as stream:
                assert await stream.run(
                    slice_parts(body, (start, stop - start)), sink, delivery, largest=largest
                )
                assert stream.bytes_sent == stop - start
        assert pool.statistics().files == 0

    trio.run(main)
    assert sink.data == whole[start:stop]
    assert sink.all_released
    assert max(sink.sizes, default=0) <= (
        min(largest, LARGEST_COPY) if delivery is Delivery.COPIES else largest
    )
    assert max(sink.copies, default=0) <= (LARGEST_COPY if delivery is Delivery.COPIES else LARGEST_LONE_COPY)


async def test_chunks_start_small_and_grow(pool: MapPool, disk: Disk, path: Path) -> None:
    sink = Sink(path)
    async with streaming(pool, disk, path) as stream:
        await stream.run([one_range(0, SIZE)], sink, Delivery.VIEWS)
    assert sink.sizes[0] == 16 * 1024
    assert max(sink.sizes) > 512 * 1024
    assert sum(sink.sizes) == SIZE


@pytest.mark.parametrize("delivery", Delivery)
async def test_a_reader_that_accepts_nothing_has_a_bounded_buffer(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery
) -> None:
    started = trio.Event()

    async def accept_nothing(_: Chunk) -> None:
        started.set()
        await trio.sleep_forever()

    async with streaming(pool, disk, path) as stream, trio.open_nursery() as nursery:

        async def run() -> None:
            await stream.run([one_range(0, SIZE)] * 9, accept_nothing, delivery)

        nursery.start_soon(run)
        await started.wait()
        await trio.testing.wait_all_tasks_blocked(0.05)
        first = LARGEST_CHUNK if delivery is Delivery.RANGES else SMALLEST
        assert stream.statistics().buffered <= (DEPTH + 2) * first
        assert stream.statistics().bytes_sent == 0
        nursery.cancel_scope.cancel()
    assert stream.statistics().buffered == 0


async def test_ending_a_stream_interrupts_its_send(pool: MapPool, disk: Disk, path: Path) -> None:
    registry = Registry(1, disk)
    file = pool.open(OpenFile(os.open(path, os.O_RDONLY)))
    stream = registry.admit(file, owner="me", name="v.mp4", transport="test")

    async def end_stream(_: Chunk) -> None:
        registry.end(stream.id, "enough")
        await trio.sleep_forever()

    assert not await stream.run([one_range(0, SIZE)], end_stream, Delivery.VIEWS)
    assert not await stream.run([one_range(0, SIZE)], end_stream, Delivery.VIEWS), (
        "a stream that has ended does not start again"
    )
    stream.close()
    stream.close()
    file.release()
    assert (stream.ending, stream.reason) == (Ending.STOPPED, "enough")
    assert registry.statistics().ended[Ending.STOPPED] == 1
    assert registry.statistics().active == 0
    with pytest.raises(StreamNotFound):
        registry.end(stream.id, "again")


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (ClientGone("gone"), Ending.CLIENT_LEFT),
        (ClientStalled("stalled"), Ending.STALLED),
        (SourceChanged("torn"), Ending.FAILED),
    ],
)
async def test_the_error_of_a_send_determines_the_ending(
    pool: MapPool, disk: Disk, path: Path, error: Exception, ending: Ending
) -> None:
    async def fail(_: Chunk) -> None:
        raise error

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(type(error)):
            await stream.run([one_range(0, SIZE)], fail, Delivery.VIEWS)
    assert stream.ending is ending


async def test_a_bug_is_raised_and_recorded_as_a_failure(pool: MapPool, disk: Disk, path: Path) -> None:
    async def fail(_: Chunk) -> None:
        raise ZeroDivisionError

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(ExceptionGroup) as caught:
            await stream.run([one_range(0, SIZE)], fail, Delivery.VIEWS)
        assert caught.group_contains(ZeroDivisionError)
    assert stream.ending is Ending.FAILED


async def test_a_stream_can_be_cancelled_from_outside(pool: MapPool, disk: Disk, path: Path) -> None:
    async def wait(_: Chunk) -> None:
        scope.cancel()
        await trio.sleep_forever()

    with trio.CancelScope() as scope:
        async with streaming(pool, disk, path) as stream:
            await stream.run([one_range(0, SIZE)], wait, Delivery.VIEWS)
    assert scope.cancelled_caught
    assert stream.ending is Ending.STOPPED


async def test_a_change_after_the_last_view_is_still_noticed(pool: MapPool, disk: Disk, path: Path) -> None:
    """The tail is a copy that is sent after a check, so a body with wrong bytes is never completed."""
    sink = Sink(path)

    async def change_late(chunk: Chunk) -> None:
        await sink(chunk)
        if len(sink.data) == SIZE - 16 * 1024:
            with path.open("r+b") as file:
                file.write(b"changed")

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(SourceChanged):
            await stream.run([one_range(0, SIZE)], change_late, Delivery.VIEWS)
    assert len(sink.data) == SIZE - 16 * 1024


async def test_streams_are_limited_and_make_room_when_they_close(
    pool: MapPool, disk: Disk, path: Path
) -> None:
    registry = Registry(2, disk)
    file = pool.open(OpenFile(os.open(path, os.O_RDONLY)))
    streams = [registry.admit(file, owner="me", name="v.mp4", transport="test") for _ in range(2)]
    with pytest.raises(TooManyStreams):
        registry.admit(file, owner="me", name="v.mp4", transport="test")
    streams.pop().close()
    streams.append(registry.admit(file, owner="me", name="v.mp4", transport="test"))
    assert len(registry.snapshot()) == 2
    assert (registry.statistics().started, registry.statistics().refused) == (3, 1)
    for stream in streams:
        stream.close()
    file.release()


async def test_free_streams_do_not_count_against_the_limit(pool: MapPool, disk: Disk, path: Path) -> None:
    registry = Registry(1, disk)
    file = pool.open(OpenFile(os.open(path, os.O_RDONLY)))
    free = [registry.admit(file, owner="me", name="p.jpg", transport="test", free=True) for _ in range(3)]
    taken = registry.admit(file, owner="me", name="v.mp4", transport="test")
    free.append(registry.admit(file, owner="me", name="p.jpg", transport="test", free=True))
    with pytest.raises(TooManyStreams):
        registry.admit(file, owner="me", name="v.mp4", transport="test")
    assert len(registry.snapshot()) == 5, "free streams are listed like all others"
    for stream in free:
        stream.close()
    with pytest.raises(TooManyStreams):
        registry.admit(file, owner="me", name="v.mp4", transport="test")
    taken.close()
    registry.admit(file, owner="me", name="v.mp4", transport="test").close()
    file.release()


def test_each_file_content_is_mapped_once(pool: MapPool, path: Path, tmp_path: Path) -> None:
    def opened(path: Path) -> MappedFile:
        return pool.open(OpenFile(os.open(path, os.O_RDONLY)))

    os.link(path, tmp_path / "link.mp4")
    first, again, linked = opened(path), opened(path), opened(tmp_path / "link.mp4")
    assert first is again is linked
    assert pool.statistics().holders == 3
    with path.open("r+b") as file:
        file.write(b"changed")
    changed = opened(path)
    assert changed is not first
    assert changed.content != first.content
    with pytest.raises(SourceChanged):
        first.check()
    changed.check()
    for mapped in (first, again, linked, changed):
        mapped.release()


def test_an_empty_file_has_no_map(pool: MapPool, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    file = pool.open(OpenFile(os.open(tmp_path / "empty", os.O_RDONLY)))
    assert not file.map()
    with pytest.raises(ValueError, match="not mapped"):
        file.view(0, 0)
    file.release()


def test_a_descriptor_that_cannot_be_mapped_has_no_map(pool: MapPool) -> None:
    fd = os.open("/sys/class/net/lo/address", os.O_RDONLY)
    assert os.fstat(fd).st_size > 0
    file = pool.open(OpenFile(fd))
    assert not file.map()
    file.release()


async def test_cold_data_is_fetched_in_a_thread(disk: Disk, path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    await disk.warm(fd, [(0, SIZE)])
    assert (disk.statistics().cold, disk.statistics().warm) == (1, 0)
    await disk.warm(fd, [(0, SIZE)])
    assert (disk.statistics().cold, disk.statistics().warm) == (1, 1)
    assert await disk.read(fd, [(SIZE - 10, 20)], 20) == path.read_bytes()[-10:]
    os.close(fd)


@given(st.lists(st.floats(0, 100), max_size=200))
def test_sizes_stay_within_their_limits(seconds: list[float]) -> None:
    sizer = ChunkSizer(16, 1000)
    for duration in seconds:
        before = sizer.size
        sizer.sent(duration)
        assert 16 <= sizer.size <= 1000
        assert (sizer.size > before) <= (duration <= 0.1)
        assert (sizer.size < before) <= (duration > 1.0)


@pytest.mark.parametrize(("smallest", "largest"), [(0, 1), (2, 1), (-1, 5)])
def test_an_invalid_range_of_sizes_raises(smallest: int, largest: int) -> None:
    with pytest.raises(ValueError, match="not a range of sizes"):
        ChunkSizer(smallest, largest)


def test_a_descriptor_that_closes_with_an_error_is_closed_once(
    pool: MapPool, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on NFS, which reports a failed write on close. The number is free by then, and may belong to another file."""
    first, second = pool.open(OpenFile(os.open(path, os.O_RDONLY))), OpenFile(os.open(path, os.O_RDONLY))
    close, closed = os.close, list[int]()

    def close_late(fd: int) -> None:
        closed.append(fd)
        close(fd)
        raise OSError(errno.EIO, "Input/output error")

    fd = second.fd
    with monkeypatch.context() as context:
        context.setattr(os, "close", close_late)
        with pytest.raises(OSError, match="Input/output"):
            pool.open(second)
    assert closed == [fd]
    first.release()
    assert pool.statistics().files == 0
