"""The size of the next chunk: small at first, so that the first frame appears at once, and then larger.

Large chunks cost fewer wake-ups. Small ones give more accurate counters, notice a changed file earlier and, if they are
copies, take less memory. So the size adapts to the client: it doubles while chunks are sent quickly, and halves when
one takes long.
"""

KIB = 1024

QUICK = 0.1
"""After a chunk that was sent within this many seconds, the next may be larger."""

SLOW = 4.0
"""After a chunk that took longer than this many seconds, the next is smaller."""


class ChunkSizer:
    """The size of the next chunk in bytes, between `smallest` and `largest`."""

    __slots__ = ("largest", "size", "smallest")

    def __init__(self, smallest: int, largest: int) -> None:
        if not 0 < smallest <= largest:
            raise ValueError(f"{smallest} to {largest} bytes is not a range of sizes")
        self.smallest = smallest
        self.largest = largest
        self.size = smallest

    def sent(self, seconds: float) -> None:
        """Adapt the size after a chunk took `seconds` to send."""
        if seconds <= QUICK:
            self.size = min(self.size * 2, self.largest)
        elif seconds > SLOW:
            self.size = max(self.size // 2, self.smallest)
