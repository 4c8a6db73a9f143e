"""Values that are kept while they fit into a budget, the last used longest."""

from collections import OrderedDict
from collections.abc import Callable
from sys import maxsize


class Recent[K, V]:
    """At most `most` values, which together weigh at most `budget` bytes; the newest is kept whatever it weighs."""

    def __init__(self, budget: int, weigh: Callable[[V], int], *, most: int = maxsize) -> None:
        self._budget = budget
        self._weigh = weigh
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The value of that key, if it is here; it counts as used."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep a value, in place of the one the key had."""
        if (before := self._kept.pop(key, None)) is not None:
            self.nbytes -= self._weigh(before)
        self._kept[key] = value
        self.nbytes += self._weigh(value)
        while len(self._kept) > self._most or (self.nbytes > self._budget and len(self._kept) > 1):
            _, gone = self._kept.popitem(last=False)
            self.nbytes -= self._weigh(gone)
