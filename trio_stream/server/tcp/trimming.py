"""Return free memory to the system after many clients have left. The allocator would keep it.

Glibc returns free memory only from the end of its heap, where one live object holds up all the rest: of the 750 MB of
two thousand stalled streams, 690 stayed. `malloc_trim` returns free memory from anywhere in the heap. That takes a few
tenths of a second here, and no time if nothing is free. Other C libraries lack this function, and then nothing happens.
Python's own arenas for small objects are returned only when they are empty.
"""

import ctypes
from collections.abc import Callable

import trio

CROWD = 500
"""Connections and HTTP/2 streams that must end before memory is trimmed."""

CALM = 5.0
"""Seconds to wait after that, so that clients that leave together have all left."""

_trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)


class Trimming:
    """Counts ended connections and streams, and trims memory after every `CROWD` of them."""

    def __init__(self) -> None:
        self._left = 0
        self._crowd: trio.Event | None = None

    def note_end(self) -> None:
        """Count a connection or a stream that has ended."""
        self._left += 1
        if self._left >= CROWD and self._crowd is not None:
            self._crowd.set()

    async def run(self) -> None:
        """Trim memory until cancelled. It runs in a thread, since it can take a while; only allocations wait for it."""
        limiter = trio.CapacityLimiter(1)
        while _trim is not None:
            self._crowd = trio.Event()
            if self._left < CROWD:
                await self._crowd.wait()
            await trio.sleep(CALM)
            self._left = 0
            await trio.to_thread.run_sync(_trim, 0, limiter=limiter)


trimming = Trimming()
"""One for the process, like the allocator."""
