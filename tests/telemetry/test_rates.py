"""A rate over a sliding window, compared with a direct count."""

from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_stream.telemetry.rates import Rate

steps = st.one_of(
    st.floats(0, 1.5),
    st.sampled_from([0.0, 0.25, 0.5, 1.0, 9.0, 10.0]),
    st.floats(0, 1e6),
    st.integers(0, 40).map(float),
)
"""Seconds from one event to the next: close together, on the second, and far apart."""

events = st.lists(st.tuples(steps, st.integers(0, 1 << 40)), max_size=60)


def clock(start: float, events: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return the events with their times."""
    timed, now = [], start
    for step, amount in events:
        now += step
        timed.append((now, amount))
    return timed


@given(
    window=st.integers(1, 20),
    start=st.one_of(st.floats(0, 100), st.floats(1e5, 1e6), st.integers(0, 10**6).map(float)),
    events=events,
    wait=steps,
)
@example(window=10, start=0.0, events=[(0.0, 1), (10.0, 2)], wait=0.0)
@example(window=1, start=0.999, events=[(0.0, 1), (0.001, 2)], wait=0.999)
@example(window=10, start=0.0, events=[(1e6, 5)], wait=9.5)
def test_the_rate_matches_a_direct_count(
    window: int, start: float, events: list[tuple[float, int]], wait: float
) -> None:
    rate = Rate(window=float(window))
    timed = clock(start, events)
    for now, amount in timed:
        rate.add(now, amount)
        assert rate.per_second(now) >= amount / window, "it includes the latest event"
    now = (timed[-1][0] if timed else start) + wait
    counted = rate.per_second(now) * window
    expected = sum(amount for then, amount in timed if floor(then) > floor(now) - window)
    assert counted == pytest.approx(expected, rel=1e-9, abs=1e-9)
    at_most = sum(amount for then, amount in timed if then > now - window)
    at_least = sum(amount for then, amount in timed if then > now - window + 1)
    assert at_least * (1 - 1e-9) <= counted <= at_most * (1 + 1e-9)


@given(events=events, waits=st.lists(steps, max_size=10))
def test_reading_changes_nothing_and_the_rate_only_falls(
    events: list[tuple[float, int]], waits: list[float]
) -> None:
    watched, unwatched = Rate(), Rate()
    for now, amount in clock(5.0, events):
        watched.add(now, amount)
        watched.per_second(now)
        unwatched.add(now, amount)
    now = 5.0 + sum(step for step, _ in events)
    last = watched.per_second(now)
    for wait in waits:
        now += wait
        seen = watched.per_second(now)
        assert 0 <= seen <= last * (1 + 1e-9)
        last = seen
    assert unwatched.per_second(now) == watched.per_second(now)


@given(
    window=st.integers(1, 20),
    timed=st.lists(st.tuples(st.floats(0, 1e7), st.integers(0, 1 << 40)), max_size=40),
)
def test_the_rate_is_never_negative_even_if_the_clock_jumps(
    window: int, timed: list[tuple[float, int]]
) -> None:
    rate = Rate(window=window)
    for now, amount in timed:
        rate.add(now, amount)
        assert rate.per_second(now) >= 0
        assert rate.per_second(now) * window >= amount * (1 - 1e-9)


def test_a_steady_flow_has_a_constant_rate_once_the_window_is_full() -> None:
    rate = Rate(window=10.0)
    rates = []
    for tenth in range(200):
        rate.add(tenth / 10, 5)
        rates.append(rate.per_second(tenth / 10))
    assert rates[9] == 5, "the amount of one second, averaged over ten"
    assert rates == sorted(rates[:100]) + rates[100:]
    assert all(45 <= value <= 50 for value in rates[99:])


@pytest.mark.parametrize("gap", [10.0, 11.0, 15.5, 20.0, 1e3, 1e6, 1e9])
def test_events_older_than_the_window_do_not_count(gap: float) -> None:
    rate = Rate(window=10.0)
    for second in range(30):
        rate.add(100.0 + second, 7)
    assert rate.per_second(129.0) == 7
    assert rate.per_second(129.0 + gap) == 0
    rate.add(129.0 + gap, 10)
    assert rate.per_second(129.0 + gap) == 1


def test_the_rate_without_events_is_zero() -> None:
    assert Rate().per_second(0.0) == 0
    assert Rate().per_second(123_456.7) == 0


@pytest.mark.parametrize(("window", "seconds"), [(0.1, 1), (1.0, 1), (2.4, 2), (9.6, 10), (10.0, 10)])
def test_the_window_is_rounded_to_seconds(window: float, seconds: int) -> None:
    rate = Rate(window=window)
    rate.add(50.0, 60)
    assert rate.per_second(50.0) == 60 / seconds
    assert rate.per_second(50.0 + seconds - 0.001) == 60 / seconds
    assert rate.per_second(50.0 + seconds) == 0


def test_its_memory_is_constant() -> None:
    rate = Rate(window=10.0)
    for second in range(10_000):
        rate.add(float(second), 1)
    assert len(rate._buckets) == 10
