"""Faults of files and folders: their dates, modes, names, sizes, bytes and kinds.

The library is accessed through a descriptor, so that it can be changed while its folder has another name.
"""

import os
import random
import shutil
import socket
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import trio

from tests.torturing.churn import SUBTITLE
from tests.torturing.faults import Fault, NotPossible

DATES = (-62_135_596_800, -86_400, 9_223_372_037, 15_032_385_535, 253_402_300_799, (1 << 63) - 1)
"""Seconds since 1970: the years 1, 1969, 2262, 2446, 9999, and the maximum. File systems adjust dates out of range."""

MODES = (0o000, 0o111, 0o222, 0o444)

NAMES: tuple[bytes, ...] = (
    b"latin \xe9\xff.mp4",
    b"\xff\xfe\x80.mkv",
    unicodedata.normalize("NFC", "Amélie Å.mp4").encode(),
    unicodedata.normalize("NFD", "Amélie Å.mp4").encode(),
    b"two\nlines\r.mp4",
    b"\x01\x1b[31m\x7f.mkv",
    b"n" * 251 + b".mp4",
    "é".encode() * 125 + b"n.mp4",
    "\u202egnp.\u202c right to left \u05d0\u0661.mkv".encode(),
    b"case.mp4",
    b"CASE.mp4",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e7\U0001f1f7.mkv".encode(),
    b"%2e%2e%2fetc%00.mp4",
    b"a?b#c&d=e;f.mkv",
    b"  spaces \t .mp4",
    b"back\\slash.mp4",
    b"<script>\"'`$(id).mkv",
    b"9" * 200 + b".mp4",
    b"S99999999999999999999E99999999999999999999.mkv",
)

SPARSE = 4 << 40
"""Size of a file that uses no disk space."""

LEVELS, LEVEL = 80, b"d" * 60
"""Nested folders, whose path is longer than the limit of 4,096 bytes."""

MANY = 300
"""Files that are added at once."""


