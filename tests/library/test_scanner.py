"""What the database records after changes to a real folder."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from sqlalchemy import Connection, select
from sqlalchemy.engine import URL

from tests.depth import large
from tests.library.conftest import Library, open_library
from tests.support import wait_until
from trio_stream.library.folder import changes
from trio_stream.library.folder.content import SAMPLE, SAMPLES
from trio_stream.library.records import editing, jobs, removing, watch_state
from trio_stream.library.records.watch_state import Playhead
from trio_stream.library.scan import examining
from trio_stream.store.tables import playheads, subtitles, videos, viewings

BIG = 3 * SAMPLE * SAMPLES


async def test_a_scan_records_what_exists(library: Library) -> None:
    library.put("b.mp4", b"one")
    library.put("Films/a.mkv", b"two")
    library.put("Films/deep/er/c.webm", b"three")
    library.put("notes.txt")
    library.put(".hidden/d.mp4")
    run = await library.scan()
    rows = await library.rows()
    assert sorted(rows) == ["Films/a.mkv", "Films/deep/er/c.webm", "b.mp4"]
    assert (run.added, run.videos, run.folders) == (3, 3, 4)
    assert await library.folders() == ["", "Films", "Films/deep", "Films/deep/er"]
    assert rows["Films/a.mkv"].title == "a"
    assert rows["Films/a.mkv"].words == "a films mkv"
    assert len({row.id for row in rows.values()}) == 3


async def test_a_scan_of_an_unchanged_folder_neither_writes_nor_opens(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        library.put(f"{number % 7}/{number}.mp4", str(number).encode())
    await library.scan()
    written = library.writer.statistics().changes
    monkeypatch.setattr(examining, "open_file", None)
    run = await library.scan()
    assert (run.videos, run.added, run.changed, run.missing) == (200, 0, 0, 0)
    assert library.writer.statistics().changes == written


@pytest.mark.skipif(sys.platform != "linux", reason="strace needs Linux")
def test_a_scan_without_changes_takes_one_stat_per_file(tmp_path: Path) -> None:
    """Counted from outside, by the system calls that name the files."""
    program = f"""
import sys, trio
from trio_stream.library.scan.progress import Progress
from trio_stream.library.scan.scanner import Scanner
from trio_stream.store.database import migrate, open_database
from trio_stream.store.writer import Writer

async def main():
    url = "sqlite:///{tmp_path}/library.db"
    await migrate(url)
    async with open_database(url) as database, trio.open_nursery() as nursery:
        writer = Writer(database)
        await nursery.start(writer.run)
        scanner = Scanner("{tmp_path}/videos", database, writer, Progress(), interval=1, settle_time=0)
        assert (await scanner.scan()).added == 300
        open("{tmp_path}/videos/MARK", "w").close()
        assert (await scanner.scan()).videos == 300
        nursery.cancel_scope.cancel()
