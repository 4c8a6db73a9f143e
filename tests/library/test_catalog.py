"""What there is in a real folder can be opened, and nothing else."""

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
    """A folder with a video that is none of the library."""
    outside = tmp_path / "videos-elsewhere"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(SECRET)
    return outside


@pytest.fixture(autouse=True)
def no_descriptor_is_left() -> Iterator[None]:
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
    """The bytes behind what the catalog opens."""
    with await Catalog(root).open(name) as video:
        assert stat.S_ISREG(os.fstat(video.file.fd).st_mode)
        return os.pread(video.file.fd, 1 << 20, 0)


async def test_what_is_listed_can_be_opened(root: Path, outside: Path) -> None:
    put(root, "a.mp4", "sub/deep/b.MKV", os.fsdecode(b"\xff\xfe.mp4"), "new\nline.mp4")
    (root / "link.mp4").symlink_to("a.mp4")
    (root / "folder-link").symlink_to("sub")
    (root / "out.mp4").symlink_to(outside / "secret.mp4")
    listed = await names(root)
    assert len(listed) == 5
    for name in listed:
        assert await content(root, name) == CONTENT


async def test_an_opened_video_belongs_to_whoever_asked(root: Path) -> None:
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
    # A path of a socket may not be long, so it is bound where it is short.
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.open(root, os.O_RDONLY)
        try:
            bound.bind(f"/proc/self/fd/{here}/film.mp4")
        finally:
            os.close(here)


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
async def test_what_is_no_file_of_the_library_is_no_video(
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
async def test_names_that_are_not_there(root: Path, outside: Path, name: str) -> None:
    put(root, "film.mp4", "sub/film.mp4", "notes.txt", "no-suffix", ".mp4", ".hidden.mp4", ".dir/film.mp4")
    put(root, "sub/.hidden.mp4")
    (root / "out").symlink_to(outside)
    assert await names(root) == ["film.mp4", "sub/film.mp4"]
    with pytest.raises(VideoNotFound) as missing:
        await Catalog(root).open(name)
    assert str(missing.value) == "there is no such video", "whatever is wrong with it"


async def test_a_library_that_is_a_link(root: Path, outside: Path, tmp_path: Path) -> None:
    put(root, "film.mp4")
    (root / "out.mp4").symlink_to(outside / "secret.mp4")
    (tmp_path / "link").symlink_to(root)
    assert await names(tmp_path / "link") == ["film.mp4"]
    assert await content(tmp_path / "link", "film.mp4") == CONTENT
    with pytest.raises(VideoNotFound):
        await Catalog(tmp_path / "link").open("out.mp4")


async def test_links_between_folders_end(root: Path) -> None:
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


async def test_a_video_that_is_linked_twice_is_two_videos(root: Path) -> None:
    put(root, "film.mp4")
    os.link(root / "film.mp4", root / "hard.mp4")
    (root / "soft.mp4").symlink_to("film.mp4")
    assert await names(root) == ["film.mp4", "hard.mp4", "soft.mp4"]


@pytest.mark.parametrize("instead", [None, "a file"])
async def test_nothing_is_known_of_videos_whose_library_is_away(root: Path, instead: str | None) -> None:
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


async def test_a_folder_too_deep_to_be_read_hides_only_what_is_in_it(root: Path) -> None:
    put(root, "film.mp4")
    here = os.open(root, os.O_RDONLY)
    for _ in range(5000 // 250):
        os.mkdir("d" * 250, dir_fd=here)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("lost.mp4", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    assert await names(root) == ["film.mp4"]


def test_a_folder_that_may_not_be_read_hides_only_what_is_in_it(root: Path) -> None:
    put(root, "film.mp4", "closed/lost.mp4", "listed/seen.mp4", "passed/known.mp4", "mute.mp4")
    modes = {"closed": 0o000, "listed": 0o400, "passed": 0o100, "mute.mp4": 0o000}
    for name, mode in modes.items():
        (root / name).chmod(mode)
    try:
        listed, opened = as_anybody(lambda: list(Listing(root).read())), {}
        for name in ("film.mp4", "closed/lost.mp4", "listed/seen.mp4", "passed/known.mp4", "mute.mp4"):
            opened[name] = as_anybody(lambda name=name: try_open(root, name))  # type: ignore[misc] # mypy: a default in a lambda has no type
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


def as_anybody[T](call: Callable[[], T]) -> T:
    """The result of `call` in a thread that has to respect permissions, whoever runs the tests."""
    results: list[T] = []

    def run() -> None:
        if sys.platform == "linux":  # capabilities are those of a thread (capset(2))
            header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            assert ctypes.CDLL(None).capset(header, none) == 0
        results.append(call())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


@contextmanager
def turning(turn: Callable[[], None]) -> Iterator[Callable[[], int]]:
    """Call `turn` over and over in a thread for the length of the block; answers how often it did."""
    over = threading.Event()
    count = 0

    def run() -> None:
        nonlocal count
        while not over.is_set():
            turn()
            count += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lambda: count
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("what", ["link to a file", "link to a folder", "fifo"])
async def test_what_is_swapped_while_it_is_opened_is_never_from_outside(
    root: Path, outside: Path, what: str
) -> None:
    """A file that becomes something else between the look at it and the opening."""
    wanted = "sub/film.mp4"
    put(root, wanted)
    (outside / "film.mp4").write_bytes(SECRET)
    good, bad = root / "good", root / "bad"
    if what == "link to a folder":
        place = root / "sub"
        (root / "kept").mkdir()
        put(root, "kept/film.mp4")
        (root / wanted).unlink()
        place.rmdir()
        targets = (root / "kept", outside)
    else:
        place = root / wanted
        targets = (root / "kept.mp4", outside / "film.mp4")
        put(root, "kept.mp4")

    def turn() -> None:
        good.symlink_to(targets[0])
        good.rename(place)
        if what == "fifo":
            os.mkfifo(bad)
        else:
            bad.symlink_to(targets[1])
        bad.rename(place)

    turn()
    seen = {True: 0, False: 0}
    with turning(turn) as turns:
        tries = 0
        with trio.fail_after(60):
            while tries < 500 or turns() < 200 or not all(seen.values()):
                tries += 1
                opened = False
                try:
                    found = await content(root, wanted)
                except VideoNotFound:
                    pass
                else:
                    opened = True
                    assert found == CONTENT
                seen[opened] += 1


async def test_the_list_never_leaves_the_library_either(root: Path, outside: Path) -> None:
    put(root, "kept.mp4")
    (root / "film.mp4").symlink_to("kept.mp4")
    swap = root / "swap"

    def turn() -> None:
        for target in (outside / "secret.mp4", Path("kept.mp4")):
            swap.symlink_to(target)
            swap.rename(root / "film.mp4")

    with turning(turn) as turns, trio.fail_after(60):
        tries = 0
        while tries < 100 or turns() < 100:
            tries += 1
            assert set(await names(root)) <= {"kept.mp4", "film.mp4"}
