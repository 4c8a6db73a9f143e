"""Connections between two requests: each may wait for so long, and none waits for a server that stops.

Hypercorn starts a task for each wait and ends it again with the next request. Here one task looks after all of them:
as everybody may wait equally long, who came first is over first. It ends connections that say nothing, that say no
whole request head (RFC 9112 section 9.5 lets a server close at any time), and that are not needed any more.
"""

from typing import Any

import trio


class Idle:
    """All waiting connections of a worker, by the scope in which each reads, the one that waits longest first."""

    def __init__(self) -> None:
        self._since: dict[trio.CancelScope, float] = {}
        self._over = False

    def enter(self, scope: trio.CancelScope) -> None:
        """Cancel `scope` when its time is over, or when all waiting is, unless it leaves before."""
        if self._over:
            scope.cancel()
        else:
            self._since.pop(scope, None)
            self._since[scope] = trio.current_time()

    def leave(self, scope: trio.CancelScope) -> None:
        """The wait of `scope` has ended, if there was one."""
        self._since.pop(scope, None)

    async def run(self, seconds: float) -> None:
        """End what has waited for `seconds`, for ever."""
        while True:
            now = trio.current_time()
            for scope, since in list(self._since.items()):
                if since + seconds > now:
                    break
                scope.cancel()
                self.leave(scope)
            # Whoever comes meanwhile is not over before this look is.
            longest = next(iter(self._since.values()), now)
            await trio.sleep_until(longest + seconds)

    def end(self) -> None:
        """End all waiting there is, and all that would begin."""
        self._over = True
        for scope in self._since:
            scope.cancel()


class IdleTimer:
    """Stands where Hypercorn keeps the task of one connection."""

    def __init__(self, idle: Idle, scope: trio.CancelScope) -> None:
        self._idle = idle
        self._scope = scope

    async def restart(self, *_: Any) -> None:
        """The connection waits from now on."""
        self._idle.enter(self._scope)

    async def stop(self) -> None:
        """It does not wait any more."""
        self._idle.leave(self._scope)