trio.run(main)
"""
    for number in range(300):
        path = tmp_path / "videos" / str(number % 3) / f"{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")
    trace = tmp_path / "trace"
    subprocess.run(
        ["strace", "-f", "-o", trace, "-e", "trace=file,read,pread64", sys.executable, "-c", program],
        check=True,
        capture_output=True,
    )
    _, _, second = trace.read_text().partition("MARK")
    named = [line for line in second.splitlines() if '.mp4"' in line]
    assert len(named) == 300, named[:5]
    assert all("stat" in line for line in named)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a.mp4", "b.mp4"),
        ("a.mp4", "sub/a.mp4"),
        ("sub/a.mp4", "a.mp4"),
        ("1/a.mp4", "0/a.mp4"),  # scanned after, and before, the old path
        ("0/a.mp4", "1/a.mp4"),
    ],
)
@pytest.mark.parametrize("keeps_time", [True, False])
async def test_a_moved_video_keeps_its_id(
    library: Library, before: str, after: str, keeps_time: bool
) -> None:
    library.put("other.mp4", b"other")
    path = library.put(before, os.urandom(BIG))
    await library.scan()
    first = (await library.rows())[before]
    (library.root / after).parent.mkdir(exist_ok=True)
    path.rename(library.root / after)
    if not keeps_time:
        os.utime(library.root / after)
    run = await library.scan()
    then = await library.rows()
    assert sorted(then) == sorted(["other.mp4", after])
    assert then[after].id == first.id
    assert (then[after].revision == first.revision) is keeps_time
    assert (run.added, run.moved) == (0, 1)


async def test_the_videos_of_a_moved_folder_keep_their_ids(library: Library) -> None:
    for number in range(30):
        library.put(f"Old/season {number % 3}/{number}.mp4", str(number).encode())
    library.put("Aa.mp4")
    await library.scan()
    before = await library.ids()
    (library.root / "Old").rename(library.root / "New")
    await library.scan()
    assert await library.ids() == {name.replace("Old/", "New/"): id_ for name, id_ in before.items()}
    assert await library.folders() == ["", "New", "New/season 0", "New/season 1", "New/season 2"]
    (library.root / "New").rename(library.root / "Ab")  # scanned before the old folder is missed
    await library.scan()
    assert await library.ids() == {name.replace("Old/", "Ab/"): id_ for name, id_ in before.items()}


@pytest.mark.parametrize(("before", "after"), [("a/x", "z/x"), ("z/x", "a/x"), ("z/x", "a/deep/y")])
async def test_videos_keep_their_ids_when_folders_are_merged(
    library: Library, before: str, after: str
) -> None:
    """In either order of the two folders."""
    for number in range(5):
        library.put(f"{before}/season {number % 2}/{number}.mp4", str(number).encode())
    (library.root / after).parent.mkdir(parents=True, exist_ok=True)
    await library.scan()
    ids = await library.ids()
    (library.root / before).rename(library.root / after)
    here, there = (name.rpartition("/")[0] for name in (before, after))
    run = await library.scan(
        here, there
    )  # in the order of their names; a full scan uses the order of the disk
    assert (run.added, run.moved) == (0, 5)
    assert await library.ids() == {name.replace(f"{before}/", f"{after}/"): id_ for name, id_ in ids.items()}
    assert await library.missing() == []


async def test_edits_before_a_move_is_recognised_are_not_lost(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the scans of its new and its old path, the API shows it under another id."""
    path = library.put("z/a.mp4", b"film")
    library.put("a/other.mp4", b"other")
    await library.scan()
    first = (await library.ids())["z/a.mp4"]
    path.rename(library.root / "a/b.mp4")
    remove_videos = removing.remove_videos

    def write(id_: str, position: float, now: int) -> Callable[[Connection], object]:
        return lambda c: watch_state.put(c, user="local", id_=id_, playhead=Playhead(position), now=now)

    def late(connection: Connection, **more: Any) -> int:
        second = connection.scalar(select(videos.c.id).where(videos.c.path == b"a/b.mp4"))
        assert second not in (None, first)
        write(second, 2, 2000)(connection)
        editing.edit(connection, second, editing.VideoEdit(title="Mine", tags=("new",)))
        return remove_videos(connection, **more)

    await library.writer.write(write(first, 1, 1000))
    monkeypatch.setattr(removing, "remove_videos", late)
    await library.scan("a", "z")
    row = (await library.rows())["a/b.mp4"]
    assert (row.id, row.title, row.tags) == (first, "Mine", '["new"]')
    (seen,) = await library.database.read(lambda c: c.execute(select(playheads)).all())
    assert (seen.video, seen.position, seen.updated_at) == (row.number, 2, 2000)
    history = await library.database.read(lambda c: c.execute(select(viewings.c.video)).all())
    assert {each.video for each in history} == {row.number}


async def test_copies_and_links_are_separate_videos(library: Library) -> None:
    path = library.put("a.mp4", os.urandom(BIG))
    await library.scan()
    (first,) = (await library.ids()).values()
    shutil.copy(path, library.root / "copy.mp4")
    os.link(path, library.root / "hard.mp4")
    (library.root / "soft.mp4").symlink_to("a.mp4")
    run = await library.scan()
    rows = await library.rows()
    assert run.added == 3
    assert rows["a.mp4"].id == first
    assert len({row.id for row in rows.values()}) == 4
    assert rows["hard.mp4"].revision == rows["a.mp4"].revision == rows["soft.mp4"].revision
    assert rows["copy.mp4"].revision != rows["a.mp4"].revision
    path.unlink()
    await library.scan()
    assert await library.missing() == ["a.mp4", "soft.mp4"], "no copy takes over from its original"
    assert (await library.ids())["hard.mp4"] == rows["hard.mp4"].id


async def test_a_returned_video_keeps_its_id(library: Library) -> None:
    path = library.put("a.mp4", b"film")
    await library.scan()
    before = await library.ids()
    path.rename(library.root / "aside")
    assert (await library.scan()).missing == 1
    assert await library.ids() == {}
    (library.root / "aside").rename(path)
    run = await library.scan()
    assert (run.returned, run.added) == (1, 0)
    assert await library.ids() == before


