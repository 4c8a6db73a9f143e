"""The streaming core in one process: real files, real maps, real threads; time is Trio's."""

import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import assemble, bodies
from trio_stream.errors import (
    ClientGone,
    ClientStalled,
    SourceChanged,
    SourceUnreadable,
    StreamNotFound,
    TooManyStreams,
)
from trio_stream.http.bodies import Part, Window
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile, MapPool
from trio_stream.streaming.pump import Chunk, Delivery, chunk_length
from trio_stream.streaming.registry import Registry
from trio_stream.streaming.sizing import ChunkSizer
from trio_stream.streaming.stream import (
    DEPTH,
    LARGEST_CHUNK,
    LARGEST_COPY,
    SMALLEST,
    Ending,
    Stream,
)

SIZE = 3_000_000


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
    assert pool.statistics().files == 0, "a file was not given back"


@asynccontextmanager
async def streaming(pool: MapPool, disk: Disk, path: Path, limit: int = 10) -> AsyncIterator[Stream]:
    file = pool.open(os.open(path, os.O_RDONLY))
    stream = Registry(limit, disk).admit(file, owner="me", name="v.mp4", transport="test")
    try:
        yield stream
    finally:
        stream.close()
        file.release()


class Sink:
    """Takes what it is sent, and fails or waits when told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = bytearray()
        self.sizes: list[int] = []
        self.views: list[memoryview] = []

    async def __call__(self, chunk: Chunk) -> None:
        await trio.lowlevel.checkpoint()
        self.sizes.append(chunk_length(chunk))
        if isinstance(chunk, Window):
            with self.path.open("rb") as file:
                file.seek(chunk.offset)
                self.data += file.read(chunk.length)
        else:
            self.data += chunk
            self.views.append(chunk)

    @property
    def all_released(self) -> bool:
        for view in self.views:
            try:
                len(view)
            except ValueError:
                continue
            return False
        return True


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "v.mp4"
    path.write_bytes(os.urandom(SIZE))
    return path


@given(
    body=bodies(SIZE, 400_000),
    delivery=st.sampled_from(Delivery),
    largest=st.integers(16 * 1024, LARGEST_CHUNK),
)
def test_any_body_is_sent_as_it_is(shared: Path, body: list[Part], delivery: Delivery, largest: int) -> None:
    expected = assemble(body, shared.read_bytes())
    sink = Sink(shared)

    async def main() -> None:
        pool = MapPool()
        with Disk(readers=1) as disk:
            async with streaming(pool, disk, shared) as stream:
                assert await stream.run(body, sink, delivery, largest=largest)
                assert stream.bytes_sent == len(expected)
        assert pool.statistics().files == 0

    trio.run(main)
    assert sink.data == expected
    assert sink.all_released
    assert max(sink.sizes, default=0) <= (
        min(largest, LARGEST_COPY) if delivery is Delivery.COPIES else largest
    )


async def test_chunks_begin_small_and_grow(pool: MapPool, disk: Disk, path: Path) -> None:
    sink = Sink(path)
    async with streaming(pool, disk, path) as stream:
        await stream.run([Window(0, SIZE)], sink, Delivery.VIEWS)
    assert sink.sizes[0] == 16 * 1024
    assert max(sink.sizes) > 512 * 1024
    assert sum(sink.sizes) == SIZE


@pytest.mark.parametrize("delivery", Delivery)
async def test_a_reader_that_takes_nothing_has_a_bounded_buffer(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery
) -> None:
    started = trio.Event()

    async def take_nothing(_: Chunk) -> None:
        started.set()
        await trio.sleep_forever()

    async with streaming(pool, disk, path) as stream, trio.open_nursery() as nursery:

        async def run() -> None:
            await stream.run([Window(0, SIZE)] * 9, take_nothing, delivery)

        nursery.start_soon(run)
        await started.wait()
        await trio.testing.wait_all_tasks_blocked(0.05)
        first = LARGEST_CHUNK if delivery is Delivery.SPANS else SMALLEST
        assert stream.statistics().buffered <= (DEPTH + 2) * first
        assert stream.statistics().bytes_sent == 0
        nursery.cancel_scope.cancel()
    assert stream.statistics().buffered == 0


async def test_ending_a_stream_ends_it_in_the_middle_of_a_send(pool: MapPool, disk: Disk, path: Path) -> None:
    registry = Registry(1, disk)
    file = pool.open(os.open(path, os.O_RDONLY))
    stream = registry.admit(file, owner="me", name="v.mp4", transport="test")

    async def end_me(_: Chunk) -> None:
        registry.end(stream.id, "enough")
        await trio.sleep_forever()

    assert not await stream.run([Window(0, SIZE)], end_me, Delivery.VIEWS)
    assert not await stream.run([Window(0, SIZE)], end_me, Delivery.VIEWS), "what ended does not begin again"
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
async def test_what_the_send_raises_is_how_it_ended(
    pool: MapPool, disk: Disk, path: Path, error: Exception, ending: Ending
) -> None:
    async def fail(_: Chunk) -> None:
        raise error

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(type(error)):
            await stream.run([Window(0, SIZE)], fail, Delivery.VIEWS)
    assert stream.ending is ending


async def test_a_bug_is_raised_and_noted_as_one(pool: MapPool, disk: Disk, path: Path) -> None:
    async def fail(_: Chunk) -> None:
        raise ZeroDivisionError

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(ExceptionGroup) as caught:
            await stream.run([Window(0, SIZE)], fail, Delivery.VIEWS)
        assert caught.group_contains(ZeroDivisionError)
    assert stream.ending is Ending.FAILED


async def test_cancelled_from_outside_is_cancelled(pool: MapPool, disk: Disk, path: Path) -> None:
    async def wait(_: Chunk) -> None:
        scope.cancel()
        await trio.sleep_forever()

    with trio.CancelScope() as scope:
        async with streaming(pool, disk, path) as stream:
            await stream.run([Window(0, SIZE)], wait, Delivery.VIEWS)
    assert scope.cancelled_caught
    assert stream.ending is Ending.STOPPED


async def test_a_change_after_the_last_view_is_still_noticed(pool: MapPool, disk: Disk, path: Path) -> None:
    """The tail is a copy that is sent after a check: a body that was wrong anywhere is never completed."""
    sink = Sink(path)

    async def change_late(chunk: Chunk) -> None:
        await sink(chunk)
        if len(sink.data) == SIZE - 16 * 1024:
            with path.open("r+b") as file:
                file.write(b"changed")

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(SourceChanged):
            await stream.run([Window(0, SIZE)], change_late, Delivery.VIEWS)
    assert len(sink.data) == SIZE - 16 * 1024


@pytest.mark.parametrize("delivery", Delivery)
async def test_a_file_that_ends_early_is_a_changed_one(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery
) -> None:
    async with streaming(pool, disk, path) as stream:
        os.truncate(path, 1000)
        with pytest.raises(SourceChanged):
            await stream.run([Window(0, SIZE)], Sink(path), delivery)


async def test_a_disk_that_fails_is_said_so(pool: MapPool, disk: Disk, path: Path) -> None:
    file = pool.open(os.open(path, os.O_RDONLY))
    stream = Registry(1, disk).admit(file, owner="me", name="v.mp4", transport="test")
    broken = os.open("/proc/self/mem", os.O_RDONLY)  # nothing is mapped at its beginning: EIO
    os.dup2(broken, file.fd)
    os.close(broken)
    with pytest.raises(SourceUnreadable, match=os.strerror(errno.EIO)):
        await stream.run([Window(0, SIZE)], Sink(path), Delivery.COPIES)
    stream.close()
    file.release()


async def test_places_are_limited_and_come_free(pool: MapPool, disk: Disk, path: Path) -> None:
    registry = Registry(2, disk)
    file = pool.open(os.open(path, os.O_RDONLY))
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


async def test_what_is_free_takes_no_place(pool: MapPool, disk: Disk, path: Path) -> None:
    registry = Registry(1, disk)
    file = pool.open(os.open(path, os.O_RDONLY))
    free = [registry.admit(file, owner="me", name="p.jpg", transport="test", free=True) for _ in range(3)]
    taken = registry.admit(file, owner="me", name="v.mp4", transport="test")
    free.append(registry.admit(file, owner="me", name="p.jpg", transport="test", free=True))
    with pytest.raises(TooManyStreams):
        registry.admit(file, owner="me", name="v.mp4", transport="test")
    assert len(registry.snapshot()) == 5, "they are seen, and can be ended, as all are"
    for stream in free:
        stream.close()
    with pytest.raises(TooManyStreams):
        registry.admit(file, owner="me", name="v.mp4", transport="test")
    taken.close()
    registry.admit(file, owner="me", name="v.mp4", transport="test").close()
    file.release()


def test_one_map_a_content(pool: MapPool, path: Path, tmp_path: Path) -> None:
    def opened(path: Path) -> MappedFile:
        return pool.open(os.open(path, os.O_RDONLY))

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
    for file_ in (first, again, linked, changed):
        file_.release()


def test_an_empty_file_has_no_map(pool: MapPool, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    file = pool.open(os.open(tmp_path / "empty", os.O_RDONLY))
    assert not file.map()
    with pytest.raises(ValueError, match="not mapped"):
        file.view(0, 0)
    file.release()


def test_a_descriptor_that_cannot_be_mapped_is_read(pool: MapPool) -> None:
    fd = os.open("/sys/class/net/lo/address", os.O_RDONLY)
    assert os.fstat(fd).st_size > 0
    file = pool.open(fd)
    assert not file.map()
    file.release()


async def test_what_is_cold_is_fetched_in_a_thread(disk: Disk, path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    await disk.warm(fd, 0, SIZE)
    assert (disk.statistics().cold, disk.statistics().warm) == (1, 0)
    await disk.warm(fd, 0, SIZE)
    assert (disk.statistics().cold, disk.statistics().warm) == (1, 1)
    assert await disk.read(fd, SIZE - 10, 20) == path.read_bytes()[-10:]
    os.close(fd)


@given(st.lists(st.floats(0, 100), max_size=200))
def test_sizes_stay_in_their_bounds(seconds: list[float]) -> None:
    sizer = ChunkSizer(16, 1000)
    for each in seconds:
        before = sizer.size
        sizer.sent(each)
        assert 16 <= sizer.size <= 1000
        assert (sizer.size > before) <= (each <= 0.1)
        assert (sizer.size < before) <= (each > 1.0)


@pytest.mark.parametrize(("smallest", "largest"), [(0, 1), (2, 1), (-1, 5)])
def test_sizes_need_sense(smallest: int, largest: int) -> None:
    with pytest.raises(ValueError, match="no range of sizes"):
        ChunkSizer(smallest, largest)
