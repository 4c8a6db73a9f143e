"""Bodies like those of segments: a computed header, followed by ranges that are scattered in a file."""

import errno
import os
from pathlib import Path

import pytest
import trio

from tests.bodies import assemble, one_range
from tests.streaming.sinks import SIZE, Sink, streaming
from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import SourceChanged, SourceUnreadable
from trio_stream.files import OpenFile
from trio_stream.http.bodies import Part
from trio_stream.server.sending.chunks import Chunk, FileChunk
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MapPool
from trio_stream.streaming.pump import Delivery
from trio_stream.streaming.registry import Registry

VIDEO = ByteRanges(tuple((at, 32_000) for at in range(0, SIZE - 40_000, 33_000)))
"""Long ranges with short gaps: a video track, with the audio track in the gaps."""

AUDIO = ByteRanges(tuple((at, 350) for at in range(0, SIZE - 350, 1_000)))

AUDIO_SEGMENT = ByteRanges(AUDIO.ranges[:300])
"""Small enough for one copy."""

PARTS = pytest.mark.parametrize(
    "part", [one_range(0, SIZE), VIDEO, AUDIO], ids=["one range", "video", "audio"]
)
DELIVERIES = pytest.mark.parametrize("delivery", Delivery)


async def test_long_ranges_are_sent_straight_from_the_file(pool: MapPool, disk: Disk, path: Path) -> None:
    chunks: list[Chunk] = []
    sink = Sink(path)

    async def record(chunk: Chunk) -> None:
        chunks.append(chunk)
        await sink(chunk)

    async with streaming(pool, disk, path) as stream:
        await stream.run([b"moof", VIDEO], record, Delivery.RANGES)
        assert (stream.start, stream.stop) == (0, sum(VIDEO.ranges[-1]))
    first, _ = chunks
    assert isinstance(first, FileChunk)
    assert (first.lead, first.length) == (b"moof", VIDEO.length - 16 * 1024)
    assert sink.copies == [16 * 1024], "the tail is copied before the last check"
    assert sink.data == b"moof" + assemble([VIDEO], path.read_bytes())


@pytest.mark.parametrize(
    ("part", "delivery"),
    [(AUDIO_SEGMENT, Delivery.RANGES), (AUDIO, Delivery.VIEWS), (AUDIO, Delivery.COPIES)],
    ids=["audio segment in ranges", "views", "copies"],
)
async def test_short_ranges_are_gathered(
    pool: MapPool, disk: Disk, path: Path, part: ByteRanges, delivery: Delivery
) -> None:
    sink = Sink(path)
    async with streaming(pool, disk, path) as stream:
        await stream.run([b"moof", part], sink, delivery)
    assert sum(sink.copies) == 4 + part.length, "with the bytes before them"
    assert sink.data == b"moof" + assemble([part], path.read_bytes())


@DELIVERIES
@PARTS
async def test_a_few_computed_bytes_share_the_next_chunk(
    pool: MapPool, disk: Disk, path: Path, part: Part, delivery: Delivery
) -> None:
    """Also after an empty part. At the end of a body, and if there are many of them, they have their own chunk."""
    sink = Sink(path)
    small, large = b"moof" * 2048, b"moof" * 2049
    async with streaming(pool, disk, path) as stream:
        await stream.run(
            [small, one_range(5, 0), part, small, ByteRanges(()), part, large, small], sink, delivery
        )
    computed = {len(small), len(large)}
    assert [size for size in sink.sizes if size in computed] == [len(large), len(small)]
    body = assemble([part], path.read_bytes())
    assert sink.data == small + body + small + body + large + small


@pytest.mark.parametrize("delivery", [Delivery.VIEWS, Delivery.COPIES])
@pytest.mark.parametrize("times", [1, 9])
async def test_a_reader_that_stops_in_a_segment_costs_little(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery, times: int
) -> None:
    """File chunks take no memory here. Tests with real servers measure what their senders keep."""
    sink = Sink(path)
    stuck = trio.Event()

    async def accept_half(chunk: Chunk) -> None:
        if len(sink.data) < AUDIO.length // 2:  # chunks have grown by then
            await sink(chunk)
        else:
            stuck.set()
            await trio.sleep_forever()

    async with streaming(pool, disk, path) as stream, trio.open_nursery() as nursery:

        async def run() -> None:
            await stream.run([AUDIO] * times, accept_half, delivery)

        nursery.start_soon(run)
        await stuck.wait()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert 0 < stream.statistics().buffered <= 256 * 1024
        nursery.cancel_scope.cancel()
    assert stream.statistics().buffered == 0


@DELIVERIES
@PARTS
async def test_a_truncated_file_is_a_changed_file(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery, part: Part
) -> None:
    async with streaming(pool, disk, path) as stream:
        os.truncate(path, 1000)
        with pytest.raises(SourceChanged):
            await stream.run([part], Sink(path), delivery)


@DELIVERIES
@PARTS
async def test_a_change_of_the_file_is_noticed_before_the_end(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery, part: Part
) -> None:
    sink = Sink(path)

    async def change_at_once(chunk: Chunk) -> None:
        await sink(chunk)
        with path.open("r+b") as file:
            file.write(b"changed")

    async with streaming(pool, disk, path) as stream:
        with pytest.raises(SourceChanged):
            await stream.run([part], change_at_once, delivery)
    assert len(sink.sizes) == 1
    assert len(sink.data) < len(assemble([part], path.read_bytes()))


@DELIVERIES
@PARTS
async def test_a_failing_disk_is_reported(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery, part: Part
) -> None:
    file = pool.open(OpenFile(os.open(path, os.O_RDONLY)))
    file.map()
    stream = Registry(1, disk).admit(file, owner="me", name="v.mp4", transport="test")
    broken = os.open("/proc/self/mem", os.O_RDONLY)  # nothing is mapped at its start: EIO
    os.dup2(broken, file.fd)
    os.close(broken)
    with pytest.raises(SourceUnreadable, match=f"{os.strerror(errno.EIO)}|{os.strerror(errno.EINVAL)}"):
        await stream.run([part], Sink(path), delivery)
    stream.close()
    file.release()


def drop_from_page_cache(path: Path) -> None:
    """Remove the file from the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@DELIVERIES
@PARTS
async def test_cold_data_is_sent_and_is_warm_afterwards(
    pool: MapPool, disk: Disk, path: Path, delivery: Delivery, part: Part
) -> None:
    expected = assemble([part], path.read_bytes())
    drop_from_page_cache(path)
    for _ in range(2):
        cold = disk.statistics().cold
        sink = Sink(path)
        async with streaming(pool, disk, path) as stream:
            await stream.run([part], sink, delivery)
        assert sink.data == expected
    assert cold > 0
    assert disk.statistics().cold == cold, "the second time all of it was in memory"


async def test_large_gaps_between_ranges_are_not_fetched(disk: Disk, path: Path) -> None:
    apart = [(0, 350), (100_000, 350), (SIZE - 350, 350)]
    between = [(SIZE // 2, 350)]
    with OpenFile(os.open(path, os.O_RDONLY)) as file:
        os.posix_fadvise(file.fd, 0, 0, os.POSIX_FADV_RANDOM)  # so that the kernel does not read ahead
        drop_from_page_cache(path)
        assert not disk.is_warm(file.fd, apart)
        assert len(await disk.read(file.fd, apart, 1050)) == 1050
        assert disk.is_warm(file.fd, apart)
        assert disk.is_warm(file.fd, [(50_000, 350)])
        assert not disk.is_warm(file.fd, between)
