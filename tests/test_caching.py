"""The bounded cache, compared with a simple list as its model."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from trio_stream.caching import BoundedCache

KEYS = st.sampled_from("abcdefgh")
WEIGHTS = st.integers(0, 12)


class Caching(RuleBasedStateMachine):
    """The model is a list of (key, weight, until), the least recently used first."""

    @initialize(budget=st.integers(0, 20), max_entries=st.integers(1, 5), lifetime=st.integers(1, 5))
    def start(self, budget: int, max_entries: int, lifetime: int) -> None:
        self.now = 0.0
        self.budget, self.max_entries, self.lifetime = budget, max_entries, lifetime
        self.cache: BoundedCache[str, int] = BoundedCache(
            budget,
            lambda _, weight: weight,
            max_entries=max_entries,
            lifetime=lifetime,
            clock=lambda: self.now,
        )
        self.model: list[tuple[str, int, float]] = []

    def _find(self, key: str) -> tuple[str, int, float] | None:
        return next((each for each in self.model if each[0] == key), None)

    def _drop(self) -> str:
        return self.model.pop(0)[0]

    @rule(key=KEYS, weight=WEIGHTS, ago=st.integers(0, 3))
    def put(self, key: str, weight: int, ago: int) -> None:
        self.model = [each for each in self.model if each[0] != key]
        self.model.append((key, weight, self.now - ago + self.lifetime))
        gone = []
        while len(self.model) > self.max_entries or (
            sum(each[1] for each in self.model) > self.budget and len(self.model) > 1
        ):
            gone.append(self._drop())
        assert self.cache.put(key, weight, since=self.now - ago) == gone

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        entry = self._find(key)
        if entry is None or entry[2] <= self.now:
            assert self.cache.get(key) is None
        else:
            assert self.cache.get(key) == entry[1]
            self.model.remove(entry)
            self.model.append(entry)

    @rule(key=KEYS)
    def peek(self, key: str) -> None:
        entry = self._find(key)
        assert self.cache.peek(key) == (None if entry is None else entry[1])
        assert (key in self.cache) is (entry is not None)

    @rule(key=KEYS)
    def pop(self, key: str) -> None:
        entry = self._find(key)
        assert self.cache.pop(key) == (None if entry is None else entry[1])
        if entry is not None:
            self.model.remove(entry)

    @rule(nbytes=st.integers(0, 25))
    def make_room(self, nbytes: int) -> None:
        gone = []
        while self.model and sum(each[1] for each in self.model) + nbytes > self.budget:
            gone.append(self._drop())
        assert self.cache.make_room(nbytes) == gone

    @rule()
    def clear(self) -> None:
        self.model.clear()
        self.cache.clear()

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def is_within_its_bounds(self) -> None:
        if not hasattr(self, "cache"):
            return
        assert len(self.cache) == len(self.model) <= self.max_entries
        assert self.cache.nbytes == sum(each[1] for each in self.model)
        assert self.cache.nbytes <= self.budget or len(self.cache) == 1


TestCaching = Caching.TestCase
TestCaching.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_the_stored_weight_is_subtracted() -> None:
    """Even if the value has grown since."""
    cache: BoundedCache[str, list[int]] = BoundedCache(10, lambda _, value: len(value))
    value = [1]
    cache.put("a", value)
    value += [2, 3]
    cache.pop("a")
    assert cache.nbytes == 0


def test_a_value_without_a_lifetime_never_expires() -> None:
    cache: BoundedCache[str, int] = BoundedCache(1, lambda *_: 1)
    cache.put("a", 0)
    assert cache.get("a") == 0
