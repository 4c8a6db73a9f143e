"""The writer groups, isolates and bounds changes, and commits accepted ones even if callers are cancelled."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
import trio
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from tests.store.conftest import writing
from tests.store.rows import REVISION, content, count, entries, put
from trio_stream.errors import StoreConflict, StoreError, StoreUnavailable
from trio_stream.store.database import open_database
from trio_stream.store.tables import contents, playheads, upsert
from trio_stream.store.writer import Writer


class BlockingChange:
    """A change that blocks the writer's thread until it is released, so other changes must wait."""

    def __init__(self) -> None:
        self.started = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        self._free = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self._token.run_sync_soon(self.started.set)
        assert self._free.wait(10)

    def release(self) -> None:
        self._free.set()


async def test_write_returns_the_result_once_others_see_it(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        assert await writer.write(put("greeting", "hello")) == "greeting"
        assert await database.read(entries) == {"greeting": "hello"}
        await writer.write(put("greeting", "goodbye"))
        assert await database.read(entries) == {"greeting": "goodbye"}


async def test_waiting_changes_share_one_transaction(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        blocking = BlockingChange()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, blocking)
            await blocking.started.wait()
            for number in range(200):
                nursery.start_soon(writer.write, put(f"{number}"))
            await trio.testing.wait_all_tasks_blocked()
            assert writer.statistics().waiting == 200
            blocking.release()
        statistics = writer.statistics()
        assert (statistics.groups, statistics.changes, statistics.failed, statistics.waiting) == (
            2,
            201,
            0,
            0,
        )
        assert await database.read(count) == 200


async def test_many_writers_need_fewer_transactions_than_changes(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):

        async def one(number: int) -> None:
            for turn in range(5):
                await writer.write(put(f"{number}-{turn}"))

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, number)
        statistics = writer.statistics()
        assert statistics.changes == 250
        assert statistics.groups < 50
        assert 0 < statistics.longest < 10
        assert await database.read(count) == 250


async def test_delayed_changes_share_a_transaction_until_an_urgent_one(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for number in range(20):
                    nursery.start_soon(partial(writer.write, put(f"{number}"), max_delay=3600.0))
                    await trio.testing.wait_all_tasks_blocked()
                assert writer.statistics().groups == 0
                await writer.write(put("urgent"))
        assert len(await database.read(entries)) == 21
        assert writer.statistics().groups == 1


async def test_a_delay_ends_with_its_time_and_with_the_writer(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        with trio.fail_after(60):
            await writer.write(put("soon"), max_delay=0.01)
        assert "soon" in await database.read(entries)
    async with open_database(database_url) as database:
        writer = Writer(database)
        with trio.fail_after(60):
            async with trio.open_nursery() as callers, trio.open_nursery() as nursery:
                await nursery.start(writer.run)
                callers.start_soon(partial(writer.write, put("patient"), max_delay=3600.0))
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        assert "patient" in await database.read(entries)


async def test_a_group_is_bounded(database_url: URL) -> None:
    async with writing(database_url, group=10) as (_, writer):
        blocking = BlockingChange()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, blocking)
            await blocking.started.wait()
            for number in range(95):
                nursery.start_soon(writer.write, put(f"{number}"))
            await trio.testing.wait_all_tasks_blocked()
            blocking.release()
        assert writer.statistics().groups == 1 + 10


def refused(connection: Connection) -> None:
    connection.execute(playheads.insert().values(user="", video=404, position=1.0, updated_at=0))


def raises(connection: Connection) -> None:
    put("half")(connection)
    raise KeyError("mine")


def nonsense(connection: Connection) -> None:
    put("half")(connection)
    connection.execute(text("SELECT no_such_column FROM library"))


@pytest.mark.parametrize(
    ("change", "error"), [(refused, StoreConflict), (raises, KeyError), (nonsense, StoreError)]
)
async def test_a_change_that_raises_does_not_affect_others(
    database_url: URL, change: Callable[[Connection], None], error: type[Exception]
) -> None:
    async with writing(database_url) as (database, writer):
        blocking = BlockingChange()
        raised: list[Exception] = []

        async def fails() -> None:
            try:
                await writer.write(change)
            except Exception as found:  # noqa: BLE001 - checked below
                raised.append(found)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, blocking)
            await blocking.started.wait()
            for number in range(10):
                nursery.start_soon(writer.write, put(f"before {number}"))
                nursery.start_soon(fails)
                nursery.start_soon(writer.write, put(f"after {number}"))
            await trio.testing.wait_all_tasks_blocked()
            blocking.release()
        assert len(raised) == 10
        assert {type(each) for each in raised} == {error}
        assert len(set(map(id, raised))) == 10, "each caller gets its own error"
        assert set(await database.read(entries)) == {
            f"{when} {number}" for number in range(10) for when in ("before", "after")
        }
        statistics = writer.statistics()
        assert (statistics.changes, statistics.failed) == (21, 10)
        assert await writer.write(put("next")) == "next"


