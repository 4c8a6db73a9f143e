"""How long one waits: everybody equally long, so who began first is over first, and one task looks after all of them.

A deadline of its own for each wait costs more than what is waited for. What waits here are connections between two
requests and connections whose client takes nothing; Hypercorn has a task for each of the former, and no limit for
the latter.
"""

from collections.abc import Callable, Hashable
from typing import Any

import trio

SHORTEST = 0.05
"""Seconds between two looks at least, also where nobody may wait at all."""


class Timeouts[T: Hashable]:
    """All who wait for one thing, the one that waits longest first; `give_up` is called for who waited too long."""

    def __init__(self, give_up: Callable[[T], None]) -> None:
        self._give_up = give_up
        # A queue: a dict keeps the order in which its keys came. As all may wait equally long, the first of it is over
        # first, and nobody else needs to be looked at.
        self._since: dict[T, float] = {}
        self._over = False

    def enter(self, who: T) -> None:
        """The wait of `who` begins, or begins anew."""
        if self._over:
            self._give_up(who)
        else:
            self._since.pop(who, None)  # so that it is the last again
            self._since[who] = trio.current_time()

    def leave(self, who: T) -> None:
        """The wait of `who` has ended, if there was one."""
        self._since.pop(who, None)

    async def run(self, seconds: float) -> None:
        """Give up whoever has waited for `seconds`, for ever."""
        while True:
            now = trio.current_time()
            for who, since in list(self._since.items()):  # a copy: it loses them on the way
                if since + seconds > now:
                    break
                self.leave(who)
                self._give_up(who)
            # Whoever comes meanwhile is not over before this look is.
            longest = next(iter(self._since.values()), now)
            await trio.sleep_until(max(longest + seconds, now + SHORTEST))

    def end(self) -> None:
        """Give up all there are, and all who would begin."""
        self._over = True
        for who in self._since:
            self._give_up(who)


class Timer:
    """The wait of one, in the place where Hypercorn keeps a task for it."""

    def __init__(self, patience: Timeouts[trio.CancelScope], scope: trio.CancelScope) -> None:
        self._patience = patience
        self._scope = scope

    async def restart(self, *_: Any) -> None:
        """It begins now."""
        self._patience.enter(self._scope)

    async def stop(self) -> None:
        """It has ended."""
        self._patience.leave(self._scope)
