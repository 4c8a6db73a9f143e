"""One maker for all who want the same: who may leave, what they get, and what is raised."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio.testing

from trio_stream.errors import MediaWorkerFailed, TrioStreamError, Unpackageable
from trio_stream.single_flight import Flight, SingleFlight


@asynccontextmanager
async def serving(flights: SingleFlight[str, int]) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        await nursery.start(flights.serve)
        yield nursery
        nursery.cancel_scope.cancel()


class Maker:
    """Takes a second for a number, and counts how often it was asked."""

    def __init__(self, *, error: Exception | None = None, is_detached: bool = False) -> None:
        self.error = error
        self.is_detached = is_detached
        self.begun = self.ended = self.cancelled = 0

    def __call__(self, flight: Flight) -> Awaitable[int]:
        return self._make(flight)

    async def _make(self, flight: Flight) -> int:
        self.begun += 1
        flight.is_detached = self.is_detached
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            self.cancelled += 1
            raise
        self.ended += 1
        if self.error is not None:
            raise self.error
        return self.ended


def new(**how: Callable[[int], None] | Callable[[int], int]) -> SingleFlight[str, int]:
    return SingleFlight("closed", **how)  # type: ignore[arg-type]


async def test_many_share_one(autojump_clock: trio.testing.MockClock) -> None:
    flights, make, found = new(), Maker(), list[int]()

    async def ask(key: str) -> None:
        found.append(await flights.get(key, make))

    async with serving(flights), trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask, "a")
        await trio.testing.wait_all_tasks_blocked()
        now = flights.statistics()
        assert (now.running, now.shared, now.abandoned) == (1, 49, 0)
    assert found == [1] * 50
    assert trio.current_time() == 1
    assert make.begun == 1
    assert flights.statistics().running == 0


async def test_keys_do_not_wait_for_each_other(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Maker()
    async with serving(flights), trio.open_nursery() as nursery:
        for key in "abc":
            nursery.start_soon(flights.get, key, make)
    assert (make.ended, trio.current_time()) == (3, 1)


async def test_nothing_is_kept(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Maker()
    async with serving(flights):
        assert [await flights.get("a", make) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("leaving", [0, 1])
async def test_who_leaves_takes_it_from_nobody(autojump_clock: trio.testing.MockClock, leaving: int) -> None:
    """Be it the one who came first or another."""
    flights, make, found = new(), Maker(), list[int]()
    scopes = [trio.CancelScope() for _ in range(3)]

    async def ask(scope: trio.CancelScope) -> None:
        with scope:
            found.append(await flights.get("a", make))

    async with serving(flights), trio.open_nursery() as nursery:
        for scope in scopes:
            nursery.start_soon(ask, scope)
            await trio.testing.wait_all_tasks_blocked()
        scopes[leaving].cancel()
    assert found == [1, 1]
    assert (make.begun, make.cancelled) == (1, 0)


async def test_the_last_who_leaves_ends_it(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Maker()
    async with serving(flights):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(flights.get, "a", make)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        # Who comes before it has ended does not join what is being cancelled.
        assert await flights.get("a", make) == 1
        assert (make.begun, make.cancelled) == (2, 1)
        now = flights.statistics()
        assert (now.running, now.abandoned) == (0, 1)


async def test_what_goes_on_goes_on_without_them(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Maker(is_detached=True)
    async with serving(flights):
        with trio.move_on_after(0.5):
            await flights.get("a", make)
        assert flights.statistics().running == 1
        assert await flights.get("a", Maker(error=AssertionError())) == 1
    assert (make.begun, make.cancelled) == (1, 0)


async def test_what_fails_fails_for_all(autojump_clock: trio.testing.MockClock) -> None:
    """For each as an error of its own, which keeps nothing of the tasks of the others."""
    flights, raised = new(), list[TrioStreamError]()
    fault = Unpackageable("damaged")

    async def ask() -> None:
        with pytest.raises(Unpackageable, match="damaged") as error:
            await flights.get("a", Maker(error=fault))
        raised.append(error.value)

    async with serving(flights):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask)
        assert len({id(each) for each in [*raised, fault]}) == 4
        frames = [set(_frames(each)) for each in raised]
        assert not frames[0] & frames[1] | frames[1] & frames[2] | frames[0] & frames[2]
        assert await flights.get("a", Maker()) == 1


def _frames(error: BaseException) -> list[int]:
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(id(trace.tb_frame))
        trace = trace.tb_next
    return found


async def test_what_cannot_begin_is_raised_for_who_began_it() -> None:
    flights = new()

    def refuse(_: Flight) -> Awaitable[int]:
        raise Unpackageable("not now")

    async with serving(flights):
        with pytest.raises(Unpackageable, match="not now"):
            await flights.get("a", refuse)
        assert flights.statistics().running == 0


async def test_a_maker_that_is_cancelled_with_its_server(autojump_clock: trio.testing.MockClock) -> None:
    """Nobody waits for ever, and the cancellation goes on to where it came from."""
    flights, make = new(), Maker()

    async def ask() -> None:
        with pytest.raises(MediaWorkerFailed, match="stopping"):
            await flights.get("a", make)

    async with trio.open_nursery() as asking:
        async with trio.open_nursery() as nursery:
            await nursery.start(flights.serve)
            asking.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert nursery.cancel_scope.cancelled_caught
    assert make.cancelled == 1
    with pytest.raises(MediaWorkerFailed, match="closed"):
        await flights.get("a", make)
    async with serving(flights):
        assert await flights.get("a", make) == 1


async def test_each_gets_its_share_and_the_rest_is_discarded(
    autojump_clock: trio.testing.MockClock,
) -> None:
    discarded, found = list[int](), list[int]()
    flights = new(share=lambda made: made * 10, discard=discarded.append)

    async def ask() -> None:
        found.append(await flights.get("a", Maker()))
        assert discarded == ([] if len(found) < 3 else [1])

    async with serving(flights):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask)
        assert (found, discarded) == ([10] * 3, [1])


async def test_what_nobody_waits_for_any_more_is_discarded(autojump_clock: trio.testing.MockClock) -> None:
    discarded = list[int]()
    flights = new(discard=discarded.append)

    async def stubborn() -> int:
        with trio.CancelScope(shield=True):  # as a thread that cannot be stopped
            await trio.sleep(1)
        return 7

    async with serving(flights):
        with trio.move_on_after(0.5):
            await flights.get("a", lambda _: stubborn())
        await trio.sleep(1)
        assert discarded == [7]
        with trio.move_on_after(0.5):
            await flights.get("a", partial(Maker(is_detached=True)))
        await trio.sleep(1)
        assert discarded == [7, 1]


async def test_a_share_that_cannot_be_had_keeps_nothing(autojump_clock: trio.testing.MockClock) -> None:
    discarded = list[int]()

    def refuse(_: int) -> int:
        raise Unpackageable("no share")

    flights = new(share=refuse, discard=discarded.append)
    async with serving(flights):
        with pytest.raises(Unpackageable, match="no share"):
            await flights.get("a", Maker())
    assert discarded == [1]
