"""Connections between two requests: each may wait for so long, and none waits for a server that stops.

Hypercorn starts a task for each wait and ends it again with the next request. A deadline on what the connection does
anyway, which is reading, costs nothing and ends the same things: connections that say nothing, that say no whole
request head (RFC 9112 section 9.5 lets a server close at any time), and that are not needed any more.
"""

from math import inf
from typing import Any

import trio


class Idle:
    """All waiting connections of a worker, by the scope in which each reads."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()
        self._over = False

    def enter(self, scope: trio.CancelScope, seconds: float) -> None:
        """Cancel `scope` after `seconds`, or when all waiting is over, unless it leaves before."""
        if self._over:
            scope.cancel()
            return
        scope.deadline = trio.current_time() + seconds
        self._scopes.add(scope)

    def leave(self, scope: trio.CancelScope) -> None:
        """The wait of `scope` has ended, if there was one."""
        scope.deadline = inf
        self._scopes.discard(scope)

    def end(self) -> None:
        """End all waiting there is, and all that would begin."""
        self._over = True
        for scope in self._scopes:
            scope.cancel()


class IdleTimer:
    """Stands where Hypercorn keeps the task of one connection."""

    def __init__(self, idle: Idle, scope: trio.CancelScope, seconds: float) -> None:
        self._idle = idle
        self._scope = scope
        self._seconds = seconds

    async def restart(self, *_: Any) -> None:
        """The connection waits from now on."""
        self._idle.enter(self._scope, self._seconds)

    async def stop(self) -> None:
        """It does not wait any more."""
        self._idle.leave(self._scope)
