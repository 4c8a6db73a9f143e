"""The list of videos in a real folder, after any changes since the last list."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.support import wait_until
from trio_stream.library.folder import listing as listing_module
from trio_stream.library.folder.catalog import Catalog
from trio_stream.library.folder.listing import Listing, Video
from trio_stream.library.folder.walking import Folder, read_folder
from trio_stream.library.naming.paths import natural_key

CONTENT = b"of the library"

LONG_AGO = 1_000_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "videos"
    root.mkdir()
    return root


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(CONTENT)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that are read, in order."""
    folders: list[str] = []

    def recording_read(root: str, name: str) -> Folder:
        folders.append(name)
        return read_folder(root, name)

    monkeypatch.setattr(listing_module, "read_folder", recording_read)
    return folders


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder counts as changed long ago, so that its listing is stable."""
    monkeypatch.setattr(listing_module, "SETTLED", -float("inf"))


async def test_details_are_name_size_time_and_type(root: Path) -> None:
    put(root, "sub/film.mkv", "sub/gone.mkv")
    os.utime(root / "sub" / "film.mkv", ns=(0, 1_234_567_890_123_456_789))
    listing = Listing(root)
    names = await listing.names()
    (root / "sub" / "gone.mkv").unlink()
    assert await listing.details(names) == [
        Video("sub/film.mkv", len(CONTENT), 1_234_567_890_123_456_789, "video/x-matroska")
    ]


async def test_videos_are_in_natural_order(root: Path) -> None:
    ordered = ["b/2.mp4", "b/10.mp4", "e1.mp4", "E2.mp4", "e10.mp4"]
    put(root, *reversed(ordered))
    assert list(await Listing(root).names()) == ordered


@pytest.mark.usefixtures("settled")
def test_only_folders_that_changed_are_read_again(root: Path, read: list[str]) -> None:
    put(root, "film.mp4", "a/1.mp4", "b/2.mp4", "b/c/3.mp4")
    listing = Listing(root)
    assert list(listing.read()) == ["a/1.mp4", "b/2.mp4", "b/c/3.mp4", "film.mp4"]
    read.clear()
    assert listing.read() is listing.read()
    assert read == []
    put(root, "b/c/4.mp4")
    assert list(listing.read()) == ["a/1.mp4", "b/2.mp4", "b/c/3.mp4", "b/c/4.mp4", "film.mp4"]
    assert read == ["b/c"]
    shutil.rmtree(root / "b" / "c")
    (root / "film.mp4").rename(root / "a" / "film.mp4")
    read.clear()
    assert list(listing.read()) == ["a/1.mp4", "a/film.mp4", "b/2.mp4"]
    assert sorted(read) == ["", "a", "b"]


def test_a_folder_that_just_changed_is_read_again(root: Path, read: list[str]) -> None:
    """A second change may have the same time as the first."""
    put(root, "a/1.mp4")
    for folder in (root, root / "a"):  # sets the modification time; the change time stays recent
        os.utime(folder, (LONG_AGO, LONG_AGO))
    listing = Listing(root)
    for _ in range(2):
        read.clear()
        assert list(listing.read()) == ["a/1.mp4"]
        assert read == ["", "a"]


@pytest.mark.usefixtures("settled")
def test_a_folder_with_links_is_read_each_time(root: Path, tmp_path: Path, read: list[str]) -> None:
    put(root, "a/1.mp4")
    put(tmp_path, "videos/b/there.mp4")
    (root / "a" / "link.mp4").symlink_to("../b/there.mp4")
    listing = Listing(root)
    assert list(listing.read()) == ["a/1.mp4", "a/link.mp4", "b/there.mp4"]
    (root / "b" / "there.mp4").unlink()
    read.clear()
    assert list(listing.read()) == ["a/1.mp4"]
    assert sorted(read) == ["a", "b"]


@pytest.mark.usefixtures("settled")
def test_the_number_of_remembered_names_is_bounded(
    root: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, *(f"{folder}/{number}.mp4" for folder in "abc" for number in range(4)))
    monkeypatch.setattr(listing_module, "MAX_NAMES", 11)
    listing = Listing(root)
    before = list(listing.read())
    read.clear()
    assert list(listing.read()) == before
    assert len(read) == 1, "the library and the other two folders have eleven names"


NAMES = st.sampled_from(["a", "b", "c.mp4", "d.mp4", "e.txt"])


class Changes(RuleBasedStateMachine):
    """After any changes in a folder, the list equals that of a new listing."""

    root: Path
    """A new folder for each run."""

    def __init__(self) -> None:
        super().__init__()
        self.here = self.root / f"{time.monotonic_ns()}"
        self.here.mkdir()
        self.listing = Listing(self.here)

    def _path(self, parts: Sequence[str]) -> Path:
        return self.here.joinpath(*parts)

    @rule(
        change=st.sampled_from([Path.touch, Path.mkdir, Path.unlink, shutil.rmtree]),
        parts=st.lists(NAMES, min_size=1, max_size=3),
    )
    def do(self, change: Callable[[Path], None], parts: Sequence[str]) -> None:
        with suppress(OSError):  # most of the generated changes are impossible
            change(self._path(parts))

    @rule(
        change=st.sampled_from([Path.symlink_to, Path.rename]),
        parts=st.lists(NAMES, min_size=1, max_size=3),
        other=st.lists(NAMES, min_size=1, max_size=3),
    )
    def do_with(
        self, change: Callable[[Path, Path], None], parts: Sequence[str], other: Sequence[str]
    ) -> None:
        with suppress(OSError):
            change(self._path(parts), self._path(other))

    @invariant()
    def the_list_is_right(self) -> None:
        _next_tick(self.root)
        found = list(self.listing.read())
        assert found == list(Listing(self.here).read())
        assert found == sorted(found, key=natural_key)


def _next_tick(folder: Path) -> None:
    """Return once a new change gets a later time than earlier ones."""

    def now() -> int:
        (folder / "clock").touch()
        return (folder / "clock").stat().st_mtime_ns

    before, deadline = now(), time.monotonic() + 60
    while now() == before:  # milliseconds
        assert time.monotonic() < deadline


@pytest.mark.usefixtures("settled")
def test_the_list_is_right_after_any_changes(tmp_path: Path) -> None:
    case = type("Case", (Changes,), {"root": tmp_path})
    run_state_machine_as_test(case, settings=settings(max_examples=40, stateful_step_count=15, deadline=None))


async def test_callers_that_arrive_during_a_read_share_the_next_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "a.mp4")
    catalog, listing = Catalog(root, threads=1), Listing(root)
    walks, may_finish = [], threading.Event()

    def walk(root: str, name: str) -> Folder:
        walks.append(read_folder(root, name))
        assert may_finish.wait(60)
        return walks[-1]

    monkeypatch.setattr(listing_module, "read_folder", walk)
    names_by_caller: dict[int, list[str]] = {}

    async def call(number: int) -> None:
        names_by_caller[number] = list(await listing.names())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call, 0)
        await wait_until(lambda: len(walks) == 1, 5, "the first read")
        put(root, "b.mp4")
        for number in range(1, 9):
            nursery.start_soon(call, number)
        with trio.fail_after(60):
            (await catalog.open("b.mp4")).close()  # opening a video does not wait for the read
        assert len(walks) == 1
        may_finish.set()
    assert names_by_caller == {0: ["a.mp4"]} | {number: ["a.mp4", "b.mp4"] for number in range(1, 9)}
    assert len(walks) == 2


async def test_a_cancelled_caller_does_not_cancel_a_shared_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "a.mp4")
    listing = Listing(root)
    started, may_finish = threading.Event(), threading.Event()

    def walk(root: str, name: str) -> Folder:
        started.set()
        assert may_finish.wait(60)
        return read_folder(root, name)

    monkeypatch.setattr(listing_module, "read_folder", walk)
    names_by_caller: list[Sequence[str]] = []

    async def call() -> None:
        names_by_caller.append(await listing.names())

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as leaving:
            async with trio.open_nursery() as first:
                first.start_soon(call)
                first.start_soon(call)
                await wait_until(started.is_set, 5, "the first read")
                nursery.start_soon(call)
                leaving.cancel()
                may_finish.set()
        assert leaving.cancelled_caught
    assert list(names_by_caller[-1]) == ["a.mp4"]