async def test_a_returned_folder_can_go_missing_again(library: Library) -> None:
    aside = library.root.parent / "aside"
    library.put("a/b/film.mp4")
    library.put("a/b/c/other.mp4")
    await library.scan()
    for _ in range(2):
        (library.root / "a").rename(aside)
        await library.scan()
        assert await library.missing() == ["a/b/c/other.mp4", "a/b/film.mp4"]
        assert await library.folders() == [""]
        aside.rename(library.root / "a")
        await library.scan()
        assert (await library.missing(), await library.folders()) == ([], ["", "a", "a/b", "a/b/c"])


async def test_a_video_edited_or_replaced_in_place_keeps_its_id(library: Library) -> None:
    path = library.put("a.mp4", b"film")
    await library.scan()
    first = (await library.rows())["a.mp4"]
    with path.open("r+b") as file:
        file.write(b"F")
    assert (await library.scan()).changed == 1
    second = (await library.rows())["a.mp4"]
    library.put("new", b"another film").rename(path)
    assert (await library.scan()).changed == 1
    third = (await library.rows())["a.mp4"]
    assert first.id == second.id == third.id
    assert len({first.revision, second.revision, third.revision}) == 3
    assert third.size == len(b"another film")


async def test_a_file_renamed_over_another_gets_the_id_of_its_new_name(library: Library) -> None:
    one, other = library.put("a.mp4", b"one"), library.put("b.mp4", b"other")
    await library.scan()
    before = await library.rows()
    one.rename(other)
    await library.scan()
    after = await library.rows()
    assert list(after) == ["b.mp4"]
    assert after["b.mp4"].id == before["b.mp4"].id
    assert after["b.mp4"].revision == before["a.mp4"].revision
    assert await library.missing() == ["a.mp4"]


async def test_a_digest_distinguishes_files_with_equal_samples(library: Library) -> None:
    """Two videos that differ only in their digests are both gone; one returns elsewhere with another time."""
    one = bytearray(BIG)
    other = bytearray(BIG)
    other[SAMPLE + 5] = 1
    library.put("a.mp4", bytes(one))
    library.put("b.mp4", bytes(other))
    os.utime(library.root / "b.mp4", ns=(0, 1))
    await library.scan()
    rows = await library.rows()
    assert rows["a.mp4"].fingerprint == rows["b.mp4"].fingerprint
    assert rows["a.mp4"].digest != rows["b.mp4"].digest, "computed while both were present"
    (library.root / "a.mp4").unlink()
    (library.root / "b.mp4").rename(library.root / "c.mp4")
    os.utime(library.root / "c.mp4", ns=(0, 2))
    await library.scan()
    assert (await library.ids())["c.mp4"] == rows["b.mp4"].id


async def test_new_downloads_do_not_delay_a_scan(library: Library) -> None:
    """Terabytes of holes that differ only in their times; one file is moved while another is removed."""
    for number, name in enumerate(("a.mp4", "b.mp4", "c.mp4")):
        os.truncate(library.put(name), 1 << 40)
        os.utime(library.root / name, ns=(0, number))
    with trio.fail_after(60):
        await library.scan()
        ids = await library.ids()
        (library.root / "a.mp4").unlink()
        (library.root / "b.mp4").rename(library.root / "d.mp4")
        (library.root / "c.mp4").rename(library.root / "e.mp4")
        os.utime(library.root / "e.mp4", ns=(0, 5))  # there is no telling which of them it was
        library.put("film.mp4")
        await library.scan()
    now = await library.ids()
    assert sorted(now) == ["d.mp4", "e.mp4", "film.mp4"]
    assert now["d.mp4"] == ids["b.mp4"]
    assert now["e.mp4"] not in ids.values()


async def test_a_name_that_is_not_utf_8_is_stored(library: Library) -> None:
    name = os.fsdecode(b"caf\xe9/\xff\xfe.mp4")
    library.put(name)
    await library.scan()
    assert list(await library.ids()) == [name]


async def test_an_unreadable_folder_loses_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.put("a.mp4")
    library.put("sub/b.mp4", b"b")
    await library.scan()
    before = await library.ids()
    real = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("/sub"):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    run = await library.scan()
    assert run.unread == ["sub"]
    assert await library.ids() == before
    monkeypatch.undo()
    library.root.rename(library.root.with_name("away"))  # as if its disk were not mounted
    run = await library.scan()
    assert run.unread == [""]
    assert await library.ids() == before
    library.root.with_name("away").rename(library.root)


