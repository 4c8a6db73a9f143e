"""Processor time and memory, measured on the test process."""

import mmap
import os
import time

import psutil
import pytest
import trio
from trio.testing import MockClock

from trio_stream.telemetry.process import INTERVAL, Sampler

MEGABYTE = 1 << 20

ROUNDS = 5
"""Other programs on the machine can only make a round worse, never better."""


@pytest.fixture
async def sampler(autojump_clock: MockClock, nursery: trio.Nursery) -> Sampler:
    """A running sampler. The test must request `autojump_clock` too, which jumps to the next sample."""
    sampler = Sampler()
    await nursery.start(sampler.run)
    await trio.sleep(INTERVAL / 2)  # stay between two samples
    return sampler


async def next_sample() -> None:
    await trio.sleep(INTERVAL)


async def test_the_first_sample_is_available_at_once() -> None:
    began = time.monotonic()
    now = Sampler().statistics()
    process = psutil.Process()
    assert 0 <= now.uptime <= time.monotonic() - began
    assert now.memory == pytest.approx(process.memory_info().rss, rel=0.5)
    assert 0 < now.cpu_seconds <= sum(process.cpu_times()[:2])
    assert now.tasks == trio.lowlevel.current_statistics().tasks_living
    assert now.descriptors == process.num_fds()


async def test_memory_grows_when_used_and_falls_when_freed(
    autojump_clock: MockClock, sampler: Sampler
) -> None:
    await next_sample()
    before = sampler.statistics().memory
    size = 96 * MEGABYTE  # far more than anything else here allocates or frees in that time
    with mmap.mmap(-1, size) as memory:
        for page in range(0, len(memory), mmap.PAGESIZE):
            memory[page] = 1
        assert sampler.statistics().memory == before, "nothing is measured between two samples"
        await next_sample()
        grown = sampler.statistics().memory
    await next_sample()
    assert size / 2 < grown - before < 2 * size
    assert sampler.statistics().memory < grown - size / 2


async def test_processor_time_is_measured(autojump_clock: MockClock, sampler: Sampler) -> None:
    """In seconds, and in percent of one core. The percentage is of real time, which other programs may have used."""
    ratios = []
    for _ in range(ROUNDS):
        began = time.monotonic(), time.process_time()
        await next_sample()
        before = sampler.statistics()
        spun = time.process_time()
        while time.process_time() - spun < 0.2:
            pass
        await next_sample()
        after = sampler.statistics()
        passed, used = time.monotonic() - began[0], time.process_time() - began[1]
        assert 0.15 < after.cpu_seconds - before.cpu_seconds < used + 0.05, (
            "the kernel counts in hundredths of a second"
        )
        ratios.append(after.cpu / (100 * used / passed))
        if ratios[-1] == pytest.approx(1, abs=0.3):
            return
    pytest.fail(f"the measured percentage, relative to the expected one: {ratios}")


async def test_counts_are_current(autojump_clock: MockClock, sampler: Sampler, nursery: trio.Nursery) -> None:
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
    jump = 1_000_000 * INTERVAL
    await trio.sleep(jump)
    now = time.monotonic()
    uptime = sampler.statistics().uptime
    assert now - after <= uptime <= time.monotonic() - before
    assert uptime < jump, "not measured on the clock that jumps"


async def test_the_sampler_runs_until_cancelled(autojump_clock: MockClock) -> None:
    began = trio.current_time()
    with trio.move_on_after(10 * INTERVAL) as scope:
        await Sampler().run()
    assert scope.cancelled_caught
    assert trio.current_time() - began == pytest.approx(10 * INTERVAL)