async def test_changes_of_a_group_run_in_order(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        blocking = BlockingChange()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, blocking)
            await blocking.started.wait()
            for number in range(20):
                nursery.start_soon(writer.write, put("turn", f"{number}"))
                await trio.testing.wait_all_tasks_blocked()
            blocking.release()
        assert await database.read(entries) == {"turn": "19"}


async def test_a_cancelled_caller_stops_waiting_and_nothing_is_lost(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        blocking = BlockingChange()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, blocking)
            await blocking.started.wait()
            with trio.move_on_after(0.01) as scope:
                await writer.write(put("accepted"))
            assert scope.cancelled_caught
            blocking.release()
        await writer.write(put("next"))
        assert set(await database.read(entries)) == {"accepted", "next"}


async def test_a_change_beyond_the_capacity_waits(database_url: URL) -> None:
    async with writing(database_url, waiting=5) as (database, writer):
        blocking = BlockingChange()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, blocking)
            await blocking.started.wait()
            for number in range(5):
                nursery.start_soon(writer.write, put(f"{number}"))
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(0.01) as scope:
                await writer.write(put("too many"))
            assert scope.cancelled_caught
            blocking.release()
        await writer.write(put("next"))
        assert set(await database.read(entries)) == {"0", "1", "2", "3", "4", "next"}


async def test_accepted_changes_are_committed_at_shutdown(database_url: URL) -> None:
    async with open_database(database_url) as database:
        writer = Writer(database, waiting=50, group=20)
        results: list[str] = []

        async def write(key: str) -> None:
            results.append(await writer.write(put(key)))

        blocking = BlockingChange()
        async with trio.open_nursery() as callers, trio.open_nursery() as nursery:
            await nursery.start(writer.run)
            callers.start_soon(writer.write, blocking)
            await blocking.started.wait()
            for number in range(120):  # more than the capacity
                callers.start_soon(write, f"{number}")
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            await trio.lowlevel.cancel_shielded_checkpoint()
            blocking.release()
        assert sorted(results) == sorted(f"{number}" for number in range(120))
        assert await database.read(count) == 120
        with pytest.raises(StoreUnavailable):
            await writer.write(put("late"))


async def test_no_caller_waits_forever_when_the_writer_dies(database_url: URL) -> None:
    class Killed(BaseException):
        pass

    def deadly(_connection: Connection) -> None:
        raise Killed

    async with open_database(database_url) as database:
        writer = Writer(database)
        refusals: list[StoreUnavailable] = []

        async def write(change: Callable[[Connection], object]) -> None:
            try:
                await writer.write(change)
            except StoreUnavailable as error:
                refusals.append(error)

        with trio.fail_after(60), pytest.raises(BaseExceptionGroup) as caught:  # noqa: PT012 - it leaves the nursery
            async with trio.open_nursery() as callers, trio.open_nursery() as nursery:
                with trio.CancelScope(shield=True):
                    blocking = BlockingChange()
                    await nursery.start(writer.run)
                    callers.start_soon(writer.write, blocking)
                    await blocking.started.wait()
                    callers.start_soon(write, deadly)
                    callers.start_soon(write, put("beside it"))
                    await trio.testing.wait_all_tasks_blocked()
                    blocking.release()
                    await trio.testing.wait_all_tasks_blocked(0.2)
        assert caught.value.split(Killed)[1] is None
        assert len(refusals) == 2
        with pytest.raises(StoreUnavailable):
            await writer.write(put("late"))
        assert await database.read(count) == 0


async def test_upsert_sets_given_columns_and_leaves_the_rest(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        await writer.write(lambda found: upsert(found, contents, content(state="probed"), key=["revision"]))
        await writer.write(
            lambda found: upsert(found, contents, content(size=7), key=["revision"], update=["size"])
        )
        await writer.write(
            lambda found: upsert(found, contents, content(size=8), key=["revision"], update=[])
        )
        await writer.write(lambda found: upsert(found, contents, [], key=["revision"]))
        rows = await database.read(lambda found: found.execute(contents.select()).all())
        assert [(row.revision, row.size, row.state, row.artwork) for row in rows] == [
            (REVISION, 7, "probed", "waiting")
        ]
