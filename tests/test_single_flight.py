"""One task for all callers of a key: when it ends, what they get, and what is raised."""

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


class Work:
    """Takes a second to return a number, and counts its calls."""

    def __init__(self, *, error: Exception | None = None, is_detached: bool = False) -> None:
        self.error = error
        self.is_detached = is_detached
        self.started = self.ended = self.cancelled = 0

    def __call__(self, flight: Flight) -> Awaitable[int]:
        return self._make(flight)

    async def _make(self, flight: Flight) -> int:
        self.started += 1
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


def new(**options: Callable[[int], None] | Callable[[int], int]) -> SingleFlight[str, int]:
    return SingleFlight("closed", **options)  # type: ignore[arg-type]


async def test_concurrent_callers_share_one_task(autojump_clock: trio.testing.MockClock) -> None:
    flights, make, results = new(), Work(), list[int]()

    async def call(key: str) -> None:
        results.append(await flights.get(key, make))

    async with serving(flights), trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(call, "a")
        await trio.testing.wait_all_tasks_blocked()
        now = flights.statistics()
        assert (now.running, now.shared, now.abandoned) == (1, 49, 0)
    assert results == [1] * 50
    assert trio.current_time() == 1
    assert make.started == 1
    assert flights.statistics().running == 0


async def test_keys_do_not_wait_for_each_other(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Work()
    async with serving(flights), trio.open_nursery() as nursery:
        for key in "abc":
            nursery.start_soon(flights.get, key, make)
    assert (make.ended, trio.current_time()) == (3, 1)


async def test_results_are_not_cached(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Work()
    async with serving(flights):
        assert [await flights.get("a", make) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("leaving", [0, 1])
async def test_a_caller_that_leaves_does_not_end_the_task(
    autojump_clock: trio.testing.MockClock, leaving: int
) -> None:
    """Whether it was the first caller or another one."""
    flights, make, results = new(), Work(), list[int]()
    scopes = [trio.CancelScope() for _ in range(3)]

    async def call(scope: trio.CancelScope) -> None:
        with scope:
            results.append(await flights.get("a", make))

    async with serving(flights), trio.open_nursery() as nursery:
        for scope in scopes:
            nursery.start_soon(call, scope)
            await trio.testing.wait_all_tasks_blocked()
        scopes[leaving].cancel()
    assert results == [1, 1]
    assert (make.started, make.cancelled) == (1, 0)


async def test_the_last_caller_that_leaves_ends_the_task(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Work()
    async with serving(flights):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(flights.get, "a", make)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        # A caller that arrives before it has ended does not join the cancelled task.
        assert await flights.get("a", make) == 1
        assert (make.started, make.cancelled) == (2, 1)
        now = flights.statistics()
        assert (now.running, now.abandoned) == (0, 1)


async def test_a_detached_task_continues_without_callers(autojump_clock: trio.testing.MockClock) -> None:
    flights, make = new(), Work(is_detached=True)
    async with serving(flights):
        with trio.move_on_after(0.5):
            await flights.get("a", make)
        assert flights.statistics().running == 1
        assert await flights.get("a", Work(error=AssertionError())) == 1
    assert (make.started, make.cancelled) == (1, 0)


async def test_an_error_is_raised_for_all_callers(autojump_clock: trio.testing.MockClock) -> None:
    """As a separate error for each, without references to the other tasks."""
    flights, raised = new(), list[TrioStreamError]()
    fault = Unpackageable("damaged")

    async def call() -> None:
        with pytest.raises(Unpackageable, match="damaged") as error:
            await flights.get("a", Work(error=fault))
        raised.append(error.value)

    async with serving(flights):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(call)
        assert len({id(each) for each in [*raised, fault]}) == 4
        frames = [set(_frames(each)) for each in raised]
        assert not frames[0] & frames[1] | frames[1] & frames[2] | frames[0] & frames[2]
        assert await flights.get("a", Work()) == 1


def _frames(error: BaseException) -> list[int]:
    results, trace = [], error.__traceback__
    while trace is not None:
        results.append(id(trace.tb_frame))
        trace = trace.tb_next
    return results


async def test_an_error_at_the_start_is_raised_for_the_first_caller() -> None:
    flights = new()

    def refuse(_: Flight) -> Awaitable[int]:
        raise Unpackageable("not now")

    async with serving(flights):
        with pytest.raises(Unpackageable, match="not now"):
            await flights.get("a", refuse)
        assert flights.statistics().running == 0


async def test_tasks_are_cancelled_with_serve(autojump_clock: trio.testing.MockClock) -> None:
    """No caller waits forever, and the cancellation propagates."""
    flights, make = new(), Work()

    async def call() -> None:
        with pytest.raises(MediaWorkerFailed, match="stopping"):
            await flights.get("a", make)

    async with trio.open_nursery() as asking:
        async with trio.open_nursery() as nursery:
            await nursery.start(flights.serve)
            asking.start_soon(call)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert nursery.cancel_scope.cancelled_caught
    assert make.cancelled == 1
    with pytest.raises(MediaWorkerFailed, match="closed"):
        await flights.get("a", make)
    async with serving(flights):
        assert await flights.get("a", make) == 1


async def test_each_caller_gets_its_share_and_the_result_is_discarded(
    autojump_clock: trio.testing.MockClock,
) -> None:
    discarded, results = list[int](), list[int]()
    flights = new(share=lambda result: result * 10, discard=discarded.append)

    async def call() -> None:
        results.append(await flights.get("a", Work()))
        assert discarded == ([] if len(results) < 3 else [1])

    async with serving(flights):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(call)
        assert (results, discarded) == ([10] * 3, [1])


async def test_a_result_without_callers_is_discarded(autojump_clock: trio.testing.MockClock) -> None:
    discarded = list[int]()
    flights = new(discard=discarded.append)

    async def stubborn() -> int:
        with trio.CancelScope(shield=True):  # like a thread that cannot be stopped
            await trio.sleep(1)
        return 7

    async with serving(flights):
        with trio.move_on_after(0.5):
            await flights.get("a", lambda _: stubborn())
        await trio.sleep(1)
        assert discarded == [7]
        with trio.move_on_after(0.5):
            await flights.get("a", partial(Work(is_detached=True)))
        await trio.sleep(1)
        assert discarded == [7, 1]


async def test_a_failed_share_keeps_nothing(autojump_clock: trio.testing.MockClock) -> None:
    discarded = list[int]()

    def refuse(_: int) -> int:
        raise Unpackageable("no share")

    flights = new(share=refuse, discard=discarded.append)
    async with serving(flights):
        with pytest.raises(Unpackageable, match="no share"):
            await flights.get("a", Work())
    assert discarded == [1]
