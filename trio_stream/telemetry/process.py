"""What this process costs: sampled once a second, so that reading the figures costs nothing."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil
import trio

INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class ProcessStatistics:
    """Memory in bytes, processor in percent of one core, seconds since the start, counts."""

    uptime: float
    memory: int
    cpu: float
    cpu_seconds: float
    descriptors: int
    tasks: int


class Sampler:
    """Looks at this process; `run` is its task."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._began = time.monotonic()
        self._descriptors = self._process.num_fds()
        self._sample()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sample until cancelled."""
        task_status.started()
        while True:
            await trio.sleep(INTERVAL)
            with suppress(OSError, psutil.Error):  # out of descriptors, say: the last sample stands
                self._sample()

    def statistics(self) -> ProcessStatistics:
        """The last sample, with counts that cost nothing as they are now."""
        with suppress(OSError):  # to count them takes one, and none may be left: the last count stands
            self._descriptors = self._process.num_fds()
        return ProcessStatistics(
            uptime=time.monotonic() - self._began,
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
