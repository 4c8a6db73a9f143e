"""Reads see one state, cannot write, and end at once when cancelled; a database that cannot be opened says why."""

import importlib.util
import logging
import os
import sqlite3
import stat
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from tests.databases import Databases, Postgres
from tests.store.conftest import writing
from tests.store.rows import count, entries, put
from tests.support import wait_until
from trio_stream.errors import (
    SettingsError,
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreUnavailable,
    StoreUnusable,
)
from trio_stream.store import engines
from trio_stream.store.database import migrate, open_database
from trio_stream.store.engines import address, sqlite_address

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n",
    "postgresql": "SELECT pg_sleep(60)",  # until its timeout, which a test shortens
}


async def test_a_read_sees_one_state_from_its_first_statement_to_its_last(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        token = trio.lowlevel.current_trio_token()
        query_started, written = trio.Event(), threading.Event()

        def query(connection: Connection) -> tuple[int, int]:
            before = count(connection)
            token.run_sync_soon(query_started.set)
            assert written.wait(10)
            return before, count(connection)

        seen: list[tuple[int, int]] = []

        async def read() -> None:
            seen.append(await database.read(query))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await query_started.wait()
            await writer.write(put("meanwhile"))  # and a reader does not block the writer
            written.set()
        assert seen == [(0, 0)]
        assert await database.read(count) == 1


async def test_a_read_cannot_write(database_url: URL) -> None:
    async with open_database(database_url) as database:
        for _ in range(3):
            with pytest.raises(StoreError):
                await database.read(put("smuggled"))
        assert await database.read(count) == 0
        assert database.statistics().failed == 3


async def test_an_error_of_a_query_is_raised_unchanged(database_url: URL) -> None:
    def query(_connection: Connection) -> None:
        raise LookupError("mine")

    async with open_database(database_url, threads=1) as database:
        for _ in range(3):
            with pytest.raises(LookupError, match="mine"):
                await database.read(query)
        assert await database.read(count) == 0


async def test_the_number_of_reading_threads_is_bounded(database_url: URL) -> None:
    async with open_database(database_url, threads=2) as database:
        lock, now, most = threading.Lock(), 0, 0
        both = threading.Barrier(2, timeout=10)

        def query(connection: Connection) -> None:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            both.wait()
            count(connection)
            with lock:
                now -= 1

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(database.read, query)
            await trio.testing.wait_all_tasks_blocked()
            assert database.statistics().reading <= 2
        assert most == 2
        assert database.statistics().reads == 21  # and the check of the version


async def test_a_cancelled_read_ends_at_once_and_leaves_no_transaction(
    database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "STATEMENT_TIMEOUT", 3)
    async with writing(database_url) as (database, writer):
        endless = text(ENDLESS[database.dialect])
        for _ in range(database.statistics().threads):
            with trio.fail_after(2.5), trio.move_on_after(0.02) as scope:
                await database.read(lambda connection: connection.execute(endless).scalar())
            assert scope.cancelled_caught
        with trio.fail_after(60):
            await writer.write(put("next"))
            for _ in range(10):
                assert await database.read(count) == 1
        pool = database._reading.pool
        await wait_until(lambda: pool.checkedout() == 0, 5)  # type: ignore[attr-defined] # a QueuePool
        await wait_until(lambda: database.statistics().reading == 0, 5)
        assert database.statistics().cancelled == database.statistics().threads


async def test_a_read_cancelled_before_it_starts_takes_no_slot(database_url: URL) -> None:
    async with open_database(database_url, threads=1) as database:
        with trio.CancelScope() as scope:
            scope.cancel()
            await database.read(count)
        assert scope.cancelled_caught
        assert await database.read(count) == 0


async def test_closing_waits_for_a_cancelled_read(database_url: URL) -> None:
    free = threading.Event()
    ended = threading.Event()

    def query(connection: Connection) -> None:
        assert free.wait(10)
        count(connection)
        ended.set()

    async with open_database(database_url) as database:
        with trio.move_on_after(0.02):
            await database.read(query)
        trio.lowlevel.current_trio_token().run_sync_soon(free.set)
    assert ended.is_set()
    with pytest.raises(StoreUnavailable):
        await database.read(count)


async def test_foreign_keys_are_enforced(database_url: URL) -> None:
    def orphan(connection: Connection) -> None:
        connection.execute(
            text("INSERT INTO playheads (\"user\", video, position, updated_at) VALUES ('', 404, 0, 0)")
        )

    async with writing(database_url) as (_, writer):
        with pytest.raises(StoreConflict):
            await writer.write(orphan)


async def test_a_committed_write_is_on_the_disk(database_url: URL) -> None:
    """Checks the settings of SQLite and PostgreSQL: `test_surviving` kills processes, but cannot test a power cut."""
    async with writing(database_url) as (database, writer):
        if database.dialect == "sqlite":
            names = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "mmap_size": 0}
            found = await writer.write(
                lambda connection: {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names
                }
            )
            assert found == names
            assert await database.read(lambda found: found.exec_driver_sql("PRAGMA query_only").scalar()) == 1
        else:
            level = text("SHOW transaction_isolation")
            assert await database.read(lambda found: found.execute(level).scalar()) == "repeatable read"


# Databases that cannot be used, and the messages about them.


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "must be a URL"),
        ("nonsense", "must be a URL"),
        ("postgresql://user:geheim@[::1/x", "must be a URL"),
        ("postgresql://user:geheim@host:port/x", "must be a URL"),
        ("mysql://user:geheim@host/x", "not mysql://"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must be a file"),
    ],
)
def test_an_invalid_address_says_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises(StoreUnusable, match=message) as caught:
        address(url)
    assert isinstance(caught.value, SettingsError)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_scheme_of_postgresql_uses_psycopg_3(scheme: str) -> None:
    assert str(address(f"{scheme}://user@host:5433/name?sslmode=require")) == (
        "postgresql+psycopg://user@host:5433/name?sslmode=require"
    )