async def test_loops_of_links_end(library: Library) -> None:
    library.put("a/film.mp4")
    (library.root / "a" / "up").symlink_to("..")
    with trio.fail_after(60):
        run = await library.scan()
        again = await library.scan()
    assert run.added == 1
    assert (again.added, again.missing) == (0, 0)


async def test_a_file_is_added_once_it_has_settled(tmp_path: Path, database_url: URL) -> None:
    async with (
        open_library(tmp_path / "videos", database_url, settle_time=1.0) as library,
        trio.open_nursery() as nursery,
    ):
        await library.run(nursery)
        seen: list[int] = []
        with (library.root / "copied.mp4").open("wb") as file:
            for _ in range(20):
                file.write(b"x" * 1000)
                file.flush()
                await trio.sleep(0.05)  # as slowly as a copy over a network
                seen.append(len(await library.ids()))
        assert not any(seen), "no video while it is being written"
        with trio.fail_after(60):
            while not (rows := await library.rows()):
                await trio.sleep(0.05)
        assert rows["copied.mp4"].size == 20_000
        nursery.cancel_scope.cancel()


async def test_two_scans_in_quick_succession_do_not_settle_a_file(tmp_path: Path, database_url: URL) -> None:
    async with open_library(tmp_path / "videos", database_url, settle_time=60) as library:
        library.put("a.mp4")
        for _ in range(3):
            assert (await library.scan()).resting == 1
        assert await library.ids() == {}


async def test_a_move_found_at_its_new_path_first_waits_for_the_old_path(
    tmp_path: Path, database_url: URL
) -> None:
    """This happens if other changes cause a scan of the new folder before the old path is reported empty."""
    async with open_library(tmp_path / "videos", database_url) as library:
        path = library.put("old/a.mp4")
        (library.root / "new").mkdir()
        await library.scan()
        before = await library.ids()
        library.scanner.folder_scanner.settling.seconds = 3600  # however slowly the scans follow each other
        path.rename(library.root / "new/a.mp4")
        await library.scan("new")
        await library.scan("new")
        assert (await library.scan("old")).missing == 1
        assert (await library.scan("new")).moved == 1
        assert await library.ids() == {"new/a.mp4": before["old/a.mp4"]}


async def test_a_file_from_the_future_settles_too(
    tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_library(tmp_path / "videos", database_url, settle_time=0.2) as library,
        trio.open_nursery() as nursery,
    ):
        monkeypatch.setattr("time.time", lambda: 0.0)  # so every file is from the future
        library.put("a.mp4")
        await library.run(nursery)
        with trio.fail_after(60):
            while not await library.ids():
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


def rename(library: Library) -> list[str]:
    (library.root / "a.mp4").rename(library.root / "b.mp4")
    return ["b.mp4", "deep/er/c.mp4"]


def remove(library: Library) -> list[str]:
    (library.root / "a.mp4").unlink()
    return ["deep/er/c.mp4"]


def remove_tree(library: Library) -> list[str]:
    shutil.rmtree(library.root / "deep")
    return ["a.mp4"]


def add_tree(library: Library) -> list[str]:
    outside = library.root.parent / "outside"
    (outside / "x" / "y").mkdir(parents=True)
    (outside / "x" / "y" / "d.mp4").write_bytes(b"d")
    (outside / "x").rename(library.root / "x")
    return ["a.mp4", "deep/er/c.mp4", "x/y/d.mp4"]


def move_tree(library: Library) -> list[str]:
    (library.root / "deep").rename(library.root / "Deeper")
    return ["Deeper/er/c.mp4", "a.mp4"]


def add_in_new_folder(library: Library) -> list[str]:
    library.put("new/e.mp4", b"e")
    return ["a.mp4", "deep/er/c.mp4", "new/e.mp4"]


@pytest.mark.parametrize("change", [rename, remove, remove_tree, add_tree, move_tree, add_in_new_folder])
async def test_changes_are_noticed(library: Library, change: Callable[[Library], list[str]]) -> None:
    library.put("a.mp4", b"a")
    library.put("deep/er/c.mp4", b"c")
    async with trio.open_nursery() as nursery:
        await library.run(nursery)
        assert library.progress.watching.on
        before = await library.ids()
        expected = change(library)
        with trio.fail_after(60):
            while sorted(after := await library.ids()) != expected:
                await trio.sleep(0.05)
        assert len(set(before.values()) & set(after.values())) == min(len(before), len(after))
        nursery.cancel_scope.cancel()


