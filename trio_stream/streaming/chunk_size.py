"""How large the next chunk is: small first, so that a picture is there at once; larger once it flows.

A large chunk costs fewer wake-ups, a small one gives truer counters, earlier notice of a changed file and, where
it is a copy, less memory. So the size follows the client: it doubles while chunks leave quickly and halves when
one takes long.
"""

KIB = 1024

QUICK = 0.1
"""A chunk that left within this many seconds may be followed by a larger one."""

SLOW = 4.0
"""A chunk that took longer than this many seconds is followed by a smaller one."""


class ChunkSizer:
    """The size of the next chunk in bytes, between `smallest` and `largest`."""

    __slots__ = ("largest", "size", "smallest")

    def __init__(self, smallest: int, largest: int) -> None:
        if not 0 < smallest <= largest:
            raise ValueError(f"{smallest} to {largest} bytes is no range of sizes")
        self.smallest = smallest
        self.largest = largest
        self.size = smallest

    def sent(self, seconds: float) -> None:
        """Learn that a chunk took `seconds` to leave."""
        if seconds <= QUICK:
            self.size = min(self.size * 2, self.largest)
        elif seconds > SLOW:
            self.size = max(self.size // 2, self.smallest)
