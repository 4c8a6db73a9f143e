"""The last samples: bounded, in order, and told of."""

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


def columns_of(some: list[Sample]) -> Columns:
    return Columns(*([each[at] for each in some] for at in range(5)))  # type: ignore[arg-type] # five of them, in this order


@given(length=st.integers(1, 6), but=st.integers(0, 8), added=st.lists(samples, min_size=1, max_size=20))
def test_the_history_keeps_the_last_samples_in_order(length: int, but: int, added: list[Sample]) -> None:
    history, model = History(added[0], length), deque(added, length)
    for sample in added[1:]:
        history.add(sample)
    kept = list(model)
    assert history.columns() == columns_of(kept)
    assert history.columns(without_newest=but) == columns_of(kept[: max(0, len(kept) - but)])
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
    heard: list[int] = []

    async def listen() -> None:
        await history.wait_after(1)
        heard.append(history.version)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        nursery.start_soon(listen)
        await trio.testing.wait_all_tasks_blocked()
        assert heard == []
        history.add(Sample(1, 0.0, 0, 0, 0))
    assert heard == [2, 2]
    with trio.fail_after(60):
        await history.wait_after(1)
        await history.wait_after(-1)


class Server:
    """What a sampler is told of, as the test wants it."""

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
    assert history.newest[3:] == (0, 0), "what was sent before is no rate"
    await nursery.start(sampler.run)
    for second in range(1, 4):
        server.sent += 1000 * second
        server.streams = second
        await history.wait_after(second)
        assert trio.current_time() == pytest.approx(second * INTERVAL)
    found = history.columns()
    assert found.bytes_per_second == [0, 1000, 2000, 3000]
    assert found.streams == [0, 1, 2, 3]
    assert found.times == sorted(found.times)
    assert before <= found.times[0] <= found.times[-1] <= time.time_ns() // 1_000_000
    assert (found.cpu[-1], found.memory[-1]) == (sampler.statistics().cpu, sampler.statistics().memory)
    assert min(found.memory) > 1 << 20


async def test_a_rate_covers_the_time_that_passed(autojump_clock: MockClock) -> None:
    """Beside a busy event loop a second may be longer."""
    server = Server()
    sampler = Sampler(server.traffic)
    server.sent += 9000
    await trio.sleep(3)
    assert sampler._newest().bytes_per_second == 3000
    assert sampler._newest().bytes_per_second == 0, "and no time is no division by zero"
