"""The files of a real folder can be opened, and no others."""

import ctypes
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.support import wait_for
from trio_stream.errors import LibraryAway, VideoNotFound
from trio_stream.library.folder.catalog import Catalog, open_file
from trio_stream.library.folder.listing import Listing

CONTENT = b"of the library"
SECRET = b"not of the library"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "videos"
    root.mkdir()
    return root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a video that is outside the library."""
    outside = tmp_path / "videos-elsewhere"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(SECRET)
    return outside


@pytest.fixture(autouse=True)
def no_descriptors_leak() -> Iterator[None]:
    before = descriptors()
    yield
    wait_for(lambda: descriptors() == before, 2, "all descriptors to be closed")


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(CONTENT)


async def names(root: Path) -> list[str]:
    return list(await Listing(root).names())


async def content(root: Path, name: str) -> bytes:
    """The bytes of the file that the catalog opens."""
    with await Catalog(root).open(name) as video:
        assert stat.S_ISREG(os.fstat(video.file.fd).st_mode)
        return os.pread(video.file.fd, 1 << 20, 0)


async def test_every_listed_video_can_be_opened(root: Path, outside: Path) -> None:
    put(root, "a.mp4", "sub/deep/b.MKV", os.fsdecode(b"\xff\xfe.mp4"), "new\nline.mp4")
    (root / "link.mp4").symlink_to("a.mp4")
    (root / "folder-link").symlink_to("sub")
    (root / "out.mp4").symlink_to(outside / "secret.mp4")
    listed = await names(root)
    assert len(listed) == 5
    for name in listed:
        assert await content(root, name) == CONTENT


async def test_each_caller_owns_its_open_video(root: Path) -> None:
    put(root, "film.mp4")
    catalog = Catalog(root)
    one, other = await catalog.open("film.mp4"), await catalog.open("film.mp4")
    with one, other:
        fd = one.file.fd
        assert fd != other.file.fd
        assert (one.name, one.media_type) == ("film.mp4", "video/mp4")
        assert not os.get_inheritable(fd)
        one.close()
        assert os.read(other.file.fd, 100) == CONTENT
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


async def test_an_open_video_outlives_its_name(root: Path) -> None:
    put(root, "film.mp4")
    with await Catalog(root).open("film.mp4") as video:
        (root / "film.mp4").unlink()
        assert os.read(video.file.fd, 100) == CONTENT


def link_to_file(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to(outside / "secret.mp4")


def relative_link(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to(f"../{outside.name}/secret.mp4")


def link_to_link(root: Path, outside: Path) -> None:
    (root / "inner.txt").symlink_to(outside / "secret.mp4")
    (root / "film.mp4").symlink_to("inner.txt")


def link_to_nothing(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to("nothing.mp4")


def loop(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to("other.mp4")
    (root / "other.mp4").symlink_to("film.mp4")


def folder(root: Path, outside: Path) -> None:
    (root / "film.mp4").mkdir()


def link_to_folder(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to(root)


def fifo(root: Path, outside: Path) -> None:
    os.mkfifo(root / "film.mp4")


def link_to_fifo(root: Path, outside: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "film.mp4").symlink_to("pipe")


def unix_socket(root: Path, outside: Path) -> None:
    # The path of a socket must be short, so it is bound through the descriptor of its folder.
    with socket.socket(socket.AF_UNIX) as bound:
        folder_fd = os.open(root, os.O_RDONLY)
        try:
            bound.bind(f"/proc/self/fd/{folder_fd}/film.mp4")
        finally:
            os.close(folder_fd)


def device(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to("/dev/zero")


def terminal(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to("/dev/tty")


def process_file(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to("/proc/self/environ")


def descriptor(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to("/proc/self/fd/0")


def neighbour(root: Path, outside: Path) -> None:
    (root / "film.mp4").symlink_to(f"{root}-elsewhere/secret.mp4")


@pytest.mark.parametrize(
    "make",
    [
        link_to_file, relative_link, link_to_link, link_to_nothing, loop, folder, link_to_folder, fifo, link_to_fifo,
        unix_socket, device, terminal, process_file, descriptor, neighbour,
    ],
)  # fmt: skip
async def test_files_outside_the_library_are_not_videos(
    root: Path, outside: Path, make: Callable[[Path, Path], None]
) -> None:
    put(root, "bystander.mp4")
    make(root, outside)
    with trio.fail_after(60):
        assert await names(root) == ["bystander.mp4"]
        with pytest.raises(VideoNotFound):
            await Catalog(root).open("film.mp4")


@pytest.mark.parametrize(
    "name",
    [
        "missing.mp4", "notes.txt", "no-suffix", ".mp4", ".hidden.mp4", ".dir/film.mp4", "sub/.hidden.mp4",
        "../videos-elsewhere/secret.mp4", "sub/../film.mp4", "./film.mp4", "/film.mp4", "film.mp4/", "film.mp4/x.mp4",
        "sub//film.mp4", "out/secret.mp4", "film.mp4\0", "\0.mp4", "sub\\film.mp4", "\ud800.mp4", "FILM.mp4 ",
        "n" * 252 + ".mp4", "d/" * 2046 + "x.mp4", "d/" * 3000 + "x.mp4", "",
    ],
)  # fmt: skip
async def test_names_that_do_not_exist_are_not_found(root: Path, outside: Path, name: str) -> None:
    put(root, "film.mp4", "sub/film.mp4", "notes.txt", "no-suffix", ".mp4", ".hidden.mp4", ".dir/film.mp4")
    put(root, "sub/.hidden.mp4")
    (root / "out").symlink_to(outside)
    assert await names(root) == ["film.mp4", "sub/film.mp4"]
    with pytest.raises(VideoNotFound) as missing:
        await Catalog(root).open(name)
    assert str(missing.value) == "there is no such video", "the same message for every reason"


async def test_a_library_may_be_a_link(root: Path, outside: Path, tmp_path: Path) -> None:
    put(root, "film.mp4")
    (root / "out.mp4").symlink_to(outside / "secret.mp4")
    (tmp_path / "link").symlink_to(root)
    assert await names(tmp_path / "link") == ["film.mp4"]
    assert await content(tmp_path / "link", "film.mp4") == CONTENT
    with pytest.raises(VideoNotFound):
        await Catalog(tmp_path / "link").open("out.mp4")


async def test_loops_of_folder_links_end(root: Path) -> None:
    put(root, "a/film.mp4", "b/film.mp4")
    (root / "a" / "to-b").symlink_to("../b")
    (root / "b" / "to-a").symlink_to("../a")
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "self").symlink_to(".")
    with trio.fail_after(60):
        listed = await names(root)
    assert len(listed) == 2, "each file once"
    assert {await content(root, name) for name in listed} == {CONTENT}
    assert await content(root, "a/to-b/to-a/self/up/a/film.mp4") == CONTENT


async def test_a_video_with_two_links_is_listed_for_each(root: Path) -> None:
    put(root, "film.mp4")
    os.link(root / "film.mp4", root / "hard.mp4")
    (root / "soft.mp4").symlink_to("film.mp4")
    assert await names(root) == ["film.mp4", "hard.mp4", "soft.mp4"]


@pytest.mark.parametrize("instead", [None, "a file"])
async def test_a_missing_library_folder_raises_library_away(root: Path, instead: str | None) -> None:
    catalog = Catalog(root)
    await catalog.check()
    root.rmdir()
    if instead is not None:
        root.write_text(instead)
    with pytest.raises(LibraryAway):
        await Listing(root).names()
    with pytest.raises(LibraryAway):
        await catalog.open("film.mp4")
    with pytest.raises(LibraryAway):
        await catalog.check()


async def test_a_folder_that_is_too_deep_hides_only_its_own_files(root: Path) -> None:
    put(root, "film.mp4")
    folder_fd = os.open(root, os.O_RDONLY)
    for _ in range(5000 // 250):
        os.mkdir("d" * 250, dir_fd=folder_fd)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=folder_fd)
        os.close(folder_fd)
        folder_fd = inner
    os.close(os.open("lost.mp4", os.O_WRONLY | os.O_CREAT, dir_fd=folder_fd))
    os.close(folder_fd)
    assert await names(root) == ["film.mp4"]


def test_an_unreadable_folder_hides_only_its_own_files(root: Path) -> None:
    put(root, "film.mp4", "closed/lost.mp4", "listed/seen.mp4", "passed/known.mp4", "mute.mp4")
    modes = {"closed": 0o000, "listed": 0o400, "passed": 0o100, "mute.mp4": 0o000}
    for name, mode in modes.items():
        (root / name).chmod(mode)
    try:
        listed, opened = without_capabilities(lambda: list(Listing(root).read())), {}
        for name in ("film.mp4", "closed/lost.mp4", "listed/seen.mp4", "passed/known.mp4", "mute.mp4"):
            opened[name] = without_capabilities(lambda name=name: try_open(root, name))  # type: ignore[misc] # mypy: a default in a lambda has no type
    finally:
        for name in modes:
            (root / name).chmod(0o700)
    assert listed == ["film.mp4", "mute.mp4"]
    assert [name for name, found in opened.items() if found] == ["film.mp4", "passed/known.mp4"]


def try_open(root: Path, name: str) -> bool:
    try:
        open_file(str(root), name).close()
    except VideoNotFound:
        return False
    return True


def without_capabilities[T](call: Callable[[], T]) -> T:
    """The result of `call` in a thread that must respect permissions, even if root runs the tests."""
    results: list[T] = []

    def run() -> None:
        if sys.platform == "linux":  # capabilities belong to a thread (capset(2))
            header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            assert ctypes.CDLL(None).capset(header, none) == 0
        results.append(call())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


@contextmanager
def calling_repeatedly(change: Callable[[], None]) -> Iterator[Callable[[], int]]:
    """Call `change` repeatedly in a thread during the block; yields a function that returns how often."""
    stop = threading.Event()
    count = 0

    def run() -> None:
        nonlocal count
        while not stop.is_set():
            change()
            count += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lambda: count
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "fifo"])
async def test_a_file_swapped_while_it_is_opened_is_never_from_outside(
    root: Path, outside: Path, kind: str
) -> None:
    """The file is replaced between the check and the opening."""
    name_ = "sub/film.mp4"
    put(root, name_)
    (outside / "film.mp4").write_bytes(SECRET)
    good, bad = root / "good", root / "bad"
    if kind == "link to a folder":
        target = root / "sub"
        (root / "inside").mkdir()
        put(root, "inside/film.mp4")
        (root / name_).unlink()
        target.rmdir()
        targets = (root / "inside", outside)
    else:
        target = root / name_
        targets = (root / "inside.mp4", outside / "film.mp4")
        put(root, "inside.mp4")

    def change() -> None:
        good.symlink_to(targets[0])
        good.rename(target)
        if kind == "fifo":
            os.mkfifo(bad)
        else:
            bad.symlink_to(targets[1])
        bad.rename(target)

    change()
    seen = {True: 0, False: 0}
    with calling_repeatedly(change) as changes:
        tries = 0
        with trio.fail_after(60):
            while tries < 500 or changes() < 200 or not all(seen.values()):
                tries += 1
                opened = False
                try:
                    found = await content(root, name_)
                except VideoNotFound:
                    pass
                else:
                    opened = True
                    assert found == CONTENT
                seen[opened] += 1


async def test_the_list_never_leaves_the_library(root: Path, outside: Path) -> None:
    put(root, "inside.mp4")
    (root / "film.mp4").symlink_to("inside.mp4")
    swap = root / "swap"

    def change() -> None:
        for target in (outside / "secret.mp4", Path("inside.mp4")):
            swap.symlink_to(target)
            swap.rename(root / "film.mp4")

    with calling_repeatedly(change) as changes, trio.fail_after(60):
        tries = 0
        while tries < 100 or changes() < 100:
            tries += 1
            assert set(await names(root)) <= {"inside.mp4", "film.mp4"}
