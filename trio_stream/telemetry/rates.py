"""A rate over a sliding window, in constant memory: a ring of one-second buckets (pure)."""

from math import floor


class Rate:
    """Units per second over the last `window` seconds of a clock that never goes back."""

    __slots__ = ("_buckets", "_newest", "_window")

    def __init__(self, window: float = 10.0) -> None:
        self._window = max(1, round(window))
        self._buckets = [0.0] * self._window
        self._newest = 0

    def add(self, now: float, amount: float) -> None:
        """Count `amount` at the time `now`, in seconds."""
        self._turn(now)
        self._buckets[self._newest % self._window] += amount

    def per_second(self, now: float) -> float:
        """The average over the window that ends at `now`."""
        self._turn(now)
        return sum(self._buckets) / self._window

    def _turn(self, now: float) -> None:
        second = floor(now)
        for passed in range(max(self._newest + 1, second - self._window + 1), second + 1):
            self._buckets[passed % self._window] = 0.0
        self._newest = max(self._newest, second)
