"""One shared task for all concurrent callers that want the same result.

Invariant: for each key there is at most one running task that callers can join. It runs in the nursery of `serve`, not
in that of the first caller, so a caller that is cancelled does not end it for the others. When the last caller has
left, the task is cancelled, unless it is detached.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import cast

import trio

from trio_stream.errors import MediaWorkerFailed, copy_of


@dataclass(frozen=True, slots=True)
class FlightStatistics:
    """`running` tasks now. Totals: `shared` callers joined a running task; `abandoned` tasks were cancelled because all
    callers had left."""

    running: int
    shared: int
    abandoned: int


class Flight:
    """A running task. Its function receives this object."""

    __slots__ = ("done", "error", "is_detached", "result", "scope", "waiting")

    def __init__(self) -> None:
        self.done = trio.Event()
        self.scope = trio.CancelScope()
        self.waiting = 0
        self.is_detached = False
        """The task sets it once its work is worth finishing. Then it continues without callers."""
        self.result: object = None
        # The error for callers that still wait when the nursery of `serve` is cancelled.
        self.error: Exception | None = MediaWorkerFailed("the server is stopping")


class SingleFlight[K: Hashable, T]:
    """Runs one task per key for all concurrent callers. `serve` is its main task and must be running.

    `closed` is the error message while it is not running. Each caller gets `share(result)`; when the last one is gone,
    `discard(result)` is called. Without these functions, all callers get the result itself.
    """

    def __init__(
        self,
        closed: str,
        *,
        share: Callable[[T], T] | None = None,
        discard: Callable[[T], None] | None = None,
    ) -> None:
        self._closed = closed
        self._share = share
        self._discard = discard
        self._flights: dict[K, Flight] = {}
        self._nursery: trio.Nursery | None = None
        self._shared = self._abandoned = 0

    def statistics(self) -> FlightStatistics:
        """The running tasks, and totals since the start."""
        return FlightStatistics(len(self._flights), self._shared, self._abandoned)

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the tasks until cancelled. It may be run again."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                # Before the nursery waits for its tasks: one that started now would delay the end.
                self._nursery = None

    async def get(self, key: K, make: Callable[[Flight], Awaitable[T]]) -> T:
        """Return the result for `key`, from the running task or else from `make`, which is called at once.

        An error of `make` is raised here. An error of its awaitable is raised for every caller, as a separate
        exception. Raises `MediaWorkerFailed` while `serve` is not running.
        """
        flight = self._flights.get(key)
        if flight is not None:
            self._shared += 1
        elif self._nursery is None:
            raise MediaWorkerFailed(self._closed)
        else:
            flight = Flight()
            # Called before the flight is registered: it may fail, and it duplicates what it needs (such as a
            # descriptor) while the first caller still lends it.
            work = make(flight)
            self._flights[key] = flight
            self._nursery.start_soon(self._run, key, flight, work)
        flight.waiting += 1
        try:
            await flight.done.wait()
            if flight.error is not None:
                raise copy_of(flight.error)
            result = cast("T", flight.result)
            return result if self._share is None else self._share(result)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._leave(key, flight)

    async def _run(self, key: K, flight: Flight, work: Awaitable[T]) -> None:
        try:
            with flight.scope:
                flight.result = await work
                flight.error = None
        except Exception as error:  # noqa: BLE001 - raised for the callers
            flight.error = error
        finally:
            self._forget(key, flight)
            flight.done.set()
            if not flight.waiting:
                self._discard_result(flight)

    def _leave(self, key: K, flight: Flight) -> None:
        """The last caller has left."""
        if flight.done.is_set():
            self._discard_result(flight)
        elif not flight.is_detached:
            self._abandoned += 1
            flight.scope.cancel()
            self._forget(key, flight)

    def _forget(self, key: K, flight: Flight) -> None:
        """Let the next caller start another task: this one is done, or cancelled and about to end."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _discard_result(self, flight: Flight) -> None:
        """Discard the result: no caller will take it any more."""
        succeeded, result = flight.error is None, cast("T", flight.result)
        # The error refers to the frame of `_run`, and that to the flight: a reference cycle that keeps both alive.
        flight.result = flight.error = None
        if succeeded and self._discard is not None:
            self._discard(result)
