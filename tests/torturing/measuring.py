"""The memory, descriptors and threads of a server's processes, measured when there are no faults, and their growth."""

import re
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

MIN_SAMPLES = 6
"""The number of samples that are needed to see growth."""

GROWTH = 1.15
"""The second half may have this many times as much as the first half, plus `ALLOWANCE`."""

ALLOWANCE = {"memory": 24 << 20, "descriptors": 24, "threads": 12}


@dataclass(frozen=True)
class Sample:
    """The totals of all serving processes: bytes of private memory, open descriptors, threads."""

    memory: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pids: Sequence[int]) -> "Sample":
        memory = descriptors = threads = 0
        for pid in pids:
            with suppress(FileNotFoundError, ProcessLookupError):
                status = Path(f"/proc/{pid}/status").read_text()
                memory += 1024 * _figure(status, "RssAnon")
                threads += _figure(status, "Threads")
                descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return cls(memory, descriptors, threads)


def _figure(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


def growing_figures(samples: Sequence[Sample]) -> list[str]:
    """Describe what grows more than in a server without leaks (pure).

    The medians of both halves are compared, without the first sample, which is that of a new server. With fewer than
    `MIN_SAMPLES` samples the result is empty.
    """
    if len(samples) < MIN_SAMPLES:
        return []
    found = []
    for name in [each.name for each in fields(Sample)]:
        values = [getattr(sample, name) for sample in samples[1:]]
        first = statistics.median(values[: len(values) // 2])
        second = statistics.median(values[len(values) // 2 :])
        if second > first * GROWTH + ALLOWANCE[name]:
            found.append(f"{name} grew from {first:,.0f} to {second:,.0f}")
    return found


def slope(samples: Sequence[Sample], name: str) -> float:
    """How much `name` grows per sample, by linear regression (pure)."""
    values = [getattr(sample, name) for sample in samples[1:]]
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(range(len(values)), values).slope
