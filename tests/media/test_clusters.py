"""Clusters of Matroska are recognised, and nothing else is taken for one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.media.making import opened
from trio_stream.media.containers import clusters
from trio_stream.media.containers.clusters import (
    Spliced,
    cluster_at,
    first_cluster,
    next_cluster,
    parse_element,
)
from trio_stream.media.jobs import MediaFile

HEAD = bytes.fromhex("1a45dfa3 84 42868101 18538067 01ffffffffffffff 1549a966 83 ec8100".replace(" ", ""))


def cluster(timestamp: int, content: bytes, checksum: bool = False) -> bytes:
    first = bytes.fromhex("bf8400000000") if checksum else b""
    first += b"\xe7\x84" + timestamp.to_bytes(4)
    return bytes.fromhex("1f43b675") + (1 << 28 | len(first + content)).to_bytes(4) + first + content


@pytest.fixture
def matroska(tmp_path: Path) -> Path:
    """Fifty clusters, one per second, half of them with checksums; their contents look like clusters."""
    path = tmp_path / "film.mkv"
    bait = bytes.fromhex("1f43b675") * 30 + b"\x1f\x43\xb6\x75\x81\xa3" + bytes(100)
    path.write_bytes(
        HEAD
        + b"".join(cluster(1000 * number, bait * (number % 7 + 1), number % 2 == 0) for number in range(50))
    )
    return path


@pytest.mark.parametrize("near", [1, 1 << 10, 1 << 20])
def test_every_cluster_is_found(matroska: Path, near: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "NEAR", near)
    monkeypatch.setattr(clusters, "WINDOW", 500)
    with opened(matroska) as file:
        first = first_cluster(file)
        assert first == len(HEAD)
        for wanted in (0, 1, 999, 1000, 1001, 24_000, 48_999, 49_000, 10_000_000):
            at = cluster_at(file, first, wanted)
            found = next_cluster(file, at, at + 1)
            assert found == (at, min(wanted, 49_000) // 1000 * 1000)
        assert cluster_at(file, first, -5) == first


def test_the_part_that_is_left_out_is_not_read(matroska: Path) -> None:
    with opened(matroska) as file:
        whole = matroska.read_bytes()
        first = first_cluster(file)
        assert first is not None
        at = cluster_at(file, first, 30_000)
        spliced = Spliced(file, first, at)
        assert not spliced.seekable()
        read = b"".join(iter(lambda: spliced.read(777), b""))
        assert read == whole[:first] + whole[at:]


def test_a_disk_error_is_recorded_for_the_whole_file(matroska: Path) -> None:
    with matroska.open("rb") as opened_file:
        file = MediaFile(opened_file.fileno())
    spliced = Spliced(file, 10, 20)  # its descriptor is closed
    with pytest.raises(OSError, match="descriptor"):
        spliced.read(5)
    assert isinstance(file.error, OSError)


@given(st.binary(max_size=200))
def test_any_bytes_are_searched_without_an_error(data: bytes) -> None:
    element = parse_element(data)
    assert element is None or 2 <= element.header_size <= 12


def test_a_file_that_is_not_matroska_has_no_cluster(tmp_path: Path) -> None:
    for data in (
        b"",
        b"\0" * 100,
        HEAD,
        HEAD[:12],
        b"\x1a\x45\xdf\xa3\xff" + bytes(30),
        b"\xec\x80" * 20_000,
    ):
        path = tmp_path / "no.mkv"
        path.write_bytes(data)
        with opened(path) as file:
            assert first_cluster(file) is None
            assert next_cluster(file, 0, len(data)) is None