def test_without_its_driver_postgresql_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StoreUnusable, match=r"pip install 'trio-stream\[postgres\]'"):
        address("postgresql://host/name")


@pytest.mark.parametrize("name", ["a b", "?x=1", "#%41", "ü", os.fsdecode(b"\xff"), "file:x"])
async def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / f"{name}.sqlite"
    await migrate(sqlite_address(path))
    async with writing(sqlite_address(path)) as (database, writer):
        await writer.write(put("here"))
        assert await database.read(entries) == {"here": ""}
    assert os.listdir(path.parent) == [path.name]


async def test_a_new_file_is_private_to_its_user(tmp_path: Path) -> None:
    path = tmp_path / "data" / "library.sqlite"
    await migrate(sqlite_address(path))
    async with writing(sqlite_address(path)) as (_, writer):
        await writer.write(put("here"))
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(["library.sqlite", "library.sqlite-wal", "library.sqlite-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_opening_does_not_create_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="does not exist"):
        async with open_database(sqlite_address(tmp_path / "library.sqlite")):
            pass
    assert not list(tmp_path.iterdir())


async def test_an_error_names_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match=str(tmp_path / "file" / "library.sqlite")):
        await migrate(sqlite_address(tmp_path / "file" / "library.sqlite"))


async def test_a_locked_database_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "LOCK_TIMEOUT", 0.1)
    url = sqlite_address(tmp_path / "library.sqlite")
    await migrate(url)
    async with writing(url) as (database, writer):
        other = sqlite3.connect(str(url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked") as caught:
            await writer.write(put("one"))
        assert (caught.value.status, caught.value.retry_after > 0) == (503, True)
        assert await database.read(count) == 0  # readers are not blocked
        other.execute("ROLLBACK")
        other.close()
        assert await writer.write(put("two")) == "two"
        assert await database.read(entries) == {"two": ""}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"\x00\xff" * 5000, id="garbage"),
        pytest.param(lambda data: b"this is a text file\n" * 100, id="a text file"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data[:4096] + bytes(len(data) - 4096), id="wiped"),
        pytest.param(lambda data: data[:100] + b"\xff" * 400 + data[500:], id="schema"),
    ],
)
async def test_a_damaged_file_is_reported_and_not_overwritten(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "library.sqlite"
    await migrate(sqlite_address(path))
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(StoreDamaged, match=r"library\.sqlite is damaged .* restore a copy"):
        await _use(sqlite_address(path))
    assert path.read_bytes() == damaged


async def _use(url: URL) -> None:
    await migrate(url)
    async with writing(url) as (database, writer):
        await database.read(entries)
        await writer.write(put("more"))


async def test_no_message_contains_a_password(
    postgresql: Postgres, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    good = postgresql.url("postgres").set(password="sehr geheim")
    for url in (
        good.set(host="127.0.0.1", port=1, query={}),
        good.set(database="no_such_database"),
        good.set(username="nobody_of_that_name"),
        good.set(query={**good.query, "sslmode": "sehr geheim"}),
        good.set(query={**good.query, "sslpassword": "sehr geheim", "channel_binding": "sehr geheim"}),
    ):
        for act in (migrate, _use):
            with pytest.raises(StoreError) as caught:
                await act(url)
            whole = "".join(traceback.format_exception(caught.value))
            assert "geheim" not in whole
            assert caught.value.__suppress_context__
            assert "\n" not in str(caught.value)
    assert "geheim" not in caplog.text
    assert "geheim" not in "".join(capsys.readouterr())


async def test_an_unreachable_server_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match=r"name at 127\.0\.0\.1:1 cannot be used now: .*refused"):
        await migrate("postgresql://user:geheim@127.0.0.1:1/name")


async def test_connections_closed_by_the_server_are_replaced(databases: Databases, database_url: URL) -> None:
    if databases.server is None:
        pytest.skip("a file has no connections to close")
    async with writing(database_url) as (database, writer):
        await writer.write(put("before"))
        await database.read(count)
        databases.server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database_url.database}'"
        )
        assert await database.read(count) == 1
        await writer.write(put("after"))
        assert await database.read(count) == 2


async def test_a_write_interrupted_by_the_server_happens_once(
    databases: Databases, database_url: URL
) -> None:
    server = databases.server
    if server is None:
        pytest.skip("a file has no connections to close")
    turns = 0

    def change(connection: Connection) -> int:
        nonlocal turns
        turns += 1
        put(f"turn {turns}")(connection)
        if turns == 1:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            server.execute(f"SELECT pg_terminate_backend({pid})")
            count(connection)
        return turns

    async with writing(database_url) as (database, writer):
        assert await writer.write(change) == 2
        assert await database.read(entries) == {"turn 2": ""}


async def test_a_migration_keeps_the_locks_of_its_process(tmp_path: Path) -> None:
    """A worker that takes over has the database open. With POSIX, closing a file drops all locks of the process on it.

    Without these locks, another process that closes the database takes itself for the last user and removes the log:
    https://www.sqlite.org/howtocorrupt.html, section 2.2.
    """
    url = sqlite_address(tmp_path / "library.sqlite")
    await migrate(url)
    other = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM videos'); c.close()"
    )
    async with open_database(url) as database:
        await database.read(lambda connection: connection.execute(text("SELECT 1 FROM videos")).all())
        await migrate(url)
        await trio.run_process([sys.executable, "-c", other, str(url.database)])
        assert (tmp_path / "library.sqlite-wal").exists()
