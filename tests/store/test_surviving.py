"""No acknowledged write is lost, whenever the process is killed; a full disk harms nobody but who writes."""

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
from tests.store.rows import add_videos, facts, put, video
from tests.store.test_search import agrees, found
from tests.store.writing_child import TASKS
from trio_stream.errors import StoreFull
from trio_stream.store.database import migrate
from trio_stream.store.tables import videos

type Change = Callable[[Connection], object]


@contextmanager
def child(url: URL, begin: int = 0, room: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.store.writing_child"),
            *(url.render_as_string(hide_password=False), str(begin), str(room)),
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
    """The last turn of each task; a line that was cut off says nothing."""
    return {task: int(turn) for task, turn in re.findall(r"^(\d) (\d+)\n", output.decode(), re.MULTILINE)}


async def healthy(url: URL) -> tuple[dict[str, str], set[str]]:
    """That it opens, is whole, and can be written; its facts, and the ids of its videos."""

    def look(connection: Connection) -> tuple[dict[str, str], set[str], list[str]]:
        ids = set(connection.execute(select(videos.c.id)).scalars())
        broken: list[str] = []
        if connection.dialect.name == "sqlite":
            broken += connection.execute(text("PRAGMA integrity_check")).scalars()
            broken += map(str, connection.execute(text("PRAGMA foreign_key_check")).all())
        return facts(connection), ids, [each for each in broken if each != "ok"]

    await migrate(url)
    async with writing(url) as (database, writer):
        if database.dialect == "sqlite":
            await writer.write(agrees)
        noted, ids, broken = await database.read(look)
        assert broken == []
        return noted, ids


@pytest.mark.parametrize("kills", [2, large(20)])
async def test_no_acknowledged_write_is_lost_when_the_process_is_killed(
    database_url: URL, kills: int
) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    turns = 0
    for kill in range(kills):
        with child(database_url, begin=turns) as process:
            assert process.stdout is not None
            first = await trio.to_thread.run_sync(process.stdout.readline)
            time.sleep(chance.uniform(0, 0.15))  # when it dies is what this is about
            process.kill()
            said = acknowledged(first + await trio.to_thread.run_sync(process.stdout.read))
        noted, ids = await healthy(database_url)
        for task, turn in said.items():
            assert int(noted[f"task {task}"]) >= turn, (seed, kill)
            assert {f"{task}-{each}" for each in range(turns + 1, turn + 1)} <= ids, (seed, kill)
        assert said, "it wrote something"
        turns = max(int(value) for key, value in noted.items() if key.startswith("task "))


async def test_a_disk_that_is_full_is_an_error_for_who_writes_and_harms_nothing(
    databases: Databases, database_url: URL
) -> None:
    if databases.dialect != "sqlite":
        pytest.skip("PostgreSQL sees to its own disk")
    async with writing(database_url) as (database, writer):

        def limit(pages: int) -> Change:
            return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close()

        def fifty(number: int) -> Change:
            rows = [video(f"{number}-{each}", description="x" * 4000) for each in range(50)]
            return lambda connection: add_videos(connection, rows)

        await writer.write(limit(150))
        written = 0
        with pytest.raises(StoreFull, match="no room left") as caught:  # noqa: PT012 - which write fails depends on the database
            while True:
                await writer.write(fifty(written))
                written += 1
        assert caught.value.status == 507
        assert written > 0
        assert len(await database.read(found)) == written * 50
        await writer.write(limit(1 << 30))
        await writer.write(put("after"))
    noted, ids = await healthy(database_url)
    assert (noted, len(ids)) == ({"after": ""}, written * 50)


async def test_a_file_that_may_not_grow_is_an_error_and_the_process_goes_on(
    databases: Databases, database_url: URL
) -> None:
    """What the system refuses in the midst of a write, as a full disk does: here by RLIMIT_FSIZE."""
    if databases.dialect != "sqlite":
        pytest.skip("PostgreSQL sees to its own disk")
    size = Path(str(database_url.database)).stat().st_size
    with child(database_url, room=size + 100_000) as process:
        assert process.stdout is not None
        with trio.fail_after(60):
            output = await trio.to_thread.run_sync(process.stdout.read)
        assert process.wait() == 0
    lines = output.decode().splitlines()
    assert len([line for line in lines if line.startswith("Store")]) == TASKS, lines[-10:]
    assert lines[-1] == "after 0"
    said = acknowledged(output)
    noted, ids = await healthy(database_url)
    assert "after" in noted
    for task, turn in said.items():
        assert int(noted[f"task {task}"]) == turn, "what was refused did not happen"
        assert {f"{task}-{each}" for each in range(1, turn + 1)} <= ids
    assert len(ids) == sum(said.values())
