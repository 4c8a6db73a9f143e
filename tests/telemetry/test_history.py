"""The history of samples: bounded, in order, and with listeners."""

import time
from collections import deque

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_stream.telemetry.history import LENGTH, Columns, History, Sample, Traffic
from trio_stream.telemetry.process import INTERVAL, Sampler

count = st.integers(0, 2**63 - 1)
samples = st.builds(
    Sample, time=count, cpu=st.floats(0, 1e5), memory=count, bytes_per_second=count, streams=count
)


def columns_of(samples: list[Sample]) -> Columns:
    return Columns(*([sample[field] for sample in samples] for field in range(5)))  # type: ignore[arg-type] # five, in this order


@given(length=st.integers(1, 6), without=st.integers(0, 8), added=st.lists(samples, min_size=1, max_size=20))
def test_the_history_keeps_the_last_samples_in_order(length: int, without: int, added: list[Sample]) -> None:
    history, model = History(added[0], length), deque(added, length)
    for sample in added[1:]:
        history.add(sample)
    expected = list(model)
    assert history.columns() == columns_of(expected)
    assert history.columns(without_newest=without) == columns_of(expected[: max(0, len(expected) - without)])
    assert history.newest is added[-1]
    assert history.version == len(added)


def test_its_memory_is_constant() -> None:
    history = History(Sample(0, 0.0, 0, 0, 0))
    sizes = {len(column) for column in history.columns()}
    for second in range(1, 3 * LENGTH):
        history.add(Sample(second * 1000, 1.5, 2, 3, 4))
    assert sizes == {1}
    assert {len(column) for column in history.columns()} == {LENGTH}
    assert len(history._times) == len(history._cpu) == LENGTH
    assert history.columns().times[0] == 2 * LENGTH * 1000


async def test_a_listener_waits_for_the_next_sample_and_a_late_one_does_not_wait() -> None:
    history = History(Sample(0, 0.0, 0, 0, 0))
    seen: list[int] = []

    async def listen() -> None:
        await history.wait_after(1)
        seen.append(history.version)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        nursery.start_soon(listen)
        await trio.testing.wait_all_tasks_blocked()
        assert seen == []
        history.add(Sample(1, 0.0, 0, 0, 0))
    assert seen == [2, 2]
    with trio.fail_after(60):
        await history.wait_after(1)
        await history.wait_after(-1)


class Server:
    """The traffic that a sampler reads, set by the test."""

    def __init__(self) -> None:
        self.sent = 5000
        self.streams = 0

    def traffic(self) -> Traffic:
        return Traffic(self.sent, self.streams)


async def test_the_sampler_fills_the_history(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    server = Server()
    before = time.time_ns() // 1_000_000
    sampler = Sampler(server.traffic)
    history = sampler.history
    assert history.newest[3:] == (0, 0), "bytes sent before the first sample do not count"
    await nursery.start(sampler.run)
    for second in range(1, 4):
        server.sent += 1000 * second
        server.streams = second
        await history.wait_after(second)
        assert trio.current_time() == pytest.approx(second * INTERVAL)
    columns = history.columns()
    assert columns.bytes_per_second == [0, 1000, 2000, 3000]
    assert columns.streams == [0, 1, 2, 3]
    assert columns.times == sorted(columns.times)
    assert before <= columns.times[0] <= columns.times[-1] <= time.time_ns() // 1_000_000
    assert (columns.cpu[-1], columns.memory[-1]) == (sampler.statistics().cpu, sampler.statistics().memory)
    assert min(columns.memory) > 1 << 20


async def test_a_rate_covers_the_time_that_passed(autojump_clock: MockClock) -> None:
    """On a busy event loop, the interval may be longer than a second."""
    server = Server()
    sampler = Sampler(server.traffic)
    server.sent += 9000
    await trio.sleep(3)
    assert sampler._newest().bytes_per_second == 3000
    assert sampler._newest().bytes_per_second == 0, "no division by zero if no time has passed"
