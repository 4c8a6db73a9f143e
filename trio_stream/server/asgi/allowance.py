"""An allowance for frames, chunks and resets that carry no data but cost processor time."""

import trio

PARTS = 2000
"""Frames of HTTP/2 or a WebSocket, or chunks of HTTP/1.1, that a client may send beyond those its data has earned."""

PARTS_FORGIVEN = 200.0
"""How many of them are forgiven per second."""

BYTES_PER_PART = 1024
"""Bytes that earn one: some clients send two window updates for every four thousand bytes they receive."""


class Allowance:
    """A client may be at most `limit` ahead of what it has earned, and `forgiven` of that are forgotten per second."""

    def __init__(self, limit: int = PARTS, forgiven: float = PARTS_FORGIVEN) -> None:
        self._limit = limit
        self._forgiven = forgiven
        self._ahead = 0.0
        self._last = 0.0

    def spend(self, earned: float) -> bool:
        """Count one more, and what was earned since the last one. Return whether the client may continue."""
        now = trio.current_time()
        self._ahead = max(0.0, self._ahead - (now - self._last) * self._forgiven - earned) + 1
        self._last = now
        return self._ahead <= self._limit