class FileFaults:
    """Faults of the library in `root`, which is open as `descriptor`; `fixed` are good videos in its folder `Kept`."""

    def __init__(self, root: Path, descriptor: int, fixed: dict[str, bytes], chance: random.Random) -> None:
        self._path = root
        self._descriptor = descriptor
        self._root = Path(f"/proc/self/fd/{descriptor}")
        self._fixed = fixed
        self._chance = chance
        self._number = 0
        self._odd = self._root / "Odd"
        self._odd.mkdir()

    def all(self) -> list[Fault]:
        return [
            Fault("strange date", self.date),
            Fault("strange mode", self.mode, group="mode"),
            Fault("strange name", self.name),
            Fault("strange size", self.size),
            Fault("growing file", self.growing),
            Fault("shrinking file", self.shrinking),
            Fault("damaged file", self.damaged),
            Fault("special file", self.special),
            Fault("deep folders", self.deep, group="deep"),
            Fault("hard links", self.links),
            Fault("many files", self.many, group="many"),
            Fault("strange subtitles", self.subtitles, group="subtitles"),
            Fault("videos away", self.away, longest=6, group="videos"),
        ]

    def create_permanent(self) -> None:
        """Create some unusual files that always stay."""
        folder = self._odd / "always"
        folder.mkdir()
        for number, name in enumerate(NAMES):
            (folder / os.fsdecode(name)).write_bytes(self._bytes() + bytes([number]))
        for number in range(6):
            (folder / f"damaged {number}.mp4").write_bytes(self._damage(self._bytes()))
        (folder / "empty.mp4").touch()
        with (folder / "sparse.mkv").open("wb") as file:
            file.truncate(SPARSE)
        for kind in self._kinds():
            kind(folder / f"{kind.__name__}.mp4")

    @asynccontextmanager
    async def date(self) -> AsyncIterator[None]:
        with self._open(self._any_fixed()) as fd:
            before, date = os.fstat(fd), self._chance.choice(DATES)
            with suppress(OverflowError):
                os.utime(fd, (date, date))
            try:
                yield
            finally:
                os.utime(fd, ns=(before.st_atime_ns, before.st_mtime_ns))

    @asynccontextmanager
    async def mode(self) -> AsyncIterator[None]:
        folders = [self._root, self._root / "Kept", self._root / "Work"]
        path = self._chance.choice([*folders, self._any_fixed(), self._any_fixed()])
        with self._open(path) as fd:
            before = os.fstat(fd).st_mode & 0o7777
            os.fchmod(fd, self._chance.choice(MODES))
            try:
                yield
            finally:
                os.fchmod(fd, before)

    @asynccontextmanager
    async def name(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            for name in self._chance.sample(NAMES, 3):
                (folder / os.fsdecode(name)).write_bytes(self._bytes())
            yield

    @asynccontextmanager
    async def size(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            (folder / "empty.mp4").touch()
            with (folder / self._chance.choice(["sparse.mp4", "sparse.mkv"])).open("wb") as file:
                file.write(self._bytes()[: self._chance.choice([0, 1000, 1 << 20])])
                file.truncate(self._chance.choice([1, SPARSE >> 20, SPARSE]))
            yield

    @asynccontextmanager
    async def growing(self) -> AsyncIterator[None]:
        async with self._changing("growing.mp4", self._grow):
            yield

    @asynccontextmanager
    async def shrinking(self) -> AsyncIterator[None]:
        async with self._changing("shrinking.mkv", self._shrink):
            yield

    @asynccontextmanager
    async def damaged(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            for number in range(5):
                name = f"damaged {number}{self._chance.choice(['.mp4', '.mkv'])}"
                (folder / name).write_bytes(self._damage(self._bytes()))
            yield

    @asynccontextmanager
    async def special(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            for number, kind in enumerate(self._kinds()):
                kind(folder / f"special {number}.mp4")
            yield

    @asynccontextmanager
    async def deep(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            inside = [os.open(folder, os.O_RDONLY)]
            try:
                for _ in range(LEVELS):
                    os.mkdir(LEVEL, dir_fd=inside[-1])
                    inside.append(os.open(LEVEL, os.O_RDONLY, dir_fd=inside[-1]))
                    os.close(os.open(b"film.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=inside[-1]))
                yield
            finally:
                for above, fd in zip([None, *inside], inside, strict=False):
                    if above is not None:
                        with suppress(FileNotFoundError):
                            os.unlink(b"film.mp4", dir_fd=fd)
                for fd in reversed(inside):
                    with suppress(OSError):
                        os.rmdir(LEVEL, dir_fd=fd)
                    os.close(fd)

    @asynccontextmanager
    async def links(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            with suppress(PermissionError):  # if file modes apply to this process
                for number in range(20):
                    os.link(self._any_fixed(), folder / f"link {number}.mp4")
            yield

    @asynccontextmanager
    async def many(self) -> AsyncIterator[None]:
        with self._folder() as folder:
            same = self._chance.random() < 0.5
            for number in range(MANY):
                data = b"" if same else b"%d" % number
                (folder / f"{number}.mp4").write_bytes(data)
            yield

    @asynccontextmanager
    async def subtitles(self) -> AsyncIterator[None]:
        video = self._any_fixed()
        subtitles = {
            ".en.srt": SUBTITLE.format("good").encode(),
            ".de.srt": self._chance.randbytes(20_000),
            ".fr.vtt": b"WEBVTT\n\n" + b"00:00.000 --> 99:99:99.999\nx\n\n" * 1000,
            ".es.ass": b"[Events]\nDialogue: " + b"{\\b1}" * 10_000,
            ".it.srt": b"",
            ".title.toml": self._chance.choice(
                [b"\xff", b"versions = [", b"a = 1\n" * 10_000, b"[[versions]]\n"]
            ),
        }
        paths = [video.with_name(video.stem + suffix) for suffix in subtitles]
        try:
            with suppress(PermissionError):
                for path, text in zip(paths, subtitles.values(), strict=True):
                    path.write_bytes(text)
            yield
        finally:
            for path in paths:
                with suppress(PermissionError):
                    path.unlink(missing_ok=True)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """The folder is missing, or it is empty, as with a disk that is not mounted."""
        other = self._path.with_name("elsewhere")
        self._path.rename(other)
        empty = self._chance.random() < 0.5
        try:
            if empty:
                self._path.mkdir()
            yield
        finally:
            if empty:
                self._path.rmdir()
            other.rename(self._path)

    def _any_fixed(self) -> Path:
        return self._root / self._chance.choice(sorted(self._fixed))

    def _bytes(self) -> bytes:
        return self._fixed[self._chance.choice(sorted(self._fixed))]

    def _damage(self, whole: bytes) -> bytes:
        match self._chance.randrange(4):
            case 0:
                return whole[: int(len(whole) ** self._chance.random())]
            case 1:
                return self._chance.randbytes(50_000)
            case 2:
                begin = whole[: self._chance.randrange(2000)]
                return begin + self._chance.randbytes(len(whole) - len(begin))
            case _:
                data = bytearray(whole)
                for _ in range(self._chance.choice([1, 10, 100, 1000])):
                    data[int(len(data) ** self._chance.random()) % len(data)] ^= 1 << self._chance.randrange(
                        8
                    )
                return bytes(data)

    def _kinds(self) -> tuple[Callable[[Path], object], ...]:
        def loop(path: Path) -> None:
            path.symlink_to(path.name)

        def loop_of_folders(path: Path) -> None:
            path.with_suffix("").symlink_to("..")

        def outside(path: Path) -> None:
            path.symlink_to("/etc/passwd")

        def device(path: Path) -> None:
            path.symlink_to("/dev/zero")

        def unix_socket(path: Path) -> None:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))

        return (os.mkfifo, os.mkdir, unix_socket, loop, loop_of_folders, outside, device)

    async def _grow(self, file: int) -> None:
        data = self._bytes()
        for start in range(0, len(data), 1000):
            os.write(file, data[start : start + 1000])
            await trio.sleep(0.02)

    async def _shrink(self, file: int) -> None:
        os.pwrite(file, self._bytes(), 0)
        await trio.sleep(self._chance.uniform(0, 3))
        os.ftruncate(file, self._chance.randrange(50_000))
        await trio.sleep(self._chance.uniform(0, 0.5))

    @asynccontextmanager
    async def _changing(self, name: str, change: Callable[[int], object]) -> AsyncIterator[None]:
        with self._folder() as folder:
            fd = os.open(folder / name, os.O_CREAT | os.O_RDWR)
            try:
                async with trio.open_nursery() as nursery:

                    async def repeat() -> None:
                        while True:
                            await change(fd)  # type: ignore[misc] # all changes are asynchronous

                    nursery.start_soon(repeat)
                    yield
                    nursery.cancel_scope.cancel()
            finally:
                os.close(fd)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A new folder, which is removed afterwards."""
        self._number += 1
        folder = self._odd / str(self._number)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    @contextmanager
    def _open(self, path: Path) -> Iterator[int]:
        try:
            fd = os.open(path, os.O_RDONLY)
        except PermissionError:
            raise NotPossible from None
        try:
            yield fd
        finally:
            os.close(fd)
