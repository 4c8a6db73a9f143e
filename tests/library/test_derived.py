"""Derived files are complete or absent, and a name never refers to different bytes."""

import os
from pathlib import Path

import pytest

from trio_stream.errors import DerivedNotFound
from trio_stream.library.background.derived import LARGEST, Derived, check, digest

JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
ASS = b"\xef\xbb\xbf[Script Info]\nTitle: x\n"


@pytest.fixture
def derived(tmp_path: Path) -> Derived:
    return Derived(tmp_path / "derived")


async def read(derived: Derived, name: str, suffix: str) -> bytes:
    with await derived.open(name, suffix) as file:
        return os.read(file.fd, LARGEST)


def files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "derived").rglob("*") if path.is_file()}


@pytest.mark.parametrize(("suffix", "data"), [("jpg", JPEG), ("vtt", VTT), ("ass", ASS)])
async def test_a_stored_file_has_its_digest_as_name(derived: Derived, suffix: str, data: bytes) -> None:
    name = await derived.put(data, suffix)
    assert name == digest(data)
    assert len(name) == 32
    assert await read(derived, name, suffix) == data
    assert await derived.put(data, suffix) == name


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        ("jpg", JPEG[:-1]),
        ("jpg", b""),
        ("jpg", VTT),
        ("vtt", VTT[:-1]),
        ("vtt", b"\n" + VTT),
        ("ass", VTT),
        ("html", b"<script>"),
        ("", JPEG),
        pytest.param("vtt", b"WEBVTT" + b"x" * LARGEST + b"\n", id="too large"),
    ],
)
async def test_an_invalid_file_is_not_stored(
    derived: Derived, tmp_path: Path, suffix: str, data: bytes
) -> None:
    with pytest.raises(ValueError, match="is invalid"):
        await derived.put(data, suffix)
    with pytest.raises(ValueError, match="is invalid"):
        check(data, suffix)
    assert not files(tmp_path)


async def test_a_disk_error_leaves_no_partial_file(
    derived: Derived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="No space"):
        await derived.put(JPEG, "jpg")
    assert not files(tmp_path)
    monkeypatch.undo()
    assert await read(derived, await derived.put(JPEG, "jpg"), "jpg") == JPEG


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("0" * 32, "jpg"),
        ("", "jpg"),
        ("../../etc/passwd", "jpg"),
        ("a/b", "jpg"),
        ("a\0b", "jpg"),
        (digest(JPEG), "vtt"),
        (digest(JPEG), ""),
        (digest(JPEG), "../x"),
        (digest(JPEG).upper(), "jpg"),
        (digest(JPEG)[:31], "jpg"),
    ],
)
async def test_other_names_are_not_found(derived: Derived, name: str, suffix: str) -> None:
    await derived.put(JPEG, "jpg")
    with pytest.raises(DerivedNotFound):
        await derived.open(name, suffix)
