"""Files of equal content, however many: what is done for one of them does not grow with their number."""

from collections.abc import Callable, Sequence
from itertools import batched
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, Engine, select

from tests.library.rows import found, opened
from trio_stream.library.records.adding import Found, add_files
from trio_stream.library.records.removing import remove_videos
from trio_stream.store.database import migrate
from trio_stream.store.engines import sqlite_address
from trio_stream.store.tables import videos

FEW, MANY = 64, 320
BATCH = 64

GROWTH = 1.5
"""Times what is done for a batch with so many more there: trees are deeper, and no more."""


def _files(folder: str, count: int, apart: int) -> list[Found]:
    """Files with the same bytes, whose times lie so many nanoseconds apart."""
    return [found(f"{folder}/{number}.mp4", bytes_="", mtime_ns=number * apart) for number in range(count)]


def _steps_in(engine: Engine, work: Callable[[Connection], object]) -> int:
    """What SQLite does for `work`, in hundreds of steps of its virtual machine."""
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


def _come(engine: Engine, folder: str, count: int, apart: int, now: int) -> int:
    """Take up files; what the last batch took."""
    steps = 0
    for batch in batched(_files(folder, count, apart), BATCH):
        steps = _steps_in(engine, lambda connection, batch=batch: add_files(connection, batch, now))  # type: ignore[misc] # mypy: a default in a lambda has no type
    return steps


def _go(engine: Engine, folder: str, now: int, since: int) -> int:
    """Lose them; what the last batch took."""
    steps = 0
    for batch in batched(_numbers(engine, folder), BATCH):
        steps = _steps_in(
            engine,
            lambda connection, batch=batch: remove_videos(connection, batch, now, since),  # type: ignore[misc] # mypy: a default in a lambda has no type
        )
    return steps


def _all_of_it(path: Path, count: int, apart: int) -> dict[str, int]:
    """What a batch takes where so many files come, go, are found elsewhere, and are elsewhere before they are missed."""
    url = sqlite_address(path)
    trio.run(migrate, url)
    with opened(url) as engine:
        took = {"come": _come(engine, "one", count, apart, now=1000)}
        took["go"] = _go(engine, "one", now=2000, since=2000)
        took["are found elsewhere"] = _come(engine, "two", count, apart, now=3000)
        took["are elsewhere before"] = _come(engine, "three", count, apart, now=4000)
        took["are missed after"] = _go(engine, "two", now=4000, since=4000)
        assert len(_numbers(engine, "three")) == count, "each of them is the video it was"
        with engine.begin() as connection:
            assert len(connection.execute(select(videos.c.number)).all()) == count
    return took


@pytest.mark.parametrize("apart", [0, 1], ids=["one content", "contents that differ in their times"])
def test_what_is_done_for_one_does_not_grow_with_their_number(tmp_path: Path, apart: int) -> None:
    few, many = (_all_of_it(tmp_path / f"{count}.db", count, apart) for count in (FEW, MANY))
    assert {name: many[name] <= GROWTH * steps for name, steps in few.items()} == dict.fromkeys(few, True), (
        few,
        many,
    )