async def test_a_replaced_folder_is_watched_again(library: Library) -> None:
    """For example, when a disk is mounted over it."""
    library.put("a.mp4", b"a")
    async with trio.open_nursery() as nursery:
        await library.run(nursery)
        for name in ("b.mp4", "c.mp4"):
            other = library.root.with_name("other")
            other.mkdir()
            (other / name).write_bytes(name.encode())
            library.root.rename(library.root.with_name(f"before {name}"))
            other.rename(library.root)
            with trio.fail_after(60):
                while sorted(await library.ids()) != [name]:
                    await trio.sleep(0.05)
            library.put(f"sub/{name}", b"later")
            with trio.fail_after(60):
                while sorted(await library.ids()) != [name, f"sub/{name}"]:
                    await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


@pytest.fixture
def no_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder can be watched."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "OS file watch limit reached.")

    monkeypatch.setattr(changes, "RustNotify", refuse)


async def test_without_watches_the_reason_is_reported_and_scans_continue(
    no_watches: None, library: Library
) -> None:
    async with trio.open_nursery() as nursery:
        await library.run(nursery)
        assert not library.progress.watching.on
        assert "watch limit" in str(library.progress.watching.reason)
        library.put("a.mp4")
        scan_number = library.scanner.request()
        await wait_until(
            lambda: library.progress.scan.number >= scan_number and not library.progress.scan.running,
            5,
            "the scan",
        )
        assert list(await library.ids()) == ["a.mp4"]
        nursery.cancel_scope.cancel()


async def test_a_scan_is_repeated_after_the_interval(
    no_watches: None, tmp_path: Path, database_url: URL
) -> None:
    async with open_library(tmp_path / "videos", database_url) as library, trio.open_nursery() as nursery:
        library.scanner._interval = 0.2
        await library.run(nursery)
        library.put("a.mp4")
        with trio.fail_after(60):
            while not await library.ids():
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


async def test_a_pipe_is_not_a_video_and_does_not_block(library: Library) -> None:
    os.mkfifo(library.root / "a.mp4")
    with trio.fail_after(60):
        assert (await library.scan()).videos == 0
    assert stat.S_ISFIFO((library.root / "a.mp4").stat().st_mode)


SRT = "1\n00:00:01,000 --> 00:00:02,000\nhello\n"


async def subtitles_of(library: Library) -> dict[str, list[tuple[str, str | None, bool]]]:
    """The name, the language and the forced flag of each subtitle file, by video."""
    statement = (
        select(videos.c.path.label("video"), subtitles)
        .join(videos, videos.c.number == subtitles.c.video)
        .order_by(subtitles.c.path)
    )
    found: dict[str, list[tuple[str, str | None, bool]]] = {}
    for row in await library.database.read(lambda connection: connection.execute(statement).all()):
        entry = (os.fsdecode(row.path), row.language, row.forced)
        found.setdefault(os.fsdecode(row.video), []).append(entry)
    return found


async def test_subtitle_files_are_found_beside_their_videos(library: Library) -> None:
    for name in ("Films/a.mp4", "Films/a 2.mp4", "b.mkv"):
        library.put(name, name.encode())
    for name in ("Films/a.en.srt", "Films/a 2.pt-BR.forced.srt", "Films/Subs/a.de.vtt", "b.ass", "c.srt"):
        library.put(name, SRT.encode())
    await library.scan()
    assert await subtitles_of(library) == {
        "Films/a.mp4": [("Films/Subs/a.de.vtt", "de", False), ("Films/a.en.srt", "en", False)],
        "Films/a 2.mp4": [("Films/a 2.pt-BR.forced.srt", "pt-BR", True)],
        "b.mkv": [("b.ass", None, False)],
    }
    written = library.writer.statistics().changes
    await library.scan()
    assert library.writer.statistics().changes == written, "unchanged files are not written again"


async def test_subtitle_files_are_added_changed_and_removed(library: Library) -> None:
    library.put("a.mp4")
    await library.scan()
    assert await subtitles_of(library) == {}
    library.put("a.en.srt", SRT.encode())
    await library.scan()
    (first,) = await library.database.read(lambda connection: connection.execute(select(subtitles)).all())
    library.put("a.en.srt", SRT.replace("hello", "bye").encode())
    await library.scan()
    (second,) = await library.database.read(lambda connection: connection.execute(select(subtitles)).all())
    assert (first.signature, first.number) != (second.signature, second.number), "it must be converted again"
    (library.root / "a.en.srt").rename(library.root / "a.fr.srt")
    await library.scan()
    assert await subtitles_of(library) == {"a.mp4": [("a.fr.srt", "fr", False)]}
    (library.root / "a.fr.srt").unlink()
    await library.scan()
    assert await subtitles_of(library) == {}


