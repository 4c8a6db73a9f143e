"""What the database says after things have happened to a real folder."""

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
from tests.library.conftest import Shelf, open_shelf
from tests.support import wait_until
from trio_stream.library.folder import changes
from trio_stream.library.folder.content import SAMPLE, SAMPLES
from trio_stream.library.records import editing, jobs, removing, watch_state
from trio_stream.library.records.watch_state import Playhead
from trio_stream.library.scan import examining
from trio_stream.store.tables import playheads, subtitles, videos, viewings

BIG = 3 * SAMPLE * SAMPLES


async def test_what_is_there_is_known_after_a_look(shelf: Shelf) -> None:
    shelf.put("b.mp4", b"one")
    shelf.put("Films/a.mkv", b"two")
    shelf.put("Films/deep/er/c.webm", b"three")
    shelf.put("notes.txt")
    shelf.put(".hidden/d.mp4")
    look = await shelf.look()
    rows = await shelf.rows()
    assert sorted(rows) == ["Films/a.mkv", "Films/deep/er/c.webm", "b.mp4"]
    assert (look.added, look.videos, look.folders) == (3, 3, 4)
    assert await shelf.folders() == ["", "Films", "Films/deep", "Films/deep/er"]
    assert rows["Films/a.mkv"].title == "a"
    assert rows["Films/a.mkv"].words == "a films mkv"
    assert len({row.id for row in rows.values()}) == 3


async def test_an_unchanged_folder_is_looked_at_without_a_write_and_without_opening(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        shelf.put(f"{number % 7}/{number}.mp4", str(number).encode())
    await shelf.look()
    written = shelf.writer.statistics().changes
    monkeypatch.setattr(examining, "open_file", None)
    look = await shelf.look()
    assert (look.videos, look.added, look.changed, look.missing) == (200, 0, 0, 0)
    assert shelf.writer.statistics().changes == written


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
def test_an_unchanged_look_costs_one_stat_a_file(tmp_path: Path) -> None:
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
        scanner = Scanner("{tmp_path}/videos", database, writer, Progress(), interval=1, rest=0)
        assert (await scanner.look()).added == 300
        open("{tmp_path}/videos/MARK", "w").close()
        assert (await scanner.look()).videos == 300
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
        ("1/a.mp4", "0/a.mp4"),  # looked at after, and before, the old place
        ("0/a.mp4", "1/a.mp4"),
    ],
)
@pytest.mark.parametrize("keeps_time", [True, False])
async def test_a_video_that_moves_is_the_same_video(
    shelf: Shelf, before: str, after: str, keeps_time: bool
) -> None:
    shelf.put("other.mp4", b"other")
    path = shelf.put(before, os.urandom(BIG))
    await shelf.look()
    first = (await shelf.rows())[before]
    (shelf.root / after).parent.mkdir(exist_ok=True)
    path.rename(shelf.root / after)
    if not keeps_time:
        os.utime(shelf.root / after)
    look = await shelf.look()
    then = await shelf.rows()
    assert sorted(then) == sorted(["other.mp4", after])
    assert then[after].id == first.id
    assert (then[after].revision == first.revision) is keeps_time
    assert (look.added, look.moved) == (0, 1)


async def test_a_folder_that_moves_takes_its_videos_along(shelf: Shelf) -> None:
    for number in range(30):
        shelf.put(f"Old/season {number % 3}/{number}.mp4", str(number).encode())
    shelf.put("Aa.mp4")
    await shelf.look()
    before = await shelf.ids()
    (shelf.root / "Old").rename(shelf.root / "New")
    await shelf.look()
    assert await shelf.ids() == {name.replace("Old/", "New/"): id_ for name, id_ in before.items()}
    assert await shelf.folders() == ["", "New", "New/season 0", "New/season 1", "New/season 2"]
    (shelf.root / "New").rename(shelf.root / "Ab")  # which is looked at before the old one is missed
    await shelf.look()
    assert await shelf.ids() == {name.replace("Old/", "Ab/"): id_ for name, id_ in before.items()}


