"""Files with equal content: the cost per file does not grow with their number."""

from collections.abc import Callable, Sequence
from itertools import batched
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, Engine, select

from tests.library.rows import found, opened
from trio_stream.library.records.adding import ExaminedFile, add_files
from trio_stream.library.records.removing import remove_videos
from trio_stream.store.database import migrate
from trio_stream.store.engines import sqlite_address
from trio_stream.store.tables import videos

FEW, MANY = 64, 320
BATCH = 64

GROWTH = 1.5
"""How much more a batch may cost with many more duplicates: the trees are only deeper."""


def _files(folder: str, count: int, time_step: int) -> list[ExaminedFile]:
    """Files with the same bytes, whose times are `time_step` nanoseconds apart."""
    return [
        found(f"{folder}/{number}.mp4", bytes_="", mtime_ns=number * time_step) for number in range(count)
    ]


def _steps_in(engine: Engine, work: Callable[[Connection], object]) -> int:
    """The work of SQLite for `work`, in hundreds of steps of its virtual machine."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with engine.begin() as connection:
        sqlite = connection.connection.dbapi_connection
        assert sqlite is not None
        sqlite.set_progress_handler(count, 100)
        try:
            work(connection)
        finally:
            sqlite.set_progress_handler(None, 0)
    return steps


def _numbers(engine: Engine, folder: str) -> Sequence[int]:
    with engine.begin() as connection:
        rows = connection.execute(select(videos.c.number, videos.c.path).order_by(videos.c.number)).all()
        return [row.number for row in rows if row.path.startswith(f"{folder}/".encode())]


def _add(engine: Engine, folder: str, count: int, time_step: int, now: int) -> int:
    """Add files; returns the cost of the last batch."""
    steps = 0
    for batch in batched(_files(folder, count, time_step), BATCH):
        steps = _steps_in(engine, lambda connection, batch=batch: add_files(connection, batch, now))  # type: ignore[misc] # mypy: a default in a lambda has no type
    return steps


def _remove(engine: Engine, folder: str, now: int, since: int) -> int:
    """Remove them; returns the cost of the last batch."""
    steps = 0
    for batch in batched(_numbers(engine, folder), BATCH):
        steps = _steps_in(
            engine,
            lambda connection, batch=batch: remove_videos(connection, batch, now, since),  # type: ignore[misc] # mypy: a default in a lambda has no type
        )
    return steps


def _costs_of_all_events(path: Path, count: int, time_step: int) -> dict[str, int]:
    """The cost of a batch if `count` files are added, removed, found elsewhere, or found before their loss is noticed."""
    url = sqlite_address(path)
    trio.run(migrate, url)
    with opened(url) as engine:
        took = {"come": _add(engine, "one", count, time_step, now=1000)}
        took["go"] = _remove(engine, "one", now=2000, since=2000)
        took["are found elsewhere"] = _add(engine, "two", count, time_step, now=3000)
        took["are elsewhere before"] = _add(engine, "three", count, time_step, now=4000)
        took["are missed after"] = _remove(engine, "two", now=4000, since=4000)
        assert len(_numbers(engine, "three")) == count, "each keeps its video"
        with engine.begin() as connection:
            assert len(connection.execute(select(videos.c.number)).all()) == count
    return took


@pytest.mark.parametrize("time_step", [0, 1], ids=["one content", "contents that differ in their times"])
def test_the_cost_of_a_batch_does_not_grow_with_the_number_of_duplicates(
    tmp_path: Path, time_step: int
) -> None:
    few, many = (_costs_of_all_events(tmp_path / f"{count}.db", count, time_step) for count in (FEW, MANY))
    assert {name: many[name] <= GROWTH * steps for name, steps in few.items()} == dict.fromkeys(few, True), (
        few,
        many,
    )
