"""One task for all who want the same thing at the same time.

Invariant: for each key at most one maker is at work that somebody can still join. It works in the nursery of `serve`
and not in that of whoever came first, so who leaves ends it for nobody else. When the last of them has left it is
cancelled, unless it said that it goes on.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import cast

import trio

from trio_stream.errors import MediaWorkerFailed, again


@dataclass(frozen=True, slots=True)
class FlightStatistics:
    """`running` are being made now. Totals: `shared` joined one that was, `abandoned` were cancelled as all had
    left."""

    running: int
    shared: int
    abandoned: int


class Flight:
    """A maker at work, as it sees itself."""

    __slots__ = ("error", "goes_on", "over", "result", "scope", "waiting")

    def __init__(self) -> None:
        self.over = trio.Event()
        self.scope = trio.CancelScope()
        self.waiting = 0
        self.goes_on = False
        """The maker sets it once its work is worth finishing: nobody ends it then by leaving."""
        self.result: object = None
        # What they get who still wait when the nursery of `serve` is cancelled: no maker lives to say why.
        self.error: Exception | None = MediaWorkerFailed("the server is stopping")


class SingleFlight[K: Hashable, T]:
    """Makes things, each once for all who want it meanwhile. `serve` is its task and has to be running.

    `closed` is the sentence for those who come while it is not. Each of those who waited gets `share(result)`; once
    none of them is left, `discard(result)` is called. Without them all get the result itself.
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
        """What is being made now, and totals since the start."""
        return FlightStatistics(len(self._flights), self._shared, self._abandoned)

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Make what is asked for, until cancelled. It may be served again."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                # Before the nursery waits for its makers: one that began now would hold up the end.
                self._nursery = None

    async def get(self, key: K, make: Callable[[Flight], Awaitable[T]]) -> T:
        """What is made for `key`: by the maker that is at work for it, or else by `make`, which is called at once.

        What `make` raises is raised here; what its awaitable raises is raised for all who wait, for each as an error
        of its own. Raises `MediaWorkerFailed` while nothing is served.
        """
        flight = self._flights.get(key)
        if flight is not None:
            self._shared += 1
        elif self._nursery is None:
            raise MediaWorkerFailed(self._closed)
        else:
            flight = Flight()
            # Called before anything is written down: it may fail, and takes what it needs (as a descriptor of its
            # own) while whoever came first is still there to lend it.
            work = make(flight)
            self._flights[key] = flight
            self._nursery.start_soon(self._run, key, flight, work)
        flight.waiting += 1
        try:
            await flight.over.wait()
            if flight.error is not None:
                raise again(flight.error)
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
        except Exception as error:  # noqa: BLE001 - it is raised for those who wait
            flight.error = error
        finally:
            self._forget(key, flight)
            flight.over.set()
            if not flight.waiting:
                self._settle(flight)

    def _leave(self, key: K, flight: Flight) -> None:
        """The last of those who waited has gone."""
        if flight.over.is_set():
            self._settle(flight)
        elif not flight.goes_on:
            self._abandoned += 1
            flight.scope.cancel()
            self._forget(key, flight)

    def _forget(self, key: K, flight: Flight) -> None:
        """Let who comes now begin another: this one is over, or cancelled and not over yet."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _settle(self, flight: Flight) -> None:
        """Nobody takes any more."""
        made, result = flight.error is None, cast("T", flight.result)
        # The error holds the frame of `_run`, and that holds the flight: a cycle, and all that hangs on it.
        flight.result = flight.error = None
        if made and self._discard is not None:
            self._discard(result)
