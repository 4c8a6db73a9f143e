"""A least-recently-used cache that is bounded in bytes and in entries.

Invariant: there are at most `max_entries` entries, and together they weigh at most `budget` bytes. Only the newest one
may exceed the budget: otherwise a value larger than the budget would be generated for every request.

Pure: the clock is passed in.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import inf
from sys import maxsize


def _no_clock() -> float:
    return 0.0


class BoundedCache[K: Hashable, V]:
    """Values by key. `weigh` returns the bytes of an entry; it is called once, when the entry is stored.

    A value is valid for `lifetime` seconds of `clock`.
    """

    __slots__ = ("_budget", "_clock", "_entries", "_lifetime", "_max_entries", "_nbytes", "_weigh")

    def __init__(
        self,
        budget: int,
        weigh: Callable[[K, V], int],
        *,
        max_entries: int = maxsize,
        lifetime: float = inf,
        clock: Callable[[], float] = _no_clock,
    ) -> None:
        self._budget = budget
        self._weigh = weigh
        self._max_entries = max_entries
        self._lifetime = lifetime
        self._clock = clock
        self._entries: OrderedDict[K, tuple[V, int, float]] = OrderedDict()
        """The value, its weight and when it expires. The weight is stored because the value may grow: then more would
        be subtracted from the sum than was added."""
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        """Whether there is a value, valid or expired. This does not count as a use."""
        return key in self._entries

    @property
    def nbytes(self) -> int:
        """The total weight of all entries."""
        return self._nbytes

    def get(self, key: K) -> V | None:
        """The value of that key, if there is one and it is valid. This counts as a use."""
        entry = self._entries.get(key)
        if entry is None or (entry[2] < inf and self._clock() >= entry[2]):
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def peek(self, key: K) -> V | None:
        """The value of that key, valid or expired. This does not count as a use."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V, *, since: float | None = None) -> list[K]:
        """Store a value, replacing that of the same key; return the keys that were removed to make room.

        `since` is when the value was obtained, if that was not just now.
        """
        self.pop(key)
        weight = self._weigh(key, value)
        expires_at = (self._clock() if since is None else since) + self._lifetime
        self._entries[key] = value, weight, expires_at
        self._nbytes += weight
        removed = []
        while len(self._entries) > self._max_entries or (
            self._nbytes > self._budget and len(self._entries) > 1
        ):
            removed.append(self._drop_oldest())
        return removed

    def pop(self, key: K) -> V | None:
        """Remove a key; return its value, valid or expired."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self._nbytes -= entry[1]
        return entry[0]

    def make_room(self, nbytes: int) -> list[K]:
        """Remove the least recently used entries until `nbytes` more would fit, or none is left; return their keys."""
        removed = []
        while self._entries and self._nbytes + nbytes > self._budget:
            removed.append(self._drop_oldest())
        return removed

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
        self._nbytes = 0

    def _drop_oldest(self) -> K:
        key, (_, weight, _) = self._entries.popitem(last=False)
        self._nbytes -= weight
        return key