async def test_subtitles_of_a_missing_video_are_not_pending(library: Library) -> None:
    """If the folder is gone before the subtitles are converted, no job is pending until it returns."""
    library.put("Films/a.mp4")
    library.put("Films/a.en.srt", SRT.encode())
    await library.scan()

    async def pending_counts() -> tuple[int, int]:
        pending = await library.database.read(jobs.count)
        files = await library.database.read(partial(jobs.to_convert, after=0, limit=9))
        return pending.to_extract, len(files)

    assert await pending_counts() == (1, 1)
    (library.root / "Films").rename(library.root.parent / "away")
    await library.scan()
    assert await pending_counts() == (0, 0)
    (library.root.parent / "away").rename(library.root / "Films")
    await library.scan()
    assert await pending_counts() == (1, 1)


async def test_a_link_to_subtitles_outside_the_library_is_ignored(library: Library) -> None:
    library.put("a.mp4")
    (library.root.parent / "secret").write_text(SRT)
    (library.root / "a.en.srt").symlink_to(library.root.parent / "secret")
    await library.scan()
    assert await subtitles_of(library) == {}


@pytest.mark.parametrize("count", [100, large(1500)])
async def test_many_subtitle_files_in_a_folder(library: Library, count: int) -> None:
    for number in range(count):
        library.put(f"{number}.mp4", str(number).encode())
        library.put(f"{number}.en.srt", SRT.encode())
    await library.scan()
    await library.scan()
    assert len(await subtitles_of(library)) == count


# --- One bad file or folder does not affect the others ------------------------------------------------------


@pytest.mark.parametrize("seconds", [15_024_009_600, 9_300_000_000, -1, -10_000_000_000])
async def test_a_file_with_any_time_is_added(library: Library, seconds: int) -> None:
    """In nanoseconds, some of these times do not fit into 64 bits."""
    os.utime(library.put("odd.mp4"), (0, seconds))
    library.put("usual.mp4", b"usual")
    for _ in range(2):
        await library.scan()
    assert set(await library.ids()) == {"odd.mp4", "usual.mp4"}


REFUSE = {
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE INSERT ON videos WHEN new.path = x'622f322e6d7034' BEGIN SELECT RAISE(ABORT, 'no'); END",
        "DROP TRIGGER refuse",
    ),
    "postgresql": (
        "ALTER TABLE videos ADD CONSTRAINT refuse CHECK (path <> 'b/2.mp4'::bytea)",
        "ALTER TABLE videos DROP CONSTRAINT refuse",
    ),
}
"""SQL that makes a database refuse one video, and accept it again."""


async def test_a_file_that_cannot_be_stored_does_not_block_others(library: Library) -> None:
    def execute_sql(statement: str) -> Callable[[Connection], None]:
        return lambda connection: connection.exec_driver_sql(statement).close()

    refuse, take = REFUSE[library.database.dialect]
    await library.writer.write(execute_sql(refuse))
    for name in ("a.mp4", "b/1.mp4", "b/2.mp4", "b/3.mp4", "c.mp4"):
        library.put(name, name.encode())
    run = await library.scan()
    assert set(await library.ids()) == {"a.mp4", "b/1.mp4", "b/3.mp4", "c.mp4"}
    assert run.unread == ["b/2.mp4"]
    await library.writer.write(execute_sql(take))
    await library.scan()
    assert "b/2.mp4" in await library.ids()


class Refused:
    """An entry of a folder without search permission: only its name is available."""

    def __init__(self, entry: "os.DirEntry[str]") -> None:
        self.name, self.path = entry.name, entry.path
        self.is_symlink, self.is_dir = entry.is_symlink, entry.is_dir

    def stat(self) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


async def test_files_that_cannot_be_examined_are_not_missing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4"):
        library.put(f"films/{name}", name.encode())
    await library.scan()
    before = await library.ids()
    scandir = os.scandir

    @contextmanager
    def refusing(path: str) -> Iterator[Any]:
        with scandir(path) as entries:
            yield map(Refused, entries) if str(path).endswith("/films") else entries

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refusing)
        run = await library.scan()
    assert run.missing == 0
    assert sorted(run.unread) == ["films/a.mp4", "films/b.mp4"]
    await library.scan()
    assert await library.ids() == before
