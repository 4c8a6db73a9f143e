"""The writer: grouped, isolated, bounded, and what it accepted is committed whoever is cancelled."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
import trio
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from tests.store.conftest import writing
from tests.store.rows import REVISION, content, count, facts, put
from trio_stream.errors import StoreConflict, StoreError, StoreUnavailable
from trio_stream.store.database import open_database
from trio_stream.store.tables import contents, playheads, upsert
from trio_stream.store.writer import Writer


class Held:
    """A change that waits in the writer's thread until it is let go: what is written meanwhile has to wait."""

    def __init__(self) -> None:
        self.begun = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        self._free = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self._token.run_sync_soon(self.begun.set)
        assert self._free.wait(10)

    def let_go(self) -> None:
        self._free.set()


async def test_answers_what_the_change_answers_once_others_see_it(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        assert await writer.write(put("greeting", "hello")) == "greeting"
        assert await database.read(facts) == {"greeting": "hello"}
        await writer.write(put("greeting", "goodbye"))
        assert await database.read(facts) == {"greeting": "goodbye"}


async def test_whatever_waits_goes_into_one_transaction(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, held)
            await held.begun.wait()
            for number in range(200):
                nursery.start_soon(writer.write, put(f"{number}"))
            await trio.testing.wait_all_tasks_blocked()
            assert writer.statistics().waiting == 200
            held.let_go()
        statistics = writer.statistics()
        assert (statistics.groups, statistics.changes, statistics.failed, statistics.waiting) == (
            2,
            201,
            0,
            0,
        )
        assert await database.read(count) == 200


async def test_many_writers_cost_fewer_transactions_than_changes(database_url: URL) -> None:
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


async def test_who_has_patience_shares_a_transaction_until_somebody_has_none(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for number in range(20):
                    nursery.start_soon(partial(writer.write, put(f"{number}"), max_delay=3600.0))
                    await trio.testing.wait_all_tasks_blocked()
                assert writer.statistics().groups == 0
                await writer.write(put("urgent"))
        assert len(await database.read(facts)) == 21
        assert writer.statistics().groups == 1


async def test_patience_ends_and_the_end_comes_before_it(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        with trio.fail_after(60):
            await writer.write(put("soon"), max_delay=0.01)
        assert "soon" in await database.read(facts)
    async with open_database(database_url) as database:
        writer = Writer(database)
        with trio.fail_after(60):
            async with trio.open_nursery() as callers, trio.open_nursery() as nursery:
                await nursery.start(writer.run)
                callers.start_soon(partial(writer.write, put("patient"), max_delay=3600.0))
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        assert "patient" in await database.read(facts)


async def test_a_group_is_bounded(database_url: URL) -> None:
    async with writing(database_url, group=10) as (_, writer):
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, held)
            await held.begun.wait()
            for number in range(95):
                nursery.start_soon(writer.write, put(f"{number}"))
            await trio.testing.wait_all_tasks_blocked()
            held.let_go()
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
async def test_a_change_that_raises_harms_no_other(
    database_url: URL, change: Callable[[Connection], None], error: type[Exception]
) -> None:
    async with writing(database_url) as (database, writer):
        held = Held()
        raised: list[Exception] = []

        async def fails() -> None:
            try:
                await writer.write(change)
            except Exception as found:  # noqa: BLE001 - whatever it is, it is looked at
                raised.append(found)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, held)
            await held.begun.wait()
            for number in range(10):
                nursery.start_soon(writer.write, put(f"before {number}"))
                nursery.start_soon(fails)
                nursery.start_soon(writer.write, put(f"after {number}"))
            await trio.testing.wait_all_tasks_blocked()
            held.let_go()
        assert len(raised) == 10
        assert {type(each) for each in raised} == {error}
        assert len(set(map(id, raised))) == 10, "each caller has an error of its own"
        assert set(await database.read(facts)) == {
            f"{when} {number}" for number in range(10) for when in ("before", "after")
        }
        statistics = writer.statistics()
        assert (statistics.changes, statistics.failed) == (21, 10)
        assert await writer.write(put("next")) == "next"


async def test_changes_of_a_group_are_made_in_their_order(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, held)
            await held.begun.wait()
            for number in range(20):
                nursery.start_soon(writer.write, put("turn", f"{number}"))
                await trio.testing.wait_all_tasks_blocked()
            held.let_go()
        assert await database.read(facts) == {"turn": "19"}


async def test_a_cancelled_caller_stops_waiting_and_nothing_is_lost(database_url: URL) -> None:
    async with writing(database_url) as (database, writer):
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, held)
            await held.begun.wait()
            with trio.move_on_after(0.01) as scope:
                await writer.write(put("accepted"))
            assert scope.cancelled_caught
            held.let_go()
        await writer.write(put("next"))
        assert set(await database.read(facts)) == {"accepted", "next"}


async def test_there_is_room_for_so_many_and_the_next_one_waits_outside(database_url: URL) -> None:
    async with writing(database_url, waiting=5) as (database, writer):
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(writer.write, held)
            await held.begun.wait()
            for number in range(5):
                nursery.start_soon(writer.write, put(f"{number}"))
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(0.01) as scope:
                await writer.write(put("too many"))
            assert scope.cancelled_caught
            held.let_go()
        await writer.write(put("next"))
        assert set(await database.read(facts)) == {"0", "1", "2", "3", "4", "next"}


async def test_at_the_end_what_was_accepted_is_committed(database_url: URL) -> None:
    async with open_database(database_url) as database:
        writer = Writer(database, waiting=50, group=20)
        answered: list[str] = []

        async def write(key: str) -> None:
            answered.append(await writer.write(put(key)))

        held = Held()
        async with trio.open_nursery() as callers, trio.open_nursery() as nursery:
            await nursery.start(writer.run)
            callers.start_soon(writer.write, held)
            await held.begun.wait()
            for number in range(120):  # more than there is room for
                callers.start_soon(write, f"{number}")
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            await trio.lowlevel.cancel_shielded_checkpoint()
            held.let_go()
        assert sorted(answered) == sorted(f"{number}" for number in range(120))
        assert await database.read(count) == 120
        with pytest.raises(StoreUnavailable):
            await writer.write(put("late"))


async def test_when_the_writer_dies_nobody_waits_for_ever(database_url: URL) -> None:
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
                    held = Held()
                    await nursery.start(writer.run)
                    callers.start_soon(writer.write, held)
                    await held.begun.wait()
                    callers.start_soon(write, deadly)
                    callers.start_soon(write, put("beside it"))
                    await trio.testing.wait_all_tasks_blocked()
                    held.let_go()
                    await trio.testing.wait_all_tasks_blocked(0.2)
        assert caught.value.split(Killed)[1] is None
        assert len(refusals) == 2
        with pytest.raises(StoreUnavailable):
            await writer.write(put("late"))
        assert await database.read(count) == 0


async def test_upsert_sets_what_is_given_and_leaves_the_rest(database_url: URL) -> None:
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
