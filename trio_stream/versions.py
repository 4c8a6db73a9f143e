"""Something whose states are numbered, and the means to wait for a later one.

Nothing is queued for whoever follows: who comes late finds the state as it is now, and misses those between.
"""

import trio


class Versioned:
    """Something that is in one state after another; the number of the state grows with each."""

    def __init__(self) -> None:
        self._version = 0
        self._changed = trio.Event()

    @property
    def version(self) -> int:
        """The number of the state it is in."""
        return self._version

    def changed(self) -> None:
        """Tell who waits that it is in another state."""
        self._version += 1
        self._changed.set()
        self._changed = trio.Event()

    async def wait_after(self, version: int) -> None:
        """Return once it is in a later state than `version`."""
        while self._version <= version:
            await self._changed.wait()
