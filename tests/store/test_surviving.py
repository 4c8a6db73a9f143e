"""No acknowledged write is lost when the process is killed; a full disk affects only the writing caller."""

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, select, text
from sqlalchemy.engine import URL

from tests.databases import Databases
from tests.depth import large
from tests.store.conftest import writing
from tests.store.rows import add_videos, entries, put, video
from tests.store.test_search import agrees, found
from tests.store.writing_child import TASKS
from trio_stream.errors import StoreFull
from trio_stream.store.database import migrate
from trio_stream.store.tables import videos

type Change = Callable[[Connection], object]


@contextmanager
def child(url: URL, first_turn: int = 0, max_file_size: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.store.writing_child"),
            *(url.render_as_string(hide_password=False), str(first_turn), str(max_file_size)),
        ],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def acknowledged(output: bytes) -> dict[str, int]:
    """The last turn of each task; an incomplete line is ignored."""
    return {task: int(turn) for task, turn in re.findall(r"^(\d) (\d+)\n", output.decode(), re.MULTILINE)}


async def healthy(url: URL) -> tuple[dict[str, str], set[str]]:
    """Check that it opens, is intact, and can be written; returns its entries and the ids of its videos."""

    def query(connection: Connection) -> tuple[dict[str, str], set[str], list[str]]:
        ids = set(connection.execute(select(videos.c.id)).scalars())
        broken: list[str] = []
        if connection.dialect.name == "sqlite":
            broken += connection.execute(text("PRAGMA integrity_check")).scalars()
            broken += map(str, connection.execute(text("PRAGMA foreign_key_check")).all())
        return entries(connection), ids, [each for each in broken if each != "ok"]

    await migrate(url)
    async with writing(url) as (database, writer):
        if database.dialect == "sqlite":
            await writer.write(agrees)
        stored, ids, broken = await database.read(query)
        assert broken == []
        return stored, ids


@pytest.mark.parametrize("kills", [2, large(20)])
async def test_a_killed_process_loses_no_acknowledged_write(database_url: URL, kills: int) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    turns = 0
    for kill in range(kills):
        with child(database_url, first_turn=turns) as process:
            assert process.stdout is not None
            first = await trio.to_thread.run_sync(process.stdout.readline)
            time.sleep(chance.uniform(0, 0.15))  # killed at a random time
            process.kill()
            acknowledged_turns = acknowledged(first + await trio.to_thread.run_sync(process.stdout.read))
        stored, ids = await healthy(database_url)
        for task, turn in acknowledged_turns.items():
            assert int(stored[f"task {task}"]) >= turn, (seed, kill)
            assert {f"{task}-{each}" for each in range(turns + 1, turn + 1)} <= ids, (seed, kill)
        assert acknowledged_turns, "it wrote something"
        turns = max(int(value) for key, value in stored.items() if key.startswith("task "))


async def test_a_full_disk_is_an_error_and_damages_nothing(databases: Databases, database_url: URL) -> None:
    if databases.dialect != "sqlite":
        pytest.skip("PostgreSQL manages its own disk")
    async with writing(database_url) as (database, writer):

        def limit(pages: int) -> Change:
            return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close()

        def fifty(number: int) -> Change:
            rows = [video(f"{number}-{each}", description="x" * 4000) for each in range(50)]
            return lambda connection: add_videos(connection, rows)

        await writer.write(limit(150))
        written = 0
        with pytest.raises(StoreFull, match="no space left") as caught:  # noqa: PT012 - which write fails depends on the database
            while True:
                await writer.write(fifty(written))
                written += 1
        assert caught.value.status == 507
        assert written > 0
        assert len(await database.read(found)) == written * 50
        await writer.write(limit(1 << 30))
        await writer.write(put("after"))
    stored, ids = await healthy(database_url)
    assert (stored, len(ids)) == ({"after": ""}, written * 50)


async def test_a_file_size_limit_is_an_error_and_the_process_continues(
    databases: Databases, database_url: URL
) -> None:
    """The system refuses in the middle of a write, as with a full disk; here because of RLIMIT_FSIZE."""
    if databases.dialect != "sqlite":
        pytest.skip("PostgreSQL manages its own disk")
    size = Path(str(database_url.database)).stat().st_size
    with child(database_url, max_file_size=size + 100_000) as process:
        assert process.stdout is not None
        with trio.fail_after(60):
            output = await trio.to_thread.run_sync(process.stdout.read)
        assert process.wait() == 0
    lines = output.decode().splitlines()
    assert len([line for line in lines if line.startswith("Store")]) == TASKS, lines[-10:]
    assert lines[-1] == "after 0"
    acknowledged_turns = acknowledged(output)
    stored, ids = await healthy(database_url)
    assert "after" in stored
    for task, turn in acknowledged_turns.items():
        assert int(stored[f"task {task}"]) == turn, "refused writes did not happen"
        assert {f"{task}-{each}" for each in range(1, turn + 1)} <= ids
    assert len(ids) == sum(acknowledged_turns.values())
