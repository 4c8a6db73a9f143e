"""Indexes in memory: read once for all requests, cached within a budget; refusals are cached too."""

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import trio

from tests.mp4.making import AAC, Sample, TrackSpec, box, film, mp4a
from tests.packaging.making import audio_track, video_track
from trio_stream.errors import Encrypted, SourceUnreadable, Unpackageable
from trio_stream.packaging.selection import MAX_AUDIO_TRACKS
from trio_stream.playback.indexes import BUDGET, FIXED, Index, Indexes

type Open = Callable[[bytes], tuple[int, int]]
type Serve = Callable[..., Awaitable[Indexes]]

FILM = film(video_track(480, range(0, 480, 24)), audio_track(20))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens a file with these bytes: its descriptor and size."""
    descriptors: list[int] = []

    def open_one(data: bytes) -> tuple[int, int]:
        path = tmp_path / str(len(descriptors))
        path.write_bytes(data)
        descriptors.append(os.open(path, os.O_RDONLY))
        return descriptors[-1], len(data)

    yield open_one
    for fd in descriptors:
        os.close(fd)


@pytest.fixture
def serve(nursery: trio.Nursery) -> Serve:
    """Creates indexes that are served until the end of the test."""

    async def serve_some(budget: int = BUDGET) -> Indexes:
        indexes = Indexes(budget=budget)
        await nursery.start(indexes.serve)
        return indexes

    return serve_some


async def test_an_index_is_read_once(opened: Open, serve: Serve) -> None:
    indexes = await serve()
    fd, size = opened(FILM)
    first = await indexes.get(fd, "a", size)
    assert await indexes.get(-1, "a", size) is first
    assert indexes.peek("a") is first
    assert indexes.peek("b") is None
    assert [rendition.name for rendition in first.presentation.renditions] == ["v1", "a2"]
    assert set(first.tracks) == {"v1", "a2"}
    found = indexes.statistics()
    assert (found.files, found.read, found.refused, found.bytes) == (1, 1, 0, first.nbytes)


async def test_concurrent_requests_wait_for_one_read(opened: Open, serve: Serve) -> None:
    indexes = await serve()
    fd, size = opened(FILM)
    found: list[Index] = []

    async def ask() -> None:
        found.append(await indexes.get(fd, "a", size))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(ask)
    assert len({id(item) for item in found}) == 1
    assert indexes.statistics().read == 1


async def test_a_cancelled_request_does_not_affect_the_others(opened: Open, serve: Serve) -> None:
    """The request that started the read is cancelled: the next one still gets the result."""
    indexes = await serve()
    fd, size = opened(FILM)
    found: list[Index] = []

    async def ask(scope: trio.CancelScope) -> None:
        with scope:
            found.append(await indexes.get(fd, "a", size))

    async with trio.open_nursery() as nursery:
        first, second = trio.CancelScope(), trio.CancelScope()
        nursery.start_soon(ask, first)
        nursery.start_soon(ask, second)
        await trio.lowlevel.checkpoint()
        first.cancel()
    assert len(found) in (1, 2)
    assert await indexes.get(fd, "a", size) is found[0]


async def test_the_most_recently_used_stay(opened: Open, serve: Serve) -> None:
    fd, size = opened(FILM)
    one = (await (await serve()).get(fd, "x", size)).nbytes
    indexes = await serve(budget=3 * one)
    for revision in ("a", "b", "c"):
        await indexes.get(fd, revision, size)
    await indexes.get(fd, "a", size)
    await indexes.get(fd, "d", size)
    assert indexes.peek("b") is None
    assert all(indexes.peek(revision) is not None for revision in ("a", "c", "d"))
    assert indexes.statistics().bytes == 3 * one
    assert (await indexes.get(fd, "b", size)).nbytes == one
    assert indexes.statistics().read == 5


async def test_a_lookup_in_memory_counts_as_use(opened: Open, serve: Serve) -> None:
    fd, size = opened(FILM)
    one = (await (await serve()).get(fd, "x", size)).nbytes
    indexes = await serve(budget=2 * one)
    for revision in ("a", "b"):
        await indexes.get(fd, revision, size)
    assert indexes.peek("a") is not None
    await indexes.get(fd, "c", size)
    assert indexes.peek("a") is not None
    assert indexes.peek("b") is None


async def test_all_memory_of_an_index_counts(opened: Open, serve: Serve) -> None:
    """Also the boxes for init segments: two megabytes for 32 audio tracks with large sample entries, twice."""
    large = box("free", bytes(60_000))
    entry = mp4a(48_000, 2, AAC, large)
    audio = [audio_track(id_=number + 2, entries=(entry,)) for number in range(MAX_AUDIO_TRACKS)]
    fd, size = opened(film(video_track(), *audio))
    assert (await (await serve()).get(fd, "a", size)).nbytes > 2 * 60_000 * MAX_AUDIO_TRACKS


async def test_an_index_larger_than_the_budget_is_cached_alone(opened: Open, serve: Serve) -> None:
    fd, size = opened(FILM)
    indexes = await serve(budget=1)
    first = await indexes.get(fd, "a", size)
    assert await indexes.get(fd, "a", size) is first
    await indexes.get(fd, "b", size)
    assert indexes.peek("a") is None
    assert indexes.statistics().files == 1


async def test_a_refused_file_is_read_once_too(opened: Open, serve: Serve) -> None:
    indexes = await serve()
    fd, size = opened(b"no video")
    for _ in range(3):
        with pytest.raises(Unpackageable, match=r"it has no index .moov."):
            await indexes.get(fd, "a", size)
    found = indexes.statistics()
    assert (found.files, found.read, found.refused, found.bytes) == (1, 1, 1, FIXED)
    assert indexes.peek("a") is None


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (FILM.replace(b"avc1\0\0\0\0\0\0", b"encv\0\0\0\0\0\0"), Encrypted, "it is encrypted"),
        (FILM[:-10], Unpackageable, "the file ends inside it"),
        (
            film(TrackSpec((Sample(1, 1),), (1,), handler="text")),
            Unpackageable,
            "no video or audio track",
        ),
    ],
)
async def test_refusals_have_reasons(
    opened: Open, serve: Serve, data: bytes, error: type[Exception], reason: str
) -> None:
    indexes = await serve()
    fd, size = opened(data)
    for _ in range(2):
        with pytest.raises(error, match=reason):
            await indexes.get(fd, "a", size)


async def test_a_disk_error_says_nothing_about_the_video(opened: Open, serve: Serve, tmp_path: Path) -> None:
    """Reading a folder is a system error; the next request tries again."""
    indexes = await serve()
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(SourceUnreadable, match="reading its index"):
            await indexes.get(folder, "a", 100)
    finally:
        os.close(folder)
    assert indexes.statistics().files == 0
    fd, size = opened(FILM)
    assert isinstance(await indexes.get(fd, "a", size), Index)


async def test_languages_are_bcp_47_tags(opened: Open, serve: Serve) -> None:
    data = film(
        video_track(),
        audio_track(language=0x15C7, name="SoundHandler"),
        audio_track(id_=3, language=0x41F2, name="Dublado"),
    )
    fd, size = opened(data)
    audio = (await (await serve()).get(fd, "a", size)).presentation.audio
    assert [(track.language, track.label) for track in audio] == [("en", None), ("pt", "Dublado")]
