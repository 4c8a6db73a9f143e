"""The revision of a file: equal for equal content, different for different content."""

import os
import shutil
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.library.folder.content import (
    CHUNK_SIZE,
    MAX_FINGERPRINTS,
    SAMPLE,
    SAMPLES,
    Content,
    Revisions,
    digest,
    examine,
    fingerprint,
    samples,
)

WHOLE = SAMPLE * SAMPLES


def content(path: Path) -> Content:
    with path.open("rb") as file:
        return examine(file.fileno())[1]


async def revision(revisions: Revisions, path: Path) -> str:
    with path.open("rb") as file:
        return (await revisions.of(file.fileno()))[1]


@given(st.integers(0, 1 << 50))
def test_samples_are_inside_the_file_and_do_not_overlap(size: int) -> None:
    places = samples(size)
    end = 0
    for start, length in places:
        assert start >= end
        end = start + length
    assert places[0][0] == 0
    assert end == size, "the last byte is always sampled"
    assert sum(length for _, length in places) <= WHOLE


def test_a_copy_that_preserves_the_time_is_the_same_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one.mp4", tmp_path / "other.mp4"
    one.write_bytes(os.urandom(WHOLE + 1))
    shutil.copy2(one, other)
    assert content(one).revision == content(other).revision
    os.utime(other, ns=(0, 1))
    assert content(one).fingerprint == content(other).fingerprint
    assert content(one).revision != content(other).revision, "another time gives another revision"


@pytest.mark.parametrize("size", [1, WHOLE, WHOLE + 1, 3 * WHOLE])
@pytest.mark.parametrize("place", [0.0, 1.0])
def test_a_changed_byte_at_either_end_changes_the_fingerprint(
    tmp_path: Path, size: int, place: float
) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(size))
    before = content(path).fingerprint
    with path.open("r+b") as file:
        file.seek(int(place * (size - 1)))
        file.write(b"x")
    assert content(path).fingerprint != before


def test_another_length_changes_the_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(3 * WHOLE))
    with path.open("r+b") as file:
        before = fingerprint(file.fileno(), 3 * WHOLE)
        file.truncate(3 * WHOLE - 1)
        assert fingerprint(file.fileno(), 3 * WHOLE - 1) != before


def test_a_digest_detects_changes_between_samples(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(3 * WHOLE))
    with path.open("r+b") as file:
        before, sampled = (
            digest(file.fileno(), *examine(file.fileno())),
            fingerprint(file.fileno(), 3 * WHOLE),
        )
        os.pwrite(file.fileno(), b"x", SAMPLE)  # just after the first sample
        assert fingerprint(file.fileno(), 3 * WHOLE) == sampled
        assert digest(file.fileno(), *examine(file.fileno())) != before


def test_a_cancelled_digest_ends_within_one_chunk(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(3 * CHUNK_SIZE))
    calls = 0

    def check_cancelled() -> None:
        nonlocal calls
        calls += 1
        raise KeyError

    with path.open("rb") as file, pytest.raises(KeyError):
        digest(file.fileno(), *examine(file.fileno()), check_cancelled=check_cancelled)
    assert calls == 1


def test_a_file_that_is_mostly_holes_is_not_read_for_its_digest(tmp_path: Path) -> None:
    """Reading a terabyte takes hours and is useless, because the download is not complete."""
    digests = []
    for number in range(2):
        path = tmp_path / f"{number}.mp4"
        with path.open("wb") as file:
            file.truncate(1 << 40)
        os.utime(path, ns=(0, number))
        with path.open("rb") as file:
            digests.append(digest(file.fileno(), *examine(file.fileno())))
    assert digests[0] != digests[1]


async def test_an_examined_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    limiter = trio.CapacityLimiter(1)
    revisions = Revisions(limiter)
    first = await revision(revisions, path)
    limiter.total_tokens = 0  # a task that needs a thread waits forever
    with trio.fail_after(60):
        assert await revision(revisions, path) == first
    limiter.total_tokens = 1
    path.write_bytes(b"fiLm")
    assert await revision(revisions, path) != first


async def test_restoring_the_time_does_not_hide_an_edit(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    revisions = Revisions(trio.CapacityLimiter(1))
    before, first = path.stat(), await revision(revisions, path)
    path.write_bytes(b"fiLm")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await revision(revisions, path) != first


async def test_the_fingerprint_cache_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    revisions = Revisions(trio.CapacityLimiter(1))
    with path.open("rb") as file:
        for number in range(MAX_FINGERPRINTS + 10):
            os.utime(file.fileno(), ns=(0, number))
            await revisions.of(file.fileno())
    assert len(revisions._cache) == MAX_FINGERPRINTS
