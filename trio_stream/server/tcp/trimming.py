"""Memory that is free goes back to the system after a crowd has left; the allocator keeps it otherwise.

Glibc gives back what is free at the end of its heap, where anything that still lives holds up all the rest: of the 750
MB of two thousand stalled streams 690 stayed. `malloc_trim` gives back what is free anywhere. It takes some tenths of a
second for these, and nothing where there is nothing. Other C libraries have no such function, and this does nothing.
Python's own arenas, for small objects, are given back only where they are empty.
"""

import ctypes
from collections.abc import Callable

import trio

CROWD = 500
"""Connections and HTTP/2 streams that have to end before it is worth a look."""

CALM = 5.0
"""Seconds between that and the look: those who leave together leave within them."""

_trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)


class Trimming:
    """Counts what has ended, and gives memory back after every `CROWD` of them."""

    def __init__(self) -> None:
        self._left = 0
        self._crowd: trio.Event | None = None

    def note_end(self) -> None:
        """A connection or a stream has ended."""
        self._left += 1
        if self._left >= CROWD and self._crowd is not None:
            self._crowd.set()

    async def run(self) -> None:
        """Give back, for ever. In a thread, as it may take a while, in which only who wants memory has to wait."""
        limiter = trio.CapacityLimiter(1)
        while _trim is not None:
            self._crowd = trio.Event()
            if self._left < CROWD:
                await self._crowd.wait()
            await trio.sleep(CALM)
            self._left = 0
            await trio.to_thread.run_sync(_trim, 0, limiter=limiter)


trimming = Trimming()
"""That of this process, as the allocator is."""
