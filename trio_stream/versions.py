"""An object with numbered states, and a way to wait for the next one.

Nothing is queued for followers: a slow follower sees the current state and misses the ones in between.
"""

import trio


class Versioned:
    """An object whose version number grows with each change of its state."""

    def __init__(self) -> None:
        self._version = 0
        self._changed = trio.Event()

    @property
    def version(self) -> int:
        """The number of the current state."""
        return self._version

    def changed(self) -> None:
        """Notify all waiting tasks of a new state."""
        self._version += 1
        self._changed.set()
        self._changed = trio.Event()

    async def wait_after(self, version: int) -> None:
        """Return once the version is greater than `version`."""
        while self._version <= version:
            await self._changed.wait()
