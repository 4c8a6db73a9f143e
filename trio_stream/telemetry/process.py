"""Processor time and memory of this process, sampled once per second, so that reading them costs nothing."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil
import trio

from trio_stream.telemetry.history import History, Sample, Traffic

INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class ProcessStatistics:
    """`memory` in bytes, `cpu` in percent of one core, `uptime` and `cpu_seconds` in seconds, and two counts."""

    uptime: float
    memory: int
    cpu: float
    cpu_seconds: float
    descriptors: int
    tasks: int


def no_traffic() -> Traffic:
    """Return the traffic of a server without streams."""
    return Traffic(0, 0)


class Sampler:
    """Samples this process and its `traffic`. `run` is its task."""

    def __init__(self, traffic: Callable[[], Traffic] = no_traffic) -> None:
        self._traffic = traffic
        self._process = psutil.Process()
        self._began = time.monotonic()
        self._descriptors = self._process.num_fds()
        self._sample()
        self._sent, self._sent_at = traffic().bytes_sent, trio.current_time()
        self.history = History(self._newest())

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sample until cancelled."""
        task_status.started()
        while True:
            await trio.sleep(INTERVAL)
            with suppress(OSError, psutil.Error):  # if there are no free descriptors, keep the last figures
                self._sample()
            self.history.add(self._newest())

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def statistics(self) -> ProcessStatistics:
        """The last sample, with the current counts."""
        with suppress(OSError):  # counting descriptors needs one; if none is free, keep the last count
            self._descriptors = self._process.num_fds()
        return ProcessStatistics(
            uptime=self.uptime,
            memory=self._memory,
            cpu=self._cpu,
            cpu_seconds=self._cpu_seconds,
            descriptors=self._descriptors,
            tasks=trio.lowlevel.current_statistics().tasks_living,
        )

    def _sample(self) -> None:
        with self._process.oneshot():
            self._memory = self._process.memory_info().rss
            self._cpu = self._process.cpu_percent(None)
            times = self._process.cpu_times()
            self._cpu_seconds = times.user + times.system

    def _newest(self) -> Sample:
        traffic, now = self._traffic(), trio.current_time()
        passed = now - self._sent_at
        rate = (traffic.bytes_sent - self._sent) / passed if passed > 0 else 0
        self._sent, self._sent_at = traffic.bytes_sent, now
        return Sample(time.time_ns() // 1_000_000, self._cpu, self._memory, round(rate), traffic.streams)