@pytest.mark.parametrize(("before", "after"), [("a/x", "z/x"), ("z/x", "a/x"), ("z/x", "a/deep/y")])
async def test_a_folder_that_moves_into_another_takes_its_videos_along(
    shelf: Shelf, before: str, after: str
) -> None:
    """Whichever of the two places is looked at first."""
    for number in range(5):
        shelf.put(f"{before}/season {number % 2}/{number}.mp4", str(number).encode())
    (shelf.root / after).parent.mkdir(parents=True, exist_ok=True)
    await shelf.look()
    ids = await shelf.ids()
    (shelf.root / before).rename(shelf.root / after)
    here, there = (name.rpartition("/")[0] for name in (before, after))
    look = await shelf.look(here, there)  # in the order of their names; a full look has that of the disk
    assert (look.added, look.moved) == (0, 5)
    assert await shelf.ids() == {name.replace(f"{before}/", f"{after}/"): id_ for name, id_ in ids.items()}
    assert await shelf.missing() == []


async def test_what_is_said_of_a_video_that_turns_out_to_have_moved_is_kept(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at its new place and the look at its old one people see it under another id."""
    path = shelf.put("z/a.mp4", b"film")
    shelf.put("a/other.mp4", b"other")
    await shelf.look()
    first = (await shelf.ids())["z/a.mp4"]
    path.rename(shelf.root / "a/b.mp4")
    remove_videos = removing.remove_videos

    def write(id_: str, position: float, now: int) -> Callable[[Connection], object]:
        return lambda c: watch_state.put(c, user="local", id_=id_, playhead=Playhead(position), now=now)

    def late(connection: Connection, **more: Any) -> int:
        second = connection.scalar(select(videos.c.id).where(videos.c.path == b"a/b.mp4"))
        assert second not in (None, first)
        write(second, 2, 2000)(connection)
        editing.edit(connection, second, editing.VideoEdit(title="Mine", tags=("new",)))
        return remove_videos(connection, **more)

    await shelf.writer.write(write(first, 1, 1000))
    monkeypatch.setattr(removing, "remove_videos", late)
    await shelf.look("a", "z")
    row = (await shelf.rows())["a/b.mp4"]
    assert (row.id, row.title, row.tags) == (first, "Mine", '["new"]')
    (seen,) = await shelf.database.read(lambda c: c.execute(select(playheads)).all())
    assert (seen.video, seen.position, seen.updated_at) == (row.number, 2, 2000)
    history = await shelf.database.read(lambda c: c.execute(select(viewings.c.video)).all())
    assert {each.video for each in history} == {row.number}


async def test_copies_and_links_are_videos_of_their_own(shelf: Shelf) -> None:
    path = shelf.put("a.mp4", os.urandom(BIG))
    await shelf.look()
    (first,) = (await shelf.ids()).values()
    shutil.copy(path, shelf.root / "copy.mp4")
    os.link(path, shelf.root / "hard.mp4")
    (shelf.root / "soft.mp4").symlink_to("a.mp4")
    look = await shelf.look()
    rows = await shelf.rows()
    assert look.added == 3
    assert rows["a.mp4"].id == first
    assert len({row.id for row in rows.values()}) == 4
    assert rows["hard.mp4"].revision == rows["a.mp4"].revision == rows["soft.mp4"].revision
    assert rows["copy.mp4"].revision != rows["a.mp4"].revision
    path.unlink()
    await shelf.look()
    assert await shelf.missing() == ["a.mp4", "soft.mp4"], "no copy becomes what it was copied from"
    assert (await shelf.ids())["hard.mp4"] == rows["hard.mp4"].id


async def test_a_video_that_comes_back_is_the_one_it_was(shelf: Shelf) -> None:
    path = shelf.put("a.mp4", b"film")
    await shelf.look()
    before = await shelf.ids()
    path.rename(shelf.root / "aside")
    assert (await shelf.look()).missing == 1
    assert await shelf.ids() == {}
    (shelf.root / "aside").rename(path)
    look = await shelf.look()
    assert (look.returned, look.added) == (1, 0)
    assert await shelf.ids() == before


async def test_a_folder_that_came_back_can_go_again(shelf: Shelf) -> None:
    aside = shelf.root.parent / "aside"
    shelf.put("a/b/film.mp4")
    shelf.put("a/b/c/other.mp4")
    await shelf.look()
    for _ in range(2):
        (shelf.root / "a").rename(aside)
        await shelf.look()
        assert await shelf.missing() == ["a/b/c/other.mp4", "a/b/film.mp4"]
        assert await shelf.folders() == [""]
        aside.rename(shelf.root / "a")
        await shelf.look()
        assert (await shelf.missing(), await shelf.folders()) == ([], ["", "a", "a/b", "a/b/c"])


async def test_edited_and_replaced_in_place_it_keeps_its_id(shelf: Shelf) -> None:
    path = shelf.put("a.mp4", b"film")
    await shelf.look()
    first = (await shelf.rows())["a.mp4"]
    with path.open("r+b") as file:
        file.write(b"F")
    assert (await shelf.look()).changed == 1
    second = (await shelf.rows())["a.mp4"]
    shelf.put("new", b"another film").rename(path)
    assert (await shelf.look()).changed == 1
    third = (await shelf.rows())["a.mp4"]
    assert first.id == second.id == third.id
    assert len({first.revision, second.revision, third.revision}) == 3
    assert third.size == len(b"another film")


async def test_renamed_over_another_the_name_decides(shelf: Shelf) -> None:
    one, other = shelf.put("a.mp4", b"one"), shelf.put("b.mp4", b"other")
    await shelf.look()
    before = await shelf.rows()
    one.rename(other)
    await shelf.look()
    after = await shelf.rows()
    assert list(after) == ["b.mp4"]
    assert after["b.mp4"].id == before["b.mp4"].id
    assert after["b.mp4"].revision == before["a.mp4"].revision
    assert await shelf.missing() == ["a.mp4"]


async def test_where_samples_agree_and_bytes_differ_every_byte_is_asked(shelf: Shelf) -> None:
    """Two films that only a digest tells apart, both gone; one of them comes back elsewhere with another time."""
    one = bytearray(BIG)
    other = bytearray(BIG)
    other[SAMPLE + 5] = 1
    shelf.put("a.mp4", bytes(one))
    shelf.put("b.mp4", bytes(other))
    os.utime(shelf.root / "b.mp4", ns=(0, 1))
    await shelf.look()
    rows = await shelf.rows()
    assert rows["a.mp4"].fingerprint == rows["b.mp4"].fingerprint
    assert rows["a.mp4"].digest != rows["b.mp4"].digest, "told apart while both were there"
    (shelf.root / "a.mp4").unlink()
    (shelf.root / "b.mp4").rename(shelf.root / "c.mp4")
    os.utime(shelf.root / "c.mp4", ns=(0, 2))
    await shelf.look()
    assert (await shelf.ids())["c.mp4"] == rows["b.mp4"].id


async def test_downloads_that_have_just_begun_hold_up_no_look(shelf: Shelf) -> None:
    """Terabytes of holes, alike but for their times, one of which moves while another one goes."""
    for number, name in enumerate(("a.mp4", "b.mp4", "c.mp4")):
        os.truncate(shelf.put(name), 1 << 40)
        os.utime(shelf.root / name, ns=(0, number))
    with trio.fail_after(60):
        await shelf.look()
        ids = await shelf.ids()
        (shelf.root / "a.mp4").unlink()
        (shelf.root / "b.mp4").rename(shelf.root / "d.mp4")
        (shelf.root / "c.mp4").rename(shelf.root / "e.mp4")
        os.utime(shelf.root / "e.mp4", ns=(0, 5))  # nobody can tell which of them it was
        shelf.put("film.mp4")
        await shelf.look()
    now = await shelf.ids()
    assert sorted(now) == ["d.mp4", "e.mp4", "film.mp4"]
    assert now["d.mp4"] == ids["b.mp4"]
    assert now["e.mp4"] not in ids.values()


async def test_a_name_that_is_no_text_is_kept(shelf: Shelf) -> None:
    name = os.fsdecode(b"caf\xe9/\xff\xfe.mp4")
    shelf.put(name)
    await shelf.look()
    assert list(await shelf.ids()) == [name]


async def test_a_folder_that_cannot_be_read_loses_nothing(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("a.mp4")
    shelf.put("sub/b.mp4", b"b")
    await shelf.look()
    before = await shelf.ids()
    real = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("/sub"):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(os, "scandir", failing)
    look = await shelf.look()
    assert look.unread == ["sub"]
    assert await shelf.ids() == before
    monkeypatch.undo()
    shelf.root.rename(shelf.root.with_name("away"))  # as if its disk was not mounted
    look = await shelf.look()
    assert look.unread == [""]
    assert await shelf.ids() == before
    shelf.root.with_name("away").rename(shelf.root)


async def test_links_that_make_a_circle_end(shelf: Shelf) -> None:
    shelf.put("a/film.mp4")
    (shelf.root / "a" / "up").symlink_to("..")
    with trio.fail_after(60):
        look = await shelf.look()
        again = await shelf.look()
    assert look.added == 1
    assert (again.added, again.missing) == (0, 0)


async def test_a_file_is_taken_up_once_it_rests(tmp_path: Path, database_url: URL) -> None:
    async with (
        open_shelf(tmp_path / "videos", database_url, rest=1.0) as shelf,
        trio.open_nursery() as nursery,
    ):
        await shelf.run(nursery)
        seen: list[int] = []
        with (shelf.root / "copied.mp4").open("wb") as file:
            for _ in range(20):
                file.write(b"x" * 1000)
                file.flush()
                await trio.sleep(0.05)  # as slowly as a copy over a network
                seen.append(len(await shelf.ids()))
        assert not any(seen), "while it is being written, it is no video"
        with trio.fail_after(60):
            while not (rows := await shelf.rows()):
                await trio.sleep(0.05)
        assert rows["copied.mp4"].size == 20_000
        nursery.cancel_scope.cancel()


async def test_two_looks_one_right_after_the_other_are_no_rest(tmp_path: Path, database_url: URL) -> None:
    async with open_shelf(tmp_path / "videos", database_url, rest=60) as shelf:
        shelf.put("a.mp4")
        for _ in range(3):
            assert (await shelf.look()).resting == 1
        assert await shelf.ids() == {}


async def test_a_move_that_is_seen_by_its_new_place_first_waits_for_the_old_one(
    tmp_path: Path, database_url: URL
) -> None:
    """As happens when other changes have the new place looked at, before it is heard that the old one is empty."""
    async with open_shelf(tmp_path / "videos", database_url) as shelf:
        path = shelf.put("old/a.mp4")
        (shelf.root / "new").mkdir()
        await shelf.look()
        before = await shelf.ids()
        shelf.scanner.looker.resting.seconds = 3600  # however slowly the looks follow each other
        path.rename(shelf.root / "new/a.mp4")
        await shelf.look("new")
        await shelf.look("new")
        assert (await shelf.look("old")).missing == 1
        assert (await shelf.look("new")).moved == 1
        assert await shelf.ids() == {"new/a.mp4": before["old/a.mp4"]}


async def test_a_file_whose_clock_is_ahead_rests_too(
    tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_shelf(tmp_path / "videos", database_url, rest=0.2) as shelf,
        trio.open_nursery() as nursery,
    ):
        monkeypatch.setattr("time.time", lambda: 0.0)  # so each file is from the future
        shelf.put("a.mp4")
        await shelf.run(nursery)
        with trio.fail_after(60):
            while not await shelf.ids():
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


def rename(shelf: Shelf) -> list[str]:
    (shelf.root / "a.mp4").rename(shelf.root / "b.mp4")
    return ["b.mp4", "deep/er/c.mp4"]


def remove(shelf: Shelf) -> list[str]:
    (shelf.root / "a.mp4").unlink()
    return ["deep/er/c.mp4"]


def remove_tree(shelf: Shelf) -> list[str]:
    shutil.rmtree(shelf.root / "deep")
    return ["a.mp4"]


def add_tree(shelf: Shelf) -> list[str]:
    outside = shelf.root.parent / "outside"
    (outside / "x" / "y").mkdir(parents=True)
    (outside / "x" / "y" / "d.mp4").write_bytes(b"d")
    (outside / "x").rename(shelf.root / "x")
    return ["a.mp4", "deep/er/c.mp4", "x/y/d.mp4"]


def move_tree(shelf: Shelf) -> list[str]:
    (shelf.root / "deep").rename(shelf.root / "Deeper")
    return ["Deeper/er/c.mp4", "a.mp4"]


def add_in_new_folder(shelf: Shelf) -> list[str]:
    shelf.put("new/e.mp4", b"e")
    return ["a.mp4", "deep/er/c.mp4", "new/e.mp4"]


@pytest.mark.parametrize("happen", [rename, remove, remove_tree, add_tree, move_tree, add_in_new_folder])
async def test_what_happens_is_heard_of(shelf: Shelf, happen: Callable[[Shelf], list[str]]) -> None:
    shelf.put("a.mp4", b"a")
    shelf.put("deep/er/c.mp4", b"c")
    async with trio.open_nursery() as nursery:
        await shelf.run(nursery)
        assert shelf.progress.watching.on
        before = await shelf.ids()
        expected = happen(shelf)
        with trio.fail_after(60):
            while sorted(after := await shelf.ids()) != expected:
                await trio.sleep(0.05)
        assert len(set(before.values()) & set(after.values())) == min(len(before), len(after))
        nursery.cancel_scope.cancel()


async def test_a_folder_that_is_replaced_is_watched_again(shelf: Shelf) -> None:
    """As when a disk is mounted over it."""
    shelf.put("a.mp4", b"a")
    async with trio.open_nursery() as nursery:
        await shelf.run(nursery)
        for name in ("b.mp4", "c.mp4"):
            other = shelf.root.with_name("other")
            other.mkdir()
            (other / name).write_bytes(name.encode())
            shelf.root.rename(shelf.root.with_name(f"before {name}"))
            other.rename(shelf.root)
            with trio.fail_after(60):
                while sorted(await shelf.ids()) != [name]:
                    await trio.sleep(0.05)
            shelf.put(f"sub/{name}", b"later")
            with trio.fail_after(60):
                while sorted(await shelf.ids()) != [name, f"sub/{name}"]:
                    await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


@pytest.fixture
def no_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be watched."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "OS file watch limit reached.")

    monkeypatch.setattr(changes, "RustNotify", refuse)


async def test_where_nothing_can_be_watched_it_is_said_and_looked_at_all_the_same(
    no_watches: None, shelf: Shelf
) -> None:
    async with trio.open_nursery() as nursery:
        await shelf.run(nursery)
        assert not shelf.progress.watching.on
        assert "watch limit" in str(shelf.progress.watching.reason)
        shelf.put("a.mp4")
        wanted = shelf.scanner.ask()
        await wait_until(
            lambda: shelf.progress.look.number >= wanted and not shelf.progress.look.running, 5, "the look"
        )
        assert list(await shelf.ids()) == ["a.mp4"]
        nursery.cancel_scope.cancel()


async def test_a_look_happens_again_after_the_interval(
    no_watches: None, tmp_path: Path, database_url: URL
) -> None:
    async with open_shelf(tmp_path / "videos", database_url) as shelf, trio.open_nursery() as nursery:
        shelf.scanner._interval = 0.2
        await shelf.run(nursery)
        shelf.put("a.mp4")
        with trio.fail_after(60):
            while not await shelf.ids():
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()


async def test_a_pipe_is_no_video_and_nobody_waits_for_it(shelf: Shelf) -> None:
    os.mkfifo(shelf.root / "a.mp4")
    with trio.fail_after(60):
        assert (await shelf.look()).videos == 0
    assert stat.S_ISFIFO((shelf.root / "a.mp4").stat().st_mode)


SRT = "1\n00:00:01,000 --> 00:00:02,000\nhello\n"


async def subtitles_of(shelf: Shelf) -> dict[str, list[tuple[str, str | None, bool]]]:
    """Name, language and whether it is forced, of each subtitle file of each video."""
    statement = (
        select(videos.c.path.label("video"), subtitles)
        .join(videos, videos.c.number == subtitles.c.video)
        .order_by(subtitles.c.path)
    )
    found: dict[str, list[tuple[str, str | None, bool]]] = {}
    for row in await shelf.database.read(lambda connection: connection.execute(statement).all()):
        entry = (os.fsdecode(row.path), row.language, row.forced)
        found.setdefault(os.fsdecode(row.video), []).append(entry)
    return found


async def test_subtitle_files_are_found_beside_their_videos(shelf: Shelf) -> None:
    for name in ("Films/a.mp4", "Films/a 2.mp4", "b.mkv"):
        shelf.put(name, name.encode())
    for name in ("Films/a.en.srt", "Films/a 2.pt-BR.forced.srt", "Films/Subs/a.de.vtt", "b.ass", "c.srt"):
        shelf.put(name, SRT.encode())
    await shelf.look()
    assert await subtitles_of(shelf) == {
        "Films/a.mp4": [("Films/Subs/a.de.vtt", "de", False), ("Films/a.en.srt", "en", False)],
        "Films/a 2.mp4": [("Films/a 2.pt-BR.forced.srt", "pt-BR", True)],
        "b.mkv": [("b.ass", None, False)],
    }
    written = shelf.writer.statistics().changes
    await shelf.look()
    assert shelf.writer.statistics().changes == written, "what stayed as it was is not written again"


async def test_subtitle_files_come_change_and_go(shelf: Shelf) -> None:
    shelf.put("a.mp4")
    await shelf.look()
    assert await subtitles_of(shelf) == {}
    shelf.put("a.en.srt", SRT.encode())
    await shelf.look()
    (first,) = await shelf.database.read(lambda connection: connection.execute(select(subtitles)).all())
    shelf.put("a.en.srt", SRT.replace("hello", "bye").encode())
    await shelf.look()
    (second,) = await shelf.database.read(lambda connection: connection.execute(select(subtitles)).all())
    assert (first.signature, first.number) != (second.signature, second.number), "it is to be converted again"
    (shelf.root / "a.en.srt").rename(shelf.root / "a.fr.srt")
    await shelf.look()
    assert await subtitles_of(shelf) == {"a.mp4": [("a.fr.srt", "fr", False)]}
    (shelf.root / "a.fr.srt").unlink()
    await shelf.look()
    assert await subtitles_of(shelf) == {}


async def test_subtitles_of_a_video_that_is_gone_are_nobodys_work(shelf: Shelf) -> None:
    """They were found, and before they were converted the folder went: nothing is left to be done until it is back."""
    shelf.put("Films/a.mp4")
    shelf.put("Films/a.en.srt", SRT.encode())
    await shelf.look()

    async def left() -> tuple[int, int]:
        keeping = await shelf.database.read(jobs.count)
        files = await shelf.database.read(partial(jobs.to_convert, after=0, most=9))
        return keeping.to_extract, len(files)

    assert await left() == (1, 1)
    (shelf.root / "Films").rename(shelf.root.parent / "away")
    await shelf.look()
    assert await left() == (0, 0)
    (shelf.root.parent / "away").rename(shelf.root / "Films")
    await shelf.look()
    assert await left() == (1, 1)


async def test_a_link_to_subtitles_elsewhere_is_none_of_the_library(shelf: Shelf) -> None:
    shelf.put("a.mp4")
    (shelf.root.parent / "secret").write_text(SRT)
    (shelf.root / "a.en.srt").symlink_to(shelf.root.parent / "secret")
    await shelf.look()
    assert await subtitles_of(shelf) == {}


@pytest.mark.parametrize("count", [100, large(1500)])
async def test_many_subtitle_files_in_a_folder(shelf: Shelf, count: int) -> None:
    for number in range(count):
        shelf.put(f"{number}.mp4", str(number).encode())
        shelf.put(f"{number}.en.srt", SRT.encode())
    await shelf.look()
    await shelf.look()
    assert len(await subtitles_of(shelf)) == count


# --- What one file or folder holds is its own trouble ------------------------------------------------------


@pytest.mark.parametrize("seconds", [15_024_009_600, 9_300_000_000, -1, -10_000_000_000])
async def test_a_file_of_any_time_is_taken_up(shelf: Shelf, seconds: int) -> None:
    """In nanoseconds, some of them have no place in 64 bits."""
    os.utime(shelf.put("odd.mp4"), (0, seconds))
    shelf.put("usual.mp4", b"usual")
    for _ in range(2):
        await shelf.look()
    assert set(await shelf.ids()) == {"odd.mp4", "usual.mp4"}


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
"""How a database is made to refuse one video, and to take it again."""


async def test_a_file_that_cannot_be_written_down_keeps_no_other_from_it(shelf: Shelf) -> None:
    def say(statement: str) -> Callable[[Connection], None]:
        return lambda connection: connection.exec_driver_sql(statement).close()

    refuse, take = REFUSE[shelf.database.dialect]
    await shelf.writer.write(say(refuse))
    for name in ("a.mp4", "b/1.mp4", "b/2.mp4", "b/3.mp4", "c.mp4"):
        shelf.put(name, name.encode())
    look = await shelf.look()
    assert set(await shelf.ids()) == {"a.mp4", "b/1.mp4", "b/3.mp4", "c.mp4"}
    assert look.unread == ["b/2.mp4"]
    await shelf.writer.write(say(take))
    await shelf.look()
    assert "b/2.mp4" in await shelf.ids()


class Refused:
    """An entry of a folder without the right to search it: its name is there, and no more."""

    def __init__(self, entry: "os.DirEntry[str]") -> None:
        self.name, self.path = entry.name, entry.path
        self.is_symlink, self.is_dir = entry.is_symlink, entry.is_dir

    def stat(self) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


async def test_files_that_cannot_be_looked_at_are_not_gone(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4"):
        shelf.put(f"films/{name}", name.encode())
    await shelf.look()
    before = await shelf.ids()
    scandir = os.scandir

    @contextmanager
    def refusing(path: str) -> Iterator[Any]:
        with scandir(path) as entries:
            yield map(Refused, entries) if str(path).endswith("/films") else entries

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refusing)
        look = await shelf.look()
    assert look.missing == 0
    assert sorted(look.unread) == ["films/a.mp4", "films/b.mp4"]
    await shelf.look()
    assert await shelf.ids() == before
