"""What a client may be ahead of what it earns: frames, chunks and resets that cost their reader, and carry nothing."""

import trio

PARTS = 2000
"""Frames of HTTP/2 or a WebSocket, or chunks over HTTP/1.1, that a client may be ahead of what is carried."""

PARTS_FORGIVEN = 200.0
"""Of them, forgotten in a second."""

BYTES_OF_A_PART = 1024
"""Bytes that earn one: some clients widen two windows for every four thousand they take."""


class Allowance:
    """So many of something a client may be ahead of what it earns; `forgiven` are forgotten in a second."""

    def __init__(self, most: int = PARTS, forgiven: float = PARTS_FORGIVEN) -> None:
        self._most = most
        self._forgiven = forgiven
        self._ahead = 0.0
        self._last = 0.0

    def spend(self, earned: float) -> bool:
        """Take one more, with what was earned since the one before; whether the client may go on."""
        now = trio.current_time()
        self._ahead = max(0.0, self._ahead - (now - self._last) * self._forgiven - earned) + 1
        self._last = now
        return self._ahead <= self._most
