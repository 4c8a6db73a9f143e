"""What this process costs, measured on this process."""

import mmap
import os
import time

import psutil
import pytest
import trio
from trio.testing import MockClock

from trio_stream.telemetry.process import INTERVAL, Sampler

MEGABYTE = 1 << 20


@pytest.fixture
async def sampler(autojump_clock: MockClock, nursery: trio.Nursery) -> Sampler:
    """A sampler at work; the test has to ask for the clock too, which jumps to the next sample."""
    sampler = Sampler()
    await nursery.start(sampler.run)
    await trio.sleep(INTERVAL / 2)  # stay between two samples
    return sampler


async def next_sample() -> None:
    await trio.sleep(INTERVAL)


async def test_the_first_sample_is_there_at_once() -> None:
    began = time.monotonic()
    now = Sampler().statistics()
    process = psutil.Process()
    assert 0 <= now.uptime <= time.monotonic() - began
    assert now.memory == pytest.approx(process.memory_info().rss, rel=0.5)
    assert 0 < now.cpu_seconds <= sum(process.cpu_times()[:2])
    assert now.tasks == trio.lowlevel.current_statistics().tasks_living
    assert now.descriptors == process.num_fds()


async def test_memory_grows_when_it_is_used_and_falls_when_it_is_given_back(
    autojump_clock: MockClock, sampler: Sampler
) -> None:
    await next_sample()
    before = sampler.statistics().memory
    with mmap.mmap(-1, 96 * MEGABYTE) as memory:
        for page in range(0, len(memory), mmap.PAGESIZE):
            memory[page] = 1
        assert sampler.statistics().memory == before, "between two samples nothing is looked at"
        await next_sample()
        grown = sampler.statistics().memory
    await next_sample()
    assert 90 * MEGABYTE < grown - before < 128 * MEGABYTE
    assert sampler.statistics().memory < grown - 64 * MEGABYTE


async def test_the_processor_is_counted(autojump_clock: MockClock, sampler: Sampler) -> None:
    await next_sample()
    before = sampler.statistics()
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass
    await next_sample()
    after = sampler.statistics()
    assert 0.15 < after.cpu_seconds - before.cpu_seconds < 2
    assert 10 < after.cpu <= 150 * (os.cpu_count() or 1), "percent of one core"


async def test_counts_are_those_of_now(
    autojump_clock: MockClock, sampler: Sampler, nursery: trio.Nursery
) -> None:
    before = sampler.statistics()
    reading, writing = os.pipe()
    try:
        nursery.start_soon(trio.sleep_forever)
        during = sampler.statistics()
    finally:
        os.close(reading)
        os.close(writing)
    assert (during.descriptors, during.tasks) == (before.descriptors + 2, before.tasks + 1)
    assert sampler.statistics().descriptors == before.descriptors


async def test_uptime_is_real_time(autojump_clock: MockClock) -> None:
    before = time.monotonic()
    sampler = Sampler()
    after = time.monotonic()
    await trio.sleep(10 * INTERVAL)
    asked = time.monotonic()
    uptime = sampler.statistics().uptime
    assert asked - after <= uptime <= time.monotonic() - before
    assert uptime < 10 * INTERVAL, "not that of a clock that jumps"


async def test_samples_until_it_is_cancelled(autojump_clock: MockClock) -> None:
    began = trio.current_time()
    with trio.move_on_after(10 * INTERVAL) as scope:
        await Sampler().run()
    assert scope.cancelled_caught
    assert trio.current_time() - began == pytest.approx(10 * INTERVAL)
