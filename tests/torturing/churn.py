"""Files that are added, renamed, changed and removed all the time; every settled file is a good video."""

import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio

from tests.media.making import make

MAX_FILES, MIN_FILES = 40, 12

CLIPS = 4
"""Videos that the files are copied from, half of them MP4 and half of them Matroska."""

SUBTITLE = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


def make_clip(folder: Path, number: int) -> Path:
    """Create a small video with audio and a subtitle track; its frames differ from those of all others."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "text.srt"
    text.write_text(SUBTITLE.format(f"inside {number}"))
    suffix, codec = (("mp4", "mov_text"), ("mkv", "srt"))[number % 2]
    video = f"-f lavfi -i testsrc2=size=192x108:rate=10:duration=4,noise=all_seed={number}:alls=30"
    encoded = f"-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -c:a aac -c:s {codec} -shortest"
    return make(folder / f"{number}.{suffix}", f"{video} -f lavfi -i sine=duration=4 -i {text} {encoded}")


def with_padding(clip: Path, tail: bytes) -> bytes:
    """The bytes of a clip, and 16 more that players skip: a free box (ISO/IEC 14496-12), or Void (RFC 8794)."""
    head = b"\0\0\0\x18free" if clip.suffix == ".mp4" else b"\xec\x90"
    return clip.read_bytes() + head + tail


class Churn:
    """Changes files all the time. Every settled file is a good video."""

    def __init__(self, root: Path, clips: Path, chance: random.Random, counts: Counter[str]) -> None:
        self.root = root
        self._folder = clips
        self._clips: list[Path] = []
        self._chance = chance
        self._counts = counts
        self._number = 0
        root.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[Path]:
        """All video files."""
        found = (path for path in self.root.rglob("*") if path.suffix in (".mp4", ".mkv"))
        return sorted(path for path in found if not path.name.startswith("."))

    def renew(self) -> None:
        """Add clips for which no artwork was generated before, and drop the oldest ones."""
        for _ in range(2 if self._clips else CLIPS):
            self._number += 1
            self._clips.append(make_clip(self._folder, self._number))
        del self._clips[:-CLIPS]

    async def fill(self, count: int) -> None:
        while len(self.files()) < count:
            await self.add()

    async def run(self) -> None:
        """Change files until cancelled; a change that has begun is finished."""
        kinds: list[Callable[[], Any]] = [
            self.add, self.add, self.add_slowly, self.rename, self.move, self.move_folder, self.edit, self.replace,
            self.remove, self.link, self.write_subtitles, self.remove_subtitles,
        ]  # fmt: skip
        while True:
            change = self._chance.choice(kinds)
            with trio.CancelScope(shield=True), suppress(FileNotFoundError, PermissionError):
                await change()
                self._counts[change.__name__] += 1
            await trio.sleep(self._chance.uniform(0, 0.08))

    async def add(self) -> None:
        clip = self._chance.choice(self._clips)
        if len(self.files()) < MAX_FILES:
            self._write(self._new_name(clip.suffix), self._new_bytes(clip))

    async def add_slowly(self) -> None:
        clip = self._chance.choice(self._clips)
        if len(self.files()) >= MAX_FILES:
            return
        data = self._new_bytes(clip)
        with self._new_name(clip.suffix).open("wb", buffering=0) as file:
            for start in range(0, len(data), len(data) // 4 + 1):
                file.write(data[start : start + len(data) // 4 + 1])
                await trio.sleep(0.02)

    async def rename(self) -> None:
        if path := self._any_file():
            path.rename(path.with_name(self._new_name(path.suffix).name))

    async def move(self) -> None:
        if path := self._any_file():
            path.rename(self._new_name(path.suffix))

    async def move_folder(self) -> None:
        folders = sorted(path for path in self.root.rglob("*") if path.is_dir())
        if folders:
            self._number += 1
            folder = self._chance.choice(folders)
            around = self.root / self._chance.choice(["", "Shows", "Films"])
            if not around.is_relative_to(folder):
                around.mkdir(exist_ok=True)
                folder.rename(around / f"Folder {self._number}")

    async def edit(self) -> None:
        if path := self._any_file():
            with path.open("r+b", buffering=0) as file:
                file.seek(-16, os.SEEK_END)
                file.write(self._chance.randbytes(16))

    async def replace(self) -> None:
        if path := self._any_file():
            clip = self._chance.choice([clip for clip in self._clips if clip.suffix == path.suffix])
            self._write(path, self._new_bytes(clip))

    async def remove(self) -> None:
        if len(self.files()) > MIN_FILES and (path := self._any_file()):
            path.unlink()

    async def link(self) -> None:
        if len(self.files()) < MAX_FILES and (path := self._any_file()):
            os.link(path, self._new_name(path.suffix))

    async def write_subtitles(self) -> None:
        if path := self._any_file():
            self._number += 1
            path.with_suffix(".en.srt").write_text(SUBTITLE.format(self._number))

    async def remove_subtitles(self) -> None:
        if found := sorted(self.root.rglob("*.srt")):
            self._chance.choice(found).unlink()

    def _any_file(self) -> Path | None:
        found = self.files()
        return self._chance.choice(found) if found else None

    def _new_bytes(self, clip: Path) -> bytes:
        return with_padding(clip, self._chance.randbytes(16))

    def _write(self, path: Path, data: bytes) -> None:
        """Write under a hidden name first, as careful programs do."""
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(data)
        part.replace(path)

    def _new_name(self, suffix: str) -> Path:
        self._number += 1
        folder = self.root / self._chance.choice(["", "Films", "Shows/1", "Shows/2", "A"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._chance.choice('abcz')} {self._number}{suffix}"
