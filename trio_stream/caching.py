"""A cache that is bounded in bytes and in entries; what was used longest ago goes first.

Invariant: its entries weigh at most `budget` bytes together and are at most `most`. The newest alone may weigh more:
without it, what is larger than the budget would be made anew for everybody who asks.

Pure: the clock comes from outside.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import inf
from sys import maxsize


def _no_clock() -> float:
    return 0.0


class BoundedCache[K: Hashable, V]:
    """Values by key. `weigh` gives the bytes of a key with its value, once, when they come.

    A value is believed for `lifetime` seconds of `clock`.
    """

    __slots__ = ("_budget", "_clock", "_kept", "_lifetime", "_most", "_nbytes", "_weigh")

    def __init__(
        self,
        budget: int,
        weigh: Callable[[K, V], int],
        *,
        most: int = maxsize,
        lifetime: float = inf,
        clock: Callable[[], float] = _no_clock,
    ) -> None:
        self._budget = budget
        self._weigh = weigh
        self._most = most
        self._lifetime = lifetime
        self._clock = clock
        self._kept: OrderedDict[K, tuple[V, int, float]] = OrderedDict()
        """The value, its weight and until when it is believed. The weight is written down, as a value that has grown
        since would be taken off the sum with more than it was added with."""
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        """Whether a value is here, believed or not; that does not count as used."""
        return key in self._kept

    @property
    def nbytes(self) -> int:
        """What all of it weighs."""
        return self._nbytes

    def get(self, key: K) -> V | None:
        """The value of that key, if it is here and still believed; it counts as used."""
        found = self._kept.get(key)
        if found is None or (found[2] < inf and self._clock() >= found[2]):
            return None
        self._kept.move_to_end(key)
        return found[0]

    def peek(self, key: K) -> V | None:
        """The value of that key, believed or not; that does not count as used."""
        found = self._kept.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, *, since: float | None = None) -> list[K]:
        """Keep a value, in place of the one the key had; return the keys that had to go for it.

        `since` is when what it says was looked up, if that was not just now.
        """
        self.pop(key)
        weight = self._weigh(key, value)
        until = (self._clock() if since is None else since) + self._lifetime
        self._kept[key] = value, weight, until
        self._nbytes += weight
        gone = []
        while len(self._kept) > self._most or (self._nbytes > self._budget and len(self._kept) > 1):
            gone.append(self._drop_oldest())
        return gone

    def pop(self, key: K) -> V | None:
        """Forget a key; return the value it had, believed or not."""
        found = self._kept.pop(key, None)
        if found is None:
            return None
        self._nbytes -= found[1]
        return found[0]

    def make_room(self, nbytes: int) -> list[K]:
        """Forget what was used longest ago until `nbytes` more would fit, or nothing is left; return those keys."""
        gone = []
        while self._kept and self._nbytes + nbytes > self._budget:
            gone.append(self._drop_oldest())
        return gone

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._nbytes = 0

    def _drop_oldest(self) -> K:
        key, (_, weight, _) = self._kept.popitem(last=False)
        self._nbytes -= weight
        return key
