"""Timeouts of equal length. The wait that began first expires first, so one task handles them all.

A deadline for each wait costs more than the wait itself. The waits are those of connections between two requests, and
of connections whose client accepts nothing. Hypercorn has a task for each of the former, and no limit for the latter.
"""

from collections.abc import Callable, Hashable
from typing import Any

import trio

SHORTEST = 0.05
"""Seconds between two checks, at least, even if the timeout is zero."""


class Timeouts[T: Hashable]:
    """All waits with one timeout, the oldest first. `give_up` is called for each waiter whose timeout expires."""

    def __init__(self, give_up: Callable[[T], None]) -> None:
        self._give_up = give_up
        # A queue: a dict keeps its keys in the order of insertion. All timeouts are equal, so the first expires first,
        # and the others need not be checked.
        self._since: dict[T, float] = {}
        self._ended = False

    def enter(self, waiter: T) -> None:
        """Start or restart the wait of `waiter`."""
        if self._ended:
            self._give_up(waiter)
        else:
            self._since.pop(waiter, None)  # so that it becomes the last
            self._since[waiter] = trio.current_time()

    def leave(self, waiter: T) -> None:
        """End the wait of `waiter`, if there is one."""
        self._since.pop(waiter, None)

    async def run(self, seconds: float) -> None:
        """Give up every wait that has lasted `seconds`. Runs until cancelled."""
        while True:
            now = trio.current_time()
            for waiter, since in list(self._since.items()):  # a copy, because the loop removes items
                if since + seconds > now:
                    break
                self.leave(waiter)
                self._give_up(waiter)
            # A wait that begins during the sleep does not expire before it ends.
            oldest = next(iter(self._since.values()), now)
            await trio.sleep_until(max(oldest + seconds, now + SHORTEST))

    def end(self) -> None:
        """Give up all waits, and every wait that begins later."""
        self._ended = True
        for waiter in self._since:
            self._give_up(waiter)


class Timer:
    """The wait of one connection. It replaces a task of Hypercorn's and has the same methods."""

    def __init__(self, timeouts: Timeouts[trio.CancelScope], scope: trio.CancelScope) -> None:
        self._timeouts = timeouts
        self._scope = scope

    async def restart(self, *_: Any) -> None:
        """Start the wait now."""
        self._timeouts.enter(self._scope)

    async def stop(self) -> None:
        """End the wait."""
        self._timeouts.leave(self._scope)
