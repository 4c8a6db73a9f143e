"""What the processes of a server hold, measured again and again when nothing is wrong, and whether it grows."""

import re
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

FEWEST = 6
"""Samples that it takes to tell whether something grows."""

GROWTH = 1.15
"""So many times what was held in the first half may be held in the second, and `ROOM` more of each."""

ROOM = {"memory": 24 << 20, "descriptors": 24, "threads": 12}


@dataclass(frozen=True)
class Sample:
    """Of all processes that serve: bytes of private memory, open descriptors, threads."""

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


def growing(samples: Sequence[Sample]) -> list[str]:
    """What is held more of in the second half than a server that leaks nothing would, in words (pure).

    The medians of both halves are compared, without the first sample, which is of a server that just began. Of fewer than
    `FEWEST` samples nothing is said.
    """
    if len(samples) < FEWEST:
        return []
    found = []
    for name in [each.name for each in fields(Sample)]:
        values = [getattr(sample, name) for sample in samples[1:]]
        first = statistics.median(values[: len(values) // 2])
        second = statistics.median(values[len(values) // 2 :])
        if second > first * GROWTH + ROOM[name]:
            found.append(f"{name} grew from {first:,.0f} to {second:,.0f}")
    return found


def slope(samples: Sequence[Sample], name: str) -> float:
    """By how much `name` grows from one sample to the next, as a straight line has it (pure)."""
    values = [getattr(sample, name) for sample in samples[1:]]
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(range(len(values)), values).slope
